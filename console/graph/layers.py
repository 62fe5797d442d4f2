"""Layers of a DAG, left to right, in an order with few crossings: longest paths, dummy nodes, barycentre sweeps.

Nodes are numbered from 0; `upstream[i]` holds those that node `i` waits for. Numbers from `size` on are dummies: an
edge over several layers is a chain of them.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

SWEEPS = 12
_PATIENCE = 3
"""Sweeps without gain after which it ends."""


@dataclass(frozen=True)
class Layered:
    """`layers` from the left, each from top to bottom; `below[i]` are those of the next layer that follow on `i`."""

    size: int
    layers: tuple[tuple[int, ...], ...]
    below: tuple[tuple[int, ...], ...]
    edge: tuple[tuple[int, int] | None, ...]
    """For each dummy (from `size` on) the edge it belongs to; None for nodes."""


def layered(upstream: Sequence[Sequence[int]]) -> Layered:
    """The layers of an acyclic graph. Raises ValueError on a cycle."""
    size = len(upstream)
    depth = _depths(upstream)
    below: list[list[int]] = [[] for _ in range(size)]
    edge: list[tuple[int, int] | None] = [None] * size
    layers: list[list[int]] = [[] for _ in range(max(depth, default=-1) + 1)]
    for node in range(size):
        layers[depth[node]].append(node)
    for target, sources in enumerate(upstream):
        for source in sources:
            here = source
            for level in range(depth[source] + 1, depth[target]):
                dummy = len(below)
                below.append([])
                edge.append((source, target))
                layers[level].append(dummy)
                below[here].append(dummy)
                here = dummy
            below[here].append(target)
    ordered = _order(layers, below)
    return Layered(size, tuple(map(tuple, ordered)), tuple(map(tuple, below)), tuple(edge))


def _depths(upstream: Sequence[Sequence[int]]) -> list[int]:
    depth = [-1] * len(upstream)
    waiting = list(range(len(upstream)))
    while waiting:
        later = []
        for node in waiting:
            above = [depth[source] for source in upstream[node]]
            if min(above, default=0) < 0:
                later.append(node)
            else:
                depth[node] = max(above, default=-1) + 1
        if len(later) == len(waiting):
            raise ValueError("the graph has a cycle, so it has no layers")
        waiting = later
    return depth


def _order(layers: list[list[int]], below: list[list[int]]) -> list[list[int]]:
    above: list[list[int]] = [[] for _ in below]
    for node, targets in enumerate(below):
        for target in targets:
            above[target].append(node)
    best, least, stale = [list(layer) for layer in layers], crossings(layers, below), 0
    for sweep in range(SWEEPS):
        if not least or stale >= _PATIENCE:
            break
        down = sweep % 2 == 0
        for at in range(1, len(layers)) if down else range(len(layers) - 2, -1, -1):
            fixed = {node: place for place, node in enumerate(layers[at - 1 if down else at + 1])}
            near = above if down else below
            places = {node: place for place, node in enumerate(layers[at])}
            layers[at].sort(key=lambda node: (_centre(near[node], fixed, places[node]), places[node]))
        found = crossings(layers, below)
        stale = 0 if found < least else stale + 1
        if found < least:
            best, least = [list(layer) for layer in layers], found
    return best


def _centre(near: Sequence[int], places: dict[int, int], own: int) -> float:
    return sum(places[node] for node in near) / len(near) if near else own


def crossings(layers: Sequence[Sequence[int]], below: Sequence[Sequence[int]]) -> int:
    """How often lines between neighbouring layers cross."""
    count = 0
    for here, following in pairwise(layers):
        place = {node: at for at, node in enumerate(following)}
        seen: list[int] = []
        for node in here:
            ends = sorted(place[target] for target in below[node])
            for end in ends:
                count += len(seen) - bisect_right(seen, end)
            for end in ends:
                insort(seen, end)
    return count

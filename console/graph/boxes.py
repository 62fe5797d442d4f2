"""A DAG as boxes on integer cells, left to right, joined by lines whose corners and junctions fit. Pure.

States never enter the layout: whoever draws it puts them into the boxes, and a change of state moves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import NamedTuple

from console.graph.layers import Layered, layered
from console.graph.order import downstream_of

UP, DOWN, LEFT, RIGHT = 1, 2, 4, 8
GLYPHS = (
    " ", "╵", "╷", "│", "╴", "╯", "╮", "┤", "╶", "╰", "╭", "├", "─", "┴", "┬", "┼",
)  # fmt: skip
"""The glyph of each set of directions that a cell is left in."""
ARROW = "▸"
_ROUNDS = 8

Edge = tuple[int, int]


class Box(NamedTuple):
    """Where a node stands: its upper left cell, its width and height."""

    x: int
    y: int
    width: int
    height: int

    @property
    def middle(self) -> int:
        """The row in which lines meet it."""
        return self.y + self.height // 2


class Wire(NamedTuple):
    """One cell of a line: its directions, and the edges that run through it."""

    bits: int
    edges: frozenset[Edge]


@dataclass(frozen=True)
class Picture:
    """Boxes by node, and the cells of the lines between them."""

    boxes: tuple[Box, ...]
    wires: dict[tuple[int, int], Wire]
    width: int
    height: int
    layers: tuple[tuple[int, ...], ...]
    """Nodes by layer, top to bottom, without dummies."""


def draw(upstream: Sequence[Sequence[int]], widths: Sequence[int], *, tall: bool) -> Picture:
    """The picture of an acyclic graph whose node `i` is `widths[i]` cells wide; `tall`: boxes of three rows.

    Raises ValueError on a cycle.
    """
    found = layered(upstream)
    height = 3 if tall else 1
    rows = _rows(found, height, 1 if tall else 0)
    columns = [max((widths[node] for node in layer if node < found.size), default=1) for layer in found.layers]
    routes = [_route(found, at, rows) for at in range(len(found.layers) - 1)]
    starts, x = [], 0
    for at, width in enumerate(columns):
        starts.append(x)
        x += width + (routes[at].tracks + 3 if at < len(routes) else 0)
    painter = _Painter()
    boxes: list[Box] = [Box(0, 0, 0, 0)] * found.size
    for at, layer in enumerate(found.layers):
        for node in layer:
            if node < found.size:
                boxes[node] = Box(starts[at], rows[node] - height // 2, columns[at], height)
            else:
                edge = found.edge[node]
                assert edge is not None  # every dummy belongs to one
                painter.across(rows[node], starts[at] - 1, starts[at] + columns[at], edge)
    for at, route in enumerate(routes):
        _paint(painter, found, route, rows, starts[at] + columns[at], starts[at + 1])
    nodes = tuple(tuple(node for node in layer if node < found.size) for layer in found.layers)
    tallest = max((box.y + box.height for box in boxes), default=0)
    deepest = max((y for _, y in painter.cells), default=-1) + 1
    wires = {cell: Wire(bits, frozenset(edges)) for cell, (bits, edges) in painter.cells.items()}
    return Picture(tuple(boxes), wires, x, max(tallest, deepest), nodes)


def _rows(found: Layered, height: int, gap: int) -> list[int]:
    """The middle row of every node: near to its neighbours', in the layer's order, and none above row 0."""
    above: list[list[int]] = [[] for _ in found.below]
    for node, targets in enumerate(found.below):
        for target in targets:
            above[target].append(node)
    size = [height if node < found.size else 1 for node in range(len(found.below))]
    row = [0] * len(found.below)
    for layer in found.layers:
        at = 0
        for node in layer:
            row[node] = at + size[node] // 2
            at += size[node] + gap
    for turn in range(_ROUNDS):
        near = above if turn % 2 == 0 else found.below
        for layer in found.layers if turn % 2 == 0 else reversed(found.layers):
            wished = [_median([row[other] for other in near[node]], row[node]) for node in layer]
            for node, place in zip(layer, _spread(layer, wished, size, gap), strict=True):
                row[node] = place
    top = min((row[node] - size[node] // 2 for node in range(len(row))), default=0)
    return [place - top for place in row]


def _median(values: list[int], own: int) -> int:
    values.sort()
    return (
        values[len(values) // 2]
        if len(values) % 2
        else ((values[len(values) // 2 - 1] + values[len(values) // 2]) // 2 if values else own)
    )


def _spread(layer: Sequence[int], wished: list[int], size: Sequence[int], gap: int) -> list[int]:
    """Rows as near as can be to those that are wished for, in this order and without overlap: blocks that push each
    other settle in their common middle."""
    blocks: list[tuple[float, int, list[int]]] = []  # wished top, height, offsets of the middles
    for node, wish in zip(layer, wished, strict=True):
        top: float = wish - size[node] // 2
        block: tuple[float, int, list[int]] = (top, size[node], [size[node] // 2])
        while blocks and blocks[-1][0] + blocks[-1][1] + gap > block[0]:
            before, extent, middles = blocks.pop()
            count, more = len(middles), len(block[2])
            joined = (before * count + (block[0] - extent - gap) * more) / (count + more)
            block = (joined, extent + gap + block[1], [*middles, *(extent + gap + middle for middle in block[2])])
        blocks.append(block)
    rows: list[int] = []
    end: int | None = None
    for top, extent, middles in blocks:
        start = round(top) if end is None else max(round(top), end + gap)
        rows += [start + middle for middle in middles]
        end = start + extent
    return rows


Net = tuple[Edge, ...]
"""Pieces between two layers that share a vertical line: all have the same source, or the same target."""


@dataclass(frozen=True)
class _Route:
    """The lines between two layers, and for each net that bends the track of its vertical line."""

    nets: tuple[Net, ...]
    track: dict[Net, int]
    tracks: int


def _route(found: Layered, at: int, rows: Sequence[int]) -> _Route:
    """Where one line leaves a row that another one enters, it bends before it, so that they do not look like one."""
    nets = _nets(found, at)
    bent = [net for net in nets if any(rows[node] != rows[target] for node, target in net)]
    leaving: dict[int, set[Net]] = {}
    for net in bent:
        for node, _ in net:
            leaving.setdefault(rows[node], set()).add(net)
    first = {
        net: {other for _, target in net for other in leaving.get(rows[target], ()) if other is not net} for net in bent
    }
    for net in bent:
        own = {node for node, _ in net}
        # Lines of one source may run into each other: they are the same line up to there.
        first[net] = {other for other in first[net] if not own & {node for node, _ in other}}
    track: dict[Net, int] = {}
    taken: list[list[tuple[int, int]]] = []
    waiting = sorted(bent, key=lambda net: _span(net, rows))
    while waiting:
        left = set(waiting)
        net = next((each for each in waiting if not first[each] & left), waiting[0])
        waiting.remove(net)
        span = _span(net, rows)
        place = max((track[other] + 1 for other in first[net] if other in track), default=0)
        while place < len(taken) and any(low <= span[1] and span[0] <= high for low, high in taken[place]):
            place += 1
        while place >= len(taken):
            taken.append([])
        taken[place].append(span)
        track[net] = place
    return _Route(tuple(nets), track, len(taken))


def _nets(found: Layered, at: int) -> list[Net]:
    """Each piece goes with those of its source, or those of its target, whichever are more."""
    pieces = [(node, target) for node in found.layers[at] for target in found.below[node]]
    incoming: dict[int, int] = {}
    for _, target in pieces:
        incoming[target] = incoming.get(target, 0) + 1
    shared: dict[tuple[bool, int], list[Edge]] = {}
    for node, target in pieces:
        by_source = len(found.below[node]) > incoming[target]
        shared.setdefault((by_source, node if by_source else target), []).append((node, target))
    return [tuple(net) for net in shared.values()]


def _span(net: Net, rows: Sequence[int]) -> tuple[int, int]:
    ends = [rows[node] for edge in net for node in edge]
    return min(ends), max(ends)


class _Painter:
    """Cells of lines under construction."""

    def __init__(self) -> None:
        self.cells: dict[tuple[int, int], tuple[int, set[Edge]]] = {}

    def put(self, x: int, y: int, bits: int, edge: Edge) -> None:
        """Adds directions to a cell."""
        known, edges = self.cells.get((x, y), (0, set()))
        edges.add(edge)
        self.cells[x, y] = known | bits, edges

    def across(self, y: int, first: int, last: int, edge: Edge) -> None:
        """A horizontal line over the cells between two, without their outer halves."""
        for x in range(first, last + 1):
            self.put(x, y, (LEFT if x > first else 0) | (RIGHT if x < last else 0), edge)

    def along(self, x: int, first: int, last: int, edge: Edge) -> None:
        """A vertical line from one row to another."""
        low, high = min(first, last), max(first, last)
        for y in range(low, high + 1):
            self.put(x, y, (UP if y > low else 0) | (DOWN if y < high else 0), edge)


def _paint(painter: _Painter, found: Layered, route: _Route, rows: Sequence[int], left: int, right: int) -> None:
    """The lines of one channel, from the cell right of the one layer to the cell left of the next."""
    for net in route.nets:
        for node, target in net:
            edge = _edge(found, node, target)
            start, end = rows[node], rows[target]
            from_box = left - 1 if node < found.size else left
            if start == end:
                painter.across(start, from_box, right - 1, edge)
            else:
                x = left + 1 + route.track[net]
                painter.across(start, from_box, x, edge)
                painter.along(x, start, end, edge)
                painter.across(end, x, right - 1, edge)


def _edge(found: Layered, node: int, target: int) -> Edge:
    """The edge of the graph that a piece between two layers belongs to."""
    known = (found.edge[node] if node >= found.size else None) or (found.edge[target] if target >= found.size else None)
    return known if known is not None else (node, target)


def neighbourhood(upstream: Sequence[Sequence[int]], centre: int, most: int, hops: int) -> list[int]:
    """The nodes at most so many hops from one, and at most `most` of them, nearest first; ascending.

    Where there is no room for all, upstream and downstream take turns: of many on one side none hides the other side.
    """
    downstream = downstream_of(upstream)
    found, edge = {centre}, [centre]
    for _ in range(hops):
        above, below = ([n for node in edge for n in side[node]] for side in (upstream, downstream))
        near = [n for pair in zip_longest(above, below) for n in pair if n is not None]
        edge = [node for node in dict.fromkeys(near) if node not in found][: max(most - len(found), 0)]
        if not edge:
            break
        found.update(edge)
    return sorted(found)

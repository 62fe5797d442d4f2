"""Boxes of any DAG: nothing overlaps, every edge can be followed cell by cell, and every glyph fits its neighbours."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from console.graph.boxes import DOWN, GLYPHS, LEFT, RIGHT, UP, Picture, draw, neighbourhood
from console.graph.layers import crossings, layered

Graph = list[list[int]]


@st.composite
def graphs(draw_: st.DrawFn) -> Graph:
    """A DAG of up to 14 nodes, numbered in an order of their own."""
    size = draw_(st.integers(1, 14))
    place = draw_(st.permutations(range(size)))
    edges: Graph = [[] for _ in range(size)]
    for target in range(1, size):
        sources = draw_(st.lists(st.integers(0, target - 1), max_size=3, unique=True))
        edges[place[target]] = [place[source] for source in sources]
    return edges


def picture_of(graph: Graph, *, tall: bool) -> Picture:
    return draw(graph, [8 + node % 5 for node in range(len(graph))], tall=tall)


@settings(max_examples=120, deadline=None)
@given(graphs(), st.booleans())
def test_boxes_stand_apart_and_wires_meet(graph: Graph, tall: bool) -> None:
    """No box covers another, none is left out, and a wire that leaves a cell enters the next one or a box."""
    picture = picture_of(graph, tall=tall)
    taken: dict[tuple[int, int], int] = {}
    for node, box in enumerate(picture.boxes):
        assert box.y >= 0 and box.y + box.height <= picture.height and box.x + box.width <= picture.width
        for x in range(box.x, box.x + box.width):
            for y in range(box.y, box.y + box.height):
                assert (x, y) not in taken, (node, taken[x, y])
                taken[x, y] = node
    for (x, y), wire in picture.wires.items():
        if (x, y) in taken:
            continue
        assert GLYPHS[wire.bits] != " "
        for bit, back, dx, dy in ((UP, DOWN, 0, -1), (DOWN, UP, 0, 1), (LEFT, RIGHT, -1, 0), (RIGHT, LEFT, 1, 0)):
            if wire.bits & bit:
                there = (x + dx, y + dy)
                assert there in taken or picture.wires[there].bits & back


@settings(max_examples=120, deadline=None)
@given(graphs(), st.booleans())
def test_every_edge_leads_from_its_source_to_its_target(graph: Graph, tall: bool) -> None:
    """Along cells that bear its name one comes from the right side of the one box to the left side of the other."""
    picture = picture_of(graph, tall=tall)
    for target, sources in enumerate(graph):
        for source in sources:
            mine = {cell for cell, wire in picture.wires.items() if (source, target) in wire.edges}
            start, end = picture.boxes[source], picture.boxes[target]
            here = (start.x + start.width - 1, start.middle)
            goal = (end.x - 1, end.middle)
            assert here in mine
            seen, waiting = {here}, [here]
            while waiting:
                x, y = waiting.pop()
                bits = picture.wires[x, y].bits
                for bit, dx, dy in ((UP, 0, -1), (DOWN, 0, 1), (LEFT, -1, 0), (RIGHT, 1, 0)):
                    there = (x + dx, y + dy)
                    if bits & bit and there in mine and there not in seen:
                        seen.add(there)
                        waiting.append(there)
            assert goal in seen


@settings(max_examples=100, deadline=None)
@given(graphs())
def test_sweeps_never_make_it_worse(graph: Graph) -> None:
    """The layers hold every node once, sources left of targets, with no more crossings than in the given order."""
    found = layered(graph)
    nodes = [node for layer in found.layers for node in layer]
    assert sorted(nodes) == list(range(len(found.below)))
    level = {node: at for at, layer in enumerate(found.layers) for node in layer}
    assert all(level[target] == level[node] + 1 for node, targets in enumerate(found.below) for target in targets)
    given_order = [sorted(layer) for layer in found.layers]
    assert crossings(found.layers, found.below) <= crossings(given_order, found.below)


def test_many_upstreams_do_not_hide_what_is_downstream() -> None:
    """Where there is no room for all neighbours both sides are there, so that arrows lead along edges either way."""
    fan: Graph = [*([] for _ in range(50)), list(range(50)), [50]]
    found = neighbourhood(fan, 50, 40, 2)
    assert len(found) == 40 and 51 in found


@settings(max_examples=60, deadline=None)
@given(graphs(), st.integers(1, 6), st.integers(0, 4))
def test_a_neighbourhood_is_bounded_and_holds_its_centre(graph: Graph, most: int, hops: int) -> None:
    """At most so many nodes, the centre among them, each next to another one of it."""
    found = neighbourhood(graph, 0, most, hops)
    assert 0 in found and len(found) <= most and found == sorted(set(found))
    for node in found:
        if node != 0:
            assert any(other in graph[node] or node in graph[other] for other in found if other != node)

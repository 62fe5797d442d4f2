"""The rail of any graph: every task once, every edge drawn, and nothing that is not there."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from console.graph.order import breadth_first, depth_first, downstream_of
from console.graph.rail import ALONE, MOST_LANES, NODE, Rail, build

Upstream = list[list[int]]


@st.composite
def graphs(draw: st.DrawFn, most: int = 16) -> Upstream:
    """Any DAG: tasks in a hidden order, declared in another."""
    size = draw(st.integers(1, most))
    density = draw(st.integers(1, 6))
    order = draw(st.permutations(range(size)))
    upstream: Upstream = [[] for _ in range(size)]
    for place in range(1, size):
        count = draw(st.integers(0, min(place, density)))
        sources = draw(st.lists(st.integers(0, place - 1), min_size=count, max_size=count, unique=True))
        upstream[order[place]] = [order[source] for source in sources]
    return upstream


def read(rail: Rail) -> set[tuple[int, int]]:
    """The edges that a person reads off the picture, by rows. Needs a picture without an ellipsis."""
    edges: set[tuple[int, int]] = set()
    above: dict[int, tuple[str, list[int]]] = {}
    stacked = -1
    for row in range(len(rail)):
        text, node, _ = rail.row(row)
        if text.startswith(ALONE):
            stacked = -1
            continue
        joins = []
        hangs = False
        for step in (1, -1):
            at = node + step
            while 0 <= at < len(text) and text[at] in "─│╮╭╯╰┤├┬┴┼" and (at % 2 == 0 or text[at] == "─"):
                if at % 2 == 0 and text[at] not in "─│":
                    joins.append(at)
                    if text[at] in "╮╭╯╰┤├":
                        break
                at += step
        if node in above:
            _, rows = above.pop(node)
            edges |= {(source, row) for source in rows}
        for at in joins:
            glyph = text[at]
            if glyph in "╯╰┴":
                edges |= {(source, row) for source in above.pop(at)[1]}
            elif glyph in "╮╭┬":
                above[at] = ("corner", [row])
            else:
                kind, rows = above[at]
                if kind == "corner":
                    rows.append(row)
                else:
                    edges.add((rows[0], row))
                    hangs = True
        if stacked == node and not hangs:
            edges.add((row - 1, row))
        below = rail.row(row + 1).text if row + 1 < len(rail) else ""
        stacked = node if node < len(below) and below[node] == NODE else -1
        if node < len(below) and below[node] in "│╯╰┤├┴┼":
            above[node] = ("task", [row])
    return edges


@given(graphs())
@settings(max_examples=80, deadline=None)
def test_every_task_stands_once_below_all_that_it_waits_for(upstream: Upstream) -> None:
    """The rows are the tasks, each once and in an order that no edge goes against; each row has one node."""
    rail = build(upstream)
    row = {number: place for place, number in enumerate(rail.order)}
    assert sorted(rail.order) == list(range(len(upstream)))
    assert all(row[source] < row[task] for task, sources in enumerate(upstream) for source in sources)
    assert all(rail.row(place).text.count(NODE) == 1 for place in range(len(rail)))
    assert rail.width <= 2 * MOST_LANES - 1


@given(graphs())
@settings(max_examples=80, deadline=None)
def test_the_picture_shows_the_edges_and_no_others(upstream: Upstream) -> None:
    """Whoever follows the lines by the rules of reading finds exactly the edges of the graph."""
    rail = build(upstream)
    if rail.lanes > MOST_LANES:
        return
    row = {number: place for place, number in enumerate(rail.order)}
    wanted = {(row[source], row[task]) for task, sources in enumerate(upstream) for source in sources}
    assert read(rail) == wanted


@given(graphs())
@settings(max_examples=60, deadline=None)
def test_both_orders_respect_every_edge(upstream: Upstream) -> None:
    """Depth-first and breadth-first orders hold each task once, after everything above it."""
    downstream = downstream_of(upstream)
    for order in (depth_first(upstream, downstream), breadth_first(upstream, downstream)):
        place = {task: at for at, task in enumerate(order)}
        assert len(place) == len(upstream)
        assert all(place[source] < place[task] for task, sources in enumerate(upstream) for source in sources)

"""The rail: pictures of small graphs."""

from __future__ import annotations

from console.graph.order import breadth_first, depth_first, downstream_of, reachable
from console.graph.rail import BEYOND, MOST_LANES, NODE, Lit, Rail, build
from console.graph.wires import SMALL_FAN

Upstream = list[list[int]]


def drawn(deps: dict[str, str]) -> str:
    """The picture of a graph given as `task: upstream tasks`."""
    names = list(deps)
    rail = build([[names.index(name) for name in deps[task].split()] for task in names])
    return "\n".join(
        f"{rail.row(place).text.replace(NODE, '●')} {names[number]}" for place, number in enumerate(rail.order)
    )


def test_a_fork_and_a_join_have_a_lane_for_each_branch() -> None:
    """Lines that leave a task bend down into lanes of their own, and bend back where they end."""
    deps = {"extract": "", "orders": "extract", "users": "extract", "load": "orders users", "report": "load"}
    assert drawn(deps) == (
        "●─╮ extract\n"
        "● │ orders\n"
        "│ ● users\n"
        "●─╯ load\n"
        "●   report"
    )  # fmt: skip


def test_a_wide_fan_shares_two_lines() -> None:
    """A fan-out and the fan-in after it are one line each, however many tasks stand between them."""
    deps = {"start": "", **{f"m{i}": "start" for i in range(5)}, "end": " ".join(f"m{i}" for i in range(5)), "z": "end"}
    assert drawn(deps) == (
        "●     start\n"
        "├─●─╮ m0\n"
        "├─●─┤ m1\n"
        "├─●─┤ m2\n"
        "├─●─┤ m3\n"
        "●───┤ m4\n"
        "●───╯ end\n"
        "●     z"
    )  # fmt: skip


def test_a_line_passes_over_others_without_touching_them() -> None:
    """Where a horizontal line meets a vertical one that it does not join, the vertical one is drawn whole."""
    picture = drawn({"a": "", "b": "a", "c": "a", "d": "a", "e": "b", "f": "c d e"})
    assert "│" in picture
    assert "●─┴─╯ f" in picture or "●─╯" in picture


def test_one_task_and_none_are_pictures_too() -> None:
    """A single task is a point, and an empty DAG has no rows."""
    assert drawn({"only": ""}) == "● only"
    assert len(build([])) == 0


def test_tasks_without_edges_stand_last_in_one_lane() -> None:
    """Each has a dot before it, so that it does not seem to follow the one above; no lane goes to and fro."""
    assert drawn({"a": "", "b": "", "c": ""}) == "· ● a\n· ● b\n· ● c"
    assert drawn({"x": "", "a": "", "y": "", "b": "a"}) == "●   a\n●   b\n· ● x\n· ● y"


def test_a_cycle_is_refused() -> None:
    """A graph with a cycle has no order, and says so."""
    try:
        build([[1], [0]])
    except ValueError as error:
        assert "cycle" in str(error)
    else:
        raise AssertionError("a cycle was drawn")


def test_the_gutter_stays_narrow_for_any_width_of_graph() -> None:
    """What needs more lanes than the gutter has is drawn as an ellipsis; every task still has its glyph."""
    complete = [[] for _ in range(40)] + [list(range(40)) for _ in range(40)]
    rail = build(complete)
    assert rail.lanes > MOST_LANES
    assert rail.width <= 24
    rows = [rail.row(place).text for place in range(len(rail))]
    assert all(row.count(NODE) == 1 and len(row) == rail.width for row in rows)
    assert any(BEYOND in row for row in rows)


def test_the_picture_depends_on_structure_alone() -> None:
    """The same graph gives the same picture, so that nothing moves between two refreshes."""
    upstream = [[], [0], [0], [1, 2], [0], [3, 4]]
    first, second = build(upstream), build([list(sources) for sources in upstream])
    assert first.order == second.order
    assert [first.row(i) for i in range(6)] == [second.row(i) for i in range(6)]


def test_the_lines_of_a_task_are_those_of_its_ancestors_and_descendants() -> None:
    """What is lit for a task spans from its ancestors down to its descendants, and no other branch."""
    upstream = [[], [0], [0], [1], [2]]
    rail = build(upstream)
    row = {number: place for place, number in enumerate(rail.order)}
    lines = Lit(rail, upstream, downstream_of(upstream), 3)
    ends = {(rail.wires[number].start, rail.wires[number].end) for number in lines}
    assert ends == {(row[0], row[1]), (row[1], row[3])}


def test_a_branch_is_followed_to_its_end() -> None:
    """Depth first, the tasks of one chain stand together, in declaration order among equals."""
    upstream: Upstream = [[], [], [0], [1]]
    assert depth_first(upstream, downstream_of(upstream)) == [0, 2, 1, 3]
    assert breadth_first(upstream, downstream_of(upstream)) == [0, 1, 2, 3]
    assert reachable(0, downstream_of(upstream)) == {2}


def test_small_fans_have_lanes_of_their_own_and_larger_ones_share() -> None:
    """Up to three branches are drawn apart; from four on they are one line with a joint for each."""

    def fan(size: int) -> Rail:
        return build([[], *([0] for _ in range(size))])

    assert fan(SMALL_FAN).lanes == SMALL_FAN
    assert fan(SMALL_FAN + 1).lanes == 2

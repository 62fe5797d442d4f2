"""The run over time, and as boxes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from console.model.critical import critical_path
from console.model.runs import RunDetail
from console.view import boxes
from console.view.frame import Frame
from console.view.gantt import Axis, GanttRows
from console.view.spans import plain, width_of
from engine.model.moments import HOUR, MINUTE, SECOND
from tests.support.console import NOW, PLANS, attempt, mark, plan, run, scene, task, trades


def at(start: int, took: int) -> dict[str, Any]:
    """The one attempt of a task, from `start` on, in seconds before NOW."""
    begun = NOW - start * SECOND
    made = attempt(1, "success", took * SECOND)._replace(
        queued_at=begun - 2 * SECOND, started_at=begun, ended_at=begun + took * SECOND
    )
    return {"attempts": (made,), "scheduled_at": begun - 2 * SECOND}


def timed() -> RunDetail:
    """A run of 100 seconds: users take long, orders do not."""
    tasks = (
        task(1, "extract", **at(100, 10)), task(2, "clean_orders", **at(88, 5)), task(3, "clean_users", **at(88, 40)),
        task(4, "join", **at(46, 20)), task(5, "load", **at(24, 20)), task(6, "report", "none"),
    )  # fmt: skip
    return run(mark(7, "trades_us", "running", started_at=NOW - 102 * SECOND, ended_at=None), PLANS, tasks)


def test_the_critical_path_goes_back_along_what_ended_last() -> None:
    """Not the branch that was done early; nothing while nothing has begun."""
    assert critical_path(timed(), NOW) == {"extract", "clean_users", "join", "load"}
    waiting = run(mark(1, "x", "running"), PLANS, tuple(task(n, p.task_id, "none") for n, p in enumerate(PLANS)))
    assert critical_path(waiting, NOW) == frozenset()


def test_bars_stand_where_the_time_was() -> None:
    """A task's bar begins after its waiting, further right than that of the task above, and the path is marked."""
    detail = timed()
    rows = GanttRows(scene(detail=detail), detail)
    lines = {rows.card(n).task_id: plain(rows.row(n, 119)) for n in range(1, len(rows))}
    assert lines["extract"].index("█") < lines["clean_users"].index("█") < lines["join"].index("█")
    assert lines["clean_users"].count("█") > 3 * lines["clean_orders"].count("▅") > 0
    assert "•" in lines["clean_users"] and "•" not in lines["clean_orders"]
    assert "░" in lines["join"] and lines["join"].index("░") < lines["join"].index("█")
    assert "█" not in lines["report"] and "▅" not in lines["report"]


def test_of_a_reopened_run_the_bars_are_those_of_its_episode() -> None:
    """What did not run again says when it ran; what was cleared and waits shows no time of its former attempt."""
    done, again = at(400, 20), at(500, 30)
    second = attempt(2, "success", 8 * SECOND)._replace(
        queued_at=NOW - 62 * SECOND, started_at=NOW - 60 * SECOND, ended_at=NOW - 52 * SECOND
    )
    tasks = (
        task(1, "extract", **done),
        task(2, "clean_orders", attempts=(*again["attempts"], second), attempt=2, epoch_start=1),
        task(3, "clean_users", "none", attempts=again["attempts"], attempt=1, epoch_start=1),
    )
    detail = run(mark(7, "trades_us", "running", started_at=NOW - 100 * SECOND, ended_at=None), PLANS, tasks)
    detail = replace(detail, episode=2)
    rows = GanttRows(scene(detail=detail), detail)
    lines = {rows.card(n).task_id: plain(rows.row(n, 119)) for n in range(1, len(rows))}
    assert "◂ 02:07:27–02:07:47, before the run was reopened" in lines["extract"] and "20.0s" in lines["extract"]
    assert "•" not in lines["extract"]
    assert "█" in lines["clean_orders"] and "8.0s" in lines["clean_orders"]
    assert "before the run was reopened" in lines["clean_users"] and "30.0s" not in lines["clean_users"]
    for width in (40, 79, 199):
        assert all(width_of(rows.row(n, width)) <= width for n in range(len(rows)))


@pytest.mark.parametrize("width", [40, 79, 119, 199])
def test_rows_of_bars_fit(width: int) -> None:
    """Whatever the width, no row is wider."""
    detail = trades("running")
    rows = GanttRows(scene(detail=detail), detail)
    assert all(width_of(rows.row(n, width)) <= width for n in range(len(rows)))


def test_bars_stay_where_they_are_while_time_goes_on() -> None:
    """The axis of a run that goes on grows in steps: between two of them nothing moves."""
    detail = run(mark(7, "x", "running", started_at=NOW - 25 * MINUTE, ended_at=None), PLANS, ())
    assert Axis.of(detail, NOW) == Axis.of(detail, NOW + 4 * MINUTE) == (NOW - 25 * MINUTE, 30 * MINUTE)
    assert Axis.of(detail, NOW + 6 * MINUTE).length == HOUR


def test_a_small_graph_is_drawn_whole_and_the_arrows_follow_its_edges() -> None:
    """Right goes to what waits for the task, left to what it waits for, down within the layer."""
    frame = Frame(trades())
    chart = boxes.lay_out(frame, 0, 2, 40)
    assert chart.whole and chart.tall
    names = [boxes.name_of(frame, unit) for unit in chart.nodes]
    extract, orders, users, join = (names.index(n) for n in ("extract", "clean_orders", "clean_users", "join"))
    assert boxes.step(chart, extract, 1, 0) in (orders, users)
    upper, lower = sorted((orders, users), key=lambda node: chart.picture.boxes[node].y)
    assert boxes.step(chart, upper, 0, 1) == lower and boxes.step(chart, lower, 0, -1) == upper
    assert boxes.step(chart, orders, 1, 0) == join and boxes.step(chart, join, -1, 0) in (orders, users)
    assert boxes.step(chart, extract, -1, 0) == extract


def test_of_a_large_graph_the_neighbourhood_is_drawn() -> None:
    """At most 40 boxes around the cursor."""
    plans = tuple(plan(f"t{n}", *([f"t{n - 1}"] if n else [])) for n in range(120))
    detail = run(mark(5, "many", "running"), plans, tuple(task(n + 1, f"t{n}", "none") for n in range(120)))
    frame = Frame(detail)
    chart = boxes.lay_out(frame, boxes.unit_of(frame, ("task", "t60", -1)), 2, 40)
    assert [boxes.name_of(frame, unit) for unit in chart.nodes] == ["t58", "t59", "t60", "t61", "t62"]


def test_a_box_lives() -> None:
    """State, name and countdown stand in it; the picture has the window's size and stays in it."""
    detail = trades()
    frame = Frame(detail)
    chart = boxes.lay_out(frame, 0, 2, 40)
    shown = {n: boxes.content(scene(detail=detail), detail, frame, unit) for n, unit in enumerate(chart.nodes)}
    load = boxes.unit_of(frame, ("task", "load", -1))
    assert (shown[load].state, shown[load].words) == ("up_for_retry", "1:14")
    scroll = boxes.Scroll(0, 0).holding(chart.picture.boxes[load], chart.picture, 60, 12)
    lines = boxes.rows(chart, shown, scroll, load, frozenset(), 60, 12)
    assert len(lines) == 12 and all(width_of(line) == 60 for line in lines)
    assert any("↻ load" in plain(line) and "1:14" in plain(line) for line in lines)

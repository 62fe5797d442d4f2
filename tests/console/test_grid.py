"""The grid of a DAG: runs × tasks under one cursor."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual.geometry import Size

from console.backends.picture import Picture
from console.model.backfills import GapCard
from console.model.grid import Grid, worse
from console.model.home import HomeCard
from console.model.runs import Usual
from console.model.snapshot import Interest, Page
from console.view.grid import GridRows, Shape, Window, columns, heads
from console.view.spans import plain, width_of
from engine.model.moments import DAY, HOUR, SECOND
from engine.store.reader import Reader
from tests.support.console import LOGICAL, PLANS, console, mark, plan, scene, trades, world
from tests.support.console_store import NOW, FilledHome
from tests.support.console_store import trades as trades_spec
from tests.support.fake_backend import FakeBackend


def history(runs: int) -> Grid:
    """A grid whose `load` failed in every tenth run."""
    marks = tuple(
        mark(100 + n, "trades_us", "failed" if n % 10 == 0 else "success", LOGICAL - (runs - n) * DAY)
        for n in range(1, runs + 1)
    )
    cells = {
        m.id: {p.task_id: "failed" if p.task_id == "load" and m.state == "failed" else "success" for p in PLANS}
        for m in marks
    }
    return Grid("trades_us", marks, PLANS, cells, {p.task_id: Usual(11 * SECOND, 14 * SECOND, 40) for p in PLANS})


def backend_with(grid: Grid) -> FakeBackend:
    """A world whose DAG has that grid."""
    backend = world(trades("failed"))
    backend.pages["grid"] = lambda args: grid
    return backend


async def test_the_cursor_goes_over_runs_and_tasks_and_opens_what_it_stands_on() -> None:
    """It begins at the newest run, steps through columns, and Enter opens that run at that task."""
    async with console(backend_with(history(40))) as screen:
        await screen.press("j", "2")
        assert screen.app.place.view == "grid"
        assert "2026-11-22 01:10 ✘ failed" in screen.lines()[2] and "extract ✓ success" in screen.lines()[2]
        await screen.press("h", "h", "j")
        assert "2026-11-20 01:10 ✓" in screen.lines()[2] and "clean_orders" in screen.lines()[2]
        await screen.press("e")
        assert "2026-11-12 01:10 ✘ failed" in screen.lines()[2] and "load ✘ failed" in screen.lines()[2]
        target = screen.app.stage.front.target(screen.app.scene())
        assert (target.run_id, target.task_id) == ("trades_us@130", "load")
        await screen.press("enter")
        assert screen.app.place.run_id == "trades_us@130" and screen.app.place.task_id == "load"
        await screen.press("escape")
        assert "2026-11-12 01:10 ✘ failed" in screen.lines()[2]
        await screen.press("2")
        assert screen.app.place.view == "dag"


async def test_the_grid_says_why_it_is_not_sorted() -> None:
    """Its columns are runs: the key that sorts tables says so, and opens nothing."""
    async with console(backend_with(history(40))) as screen:
        await screen.press("j", "2", "s")
        assert "a grid has no columns to sort: runs stand by date, tasks as in the graph" in screen.lines()[-1]
        assert screen.app.screen is screen.app.stage


async def test_a_year_of_runs_scrolls_sideways() -> None:
    """Of 365 runs those around the cursor are in sight; `0` and `$` go to either end."""
    async with console(backend_with(history(365)), (80, 24)) as screen:
        await screen.press("j", "2", "0")
        assert "2025-11-23" in screen.lines()[2]
        await screen.press(">")
        pane = screen.app.stage.pane("grid")
        assert "2025-11-23" not in screen.lines()[2]
        await screen.press("$")
        assert "2026-11-22" in screen.lines()[2]
        assert all(len(line) <= 80 for line in screen.lines()) and pane.view == "grid"


async def test_a_new_run_leaves_the_cursor_on_its_run() -> None:
    """The column that a person looks at stays the run that it was."""
    grid = history(20)
    backend = backend_with(grid)
    async with console(backend) as screen:
        await screen.press("j", "2")
        assert screen.app.stage.front.target(screen.app.scene()).run_id == "trades_us@120"
        backend.pages["grid"] = lambda args: history(21)
        backend.commit()
        await screen.settle()
        assert screen.app.stage.front.target(screen.app.scene()).run_id == "trades_us@120"


@pytest.mark.parametrize("width", [60, 79, 119, 159])
def test_rows_fit_and_figures_stay_in_their_columns(width: int) -> None:
    """Whatever the window shows, every row has the same places, and none is wider than the view."""
    plans = (*PLANS, plan("a_task_with_a_very_long_name_indeed_that_has_to_be_cut", "report"))
    grid = Grid("trades_us", history(100).runs, plans, history(100).cells, {})
    shape = Shape(plans)
    count = columns(width, shape)[2]
    window = Window.around(50, 0, 100, count)
    rows = GridRows(grid, shape, window)
    lines = [rows.row(at, width) for at in range(len(rows))]
    lines += heads(scene(), grid, shape, window, "UTC", width)
    assert all(width_of(line) <= width for line in lines)
    starts = {plain(line).find("✓✓") for line in lines[:-3]}
    assert len(starts) == 1


def test_of_a_grid_that_lives_only_changed_rows_are_made_again() -> None:
    """A task that goes on in the newest run changes its own row; all others stay the same objects."""
    grid = history(60)
    shape = Shape(PLANS)
    window = Window.around(59, 0, 60, 40)
    rows = GridRows(grid, shape, window)
    before = [rows.row(at, 119) for at in range(len(rows))]
    newest = grid.runs[-1].id
    cells = {**grid.cells, newest: {**grid.cells[newest], "join": "running"}}
    moved = GridRows(replace(grid, cells=cells), shape, window, rows)
    after = [moved.row(at, 119) for at in range(len(moved))]
    changed = [shape.order[at].task_id for at in range(len(after)) if after[at] is not before[at]]
    assert changed == ["join"] and "►" in plain(after[shape.index["task", "join"]])
    assert plain(after[shape.index["task", "join"]]).endswith("100%")
    anew = GridRows(replace(grid, cells=cells), shape, window)
    assert [anew.row(at, 119) for at in range(len(anew))] == after


@pytest.mark.parametrize(("before", "cursor", "first"), [(0, 5, 0), (0, 12, 3), (10, 12, 10), (10, 4, 4), (99, 19, 10)])
def test_a_window_moves_no_further_than_it_must(before: int, cursor: int, first: int) -> None:
    """It holds the cursor, and stays where it was when it already does."""
    window = Window.around(cursor, before, 20, 10)
    assert (window.first, window.count, window.cursor) == (first, 10, cursor)


def test_a_mapped_task_shows_what_is_worst() -> None:
    """One failed instance of many makes the cell failed; what runs counts more than what is done."""
    assert worse("success", "failed") == "failed"
    assert worse("running", "success") == "running"
    assert worse(None, "skipped") == "skipped"


async def test_the_grid_follows_the_feed(tmp_path: Path) -> None:
    """Read from a store, and read again for the runs that moved alone, it is what a fresh look gives."""
    filled = FilledHome(tmp_path / "home")
    await filled.open()
    await filled.put_dag(trades_spec())
    first = await filled.start("trades_us", NOW - 2 * DAY)
    await filled.play(first)

    def fresh() -> Picture:
        return Picture(Reader(filled.home.database), HomeCard("etl", "/srv"), lambda: NOW)

    followed, interest = fresh(), Interest(page=Page("grid", ("trades_us",)))
    before = followed.refresh(interest).paged
    assert isinstance(before, Grid) and set(before.cells[first.run.id].values()) == {"success"}
    second = await filled.start("trades_us", NOW - DAY)
    await filled.claim(second, "extract")
    after = followed.refresh(interest).paged
    assert isinstance(after, Grid)
    assert [run.run_id for run in after.runs] == [first.run.run_id, second.run.run_id]
    assert after.cells[first.run.id] is before.cells[first.run.id]
    anew = fresh().refresh(interest).paged
    assert isinstance(anew, Grid) and after.cells == anew.cells
    assert after.state(after.runs[1], "extract") == "running"
    assert followed.refresh(interest).paged is after
    await filled.close()


async def test_what_was_left_out_is_marked_and_can_be_filled() -> None:
    """Above the first run after a gap stands a mark; on it the rule says how many are missing, and b is about them."""
    grid = history(40)
    later, earlier = grid.runs[-2].logical_date, grid.runs[-3].logical_date
    gap = GapCard("trades_us", earlier + 6 * HOUR, later - 6 * HOUR, 1200, "missed")
    async with console(backend_with(replace(grid, gaps=(gap,)))) as screen:
        await screen.press("j", "2")
        assert any("_" in line for line in screen.lines()[2:5])
        assert "left out" not in screen.lines()[2]
        await screen.press("h")
        assert "_ 1,200 earlier runs left out, b fills" in screen.lines()[2]
        target = screen.app.stage.front.target(screen.app.scene())
        assert target.span == (gap.first, gap.until - 1)


async def test_a_layout_that_comes_after_the_drawing_leaves_no_head_beside_its_column() -> None:
    """When the pane's size changes without any other news, heads are drawn for the new width together with the rows."""
    async with console(backend_with(history(40)), (100, 30)) as screen:
        await screen.press("j", "2")
        stage = screen.app.stage
        stage._refresh_layout(Size(64, 20))
        assert stage.front.size.width == 64
        await screen.pilot.pause()
        drawn = [strip.text for strip in stage._compositor.render_strips()]
        screen.app.redraw()
        await screen.pilot.pause()
        assert drawn == [strip.text for strip in stage._compositor.render_strips()]

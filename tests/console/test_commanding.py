"""The `:` line: what is written is done, wherever the cursor stands, and Tab says how it may go on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.model.runs import RunDetail
from console.screens.commanding import completions, with_term
from console.widgets.dialog import Dialog
from engine.model.moments import HOUR, MINUTE
from tests.support.console import NOW, PLANS, console, mark, run, task, trades, world


def tried(times: int) -> RunDetail:
    """A run whose `load` has failed so many times."""
    failed = trades("failed")
    load = failed.tasks[4]
    attempts = tuple(load.attempts[0]._replace(id=f"01J2{n:022d}", number=n) for n in range(1, times + 1))
    load = load._replace(attempt=times, attempts=attempts)
    return replace(failed, tasks=(*failed.tasks[:4], load, *failed.tasks[5:]))


@pytest.mark.parametrize("start", [("j",), ("j", "enter")])
async def test_a_log_is_opened_by_its_task_and_attempt(start: tuple[str, ...]) -> None:
    """`:log load -2` is the attempt before the newest, in the run and where the run is under the cursor."""
    async with console(world(tried(3))) as screen:
        await screen.press(*start, ":", *"log load -2", "enter")
        place = screen.app.place
        assert (place.view, place.run_id, place.task_id, place.attempt) == ("log", "trades_us@7", "load", 2)
        await screen.press("escape", ":", *"log nothing -2", "enter")
        assert "no task 'nothing'" in screen.text or "no such task" in screen.text


@pytest.mark.parametrize("start", [("j",), ("j", "enter")])
async def test_a_task_is_cleared_by_name_with_switches(start: tuple[str, ...]) -> None:
    """`:clear load +downstream failed` opens the dialog of that task with these switches on, and nothing is changed."""
    backend = world(tried(1))
    async with console(backend) as screen:
        await screen.press(*start, ":", *"clear load +downstream failed", "enter")
        dialog = screen.app.screen
        assert isinstance(dialog, Dialog) and "/ load" in screen.text
        assert dialog.values["downstream"] and dialog.values["only_failed"] and not dialog.values["upstream"]
        assert not backend.commands
        await screen.press("escape", ":", *"clear load sideways", "enter")
        assert "not 'sideways'" in screen.text


async def test_a_switch_alone_is_about_what_is_under_the_cursor() -> None:
    """`:clear failed` needs no name; `:log -1` neither."""
    async with console(world(tried(2))) as screen:
        await screen.press("j", "enter", ":", *"clear failed", "enter")
        dialog = screen.app.screen
        assert isinstance(dialog, Dialog) and dialog.values["only_failed"] and "/ load" in screen.text
        await screen.press("escape", ":", *"log -1", "enter")
        assert (screen.app.place.view, screen.app.place.attempt) == ("log", 2)


async def test_runs_of_a_dag_and_since_when() -> None:
    """`:runs orders` lists them; `:since 15m` leaves what happened of late beside other terms, `:since` all again."""
    backend = world()
    for number, ago in ((7, 5 * MINUTE), (8, HOUR)):
        found = mark(number, "orders", "failed")._replace(started_at=NOW - ago - MINUTE, ended_at=NOW - ago)
        backend.put_run(run(found, PLANS, (task(1, "extract", "failed"),)))
    async with console(world(*(backend.runs[name] for name in backend.runs)), (120, 30)) as screen:
        await screen.press(":", *"runs orders", "enter")
        assert (screen.app.place.view, screen.app.place.dag_id) == ("dag", "orders")
        await screen.press(":", *"state failed", "enter", ":", *"since 15m", "enter")
        assert "filter state:failed since:15m   1 of 2 rows" in screen.lines()[2]
        await screen.press(":", *"since 2h", "enter")
        assert "filter state:failed since:2h   2 of 2 rows" in screen.lines()[2]
        await screen.press(":", *"since", "enter", ":", *"state", "enter")
        assert "filter" not in screen.lines()[2]


def test_one_term_of_a_filter_is_changed() -> None:
    """Also one that is turned round or quoted; all others stay."""
    assert with_term('load !since:2h error:"db 1"', "since", "15m") == 'load error:"db 1" since:15m'
    assert with_term('error:"db 1" load', "error", "two words") == 'load error:"two words"'
    assert with_term("since:2h", "since", "") == ""


async def test_tab_goes_on_with_what_there_is() -> None:
    """Names, then DAGs or tasks, then attempts, switches, spans, states and columns."""
    async with console(world(tried(2))) as screen:
        app = screen.app
        assert "since" in completions(app, "si") and "sort" in completions(app, "so")
        assert completions(app, "runs tr") == ["runs trades_us"]
        await screen.press("j", "enter")
        assert completions(app, "log lo") == ["log load"]
        assert completions(app, "log load -") == ["log load -1", "log load -2"]
        assert "clear load +downstream" in completions(app, "clear load +d")
        assert "clear load +downstream only_failed" in completions(app, "clear load +downstream on")
        assert "since 15m" in completions(app, "since 1") and completions(app, "state fai")[0] == "state failed"
        assert completions(app, "sort -ti") == ["sort -time"]
        await screen.press(":", *"log lo", "tab")
        assert screen.app.stage.prompt.text == "log load"

"""Changing things from the console: nothing on a bare key, exactly what was shown, on what was meant."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from console.actions.registry import BY_ID
from console.model.asks import PreviewCard, Refused, Selection
from console.model.home import HomeCard
from console.widgets.dialog import Dialog
from tests.support.console import Screen, console, mark, plan, run, task, trades, world


async def confirm(screen: Screen) -> None:
    """Waits until the dialog may be confirmed, and confirms it."""
    await screen.until(lambda: isinstance(screen.app.screen, Dialog) and screen.app.screen.armed, "Enter is alive")
    await screen.press("enter")


CHANGES = {
    "t": "none",
    "r": "failed",
    "c": "failed",
    "m": "failed",
    "x": "running",
    "X": "running",
    "p": "failed",
    "P": "running",
}


@pytest.mark.parametrize("key", CHANGES)
async def test_a_single_key_changes_nothing(key: str) -> None:
    """Every changing key opens a dialog; Escape closes it, and nothing has been asked for."""
    backend = world(trades(CHANGES[key]))
    async with console(backend) as screen:
        await screen.press("j", "enter")
        while screen.app.stage.run_pane.list.cursor_key != ("task", "load", -1):
            await screen.press("j")
        await screen.press(key)
        assert screen.app.screen is not screen.app.stage
        await screen.press("escape")
        assert screen.app.screen is screen.app.stage
        assert backend.commands == []


async def test_a_dialog_lists_exactly_what_would_change_and_its_switches_ask_again() -> None:
    """Clear lists the task and what is below it; without `downstream` only the task; upstream adds what is above."""
    backend = world(trades("failed"))
    async with console(backend) as screen:
        await screen.press("j", "enter", "c")
        assert "load" in screen.text and "2 rows" in screen.text
        await screen.press("d")
        assert "1 row," in screen.text
        await screen.press("u")
        assert "5 rows" in screen.text
        await confirm(screen)
        verb, selection, args, _ = backend.commands[-1]
        assert (verb, selection) == ("clear", Selection(run_ids=("trades_us@7",), task_ids=("load",)))
        assert args == {
            "downstream": False, "upstream": True, "only_failed": False, "no_retries": False, "force": False,
            "past": False, "future": False,
        }  # fmt: skip


async def test_enter_is_dead_until_the_preview_is_there_and_has_been_seen() -> None:
    """Keys typed before the preview came, or within the first quarter of a second, confirm nothing."""
    backend = world(trades("failed"))
    backend.slow = asyncio.Event()
    async with console(backend) as screen:
        await screen.pilot.press("j", "enter", "c", "enter", "enter")
        await screen.pilot.pause()
        assert "working out what this touches" in screen.text
        dialog = screen.app.screen
        assert isinstance(dialog, Dialog) and not dialog.armed
        slow, backend.slow = backend.slow, None
        slow.set()
        await screen.shows("2 rows")
        await screen.pilot.press("enter")
        assert screen.app.screen is dialog and backend.commands == []
        await confirm(screen)
        assert [verb for verb, *_ in backend.commands] == ["clear"]


async def test_the_target_is_the_one_under_the_cursor_at_the_key_press() -> None:
    """While the dialog is open the run goes on and rows move; what is changed is what was shown."""
    backend = world(trades("failed"))
    async with console(backend) as screen:
        await screen.press("j", "enter", "c")
        newer = replace(trades("failed", 9), mark=mark(9, "trades_us", "failed", 10**15))
        backend.put_run(newer)
        backend.put_task("trades_us@7", backend.runs["trades_us@7"].tasks[0]._replace(state="running"))
        await screen.settle()
        await confirm(screen)
        assert backend.commands[-1][1] == Selection(run_ids=("trades_us@7",), task_ids=("load",))


async def test_what_the_engine_refuses_is_shown_with_its_reason() -> None:
    """A stale preview takes Enter away and says who came first; a refused command changes nothing and says why."""
    backend = world(trades("failed"))
    async with console(backend) as screen:
        backend.refuse = Refused("state", "nothing to clear: already cleared by ops2 2 s ago")
        await screen.press("j", "enter", "c")
        assert "already cleared by ops2 2 s ago" in screen.text
        await screen.press("enter", "escape")
        backend.refuse = None
        await screen.press("c")
        await screen.until(lambda: isinstance(screen.app.screen, Dialog) and screen.app.screen.armed, "Enter is alive")
        backend.refuse = Refused("stale", "load of trades_us@7 was cleared by ops2")
        await screen.press("enter")
        assert "refused: load of trades_us@7 was cleared by ops2" in screen.text
        assert backend.commands == [] and not screen.app.scene().intents.items


async def test_what_is_asked_for_stands_beside_the_true_state_until_it_is_committed() -> None:
    """A stop is shown as requested while the task still runs, and only then as what it became."""
    backend = world(trades("running"))
    async with console(backend) as screen:
        await screen.press("j", "enter", "x")
        await screen.until(lambda: isinstance(screen.app.screen, Dialog) and screen.app.screen.armed, "Enter is alive")
        backend.slow = asyncio.Event()
        await screen.pilot.press("enter")
        await screen.shows("⟶ kill requested")
        row = next(line for line in screen.lines() if " load " in line)
        assert "►" in row
        backend.slow.set()
        await screen.settle()
        assert "kill requested" not in next(line for line in screen.lines() if " load " in line)
        assert "kill of 1 task instances requested" in screen.text


async def test_a_production_home_and_a_large_change_ask_for_the_count() -> None:
    """There the number of rows has to be typed; Enter alone does nothing."""
    backend = world(trades("failed"), home=HomeCard("etl-01", "/srv/etl", production=True))
    async with console(backend) as screen:
        await screen.press("j", "enter", "c")
        assert "type 2, the number of task instances, to confirm" in screen.text
        await confirm(screen)
        assert backend.commands == []
        await screen.press("2")
        await confirm(screen)
        assert [verb for verb, *_ in backend.commands] == ["clear"]


async def test_more_than_a_hundred_rows_ask_for_the_count_anywhere() -> None:
    """A change of 150 instances is not confirmed by one key, whatever the home."""
    plans = tuple(plan(f"t{n}") for n in range(150))
    tasks = tuple(task(n + 1, f"t{n}", "failed") for n in range(150))
    backend = world(run(mark(5, "many", "failed"), plans, tasks))
    async with console(backend) as screen:
        await screen.press("j", "r")
        assert "type 150, the number of task instances, to confirm" in screen.text


async def test_a_run_is_triggered_with_what_was_typed() -> None:
    """The form takes a logical date and parameters; what differs from the defaults is sent, after it was shown."""
    from console.model.dags import ParamCard

    backend = world(trades("success"))
    backend.params["trades_us"] = (ParamCard("env", "prod", False, {"enum": ["dev", "prod"]}, "where it goes"),)
    async with console(backend) as screen:
        await screen.press("t")
        await screen.shows("one of dev, prod; where it goes")
        await screen.press(*"2026-11-20", "tab", *["backspace"] * 4, *"dev", "enter")
        await confirm(screen)
        verb, selection, args, _ = backend.commands[-1]
        assert (verb, selection.dag_ids) == ("trigger", ("trades_us",))
        assert args == {"logical_date": "2026-11-20", "param_texts": {"env": "dev"}}
        assert "triggered trades_us" in screen.text


async def test_enter_right_after_a_trigger_opens_the_new_run_and_nothing_else() -> None:
    """While the engine has not answered it is said that the run opens then; whoever goes elsewhere stays there."""
    backend = world(trades("success"))
    async with console(backend) as screen:
        for elsewhere in (False, True):
            await screen.press("escape", "escape", "g", "t")
            await screen.shows("Trigger ── trades_us")
            await screen.press("enter")
            await screen.until(lambda: isinstance(screen.app.screen, Dialog) and screen.app.screen.armed, "armed")
            backend.slow = asyncio.Event()
            await screen.pilot.press("enter")
            await screen.shows("⟶ trigger requested")
            await screen.pilot.press("enter")
            await screen.shows("the new run opens as soon as it is committed")
            assert screen.app.place.view == "overview"
            if elsewhere:
                await screen.pilot.press("I")
            slow, backend.slow = backend.slow, None
            slow.set()
            await screen.settle()
            newest = backend.commands[-1][0], len(backend.commands)
            assert newest[0] == "trigger"
            assert screen.app.place.view == ("inbox" if elsewhere else "run")
            if not elsewhere:
                assert screen.app.place.run_id == screen.app.scene().snapshot.by_id["trades_us"].recent[-1].run_id
                assert screen.app.place.run_id != "trades_us@7"


async def test_a_run_is_triggered_again_with_other_params() -> None:
    """`M` fills the form in with the run's date and params; what is changed there is sent beside the run's name."""
    from console.model.dags import ParamCard

    backend = world(run := trades("success"))
    backend.params["trades_us"] = (ParamCard("env", "prod"), ParamCard("limit", 10))
    backend.given[run.mark.run_id] = {"env": "dev", "limit": 3}
    async with console(backend) as screen:
        await screen.press("M")
        await screen.shows("Trigger again ── ")
        assert "dev" in screen.text and "2026-11-22T01:10:00" in screen.text
        await screen.press("tab", "tab", "backspace", "4", "enter")
        await confirm(screen)
        verb, selection, args, _ = backend.commands[-1]
        assert (verb, selection.dag_ids) == ("trigger", ("trades_us",))
        assert args == {"like": run.mark.run_id, "parallel": True, "param_texts": {"limit": "4"}}


async def test_a_wrong_value_is_told_at_its_field_and_nothing_typed_is_lost() -> None:
    """The form stays, the cursor goes to the field that is wrong, and once it is put right the run is triggered."""
    from console.model.dags import ParamCard

    backend = world(trades("success"))
    backend.params["trades_us"] = (ParamCard("env", "prod"),)
    async with console(backend) as screen:
        await screen.press("t")
        await screen.shows("logical date")
        await screen.press(*"soon", "tab", *"uction", "enter")
        await screen.shows("is not a date such as")
        lines = screen.lines()
        at = next(y for y, line in enumerate(lines) if "soon" in line)
        assert "is not a date such as" in lines[at + 1] and "production" in screen.text
        await screen.press(*["backspace"] * 4, *"2026-11-20", "enter")
        await confirm(screen)
        assert backend.commands[-1][2] == {"logical_date": "2026-11-20", "param_texts": {"env": "production"}}


async def test_the_form_remembers_what_was_typed_last() -> None:
    """After a cancelled dialog the same key finds the form as it was left."""
    backend = world(trades("success"))
    async with console(backend) as screen:
        await screen.press("t")
        await screen.shows("logical date")
        await screen.press(*"2026-11-20", "enter")
        await screen.until(lambda: isinstance(screen.app.screen, Dialog), "the dialog is open")
        await screen.press("escape", "t")
        await screen.shows("2026-11-20")
        await screen.press("escape")
        assert backend.commands == []


async def test_a_backfill_is_planned_with_all_that_was_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dates, limits and params of new runs; the form remembers them after a cancelled plan."""
    from console.model.dags import ParamCard

    asked: list[tuple[str, Selection, Mapping[str, Any]]] = []

    async def preview(verb: str, selection: Selection, args: Mapping[str, Any]) -> PreviewCard:
        asked.append((verb, selection, args))
        return PreviewCard(f"p{len(asked)}", 1, verb, "9 dates of trades_us", 9)

    backend = world(trades("success"))
    backend.verbs = backend.verbs | {"backfill_create"}
    monkeypatch.setattr(backend, "preview", preview)
    backend.params["trades_us"] = (ParamCard("env", "prod", False, {"enum": ["dev", "prod"]}),)
    async with console(backend) as screen:
        await screen.press("b")
        await screen.shows("one of dev, prod")
        await screen.press(*"-9d..yesterday", "tab", "2", "tab", "3", *["tab"] * 4, *["backspace"] * 4, *"dev", "enter")
        await screen.until(lambda: isinstance(screen.app.screen, Dialog), "the plan is shown")
        await screen.shows("9 dates of trades_us")
        await screen.press("escape", "b")
        await screen.shows("-9d..yesterday")
        await screen.press("escape")
        verb, selection, args = asked[-1]
        assert (verb, selection.dag_ids) == ("backfill_create", ("trades_us",))
        assert args == {
            "start": "-9d..yesterday", "max_active": 2, "max_slots": 3, "param_texts": {"env": "dev"},
            "order": "oldest", "reprocess": "none",
        }  # fmt: skip


async def test_cancelling_a_run_counts_its_tasks_and_not_the_run() -> None:
    """The run is a row of the dialog; what has to be typed in a production home is the number of task instances."""
    backend = world(trades("running"), home=HomeCard("etl-01", "/srv/etl", production=True))
    async with console(backend) as screen:
        await screen.press(":", *"cancel", "enter")
        assert "type 2, the number of task instances, to confirm" in screen.text
        await screen.press("escape")


async def test_a_run_is_paused_and_resumed_by_the_same_key() -> None:
    """`P` asks for what fits the run, and the engine is asked for the run, not for its DAG."""
    backend = world(trades("running"))
    async with console(backend) as screen:
        await screen.press("j", "enter", "P")
        assert "Pause run" in screen.text
        await confirm(screen)
        await screen.until(lambda: bool(backend.commands), "the pause is asked for")
        verb, selection, _, _ = backend.commands[-1]
        assert (verb, selection) == ("pause", Selection(run_ids=("trades_us@7",)))
        await screen.until(lambda: backend.runs["trades_us@7"].mark.state == "paused", "the run is paused")
        await screen.until(lambda: "paused" in screen.text, "the run is shown as paused")
        await screen.press("P")
        assert "Resume run" in screen.text


async def test_a_message_goes_with_the_view_it_was_about() -> None:
    """Why a key did nothing is said until another view is opened, whose keys are then shown."""
    async with console(world(trades("success"))) as screen:
        await screen.press("x")
        assert "is over" in screen.lines()[-1]
        await screen.press("enter")
        assert "is over" not in screen.lines()[-1] and "? keys" in screen.lines()[-1]


async def test_no_end_is_promised_of_a_run_that_is_being_cancelled() -> None:
    """Once cancelling is asked for, the title has no ETA any more, nor when it is over."""
    backend = world(trades("running"))
    async with console(backend) as screen:
        await screen.press("j", "enter")
        assert "ETA" in screen.lines()[1]
        await screen.press(":", *"cancel", "enter")
        await screen.until(lambda: isinstance(screen.app.screen, Dialog) and screen.app.screen.armed, "Enter is alive")
        backend.slow = asyncio.Event()
        await screen.pilot.press("enter")
        await screen.shows("cancel requested")
        assert "ETA" not in screen.lines()[1]
        backend.slow.set()
        await screen.settle()
        assert "ETA" not in screen.lines()[1]


async def test_the_engine_goes_and_comes_back() -> None:
    """A banner says since when; reading goes on, changes say why not, and all is well again once it is back."""
    backend = world(trades("failed"))
    async with console(backend) as screen:
        await screen.press("j", "enter")
        backend.engine_down()
        await screen.shows("engine down")
        assert "last seen 02:14:07" in screen.lines()[0]
        assert "ConnectionError: db-1:5432 refused" in screen.text
        await screen.press("c")
        assert "the engine is down: start it with `dagdeck engine start`" in screen.text
        assert screen.app.screen is screen.app.stage
        backend.engine_up()
        await screen.shows("engine up")
        await screen.press("c")
        assert isinstance(screen.app.screen, Dialog)
        await screen.press("escape")


async def test_an_engine_that_goes_while_a_dialog_is_open_is_told_there() -> None:
    """The command that could not be sent is not shown as asked for, and nobody is told that it was done."""
    backend = world(trades("failed"))
    async with console(backend) as screen:
        await screen.press("j", "enter", "c")
        await screen.until(lambda: isinstance(screen.app.screen, Dialog) and screen.app.screen.armed, "Enter is alive")
        backend.engine_down()
        await screen.press("enter")
        assert "look at the run again before you repeat it" in screen.text
        assert not screen.app.scene().intents.items and backend.commands == []


async def test_an_upgraded_engine_asks_for_a_restart() -> None:
    """An engine that this console does not fit says so in the header, and every change repeats it."""
    from console.model.link import Link, LinkState

    backend = world(trades("failed"))
    async with console(backend) as screen:
        backend.set_link(Link(LinkState.REFUSED, 1, 1, message="engine upgraded: restart this console"))
        await screen.shows("engine upgraded: restart this console")
        await screen.press("j", "p")
        assert "engine upgraded" in screen.lines()[-1]


def test_the_flow_is_the_only_way_to_a_command() -> None:
    """Every action with a verb has something to ask, so that no handler can reach the backend by itself."""
    assert all(action.ask is not None for action in BY_ID.values() if action.verb)

"""Marked rows: one preview and one command for all of them."""

from __future__ import annotations

from console.model.asks import Selection
from console.widgets.dialog import Dialog
from tests.support.console import Screen, console, dag, mark, run, task, trades, world
from tests.support.console import plan as shell


async def _confirm(screen: Screen) -> None:
    await screen.until(lambda: isinstance(screen.app.screen, Dialog) and screen.app.screen.armed, "Enter is alive")
    await screen.press("enter")


async def test_marked_tasks_are_cleared_by_one_command() -> None:
    """Space marks a task, V all up to the cursor; the rule counts them, and `c` asks once for all of them."""
    backend = world(trades("failed"))
    async with console(backend) as screen:
        await screen.press("j", "enter", "g", "space")
        assert "1 marked" in screen.lines()[2]
        await screen.press("j", "j", "V")
        assert "3 marked" in screen.lines()[2]
        await screen.press("c")
        assert "3 marked tasks" in screen.text
        await _confirm(screen)
        await screen.settle()
        verb, selection, _, _ = backend.commands[-1]
        assert (verb, selection.run_ids, len(selection.task_ids)) == ("clear", ("trades_us@7",), 3)
        assert "marked" not in screen.lines()[2], "what is done is marked no more"


async def test_what_marked_rows_do_not_allow_is_left_out_and_counted() -> None:
    """`x` on a running and an ended task stops the running one, and says that it is one of two."""
    backend = world(trades("running"))
    async with console(backend) as screen:
        await screen.press("j", "enter", "*")
        assert "6 marked" in screen.lines()[2]
        await screen.press("x")
        assert "1 of 6 marked tasks" in screen.text
        await _confirm(screen)
        verb, selection, _, _ = backend.commands[-1]
        assert (verb, selection) == ("kill", Selection(run_ids=("trades_us@7",), task_ids=("load",)))


async def test_a_star_marks_what_the_filter_shows_and_takes_it_back() -> None:
    """Only DAGs that fit are marked; `p` pauses them; Esc takes the filter away, then the marks."""
    backend = world()
    for name in ("alpha", "beta", "alpine"):
        backend.put_dag(dag(name))
    async with console(backend) as screen:
        await screen.press("/", *"alp", "enter", "*")
        assert "2 marked" in screen.lines()[1]
        await screen.press("escape")
        assert "2 marked" in screen.lines()[1] and "filter" not in screen.lines()[1]
        await screen.press("p")
        assert "2 marked DAGs" in screen.text
        await _confirm(screen)
        assert backend.commands[-1][:2] == ("pause", Selection(dag_ids=("alpha", "alpine")))
        await screen.settle()
        await screen.press("*", "*")
        assert "marked" not in screen.lines()[1]
        await screen.press("space", "escape")
        assert "marked" not in screen.lines()[1]


async def test_marked_runs_are_rerun_together() -> None:
    """In the list of a DAG's runs `r` asks once for all that are marked; they are gone from another DAG's list."""
    backend = world(trades("failed", 7), trades("failed", 8))
    async with console(backend) as screen:
        await screen.press(":", *"runs trades_us", "enter", "*", "r")
        assert "2 marked runs" in screen.text
        await _confirm(screen)
        verb, selection, args, _ = backend.commands[-1]
        assert (verb, sorted(selection.run_ids)) == ("rerun", ["trades_us@7", "trades_us@8"])
        assert args["failed"] is True


async def test_marked_rows_that_need_different_things_are_refused_in_words() -> None:
    """One paused DAG and one that is not: `p` opens no dialog, and says why."""
    backend = world()
    backend.put_dag(dag("alpha"))
    backend.put_dag(dag("beta", paused_at=1, paused_by="ops1"))
    async with console(backend) as screen:
        await screen.press("*", "p")
        assert "need different things (pause, resume)" in screen.text
        assert screen.app.screen is screen.app.stage


async def test_a_task_that_waits_and_one_that_failed_run_again_by_one_clear() -> None:
    """`r` on marked tasks is one command even where single ones would be retried and cleared."""
    plans = (shell("a"), shell("b"))
    waits = run(mark(7, "both", "running"), plans, (task(1, "a", "up_for_retry"), task(2, "b", "failed")))
    backend = world(waits)
    async with console(backend) as screen:
        await screen.press(":", *"run both", "enter", "*", "r")
        await _confirm(screen)
        verb, selection, _, _ = backend.commands[-1]
        assert (verb, selection.task_ids) == ("clear", ("a", "b"))

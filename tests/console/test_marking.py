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


async def test_instances_of_a_cause_are_cleared_together_each_in_its_own_run() -> None:
    """In the inbox space on a cause marks its instances; one command names each task with its run, and no other."""
    one = trades("failed", 7)
    failed = task(91, "pull", "failed", last_error="ConnectionError: db-1:5432 refused")
    other = run(mark(9, "orders", "failed"), (shell("pull"), shell("load")), (failed, task(92, "load")))
    backend = world(one, other)
    async with console(backend, (120, 30)) as screen:
        await screen.press("I", "space")
        assert "2 marked" in screen.lines()[2]
        await screen.press("c")
        assert "2 marked tasks" in screen.text
        await screen.until(lambda: "2 rows" in screen.text or "rows" in screen.text, "the preview")
        await _confirm(screen)
        await screen.settle()
        verb, selection, _, _ = backend.commands[-1]
        assert verb == "clear" and set(selection.run_ids) == {"trades_us@7", "orders@9"}
        assert set(selection.task_ids) == {"trades_us@7/load", "orders@9/pull"}
        assert backend.runs["orders@9"].tasks[1].state == "success", "the same name in another run is not meant"


async def test_a_mark_on_a_cause_is_taken_back_and_tab_goes_to_the_next_cause() -> None:
    """Space again unmarks all of them; Tab and Shift-Tab go from cause to cause, and where there is one part say so."""
    one = trades("failed", 7)
    failed = task(91, "pull", "failed", last_error="exit code 7")
    other = run(mark(9, "orders", "failed"), (shell("pull"),), (failed,))
    async with console(world(one, other), (120, 30)) as screen:
        await screen.press("I", "space", "space")
        assert "marked" not in screen.lines()[2]
        first = screen.app.stage.front.target(screen.app.scene()).attention
        await screen.press("tab")
        second = screen.app.stage.front.target(screen.app.scene()).attention
        assert second is not None and second != first
        await screen.press("shift+tab")
        assert screen.app.stage.front.target(screen.app.scene()).attention == first
        await screen.press("@", "tab")
        assert "there is nothing else to go to here" in screen.text

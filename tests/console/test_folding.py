"""Mapped tasks and task groups on the run's screen: one row each, unfolded by key."""

from __future__ import annotations

from dataclasses import replace

from console.model.limits import WaitCard
from console.model.runs import RunDetail
from tests.support.console import console, mark, plan, run, task, world


def flow() -> RunDetail:
    """list >> work (three indexes, all well) >> load(a >> b)."""
    plans = (
        plan("list"), plan("work", "list"), plan("load.a", "work")._replace(group="load"),
        plan("load.b", "load.a")._replace(group="load"),
    )  # fmt: skip
    summary = task(2, "work", attempts=(), attempt=0, reason="expanded")
    indexes = [task(10 + at, "work", map_index=at) for at in range(3)]
    return run(mark(1, "flow"), plans, (task(1, "list"), summary, *indexes, task(3, "load.a"), task(4, "load.b")))


async def test_space_unfolds_a_mapped_task_and_folds_it_again() -> None:
    """The row says how many are done; its indexes have rows once it is unfolded, and the cursor stays with the task."""
    async with console(world(flow()), (120, 30)) as screen:
        await screen.press("j", "enter", "g", "j")
        assert "▸ work" in screen.text and "3/3 done" in screen.text and "work[1]" not in screen.text
        await screen.press("space")
        assert "▾ work" in screen.text and "work[2]" in screen.text
        await screen.press("j", "j", "space")
        assert "work[2]" not in screen.text
        assert screen.app.stage.run_pane.list.cursor_key == ("task", "work", -1)


async def test_enter_unfolds_what_is_folded() -> None:
    """A folded row has no log of its own: Enter shows what is in it."""
    async with console(world(flow()), (120, 30)) as screen:
        await screen.press("j", "enter", "g", "j", "enter")
        assert "work[0]" in screen.text and screen.app.place.view == "run"


async def test_space_on_a_task_of_a_group_folds_the_group() -> None:
    """The group is one row of graph and table until it is unfolded again."""
    async with console(world(flow()), (120, 30)) as screen:
        await screen.press("j", "enter", "G", "space")
        assert "▸ load" in screen.text and "load.a" not in screen.text and "2/2 done" in screen.text
        assert "no longer has the task" not in screen.text, "a group is no task that went missing"
        assert screen.app.stage.run_pane.list.cursor_key == ("task", "load", -1)
        await screen.press("L")
        assert "load has no log of its own" in screen.lines()[-1] and screen.app.place.view == "run"
        await screen.press("d")
        assert "load is a group: unfold it" in screen.lines()[-1] and screen.app.place.view == "run"
        await screen.press("space")
        assert "load.b" in screen.text


async def test_i_on_a_folded_group_says_what_stands_in_its_way() -> None:
    """How many of its tasks are in which state, and then of the first that holds the others up what the task says."""
    found = flow()
    load = (task(3, "load.a", "failed", last_error="disk full"), task(4, "load.b", "upstream_failed"))
    async with console(world(replace(found, tasks=(*found.tasks[:-2], *load))), (120, 30)) as screen:
        await screen.press("j", "enter", "G", "space", "i")
        assert "Why: load" in screen.text and "1 failed, 1 upstream failed" in screen.text
        assert "Why did load.a fail?" in screen.text and "disk full" in screen.text


async def test_i_on_a_folded_group_that_waits_says_what_the_store_knows() -> None:
    """Its first task that waits for nothing else in the group is explained as on its own row."""
    found = flow()
    load = (task(4, "load.b", "none"), task(3, "load.a", "scheduled", blockers=("pool:db",)))
    backend = world(replace(found, tasks=(*found.tasks[:-2], *load)))
    backend.waits[found.mark.run_id, "load.a", -1] = WaitCard(("the pool db is full",))
    async with console(backend, (120, 30)) as screen:
        await screen.press("j", "enter", "G", "space", "i")
        assert "Why is load.a not running?" in screen.text and "The pool db is full." in screen.text


async def test_i_on_a_folded_group_that_is_done_says_so() -> None:
    """Nothing stands in the way of what is over, and no task of it is picked out."""
    async with console(world(flow()), (120, 30)) as screen:
        await screen.press("j", "enter", "G", "space", "i")
        assert "Why: load" in screen.text and "2 success" in screen.text
        assert "Nothing stands in its way: all of it is done." in screen.text


async def test_what_cannot_be_folded_is_marked() -> None:
    """On a task that is neither mapped nor in a group the key marks the row."""
    async with console(world(flow()), (120, 30)) as screen:
        await screen.press("j", "enter", "g", "space")
        assert "1 marked" in screen.lines()[2]


async def test_other_shapes_of_the_run_show_mapped_tasks_too() -> None:
    """Bars and boxes of a run with folded rows are drawn, and the table comes back as it was."""
    async with console(world(flow()), (120, 30)) as screen:
        await screen.press("j", "enter", "G", "space", "4")
        assert screen.app.place.view == "run"
        await screen.press("3")
        await screen.press("3")
        assert "▸ load" in screen.text


async def test_the_rule_of_the_boxes_tells_what_is_drawn_now() -> None:
    """Moving the cursor of a large graph draws another neighbourhood, and the rule counts that one."""
    plans = (*(plan(f"t{at:02}") for at in range(45)), plan("all", *(f"t{at:02}" for at in range(45))))
    tasks = tuple(task(at, each.task_id) for at, each in enumerate(plans))
    async with console(world(run(mark(1, "flow"), plans, tasks)), (120, 30)) as screen:
        await screen.press("j", "enter", "G", "3", "<")
        await screen.shows("40 of 46 tasks, 1 hop (< >)")
        await screen.press("left")
        await screen.shows("2 of 46 tasks, 1 hop (< >)")
        await screen.press("right")
        await screen.shows("40 of 46 tasks, 1 hop (< >)")
        assert screen.app.stage.run_pane.list.cursor_key == ("task", "all", -1)

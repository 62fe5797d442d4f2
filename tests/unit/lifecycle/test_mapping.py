"""Mapped tasks: expansion, what counts downstream, growth and shrinkage, and the summary row."""

from __future__ import annotations

import pytest

from engine.lifecycle import events as e
from engine.lifecycle.changes import Changes
from engine.lifecycle.clearing import rebase, select
from engine.model.dag import TaskSpec
from engine.model.states import Reason, RunState, TaskState, TriggerRule
from tests.support.lifecycle import ERROR, OK, World, mapped, task


def world(size: int | str = 3, *more: TaskSpec, rule: TriggerRule = TriggerRule.ALL_SUCCESS, retries: int = 0) -> World:
    """list >> work (mapped over its result) >> total."""
    made = World(
        task("list"),
        mapped("work", "list", retries=retries),
        task("total", "work", trigger_rule=rule),
        *more,
        start=False,
    )
    made.items.sizes["work"] = size
    made.do(e.Start())
    return made


def clear(made: World, *names: str, downstream: bool = False, failed: bool = False) -> None:
    """An operator's clear."""
    chosen = select(made.memory, made.tis(*names), downstream, only_failed=failed)
    made.do(e.Clear(tuple(ti.id for ti in chosen), "c", "ann"))


def test_the_end_of_the_upstream_makes_every_index_in_the_same_step() -> None:
    """What is committed holds the upstream's success and all indexes, so nothing can be lost between the two."""
    made = world(3)
    made.claim("list")
    changes = made.end("list")
    assert [(ti.map_index, ti.state) for ti in changes.new_tasks] == [
        (0, "scheduled"),
        (1, "scheduled"),
        (2, "scheduled"),
    ]
    assert (made.ti("work").state, made.ti("work").reason) == ("deferred", Reason.EXPANDED)
    made.restart()
    assert not made.do(e.Review())


def test_nothing_to_map_over_skips_the_task_and_says_so() -> None:
    """With no items the task is skipped with its reason, and what needs it is skipped, too."""
    made = world(0)
    made.finish("list")
    assert (made.ti("work").state, made.ti("work").reason) == ("skipped", Reason.NO_ITEMS)
    assert (made.ti("total").state, made.run.state) == ("skipped", RunState.SUCCESS)


def test_what_cannot_be_mapped_over_fails_the_task_with_the_reason() -> None:
    """A result that is no list fails the mapped task, not its upstream, and the row says why."""
    made = world("number= cannot be mapped over: the result of list is nothing, not a list or a dict")
    made.finish("list")
    work = made.ti("work")
    assert (work.state, work.reason) == ("failed", Reason.NOT_MAPPABLE)
    assert work.last_error is not None and "the result of list is nothing" in work.last_error
    assert (made.ti("total").state, made.run.state) == ("upstream_failed", RunState.FAILED)


def test_tasks_below_count_every_index() -> None:
    """The task below waits for all indexes, and one that failed fails it."""
    made = world(3)
    made.finish("list")
    made.finish("work[0]")
    made.finish("work[1]")
    assert made.ti("total").state == "none"
    made.finish("work[2]", ERROR)
    assert (made.ti("work").state, made.ti("total").state) == ("failed", "upstream_failed")


def test_rules_that_fire_early_see_the_first_index() -> None:
    """`one_success` lets the task below run as soon as one index has succeeded."""
    made = world(3, rule=TriggerRule.ONE_SUCCESS)
    made.finish("list")
    made.finish("work[1]")
    assert made.ti("total").state == "scheduled"


def test_only_the_failed_indexes_run_again() -> None:
    """Clearing what failed leaves the other indexes and their attempts alone."""
    made = world(3)
    for name in ("list", "work[0]", "work[2]"):
        made.finish(name)
    made.finish("work[1]", ERROR)
    assert made.run.state is RunState.FAILED
    cleared = select(made.memory, None, only_failed=True)
    assert [(ti.task_id, ti.map_index) for ti in cleared] == [("work", 1), ("total", -1)]
    made.do(e.Clear(tuple(ti.id for ti in cleared), "c", "ann"))
    assert made.ti("work").state == "deferred"
    made.finish("work[1]")
    made.finish("total")
    assert [made.ti(f"work[{at}]").attempt for at in range(3)] == [1, 2, 1]
    assert (made.ti("work").state, made.run.state) == ("success", RunState.SUCCESS)


def lessened() -> World:
    """A run over two items, cancelled with its first index alive, whose list is empty by now."""
    made = World(mapped("work"))
    made.grant("work[0]")
    made.items.sizes["work"] = 0
    made.do(e.CancelRun("c", "ann"))
    return made


def finished(size: int) -> World:
    """A run that has succeeded over so many items."""
    made = world(size)
    for name in ("list", *(f"work[{at}]" for at in range(size)), "total"):
        made.finish(name)
    assert made.run.state is RunState.SUCCESS
    return made


def test_fewer_items_remove_the_surplus() -> None:
    """A rerun with a shorter list runs what is left and removes the other indexes; they stop counting."""
    made = finished(3)
    clear(made, "list", downstream=True)
    made.items.sizes["work"] = 1
    made.finish("list")
    assert [made.ti(f"work[{at}]").state for at in range(3)] == ["scheduled", "removed", "removed"]
    made.finish("work[0]")
    made.finish("total")
    assert (made.ti("work").state, made.run.state) == ("success", RunState.SUCCESS)


def test_more_items_add_indexes_and_bring_removed_ones_back() -> None:
    """Indexes that were removed return with their history, and new ones are made behind them."""
    made = finished(2)
    clear(made, "list", downstream=True)
    made.items.sizes["work"] = 1
    made.finish("list")
    clear(made, "list", downstream=True)
    made.items.sizes["work"] = 4
    made.finish("list")
    assert [made.ti(f"work[{at}]").state for at in range(4)] == ["scheduled"] * 4
    assert [made.ti(f"work[{at}]").attempt for at in range(4)] == [1, 1, 0, 0]


def test_a_list_that_became_empty_skips_the_task_again() -> None:
    """When no index is left, the task stands for itself: skipped, like one that never had items."""
    made = finished(2)
    clear(made, "list", downstream=True)
    made.items.sizes["work"] = 0
    made.finish("list")
    assert (made.ti("work").state, made.ti("work").reason) == ("skipped", Reason.NO_ITEMS)
    assert made.ti("total").state == "skipped"
    clear(made, "list", downstream=True)
    made.items.sizes["work"] = 2
    made.finish("list")
    assert [made.ti(f"work[{at}]").state for at in range(2)] == ["scheduled", "scheduled"]


def test_a_surplus_index_that_runs_is_killed_before_it_is_removed() -> None:
    """Its process is dead before the row says that it is gone."""
    made = world(2)
    made.finish("list")
    made.claim("work[1]")
    clear(made, "list", "work[0]")
    made.items.sizes["work"] = 1
    made.finish("list")
    assert made.ti("work[1]").state == "killing"
    made.end("work[1]", None)
    assert made.ti("work[1]").state == "removed"


def test_a_second_clear_of_an_index_that_lost_its_item_changes_nothing() -> None:
    """Its process dies because its item is gone, and whatever is cleared once more, that stays the reason."""
    made = lessened()
    clear(made, "work[0]", "work[1]")
    assert (made.ti("work[0]").state, made.ti("work[0]").reason) == ("killing", Reason.REMOVED)
    before = made.states(), made.ti("work[0]").then_reason
    clear(made, "work[0]", "work[1]")
    assert (made.states(), made.ti("work[0]").then_reason) == before and made.last.transitions == []
    made.end("work[0]", None)
    assert made.states() == {"work": "skipped", "work[0]": "removed", "work[1]": "removed"}


def test_indexes_are_fitted_to_a_shorter_list_alike_before_and_after_a_restart() -> None:
    """What an engine does to an index that was cancelled while it lost its item, the next engine does as well."""
    done = []
    for restarts in (False, True):
        made = lessened()
        clear(made, "work[0]", "work[1]")
        made.do(e.CancelRun("c", "ann"))
        if restarts:
            made.restart()
        clear(made, "work[0]", "work[1]")
        done.append((made.last.transitions, made.ti("work[0]").then_reason))
        made.end("work[0]", None)
        assert made.states() == {"work": "skipped", "work[0]": "removed", "work[1]": "removed"}
    assert done[0] == done[1]


def test_clearing_the_upstream_alone_leaves_finished_indexes_alone() -> None:
    """As with any other task, results below stay until somebody clears them, whatever the list says now."""
    made = finished(2)
    clear(made, "list")
    made.items.sizes["work"] = 3
    made.finish("list")
    assert made.ti("work").state == "success"
    assert ("work", 2) not in made.memory.instances


def test_skipped_for_want_of_items_follows_the_upstream() -> None:
    """Clearing the upstream alone takes a skip for want of items back: it was the upstream's doing."""
    made = world(0)
    made.finish("list")
    clear(made, "list")
    assert made.ti("work").state == "none"
    made.items.sizes["work"] = 1
    made.finish("list")
    assert made.ti("work[0]").state == "scheduled"


def test_an_index_waits_for_its_own_retry() -> None:
    """Each index has a budget of its own, and the others go on."""
    made = world(2, retries=1)
    made.finish("list")
    made.finish("work[0]", ERROR)
    made.finish("work[1]")
    assert (made.ti("work[0]").state, made.ti("work").state) == ("up_for_retry", "deferred")
    made.do(e.RetryDue(made.ti("work[0]").id), after=60_000_000)
    made.finish("work[0]")
    assert made.ti("total").state == "scheduled"


def test_cancelling_ends_every_index_and_then_the_summary() -> None:
    """The summary row is cancelled with its indexes, the last of which may have to be killed first."""
    made = world(2)
    made.finish("list")
    made.claim("work[0]")
    made.do(e.CancelRun("c", "ann"))
    assert (made.ti("work").state, made.ti("work[1]").state) == ("deferred", "cancelled")
    made.end("work[0]", None)
    assert (made.ti("work").state, made.run.state) == ("cancelled", RunState.CANCELLED)


def test_a_task_mapped_over_a_mapped_one_has_as_many_indexes() -> None:
    """The second expansion happens when the first task's indexes are over."""
    made = World(mapped("first"), mapped("second", "first"))
    assert made.ti("second").state == "none"
    made.finish("first[0]")
    made.finish("first[1]")
    assert [made.ti(f"second[{at}]").state for at in range(2)] == ["scheduled", "scheduled"]


def test_a_summary_row_cannot_be_cleared_marked_or_killed() -> None:
    """It only says what its indexes say: such a request changes nothing and is named."""
    made = finished(2)
    work = made.tis("work")
    for event in (e.Clear(work, "c"), e.Mark(work, TaskState.FAILED, "c"), e.Kill(work[0])):
        changes = made.do(event)
        assert not changes and len(changes.ignored) == 1


@pytest.mark.parametrize("size", [0, 2])
def test_a_version_that_no_longer_maps_the_task_removes_its_indexes(size: int) -> None:
    """The task's own row goes on as an ordinary instance."""
    made = finished(size) if size else world(0)
    if not size:
        made.finish("list")
    plan = made.use(task("list"), task("work", "list"), task("total", "work"))
    changes = Changes()
    rebase(made.memory, plan, changes, made.ids, made.now)
    made.do(e.Clear(made.tis("work"), "c", "ann"), changes=changes)
    assert made.ti("work").state == "scheduled"
    assert all(made.ti(f"work[{at}]").state == "removed" for at in range(size))


def test_an_event_of_one_index_touches_no_other() -> None:
    """Whatever the number of indexes, the end of one changes its own row and nothing else."""
    made = world(200)
    made.finish("list")
    made.claim("work[7]")
    changes = made.end("work[7]", OK)
    assert {ti.map_index for ti, _ in changes.tasks.values()} == {7}

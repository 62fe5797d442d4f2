"""Clearing: what is selected, what is reset, and what a new DAG version does to a reopened run."""

import itertools

import pytest

from engine.lifecycle.changes import Changes
from engine.lifecycle.clearing import rebase, select
from engine.lifecycle.events import CancelRun, Clear, Ended, Mark, RetryDue, RunTimeout, SpawnFailed
from engine.lifecycle.plan import DagPlan
from engine.model.attempt_files import AttemptStatus
from engine.model.dag import TaskSpec
from engine.model.states import Outcome, Reason, RunState, TaskState, TriggerRule
from tests.support.lifecycle import ERROR, OK, SIGTERM, SKIP, World, task


def chain(*, fails: str = "", retries: int = 0) -> World:
    """a → b → c, run to its end; the task `fails` fails."""
    world = World(task("a", retries=retries), task("b", "a"), task("c", "b"))
    for name in "abc":
        if world.ti(name).state is TaskState.SCHEDULED:
            world.finish(name, ERROR if name == fails else OK)
    return world


def names(world: World, *targets: str, **options: bool) -> list[str]:
    return [ti.task_id for ti in select(world.memory, world.tis(*targets) if targets else None, **options)]


def test_selection_follows_the_graph() -> None:
    """Targets alone, with all that is below, with all that is above, or the whole run; in topological order."""
    world = World(task("d", "b", "c"), task("b", "a"), task("c", "a"), task("a"))
    assert names(world, "b") == ["b"]
    assert names(world, "b", downstream=True) == ["b", "d"]
    assert names(world, "d", upstream=True) == ["a", "b", "c", "d"]
    assert names(world) == ["a", "b", "c", "d"]


def test_only_failed_means_everything_that_did_not_do_its_work() -> None:
    """Failed, upstream_failed and cancelled instances; not the successes, and not what skipped itself."""
    world = World(task("ok"), task("bad"), task("below", "bad"), task("skip"), task("late"))
    world.finish("ok")
    world.finish("bad", ERROR)
    world.finish("skip", SKIP)
    world.do(CancelRun())
    assert names(world, only_failed=True) == ["bad", "late", "below"]


def test_only_failed_includes_what_a_run_timeout_cut_off() -> None:
    """Rerunning what failed after a run timeout takes killed and never started instances along."""
    world = World(task("a"), task("b", "a"), run_timeout=60)
    world.claim("a")
    world.do(RunTimeout())
    world.end("a", SIGTERM)
    assert names(world, only_failed=True) == ["a", "b"]


def test_an_unknown_instance_cannot_be_selected() -> None:
    """An id of another run is an error, not an empty selection."""
    with pytest.raises(KeyError):
        select(World(task("a")).memory, [99])


def test_clearing_a_failure_takes_its_consequences_back() -> None:
    """What is upstream_failed because of the cleared task waits again; the run is reopened in a new episode."""
    world = chain(fails="a", retries=0)
    assert world.states() == {"a": "failed", "b": "upstream_failed", "c": "upstream_failed"}
    world.do(Clear(world.tis("a"), command="c1", by="ann"))
    assert world.states() == {"a": "scheduled", "b": "none", "c": "none"}
    assert (world.run.state, world.run.reason, world.run.episode) == (RunState.RUNNING, Reason.REOPENED, 2)
    assert (world.run.started_at, world.run.ended_at) == (world.now, None)
    assert world.rows.episodes[1, 2].opened_by == "ann"
    assert world.rows.episodes[1, 1].outcome is RunState.FAILED
    for name in "abc":
        world.finish(name)
    assert world.run.state is RunState.SUCCESS
    assert world.attempt("a").number == 2


def test_clearing_leaves_the_work_below_alone() -> None:
    """Tasks that ran keep their state unless the clear goes downstream."""
    world = chain()
    world.do(Clear(world.tis("a")))
    assert world.states() == {"a": "scheduled", "b": "success", "c": "success"}


def test_clearing_downstream_starts_everything_below_anew() -> None:
    """With downstream every cleared instance waits for its cleared upstream."""
    world = chain()
    world.do(Clear(tuple(ti.id for ti in select(world.memory, world.tis("a"), downstream=True))))
    assert world.states() == {"a": "scheduled", "b": "none", "c": "none"}


def test_another_failure_still_holds_what_is_below() -> None:
    """An instance below two failures stays upstream_failed when one of them is cleared."""
    world = World(task("a"), task("b"), task("c", "a", "b"))
    world.finish("a", ERROR)
    world.finish("b", ERROR)
    changes = world.do(Clear(world.tis("a")))
    assert world.states() == {"a": "scheduled", "b": "failed", "c": "upstream_failed"}
    assert world.ti("c").id not in changes.tasks


def test_skips_by_rule_are_taken_back_and_skips_by_the_task_are_not() -> None:
    """Clearing what skipped itself resets those skipped because of it, through the whole chain."""
    world = World(task("a"), task("b", "a"), task("c", "b"), task("own"))
    world.finish("own", SKIP)
    world.finish("a", SKIP)
    world.do(Clear(world.tis("a")))
    assert world.states() == {"a": "scheduled", "b": "none", "c": "none", "own": "skipped"}


def test_clearing_a_running_instance_kills_first() -> None:
    """The new attempt is possible only once the old process is dead, and its late success is only noted."""
    world = chain(fails="b")
    world.do(Clear(world.tis("b")))
    attempt = world.claim("b")
    world.do(Clear(world.tis("b")))
    ti = world.ti("b")
    assert (ti.state, ti.then, ti.reason) == (TaskState.KILLING, TaskState.NONE, Reason.CLEARED)
    world.do(Ended(attempt, OK))
    assert (world.ti("b").state, world.ti("b").epoch_start) == (TaskState.SCHEDULED, 2)
    row = world.rows.attempts[attempt]
    assert (row.outcome, row.late_result, row.error) == (Outcome.KILLED, "success", "killed to be cleared")
    world.finish("b")
    assert world.attempt("b").number == 3


@pytest.mark.parametrize("state", ["none", "scheduled", "queued", "running", "killing", "up_for_retry", "success"])
def test_clearing_twice_equals_clearing_once(state: str) -> None:
    """A second clear at the same moment changes nothing, whatever the instance was doing."""
    world = World(task("up"), task("a", "up", retries=1))
    if state != "none":
        world.finish("up")
    if state == "queued":
        world.grant("a")
    if state in ("running", "killing"):
        world.claim("a")
    if state == "up_for_retry":
        world.finish("a", ERROR)
    if state == "success":
        world.finish("a")
    if state == "killing":
        world.do(Mark(world.tis("a"), TaskState.FAILED))
    assert world.ti("a").state == state
    world.do(Clear(world.tis("a")))
    assert not world.do(Clear(world.tis("a")), after=0)


def test_clearing_forgets_what_the_epoch_spent() -> None:
    """Retries, losses and failed starts count anew; attempt numbers go on."""
    world = World(task("a", retries=1))
    world.finish("a", None)
    world.do(RetryDue(world.ti("a").id))
    world.finish("a", ERROR)
    world.do(RetryDue(world.ti("a").id))
    world.do(SpawnFailed(world.grant("a"), "no memory"))
    world.do(Clear(world.tis("a")))
    ti = world.ti("a")
    assert (ti.state, ti.attempt, ti.epoch_start, ti.lost_count, ti.requeues) == (TaskState.SCHEDULED, 3, 3, 0, 0)
    assert ti.spared == 0
    world.finish("a", ERROR)
    assert world.ti("a").state is TaskState.UP_FOR_RETRY


def test_clearing_an_upstream_sends_the_waiting_back() -> None:
    """An instance that waits for a slot waits for its upstream again."""
    world = World(task("a"), task("b", "a"))
    world.finish("a")
    world.do(Clear(world.tis("a")))
    assert world.states() == {"a": "scheduled", "b": "none"}
    assert list(world.memory.scheduled) == [world.ti("a").id]


def test_a_retry_waits_for_an_upstream_that_was_cleared_meanwhile() -> None:
    """When the retry is due the instance goes back to waiting, and keeps its epoch."""
    world = World(task("a"), task("b", "a", retries=1))
    world.finish("a")
    world.finish("b", ERROR)
    world.do(Clear(world.tis("a")))
    assert world.ti("b").state is TaskState.UP_FOR_RETRY
    world.do(RetryDue(world.ti("b").id))
    assert (world.ti("b").state, world.ti("b").reason) == (TaskState.NONE, Reason.UPSTREAM)
    world.finish("a")
    world.finish("b", ERROR)
    assert (world.ti("b").state, world.ti("b").attempt) == (TaskState.FAILED, 2)


def test_clearing_what_went_back_to_waiting_starts_a_new_epoch() -> None:
    """An instance that waits for its upstream again, with tries behind it, gets a whole budget by a clear."""
    world = World(task("a"), task("b", "a", retries=1))
    world.finish("a")
    world.finish("b", ERROR)
    world.do(Clear(world.tis("a")))
    world.do(RetryDue(world.ti("b").id))
    assert (world.ti("b").state, world.ti("b").attempt) == (TaskState.NONE, 1)
    world.do(Clear(world.tis("b")))
    assert (world.ti("b").state, world.ti("b").epoch_start) == (TaskState.NONE, 1)
    assert not world.do(Clear(world.tis("b")))


def test_a_requeued_instance_waits_for_an_upstream_that_was_cleared_meanwhile() -> None:
    """When the start fails after the upstream was cleared, the attempt is dropped unspent."""
    world = World(task("a"), task("b", "a"))
    world.finish("a")
    attempt = world.grant("b")
    world.do(Clear(world.tis("a")))
    assert world.ti("b").state is TaskState.QUEUED
    world.do(SpawnFailed(attempt, "no memory"))
    assert world.ti("b").state is TaskState.NONE
    assert world.rows.attempts[attempt].outcome is Outcome.UNSPENT


def test_clearing_a_run_that_is_being_cancelled_goes_on_with_it() -> None:
    """The cancelled episode is closed, the cleared instance runs again, the rest stays cancelled."""
    world = World(task("a"), task("b"))
    world.claim("a")
    world.do(CancelRun())
    world.do(Clear(world.tis("a")))
    assert (world.run.state, world.run.episode) == (RunState.RUNNING, 2)
    assert world.rows.episodes[1, 1].outcome is RunState.CANCELLED
    world.end("a", SIGTERM)
    assert world.states() == {"a": "scheduled", "b": "cancelled"}


def test_clearing_a_run_that_timed_out_gives_it_its_time_again() -> None:
    """The timed-out episode is closed as failed; the new one starts now."""
    world = World(task("a"), task("b"), run_timeout=60)
    world.claim("a")
    world.do(RunTimeout())
    world.do(Clear(world.tis("b")))
    assert (world.run.state, world.run.started_at) == (RunState.RUNNING, world.now)
    assert world.rows.episodes[1, 1].outcome is RunState.FAILED
    world.end("a", SIGTERM)
    assert world.states() == {"a": "failed", "b": "scheduled"}


def test_clearing_in_a_queued_run_leaves_it_queued() -> None:
    """A mark made before the start can be cleared before the start."""
    world = World(task("a"), start=False)
    world.do(Mark(world.tis("a"), TaskState.SUCCESS))
    world.do(Clear(world.tis("a")))
    assert (world.run.state, world.states()) == (RunState.QUEUED, {"a": "none"})


def test_a_clear_that_is_decided_at_once_changes_the_outcome() -> None:
    """Where the cleared failure is skipped again by its rule, the run is judged anew and not reopened."""
    world = World(task("a"), task("b", "a"))
    world.do(Mark(world.tis("a"), TaskState.SKIPPED))
    world.do(Mark(world.tis("b"), TaskState.FAILED))
    assert world.run.state is RunState.FAILED
    world.do(Clear(world.tis("b")))
    assert world.states() == {"a": "skipped", "b": "skipped"}
    assert (world.run.state, world.run.episode) == (RunState.SUCCESS, 1)


def clear_on(world: World, plan: DagPlan, *task_ids: str) -> Changes:
    """What a clear on the current DAG version does: the new version and the clear in one step."""
    changes = Changes()
    rebase(world.memory, plan, changes, world.ids, world.now)
    return world.do(Clear(world.tis(*task_ids)), changes=changes)


def test_a_reopened_run_takes_the_current_version() -> None:
    """New tasks get instances, vanished ones are removed, and the episode names its version."""
    world = chain(fails="b")
    plan = world.use(task("a"), task("b", "a"), task("new", "b"))
    clear_on(world, plan, "b")
    assert world.states() == {"a": "success", "b": "scheduled", "c": "removed", "new": "none"}
    assert (world.run.version_id, world.rows.episodes[1, 2].version_id) == (2, 2)
    world.restart()
    world.finish("b")
    world.finish("new")
    assert world.run.state is RunState.SUCCESS
    assert world.attempt("new").version_id == 2


def test_changed_edges_and_rules_are_reconsidered() -> None:
    """What no longer follows from the new version's edges is decided anew; what people or processes decided stays."""
    world = World(task("a"), task("b"), task("c", "a"), task("d", "a"), task("e", "a"))
    world.finish("a", ERROR)
    world.finish("b")
    assert world.states()["c"] == "upstream_failed"
    plan = world.use(
        task("a"), task("b"), task("c", "b"), task("d", "a", trigger_rule=TriggerRule.ALL_DONE), task("e", "a")
    )
    clear_on(world, plan)
    assert world.states() == {
        "a": "failed",
        "b": "success",
        "c": "scheduled",
        "d": "scheduled",
        "e": "upstream_failed",
    }


def test_a_task_that_returns_is_decided_anew() -> None:
    """An instance that was removed lives again when its task is back in the DAG, with a budget of its own."""
    world = chain()
    one = world.memory.plan
    clear_on(world, world.use(task("a"), task("b", "a")), "b")
    world.finish("b")
    assert world.states()["c"] == "removed"
    clear_on(world, one)
    assert world.states() == {"a": "success", "b": "success", "c": "scheduled"}
    assert (world.ti("c").attempt, world.ti("c").epoch_start) == (1, 1)


def test_a_new_version_gets_an_episode_even_if_nothing_runs() -> None:
    """Where the clear on a new version decides everything at once, the run ends again on that version."""
    world = World(task("a"), task("b", "a"))
    world.finish("a", ERROR)
    clear_on(world, world.use(task("a"), task("b", "a"), task("new", "b")), "b")
    assert world.states() == {"a": "failed", "b": "upstream_failed", "new": "upstream_failed"}
    assert (world.run.state, world.run.version_id, world.run.episode) == (RunState.FAILED, 2, 2)
    assert world.rows.episodes[1, 2].outcome is RunState.FAILED
    world.restart()


def test_removed_failures_do_not_fail_the_run() -> None:
    """A failed task that is gone from the new version has no say in the outcome."""
    world = World(task("a"), task("bad"))
    world.finish("a")
    world.finish("bad", ERROR)
    clear_on(world, world.use(task("a")), "a")
    world.finish("a")
    assert world.run.state is RunState.SUCCESS


def test_lowered_retries_count_from_the_next_failure() -> None:
    """A version with fewer retries than were already used fails the next failure."""
    world = World(task("a", retries=3), task("b"))
    world.finish("b")
    for _ in range(4):
        world.finish("a", ERROR)
        if world.ti("a").state is TaskState.UP_FOR_RETRY:
            world.do(RetryDue(world.ti("a").id))
    clear_on(world, world.use(task("a", retries=0), task("b")), "a")
    world.finish("a", ERROR)
    assert world.ti("a").state is TaskState.FAILED


def test_the_version_of_a_live_run_is_pinned() -> None:
    """A run that is not over cannot change its version."""
    world = World(task("a"))
    with pytest.raises(ValueError, match="version changes only when it is reopened"):
        rebase(world.memory, world.use(task("a")), Changes(), itertools.count(50), world.now)


def test_instances_without_a_task_cannot_be_cleared() -> None:
    """Clearing a removed instance is refused by name; the others are cleared."""
    world = chain(fails="b")
    clear_on(world, world.use(task("a"), task("b", "a")), "b")
    changes = world.do(Clear(world.tis("c", "a")))
    assert world.states()["a"] == "scheduled"
    assert len(changes.ignored) == 1


@pytest.mark.parametrize("status", [OK, ERROR, SIGTERM, None])
def test_a_cleared_instance_never_runs_twice_at_once(status: AttemptStatus | None) -> None:
    """Whatever the killed process reports, the next attempt becomes possible after it."""
    spec: TaskSpec = task("a", retries=2)
    world = World(spec)
    attempt = world.claim("a")
    world.do(Clear(world.tis("a")))
    assert list(world.memory.scheduled) == []
    world.do(Ended(attempt, status))
    assert list(world.memory.scheduled) == [world.ti("a").id]

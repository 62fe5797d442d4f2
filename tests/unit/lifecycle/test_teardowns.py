"""Setups and teardowns, tasks that may fail, and how a run ends because of them."""

import pytest

from engine.lifecycle.clearing import select
from engine.lifecycle.events import CancelRun, Clear, Ended, Granted, RetryDue, RunTimeout
from engine.lifecycle.gates import Limits, blockers, may_start
from engine.lifecycle.table import IllegalTransition
from engine.model.attempt_files import AttemptStatus
from engine.model.dag import TaskSpec
from engine.model.states import Reason, RunState, TaskState, TriggerRule
from tests.support.lifecycle import ERROR, SIGTERM, SKIP, World, task


def setup(task_id: str, *upstream: str) -> TaskSpec:
    return task(task_id, *upstream, role="setup")


def teardown(task_id: str, *upstream: str, setups: tuple[str, ...] = ("s",), **more: object) -> TaskSpec:
    return task(
        task_id, *setups, *upstream, role="teardown", setups=list(setups),
        trigger_rule=TriggerRule.ALL_DONE_SETUP_SUCCESS, **more,
    )  # fmt: skip


def cluster(*more: TaskSpec, **options: object) -> World:
    """A setup, two tasks, a teardown."""
    return World(setup("s"), task("a", "s"), task("b", "a"), teardown("t", "b"), *more, **options)


def test_a_teardown_runs_after_work_that_failed() -> None:
    """Its setup succeeded and all is over: it runs, and the run fails because of the work."""
    world = cluster()
    world.finish("s")
    world.finish("a", ERROR)
    assert world.states() == {"s": "success", "a": "failed", "b": "upstream_failed", "t": "scheduled"}
    world.finish("t")
    assert (world.run.state, world.run.reason) == (RunState.FAILED, Reason.TASKS_FAILED)


def test_a_teardown_waits_for_all_that_lies_between() -> None:
    """Also for tasks that are not directly before it, while one that is has given up early."""
    world = World(setup("s"), task("a", "s"), task("slow", "s"), task("b", "a", "slow"), teardown("t", "b"))
    world.finish("s")
    world.finish("a", ERROR)
    assert world.states()["b"] == "upstream_failed"
    assert world.states()["t"] == "none"
    world.finish("slow")
    assert world.states()["t"] == "scheduled"


@pytest.mark.parametrize(("end", "state"), [(ERROR, "upstream_failed"), (SKIP, "skipped")])
def test_without_its_setup_there_is_nothing_to_tear_down(end: AttemptStatus, state: str) -> None:
    """A setup that failed or was skipped says the same of its teardown."""
    world = cluster()
    world.finish("s", end)
    assert world.states()["t"] == state


def test_one_of_several_setups_is_enough() -> None:
    """What was set up is torn down."""
    world = World(setup("s"), setup("r"), teardown("t", setups=("s", "r")))
    world.finish("s", ERROR)
    world.finish("r")
    assert world.states()["t"] == "scheduled"


def test_a_failed_teardown_does_not_fail_the_run() -> None:
    """The run says that failures were allowed."""
    world = cluster()
    for name in "sab":
        world.finish(name)
    world.finish("t", ERROR)
    assert (world.run.state, world.run.reason) == (RunState.SUCCESS, Reason.FAILURES_ALLOWED)


def test_a_teardown_may_ask_to_fail_the_run() -> None:
    """With `on_failure_fail_run` it is a task like others."""
    world = World(setup("s"), teardown("t", on_failure_fail_run=True))
    world.finish("s")
    world.finish("t", ERROR)
    assert world.run.state is RunState.FAILED


def test_leaves_are_found_before_teardowns() -> None:
    """With `outcome=leaves` a teardown at the end hides no failure."""
    world = cluster(outcome="leaves")
    world.finish("s")
    world.finish("a")
    world.finish("b", ERROR)
    world.finish("t")
    assert world.run.state is RunState.FAILED


def test_tasks_that_may_fail_do_not_fail_the_run() -> None:
    """Beside them everything else decides."""
    world = World(task("a", allow_failure=True), task("b", "a", trigger_rule=TriggerRule.ALL_DONE))
    world.finish("a", ERROR)
    world.finish("b")
    assert (world.run.state, world.run.reason) == (RunState.SUCCESS, Reason.FAILURES_ALLOWED)
    world.do(Clear(world.tis("b")))
    world.finish("b", ERROR)
    assert (world.run.state, world.run.reason) == (RunState.FAILED, Reason.TASKS_FAILED)


@pytest.mark.parametrize("event", [CancelRun(), RunTimeout()])
def test_teardowns_run_in_a_run_that_is_ending(event: CancelRun | RunTimeout) -> None:
    """Live work is killed, the rest cancelled, and only then the teardown runs; the run ends after it."""
    world = cluster(task("other"))
    world.finish("s")
    attempt = world.claim("a")
    world.do(event)
    assert world.states() == {"s": "success", "a": "killing", "b": "cancelled", "t": "none", "other": "cancelled"}
    world.do(Ended(attempt, SIGTERM))
    assert world.ti("t").state is TaskState.SCHEDULED
    assert blockers(world.ti("t"), world.memory, Limits(), world.now) == ()
    world.restart()
    world.finish("t")
    ended = RunState.CANCELLED if isinstance(event, CancelRun) else RunState.FAILED
    assert world.run.state is ended
    assert world.states()["t"] == "success"


def test_a_teardown_in_an_ending_run_is_retried() -> None:
    """The run goes on cancelling until its budget is spent."""
    world = World(setup("s"), task("a", "s"), teardown("t", "a", retries=1))
    world.finish("s")
    world.do(CancelRun())
    world.finish("t", ERROR)
    assert (world.run.state, world.states()["t"]) == (RunState.CANCELLING, "up_for_retry")
    world.do(RetryDue(world.ti("t").id))
    world.finish("t", ERROR)
    assert (world.run.state, world.states()["t"]) == (RunState.CANCELLED, "failed")


def test_a_teardown_whose_setup_never_ran_is_cancelled_with_the_run() -> None:
    """There is nothing to clean up."""
    world = cluster()
    world.do(CancelRun())
    assert set(world.states().values()) == {"cancelled"}
    assert world.run.state is RunState.CANCELLED


def test_cancel_during_setup_leaves_nothing_to_tear_down() -> None:
    """A setup that was killed has not succeeded."""
    world = cluster()
    attempt = world.claim("s")
    world.do(CancelRun())
    assert world.states()["t"] == "none"
    world.do(Ended(attempt, SIGTERM))
    assert world.states() == {"s": "cancelled", "a": "cancelled", "b": "cancelled", "t": "cancelled"}


def test_a_forced_cancel_spares_no_teardown() -> None:
    """Neither one that waits nor one that runs; also when the run is being cancelled already."""
    world = cluster()
    world.finish("s")
    world.do(CancelRun())
    attempt = world.claim("t")
    world.do(CancelRun())
    assert world.states()["t"] == "running"
    world.do(CancelRun(force=True))
    assert world.states()["t"] == "killing"
    world.do(Ended(attempt, SIGTERM))
    assert (world.states()["t"], world.run.state) == ("cancelled", RunState.CANCELLED)


def test_nothing_but_teardowns_starts_in_a_run_that_is_ending() -> None:
    """Granting other tasks is refused."""
    world = cluster(task("late"))
    world.finish("s")
    world.claim("a")
    world.do(CancelRun())
    assert not may_start(world.ti("late"), world.memory, Limits(), world.now)
    with pytest.raises(IllegalTransition):
        world.do(Granted(world.ti("late").id, "X"))


def test_a_cancelled_queued_run_has_nothing_to_tear_down() -> None:
    """All of it is cancelled at once."""
    world = World(setup("s"), teardown("t"), start=False)
    world.do(CancelRun())
    assert world.states() == {"s": "cancelled", "t": "cancelled"}


def test_clearing_work_clears_its_setup_and_teardown() -> None:
    """The task finds what it needs, and it is cleaned up again."""
    world = cluster(task("z", "t"))
    for name in "sabtz":
        world.finish(name)
    chosen = select(world.memory, world.tis("b"))
    assert [ti.task_id for ti in chosen] == ["s", "b", "t"]
    world.do(Clear(tuple(ti.id for ti in chosen)))
    assert world.states() == {"s": "scheduled", "a": "success", "b": "none", "t": "none", "z": "success"}
    assert [ti.task_id for ti in select(world.memory, world.tis("z"))] == ["z"]
    assert [ti.task_id for ti in select(world.memory, world.tis("t"))] == ["t"]


def test_work_waits_for_its_setup_even_where_another_task_lies_between() -> None:
    """A setup that runs again is waited for, and its failure counts, whatever the trigger rule."""
    rule = TriggerRule.ALL_DONE
    world = World(setup("s"), task("a", "s"), task("b", "a", trigger_rule=rule), teardown("t", "b"))
    for name in "sabt":
        world.finish(name)
    world.do(Clear(world.tis("s", "b", "t")))
    assert world.states() == {"s": "scheduled", "a": "success", "b": "none", "t": "none"}
    world.finish("s", ERROR)
    assert world.states() == {"s": "failed", "a": "success", "b": "upstream_failed", "t": "upstream_failed"}


def test_rerunning_failures_includes_the_setup_that_succeeded() -> None:
    """Only the failed work is meant, and what it needs."""
    world = cluster()
    world.finish("s")
    world.finish("a")
    world.finish("b", ERROR)
    world.finish("t")
    assert [ti.task_id for ti in select(world.memory, None, only_failed=True)] == ["s", "b", "t"]


def test_a_short_circuit_leaves_teardowns_alone() -> None:
    """What was set up is torn down although all between was left out."""
    world = World(
        setup("s"), task("c", "s", decides="short_circuit", skips_all_below=True), task("a", "c"), teardown("t", "a")
    )
    world.finish("s")
    world.finish("c", AttemptStatus(0, "child", outcome="success", follow=[]))
    assert world.states() == {"s": "success", "c": "success", "a": "skipped", "t": "scheduled"}


def test_a_run_of_teardowns_that_only_clean_up_succeeds() -> None:
    """A DAG of nothing else has nothing that could fail it."""
    world = World(teardown("t", setups=()))
    world.finish("t", ERROR)
    assert (world.run.state, world.run.reason) == (RunState.SUCCESS, Reason.FAILURES_ALLOWED)
    assert world.attempt("t").error == ERROR.error

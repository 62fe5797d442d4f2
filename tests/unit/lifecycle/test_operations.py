"""What operators and run-wide timers decide."""

from dataclasses import replace

import pytest

from engine.lifecycle.core import rehearse
from engine.lifecycle.events import (
    CancelRun,
    Claimed,
    Clear,
    Ended,
    EngineKill,
    Kill,
    Mark,
    PauseRun,
    ResumeRun,
    RetryDue,
    RunTimeout,
    SpawnFailed,
    Start,
    TaskTimeout,
)
from engine.model.attempt_files import AttemptStatus
from engine.model.moments import SECOND
from engine.model.states import FailureClass, Outcome, Reason, RunState, TaskState, TriggerRule
from tests.support.lifecycle import ERROR, OK, SIGTERM, SKIP, World, task


def failed_chain() -> World:
    """a failed; b and c below it are upstream_failed; d, below c, runs always; the run failed."""
    world = World(task("a"), task("b", "a"), task("c", "b"), task("d", "c", trigger_rule=TriggerRule.ALL_DONE))
    world.finish("a", ERROR)
    world.finish("d")
    assert world.run.state is RunState.FAILED
    return world


def test_marking_success_frees_what_was_below() -> None:
    """upstream_failed instances below the marked one run; the failure itself keeps its attempt and error."""
    world = failed_chain()
    world.do(Mark(world.tis("a"), TaskState.SUCCESS, command="c1", by="ann"))
    assert world.states() == {"a": "success", "b": "scheduled", "c": "none", "d": "success"}
    assert (world.run.state, world.run.episode) == (RunState.RUNNING, 2)
    assert world.rows.episodes[1, 2].opened_by == "ann"
    assert world.attempt("a").outcome is Outcome.FAILED
    assert world.ti("a").attempt == 1


def test_marking_success_leaves_failures_below_alone() -> None:
    """A task below that failed by itself stays failed."""
    world = World(task("a"), task("b", "a", trigger_rule=TriggerRule.ALL_DONE))
    world.finish("a", ERROR)
    world.finish("b", ERROR)
    world.do(Mark(world.tis("a"), TaskState.SUCCESS))
    assert world.states() == {"a": "success", "b": "failed"}
    assert world.run.state is RunState.FAILED


def test_marking_the_last_failure_turns_the_run_green() -> None:
    """Where nothing becomes runnable the run's outcome is computed again, in the same episode."""
    world = World(task("a"), task("b"))
    world.finish("a")
    world.finish("b", ERROR)
    ended_at = world.run.ended_at
    changes = world.do(Mark(world.tis("b"), TaskState.SUCCESS))
    assert (world.run.state, world.run.reason) == (RunState.SUCCESS, Reason.TASKS_SUCCEEDED)
    assert (world.run.episode, world.run.ended_at) == (1, ended_at)
    assert world.rows.episodes[1, 1].outcome is RunState.SUCCESS
    assert changes.callbacks == []
    world.do(Mark(world.tis("a"), TaskState.FAILED))
    assert world.run.state is RunState.FAILED


def test_a_mark_on_a_run_of_skips_says_that_something_was_done() -> None:
    """Marking a skipped instance success changes why the run succeeded, in place."""
    world = World(task("a"))
    world.finish("a", SKIP)
    assert world.run.reason is Reason.NO_TASKS_RAN
    world.do(Mark(world.tis("a"), TaskState.SUCCESS))
    assert (world.run.state, world.run.reason) == (RunState.SUCCESS, Reason.TASKS_SUCCEEDED)


def test_verdicts_on_the_run_itself_stand() -> None:
    """A run that timed out stays failed, and a cancelled one cancelled, whatever its instances are marked."""
    world = World(task("a"), run_timeout=60)
    world.do(RunTimeout())
    world.do(Mark(world.tis("a"), TaskState.SUCCESS))
    assert (world.run.state, world.run.reason) == (RunState.FAILED, Reason.RUN_TIMEOUT)
    world = World(task("a"))
    world.do(CancelRun())
    world.do(Mark(world.tis("a"), TaskState.SUCCESS))
    assert world.run.state is RunState.CANCELLED


def test_marking_failed_propagates() -> None:
    """What waits below a marked failure becomes upstream_failed, also what was scheduled; what ran stays."""
    world = World(task("a"), task("b", "a"), task("c", "a"), task("d", "c"))
    world.finish("a")
    world.finish("c")
    world.do(Mark(world.tis("a"), TaskState.FAILED))
    assert world.states() == {"a": "failed", "b": "upstream_failed", "c": "success", "d": "scheduled"}


def test_marking_skipped_propagates() -> None:
    """What needs the success of a task that is marked skipped is skipped."""
    world = World(task("a"), task("b", "a"))
    world.do(Mark(world.tis("a"), TaskState.SKIPPED))
    assert world.states() == {"a": "skipped", "b": "skipped"}
    assert world.ti("a").reason is Reason.MANUAL


def test_marking_a_running_instance_kills_first() -> None:
    """The state that was decided follows the death of the process, whatever its result says."""
    world = World(task("a"), task("b", "a"))
    attempt = world.claim("a")
    world.do(Mark(world.tis("a"), TaskState.FAILED))
    assert (world.ti("a").state, world.ti("a").then) == (TaskState.KILLING, TaskState.FAILED)
    changes = world.do(Ended(attempt, OK))
    assert world.states() == {"a": "failed", "b": "upstream_failed"}
    assert world.attempt("a").late_result == "success"
    assert world.attempt("a").failure_class is FailureClass.CANCELLED
    assert [order.name for order in changes.callbacks] == []


@pytest.mark.parametrize(("state", "error"), [(TaskState.SUCCESS, None), (TaskState.SKIPPED, "ValueError: no")])
def test_only_a_success_forgets_the_last_error(state: TaskState, error: str | None) -> None:
    """An instance that is killed to be marked keeps the error of its earlier try, unless it is a success now."""
    world = World(task("a", retries=1))
    world.finish("a", ERROR)
    world.do(RetryDue(world.ti("a").id))
    attempt = world.claim("a")
    world.do(Mark(world.tis("a"), state))
    world.do(Ended(attempt, SIGTERM))
    assert (world.ti("a").state, world.ti("a").last_error) == (state, error)


def test_marking_a_skip_by_rule_makes_it_a_decision() -> None:
    """A skipped instance that is marked skipped is not taken back when its upstream is cleared."""
    world = World(task("a"), task("b", "a"))
    world.do(Mark(world.tis("a"), TaskState.SKIPPED))
    world.do(Mark(world.tis("b"), TaskState.SKIPPED))
    world.do(Clear(world.tis("a")))
    assert world.states() == {"a": "scheduled", "b": "skipped"}


def test_marking_before_the_start_waits_for_the_start() -> None:
    """Marks in a queued run hold; the start goes on from them."""
    world = World(task("a"), task("b", "a"), start=False)
    world.do(Mark(world.tis("a"), TaskState.SUCCESS))
    assert (world.run.state, world.states()) == (RunState.QUEUED, {"a": "success", "b": "none"})
    world.do(Start())
    assert world.states() == {"a": "success", "b": "scheduled"}


def test_a_run_whose_instances_are_all_marked_ends_at_its_start() -> None:
    """Nothing is left to run, so the run is over as soon as it starts."""
    world = World(task("a"), start=False)
    world.do(Mark(world.tis("a"), TaskState.SUCCESS))
    world.do(Start())
    assert world.run.state is RunState.SUCCESS


def test_marking_several_decides_them_together() -> None:
    """Instances between two marked ones see both decisions, and no verdict is given in between."""
    world = failed_chain()
    changes = world.do(Mark(world.tis("a", "b"), TaskState.SUCCESS))
    assert world.states() == {"a": "success", "b": "success", "c": "scheduled", "d": "success"}
    assert [t.to_state for t in changes.transitions if t.task_instance == world.ti("c").id] == ["none", "scheduled"]


@pytest.mark.parametrize("state", [TaskState.CANCELLED, TaskState.NONE, TaskState.UPSTREAM_FAILED])
def test_only_three_states_can_be_marked(state: TaskState) -> None:
    """Every other state is refused with the states that can be."""
    with pytest.raises(ValueError, match="choose one of: failed, skipped, success"):
        World(task("a")).do(Mark((1,), state))


def test_marking_an_unknown_instance_is_ignored_by_name() -> None:
    """An id without a task changes nothing and is named."""
    assert World(task("a")).do(Mark((99,), TaskState.SUCCESS)).ignored == [
        "task instance 99: its task is gone, it cannot be marked"
    ]


def test_marking_the_state_it_has_changes_nothing() -> None:
    """A success that is marked success stays what it is."""
    world = World(task("a"))
    world.finish("a")
    assert not world.do(Mark(world.tis("a"), TaskState.SUCCESS))


def test_a_mark_ends_the_wait_for_a_retry() -> None:
    """A marked instance has no retry time any more."""
    world = World(task("a", retries=1))
    world.finish("a", ERROR)
    world.do(Mark(world.tis("a"), TaskState.FAILED))
    assert (world.ti("a").state, world.ti("a").retry_at) == (TaskState.FAILED, None)


@pytest.mark.parametrize("claimed", [True, False])
def test_a_kill_fails_without_a_retry(claimed: bool) -> None:
    """A killed instance fails, class cancelled, however many retries are left, running or only queued."""
    world = World(task("a", retries=5))
    attempt = world.claim("a") if claimed else world.grant("a")
    world.do(Kill(world.ti("a").id))
    assert (world.ti("a").state, world.ti("a").reason) == (TaskState.KILLING, Reason.KILL_REQUESTED)
    assert world.run.state is RunState.RUNNING
    world.do(Ended(attempt, SIGTERM if claimed else None))
    assert (world.ti("a").state, world.ti("a").reason) == (TaskState.FAILED, Reason.KILLED)
    row = world.attempt("a")
    assert (row.failure_class, row.outcome) == (
        FailureClass.CANCELLED,
        Outcome.KILLED if claimed else Outcome.UNSPENT,
    )
    assert row.signal == (15 if claimed else None)


def test_a_claim_during_the_kill_is_kept() -> None:
    """A process that came up while it was to be killed is known, and still has to die first."""
    world = World(task("a"))
    attempt = world.grant("a")
    world.do(Kill(world.ti("a").id))
    world.do(Claimed(attempt, 4712, 1, "boot", world.now))
    assert world.ti("a").state is TaskState.KILLING
    assert world.attempt("a").pid == 4712
    world.do(Ended(attempt, None))
    assert (world.ti("a").state, world.attempt("a").outcome) == (TaskState.FAILED, Outcome.KILLED)


def test_a_start_that_failed_confirms_the_kill() -> None:
    """A process that never came up is as dead as one that was killed."""
    world = World(task("a"))
    attempt = world.grant("a")
    world.do(Kill(world.ti("a").id))
    world.do(SpawnFailed(attempt, "no memory"))
    assert (world.ti("a").state, world.attempt("a").outcome) == (TaskState.FAILED, Outcome.UNSPENT)


def test_the_last_decision_before_the_death_counts() -> None:
    """A kill under way is redirected by clear and mark; a second kill leaves a decided state alone."""
    world = World(task("a"))
    attempt = world.claim("a")
    world.do(Mark(world.tis("a"), TaskState.SUCCESS))
    assert not world.do(Kill(world.ti("a").id))
    changes = world.do(Clear(world.tis("a")))
    assert [(t.from_state, t.to_state) for t in changes.transitions] == [("killing", "killing")]
    world.do(Kill(world.ti("a").id))
    world.do(Ended(attempt, SIGTERM))
    assert world.states() == {"a": "failed"}


def test_cancelling_ends_everything_unfinished() -> None:
    """Live instances are killed, waiting ones are cancelled at once, finished ones stay; the run waits for deaths."""
    world = World(task("a"), task("b"), task("c", "b"), task("r", retries=1))
    world.finish("a")
    world.finish("r", ERROR)
    attempt = world.claim("b")
    world.do(CancelRun(command="c1"))
    assert world.states() == {"a": "success", "b": "killing", "c": "cancelled", "r": "cancelled"}
    assert world.run.state is RunState.CANCELLING
    assert world.do(CancelRun()).ignored
    changes = world.do(Ended(attempt, SIGTERM))
    assert (world.states()["b"], world.run.state) == ("cancelled", RunState.CANCELLED)
    assert changes.callbacks == []


def test_a_queued_run_is_cancelled_at_once() -> None:
    """Nothing has to be killed before the start."""
    world = World(task("a"), task("b", "a"), start=False)
    world.do(CancelRun())
    assert (world.run.state, world.states()) == (RunState.CANCELLED, {"a": "cancelled", "b": "cancelled"})
    world.do(Clear(world.tis("a")))
    assert (world.run.state, world.states()) == (RunState.RUNNING, {"a": "scheduled", "b": "cancelled"})


def test_a_cancel_respects_what_was_decided_before() -> None:
    """An instance that is being killed to be marked gets its mark, however long its death takes."""
    world = World(task("a"), task("b"))
    one, two = world.claim("a"), world.claim("b")
    world.do(Mark(world.tis("a"), TaskState.SUCCESS))
    world.do(Clear(world.tis("b")))
    world.do(CancelRun())
    world.do(Ended(one, SIGTERM))
    world.do(Ended(two, SIGTERM))
    assert (world.states(), world.run.state) == ({"a": "success", "b": "cancelled"}, RunState.CANCELLED)


def test_a_mark_in_a_cancelled_run_revives_nothing_while_it_dies() -> None:
    """What a mark would free is cancelled as long as the run is being cancelled."""
    world = World(task("a"), task("b", "a"), task("c"))
    world.finish("a", ERROR)
    world.claim("c")
    world.do(CancelRun())
    world.do(Mark(world.tis("a"), TaskState.SUCCESS))
    assert world.states() == {"a": "success", "b": "cancelled", "c": "killing"}


def test_an_end_in_a_cancelled_run_starts_nothing() -> None:
    """Death of the last process ends the run; nothing below is looked at."""
    world = World(task("a"), task("b", "a", trigger_rule=TriggerRule.ALWAYS))
    world.claim("a")
    world.do(CancelRun())
    world.end("a", OK)
    assert world.states() == {"a": "cancelled", "b": "cancelled"}


def test_a_paused_run_goes_on_but_starts_nothing() -> None:
    """Running instances end and their downstream becomes scheduled; nothing ends the pause but a resume."""
    world = World(task("a"), task("b", "a"))
    world.claim("a")
    world.do(PauseRun())
    assert world.do(PauseRun()).ignored
    world.end("a")
    assert (world.run.state, world.states()) == (RunState.PAUSED, {"a": "success", "b": "scheduled"})
    world.do(ResumeRun())
    world.finish("b")
    assert world.run.state is RunState.SUCCESS


def test_a_paused_run_may_end() -> None:
    """The last running instance ends a paused run."""
    world = World(task("a"))
    world.claim("a")
    world.do(PauseRun())
    world.end("a")
    assert world.run.state is RunState.SUCCESS


def test_a_run_timeout_kills_and_fails() -> None:
    """Live instances fail, never started ones are cancelled, and the run fails once all are dead."""
    world = World(task("a", retries=3), task("b", "a"), task("r", retries=1), run_timeout=60)
    world.finish("r", ERROR)
    attempt = world.claim("a")
    world.do(RunTimeout(episode=1))
    assert world.states() == {"a": "killing", "b": "cancelled", "r": "cancelled"}
    assert (world.run.state, world.run.reason) == (RunState.RUNNING, Reason.RUN_TIMEOUT)
    world.do(Ended(attempt, SIGTERM))
    assert (world.ti("a").state, world.ti("a").reason) == (TaskState.FAILED, Reason.RUN_TIMEOUT)
    assert (world.run.state, world.run.reason) == (RunState.FAILED, Reason.RUN_TIMEOUT)


def test_a_run_timeout_fails_the_run_at_once_when_nothing_lives() -> None:
    """A run that only waits fails without a kill, also when its outcome is decided by leaves."""
    world = World(task("a", retries=1), run_timeout=60, outcome="leaves")
    world.finish("a", ERROR)
    world.do(RunTimeout())
    assert (world.run.state, world.run.reason) == (RunState.FAILED, Reason.RUN_TIMEOUT)


def test_a_run_timeout_of_another_episode_changes_nothing() -> None:
    """A timer of the episode before does not end the one that runs now."""
    world = World(task("a"))
    world.finish("a", ERROR)
    world.do(Clear(world.tis("a")))
    assert not world.do(RunTimeout(episode=1))
    world.finish("a")
    assert not world.do(RunTimeout(episode=2))


def test_a_run_that_timed_out_can_be_paused_and_still_ends_as_timed_out() -> None:
    """Pausing while processes are being killed does not change why the run fails."""
    world = World(task("a"), run_timeout=60)
    world.claim("a")
    world.do(RunTimeout())
    world.do(PauseRun())
    world.end("a", SIGTERM)
    assert (world.run.state, world.run.reason) == (RunState.FAILED, Reason.RUN_TIMEOUT)


def test_nothing_starts_in_a_run_that_timed_out() -> None:
    """An instance that was being cleared when the run timed out fails with it."""
    world = World(task("a"), run_timeout=60)
    world.claim("a")
    world.do(Clear(world.tis("a")))
    world.do(RunTimeout())
    world.end("a", SIGTERM)
    assert (world.states(), world.run.state) == ({"a": "failed"}, RunState.FAILED)


def test_a_mark_frees_nothing_in_a_run_that_timed_out() -> None:
    """What a mark would free is cancelled while the run's processes are being killed."""
    world = World(task("a"), task("b", "a"), task("c"), run_timeout=60)
    world.finish("a", ERROR)
    world.claim("c")
    world.do(RunTimeout())
    world.do(Mark(world.tis("a"), TaskState.SUCCESS))
    assert (world.ti("b").state, world.ti("b").reason) == (TaskState.CANCELLED, Reason.RUN_TIMEOUT)


def test_a_task_timeout_is_retried_within_the_budget() -> None:
    """The process is killed first; the retry's delay counts from its death; the last timeout is final."""
    world = World(task("a", retries=1, delay=60, execution_timeout=5))
    attempt = world.claim("a")
    world.do(TaskTimeout(world.ti("a").id, attempt))
    assert (world.ti("a").state, world.ti("a").then) == (TaskState.KILLING, TaskState.UP_FOR_RETRY)
    changes = world.do(Ended(attempt, SIGTERM))
    ti = world.ti("a")
    assert (ti.state, ti.reason, ti.retry_at) == (TaskState.UP_FOR_RETRY, Reason.TIMEOUT, world.now + 60_000_000)
    assert (world.attempt("a").outcome, ti.last_error) == (Outcome.TIMEOUT, "timed out after 5 s")
    assert changes.tasks[ti.id][1] is TaskState.KILLING
    world.do(RetryDue(ti.id))
    attempt = world.claim("a")
    world.do(TaskTimeout(ti.id))
    world.do(Ended(attempt, OK))
    assert (world.ti("a").state, world.ti("a").reason) == (TaskState.FAILED, Reason.TIMEOUT)
    assert world.attempt("a").late_result == "success"


def test_a_stale_task_timeout_changes_nothing() -> None:
    """The timer of an earlier attempt, or of an instance that is being killed, does nothing."""
    world = World(task("a", retries=1, execution_timeout=5))
    first = world.finish("a", ERROR)
    world.do(RetryDue(world.ti("a").id))
    world.claim("a")
    assert not world.do(TaskTimeout(world.ti("a").id, first))
    world.do(Kill(world.ti("a").id))
    assert not world.do(TaskTimeout(world.ti("a").id))


@pytest.mark.parametrize(
    ("status", "state", "reason"), [(OK, "success", Reason.EXIT), (ERROR, "up_for_retry", Reason.EXCEPTION)]
)
def test_a_result_within_the_time_limit_stands(status: AttemptStatus, state: str, reason: Reason) -> None:
    """An attempt that ended before its limit, though the engine learned of it after, is what it says."""
    world = World(task("a", retries=1, execution_timeout=5))
    attempt = world.claim("a")
    started = world.ti("a").started_at
    assert started is not None
    world.do(TaskTimeout(world.ti("a").id, attempt))
    world.do(Ended(attempt, replace(status, ended=started + 5 * SECOND)))
    assert (world.ti("a").state, world.ti("a").reason) == (state, reason)
    assert world.attempt("a").late_result is None


def test_a_result_after_the_time_limit_does_not() -> None:
    """One microsecond late is late."""
    world = World(task("a", execution_timeout=5))
    attempt = world.claim("a")
    started = world.ti("a").started_at
    assert started is not None
    world.do(TaskTimeout(world.ti("a").id, attempt))
    world.do(Ended(attempt, replace(OK, ended=started + 5 * SECOND + 1)), after=9 * SECOND)
    assert (world.ti("a").state, world.attempt("a").late_result) == (TaskState.FAILED, "success")


@pytest.mark.parametrize(("status", "state"), [(OK, "success"), (AttemptStatus(0, "shim"), "up_for_retry")])
def test_an_engine_stop_takes_no_finished_work_back(status: AttemptStatus, state: str) -> None:
    """A task that says itself that it is done is done; a shell that exits 0 when told to stop may not be."""
    world = World(task("a"))
    attempt = world.claim("a")
    world.do(EngineKill(world.ti("a").id))
    world.do(Ended(attempt, status))
    assert world.states() == {"a": state}


def test_an_engine_stop_leaves_decided_kills_alone() -> None:
    """What an operator decided stands when the engine stops meanwhile."""
    world = World(task("a"))
    world.claim("a")
    world.do(Mark(world.tis("a"), TaskState.SUCCESS))
    assert not world.do(EngineKill(world.ti("a").id))


def test_a_rehearsal_says_what_would_happen_and_changes_nothing() -> None:
    """A preview lists the instances that the real event then moves, and leaves the run as it was."""
    world = failed_chain()
    before = world.states()
    event = Clear(world.tis("a"))
    preview = rehearse(world.memory, event, world.now)
    assert world.states() == before
    assert world.run.state is RunState.FAILED
    real = world.do(event, after=0)
    assert preview.transitions == real.transitions
    assert set(preview.tasks) == set(real.tasks)


def test_commands_name_themselves_in_the_feed() -> None:
    """Every transition that a command caused carries its id."""
    world = failed_chain()
    changes = world.do(Clear(world.tis("a"), command="c42"))
    assert {t.command for t in changes.transitions} == {"c42"}

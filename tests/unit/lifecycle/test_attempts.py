"""The course of attempts: start, end, retries, budgets, late messages."""

from dataclasses import replace

import pytest

from engine.lifecycle.events import (
    Claimed,
    Clear,
    Ended,
    EngineKill,
    Granted,
    Kill,
    Mark,
    PauseRun,
    RetryDue,
    RetryNow,
    SpawnFailed,
)
from engine.lifecycle.table import IllegalTransition
from engine.model.attempt_files import AttemptStatus
from engine.model.dag import RetryPolicy
from engine.model.moments import SECOND
from engine.model.states import AttemptState, FailureClass, Outcome, Reason, RunState, TaskState
from tests.support.lifecycle import ERROR, EXIT_3, OK, PERMANENT, SIGTERM, SKIP, T0, World, task


def test_a_chain_runs_to_success() -> None:
    """Each task becomes scheduled when its upstream has succeeded; the run succeeds with the last one."""
    world = World(task("a"), task("b", "a"))
    assert world.states() == {"a": "scheduled", "b": "none"}
    world.finish("a")
    assert world.states() == {"a": "success", "b": "scheduled"}
    world.finish("b")
    assert (world.run.state, world.run.reason) == (RunState.SUCCESS, Reason.TASKS_SUCCEEDED)
    assert world.run.ended_at == world.now


def test_a_started_run_has_an_episode() -> None:
    """The first episode is opened by who created the run, starts with it and ends with it."""
    world = World(task("a"), start=False)
    assert world.rows.episodes[1, 1].started_at is None
    assert world.rows.episodes[1, 1].opened_by == "ops"
    world = World(task("a"))
    world.finish("a")
    episode = world.rows.episodes[1, 1]
    assert (episode.started_at, episode.ended_at) == (world.run.started_at, world.run.ended_at)
    assert episode.outcome is RunState.SUCCESS


def test_an_attempt_keeps_what_was_seen_of_it() -> None:
    """Process, times, resources and exit code of an attempt are kept, and the instance's own times with them."""
    world = World(task("a"))
    attempt = world.grant("a")
    world.do(Claimed(attempt, 4711, 99, "boot", T0 + 5))
    world.do(Ended(attempt, AttemptStatus(0, "child", ended=T0 + 9, duration=4, cpu_seconds=0.5, peak_bytes=7)))
    row = world.attempt("a")
    assert (row.pid, row.pid_started, row.boot_id) == (4711, 99, "boot")
    assert (row.started_at, row.ended_at, row.duration) == (T0 + 5, T0 + 9, 4)
    assert (row.cpu_seconds, row.peak_bytes, row.exit_code) == (0.5, 7, 0)
    assert (row.state, row.outcome, row.reason, row.version_id) == (AttemptState.ENDED, Outcome.SUCCESS, Reason.EXIT, 1)
    assert world.ti("a").started_at == T0 + 5


def test_an_end_is_never_before_its_start_or_after_now() -> None:
    """A clock that was set between start and end makes no negative and no future time."""
    world = World(task("a"))
    attempt = world.claim("a")
    start = world.attempt("a").started_at
    world.do(Ended(attempt, replace(OK, ended=1)))
    assert world.attempt("a").ended_at == start
    world = World(task("a"))
    attempt = world.claim("a")
    world.do(Ended(attempt, replace(OK, ended=world.now + 99 * SECOND)))
    assert world.attempt("a").ended_at == world.now


def test_a_failure_waits_for_its_retry_until_an_absolute_time() -> None:
    """The retry's time is the attempt's end plus the delay, whenever the engine learns of it."""
    world = World(task("a", retries=1, delay=60))
    attempt = world.claim("a")
    ended = world.now + SECOND // 2
    world.do(Ended(attempt, replace(ERROR, ended=ended)), after=3600 * SECOND)
    ti = world.ti("a")
    assert (ti.state, ti.reason, ti.retry_at) == (TaskState.UP_FOR_RETRY, Reason.EXCEPTION, ended + 60 * SECOND)
    assert ti.last_error == "ValueError: no"


def test_retries_are_used_up_exactly() -> None:
    """With two retries the third failure is final, and what needs success below is upstream_failed."""
    world = World(task("a", retries=2), task("b", "a"))
    for _ in range(2):
        world.finish("a", ERROR)
        assert world.ti("a").state is TaskState.UP_FOR_RETRY
        world.do(RetryDue(world.ti("a").id))
    world.finish("a", ERROR)
    assert world.states() == {"a": "failed", "b": "upstream_failed"}
    assert world.run.state is RunState.FAILED
    assert world.ti("a").attempt == 3


def test_without_retries_the_first_failure_is_final() -> None:
    """A task with `retries=0` fails at once."""
    world = World(task("a"))
    world.finish("a", ERROR)
    assert world.ti("a").state is TaskState.FAILED


def test_backoff_counts_inside_the_epoch() -> None:
    """The delays are 30, 60, 120 s, and start at 30 s again after a clear."""
    policy = RetryPolicy(retries=3, delay=30, exponential=True)
    world = World(task("a", retry=policy))
    for seconds in (30, 60, 120):
        world.finish("a", ERROR)
        retry_at = world.ti("a").retry_at
        assert retry_at == world.now + seconds * SECOND
        world.do(RetryDue(world.ti("a").id))
    world.finish("a", ERROR)
    assert world.ti("a").state is TaskState.FAILED
    world.do(Clear(world.tis("a")))
    world.finish("a", ERROR)
    assert world.ti("a").retry_at == world.now + 30 * SECOND
    assert world.ti("a").attempt == 5


def test_a_permanent_failure_is_never_retried() -> None:
    """Class permanent ends the instance, whatever the budget."""
    world = World(task("a", retries=9))
    world.finish("a", PERMANENT)
    assert (world.ti("a").state, world.ti("a").reason) == (TaskState.FAILED, Reason.PERMANENT)


def test_a_failure_may_ask_for_its_own_delay() -> None:
    """`retry_after` decides when the next attempt starts."""
    world = World(task("a", retries=1, delay=60))
    world.finish("a", replace(ERROR, failure_class="transient", retry_after=5.0))
    assert world.ti("a").retry_at == world.now + 5 * SECOND


def test_lost_attempts_have_a_budget_of_their_own() -> None:
    """Two lost attempts use none of the retries; the third one ends the instance as lost."""
    world = World(task("a", retries=1))
    for lost in (1, 2):
        world.finish("a", None)
        assert (world.ti("a").state, world.ti("a").reason) == (TaskState.UP_FOR_RETRY, Reason.LOST)
        assert world.ti("a").lost_count == lost
        assert world.attempt("a").counts is False
        world.do(RetryNow(world.ti("a").id))
    world.finish("a", ERROR)
    assert world.ti("a").state is TaskState.UP_FOR_RETRY
    world.do(RetryNow(world.ti("a").id))
    world.finish("a", None)
    assert (world.ti("a").state, world.ti("a").reason) == (TaskState.FAILED, Reason.LOST)


def test_a_task_without_retries_is_not_started_again_after_a_loss() -> None:
    """`retries=0` means at most one start, also when nobody knows how it ended."""
    world = World(task("a"))
    world.finish("a", None)
    assert (world.ti("a").state, world.attempt("a").outcome) == (TaskState.FAILED, Outcome.LOST)
    assert world.ti("a").last_error == "lost: no evidence of how it ended"


def test_a_reboot_is_told_as_such() -> None:
    """The reason that comes with the missing evidence is the instance's reason."""
    world = World(task("a"))
    attempt = world.claim("a")
    world.do(Ended(attempt, None, Reason.REBOOT))
    assert world.ti("a").reason is Reason.REBOOT
    assert world.ti("a").last_error == "lost: the host was restarted"


@pytest.mark.parametrize(
    ("status", "error"),
    [(EXIT_3, "exit code 3"), (SIGTERM, "killed by signal 15"), (ERROR, "ValueError: no")],
)
def test_every_failure_says_something(status: AttemptStatus, error: str) -> None:
    """A failure without a message is described by how its process ended."""
    world = World(task("a"))
    world.finish("a", status)
    assert world.ti("a").last_error == world.attempt("a").error == error


def test_success_forgets_the_error_of_the_tries_before() -> None:
    """A task that succeeded in the end has no last error."""
    world = World(task("a", retries=1))
    world.finish("a", ERROR)
    world.do(RetryNow(world.ti("a").id))
    world.finish("a")
    assert world.ti("a").last_error is None


def test_a_task_may_skip_itself() -> None:
    """A skipped task skips what needs its success, and a run of which nothing ran succeeds and says so."""
    world = World(task("a"), task("b", "a"))
    world.finish("a", SKIP)
    assert world.states() == {"a": "skipped", "b": "skipped"}
    assert (world.ti("a").reason, world.ti("b").reason) == (Reason.SKIP_REQUESTED, Reason.UPSTREAM)
    assert (world.run.state, world.run.reason) == (RunState.SUCCESS, Reason.NO_TASKS_RAN)


def test_an_end_whose_claim_was_not_seen_implies_it() -> None:
    """Evidence of an end is evidence of a start: the instance passes through running."""
    world = World(task("a"))
    attempt = world.grant("a")
    changes = world.do(Ended(attempt, replace(OK, started=T0 + 7)))
    states = [t.to_state for t in changes.transitions if t.kind == "task"]
    assert states == ["running", "success"]
    assert world.attempt("a").started_at == T0 + 7


def test_a_failed_start_is_tried_again_with_the_same_attempt() -> None:
    """The instance waits for its slots again; the next grant makes no second attempt."""
    world = World(task("a"))
    attempt = world.grant("a")
    world.do(SpawnFailed(attempt, "no memory"))
    assert (world.ti("a").state, world.ti("a").reason) == (TaskState.SCHEDULED, Reason.SPAWN_FAILED)
    assert world.grant("a") == attempt
    assert world.ti("a").attempt == 1
    world.do(Claimed(attempt, 1, 1, "boot", world.now))
    world.end("a")
    assert world.run.state is RunState.SUCCESS


def test_the_third_failed_start_is_final() -> None:
    """After two requeues the instance fails as stuck in the queue, without a retry."""
    world = World(task("a", retries=5))
    for _ in range(2):
        world.do(SpawnFailed(world.grant("a"), "no memory"))
    world.do(SpawnFailed(world.grant("a"), "no memory"))
    assert (world.ti("a").state, world.ti("a").reason) == (TaskState.FAILED, Reason.STUCK_IN_QUEUE)
    row = world.attempt("a")
    assert (row.outcome, row.failure_class, row.error) == (Outcome.UNSPENT, FailureClass.INFRASTRUCTURE, "no memory")


def test_every_attempt_may_fail_to_start_twice() -> None:
    """The count of failed starts is the attempt's, not the instance's."""
    world = World(task("a", retries=1))
    for _ in range(2):
        for _ in range(2):
            world.do(SpawnFailed(world.grant("a"), "no memory"))
        world.finish("a", ERROR)
        if world.ti("a").state is TaskState.UP_FOR_RETRY:
            world.do(RetryNow(world.ti("a").id))
    assert (world.ti("a").state, world.ti("a").reason) == (TaskState.FAILED, Reason.EXCEPTION)


def test_a_process_that_came_up_after_all_is_believed() -> None:
    """A claim of a requeued attempt makes its instance run: the process exists."""
    world = World(task("a"))
    attempt = world.grant("a")
    world.do(SpawnFailed(attempt, "slow"))
    world.do(Claimed(attempt, 1, 1, "boot", world.now))
    assert world.ti("a").state is TaskState.RUNNING
    world.end("a")
    assert world.run.state is RunState.SUCCESS


def test_a_requeued_attempt_that_is_dropped_is_unspent() -> None:
    """Marking an instance whose start failed closes its attempt as never having run, and uses no budget."""
    world = World(task("a", retries=1), task("b"))
    world.do(SpawnFailed(world.grant("a"), "no memory"))
    world.do(Mark(world.tis("a"), TaskState.FAILED))
    assert (world.attempt("a").outcome, world.attempt("a").counts) == (Outcome.UNSPENT, False)
    assert world.ti("a").spared == 1


def test_messages_about_other_attempts_change_nothing() -> None:
    """Claims, ends and failed starts of unknown or finished attempts are named as ignored, and nothing else."""
    world = World(task("a"), task("b"))
    attempt = world.finish("a")
    for event in (
        Ended(attempt, ERROR),
        Ended("unknown", OK),
        Claimed(attempt, 1, 1, "boot", world.now),
        SpawnFailed(attempt, "late"),
        SpawnFailed("unknown", "late"),
        RetryDue(world.ti("a").id),
        RetryNow(world.ti("b").id),
        EngineKill(world.ti("a").id),
        Kill(world.ti("b").id),
    ):
        changes = world.do(event)
        assert not changes
        assert len(changes.ignored) == 1


def test_a_second_claim_changes_nothing() -> None:
    """The first claim is the attempt's process; another one is ignored."""
    world = World(task("a"))
    attempt = world.claim("a")
    assert not world.do(Claimed(attempt, 1, 1, "other", world.now))
    assert world.attempt("a").pid == 4711


def test_a_failed_start_after_the_claim_changes_nothing() -> None:
    """An attempt that runs cannot fail to start."""
    world = World(task("a"))
    attempt = world.claim("a")
    assert not world.do(SpawnFailed(attempt, "late"))


def test_a_result_after_the_loss_is_kept_and_changes_nothing_else() -> None:
    """A lost attempt's late status is shown on the attempt; the instance stays what it is."""
    world = World(task("a", retries=1))
    attempt = world.finish("a", None)
    changes = world.do(Ended(attempt, OK))
    assert world.attempt("a").late_result == "success"
    assert world.ti("a").state is TaskState.UP_FOR_RETRY
    assert [t.kind for t in changes.transitions] == ["attempt"]
    assert not world.do(Ended(attempt, ERROR))


def test_an_engine_stop_uses_no_budget() -> None:
    """An attempt that the engine's own stop killed does not count, and the instance is due at once."""
    world = World(task("a", retries=1))
    for _ in range(3):
        attempt = world.claim("a")
        world.do(EngineKill(world.ti("a").id))
        assert world.ti("a").state is TaskState.KILLING
        world.do(Ended(attempt, SIGTERM))
        ti = world.ti("a")
        assert (ti.state, ti.reason, ti.retry_at) == (TaskState.UP_FOR_RETRY, Reason.ENGINE_STOP, world.now)
        world.do(RetryDue(ti.id))
    world.finish("a", ERROR)
    assert world.ti("a").state is TaskState.UP_FOR_RETRY
    world.do(RetryDue(world.ti("a").id))
    world.finish("a", ERROR)
    assert world.ti("a").state is TaskState.FAILED


def test_an_engine_stop_starts_a_task_without_retries_again() -> None:
    """The engine took the attempt away itself, so the task is not punished for it."""
    world = World(task("a"))
    attempt = world.claim("a")
    world.do(EngineKill(world.ti("a").id))
    world.do(Ended(attempt, SIGTERM))
    assert world.ti("a").state is TaskState.UP_FOR_RETRY


def test_nothing_is_granted_in_a_run_that_does_not_run() -> None:
    """A paused run's instances cannot be started, whoever asks."""
    world = World(task("a"))
    world.do(PauseRun())
    with pytest.raises(IllegalTransition, match="paused"):
        world.do(Granted(world.ti("a").id, "x"))

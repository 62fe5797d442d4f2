"""The ends of attempts, wanted and unwanted: kills, timeouts, stops, and what follows once the process is dead."""

from __future__ import annotations

from engine.lifecycle.events import EngineKill, TaskTimeout, Unkillable
from engine.lifecycle.memory import Node
from engine.lifecycle.moves import Step, end_attempt, move_task, note_task, order_callback
from engine.lifecycle.retry import Judgement, classify, delay_after, jitter_u, retries_used, retry_number
from engine.lifecycle.table import IllegalTransition
from engine.model.attempt_files import AttemptStatus
from engine.model.moments import SECOND
from engine.model.rows import Attempt, TaskInstance
from engine.model.states import ALIVE_TASK, AttemptState, FailureClass, Outcome, Reason, TaskState

_T = TaskState


def task_timeout(step: Step, event: TaskTimeout) -> None:
    """Running → killing; what follows is decided by the budget now."""
    node = step.memory.nodes.get(event.ti)
    attempt = node.ti.current if node else None
    if (
        node is None
        or attempt is None
        or node.ti.state is not _T.RUNNING
        or (event.attempt_id is not None and event.attempt_id != attempt.id)
    ):
        step.changes.ignored.append(f"task instance {event.ti}: timed out, but not running any more")
        return
    judgement = Judgement(Outcome.TIMEOUT, FailureClass.TIMEOUT, Reason.TIMEOUT)
    again = retry_number(node.task.retry, node.ti, judgement) is not None
    begin_kill(step, node, _T.UP_FOR_RETRY if again else _T.FAILED, Reason.TIMEOUT)


def engine_kill(step: Step, event: EngineKill) -> None:
    """Queued or running → killing, due again as soon as an engine runs; a kill that is under way stays as it is."""
    node = step.memory.nodes.get(event.ti)
    if node is None or node.ti.state not in (_T.QUEUED, _T.RUNNING):
        step.changes.ignored.append(f"task instance {event.ti}: nothing to stop")
        return
    begin_kill(step, node, _T.UP_FOR_RETRY, Reason.ENGINE_STOP)


def unkillable(step: Step, event: Unkillable) -> None:
    """Something of the attempt outlives SIGKILL: the instance stays as it is, with its slot, and says why."""
    ti = step.memory.by_attempt.get(event.attempt_id)
    attempt = ti.current if ti else None
    if ti is None or attempt is None or ti.state not in (_T.RUNNING, _T.KILLING):
        step.changes.ignored.append(f"attempt {event.attempt_id}: does not end, but is none of this run")
    elif ti.reason is not Reason.UNKILLABLE or attempt.error != event.why:
        step.changes.touch_task(ti)
        step.changes.touch_attempt(attempt)
        ti.reason, ti.last_error, attempt.error = Reason.UNKILLABLE, event.why, event.why
        note_task(step, ti, Reason.UNKILLABLE, event.why)


def begin_kill(step: Step, node: Node, then: TaskState, why: Reason) -> None:
    """Kills a live instance's process; `then` follows its death. A kill under way is redirected."""
    ti = node.ti
    if ti.state not in ALIVE_TASK:
        raise IllegalTransition(f"{ti.task_id} is {ti.state}: it has no process to kill")
    if ti.state is not _T.KILLING:
        move_task(step, node, _T.KILLING, why, ti.current.id if ti.current else None, f"then {then}")
    elif (ti.then, ti.then_reason) == (then, why):
        return
    else:
        step.changes.touch_task(ti)
        ti.reason = why
        note_task(step, ti, why, f"then {then}")
    ti.then, ti.then_reason = then, why


def result_stands(node: Node, status: AttemptStatus | None) -> bool:
    """Whether the process's own result goes before the kill: never where a person decided or the run ended, but where
    it came before the time limit, or where the engine's stop met a task that had done its work."""
    ti, attempt = node.ti, node.ti.current
    if status is None or attempt is None:
        return False
    if ti.then_reason is Reason.ENGINE_STOP:
        return status.by == "child" and classify(status).outcome is Outcome.SUCCESS
    limit, started = node.task.execution_timeout, attempt.started_at
    if ti.then_reason is not Reason.TIMEOUT or limit is None or started is None or status.ended is None:
        return False
    return status.ended <= started + round(limit * SECOND)


def dead(step: Step, node: Node, status: AttemptStatus | None) -> None:
    """The process that was to be killed is gone: the state that was decided follows, whatever its result says."""
    ti = node.ti
    then, why, attempt = ti.then, ti.then_reason, ti.current
    if then is None or why is None or attempt is None:
        raise ValueError(f"task instance {ti.id} is killing without a decision of what follows")
    fill(step, attempt, status)
    late = classify(status).outcome
    if late is Outcome.SUCCESS or late is Outcome.SKIPPED:
        attempt.late_result = late.value
    never_ran = status is None and attempt.state is AttemptState.QUEUED
    outcome = Outcome.UNSPENT if never_ran else Outcome.TIMEOUT if why is Reason.TIMEOUT else Outcome.KILLED
    attempt.failure_class = _KILL_CLASSES.get(why, FailureClass.CANCELLED)
    attempt.error = _KILL_ERRORS.get(why, "killed") if why is not Reason.TIMEOUT else _timed_out(node)
    end_attempt(step, ti, outcome, why)
    step.memory.overruled[attempt.id] = attempt
    if why is Reason.ENGINE_STOP or (why is Reason.KILL_REQUESTED and then is _T.UP_FOR_RETRY):
        attempt.counts = False
        ti.spared += 1
    if then is _T.NONE:
        begin_epoch(ti, ti.retries)
        move_task(step, node, _T.NONE, Reason.CLEARED, attempt.id)
        step.work.append(node)
        return
    if then in (_T.FAILED, _T.UP_FOR_RETRY):
        ti.last_error = attempt.error
    elif then is _T.SUCCESS or ti.reason is Reason.UNKILLABLE:
        ti.last_error = None
    reason = Reason.KILLED if why is Reason.KILL_REQUESTED else why
    if then is _T.UP_FOR_RETRY:
        _retry_after_kill(step, node, attempt, why)
        return
    move_task(step, node, then, reason, attempt.id)
    if then is _T.FAILED and why is not Reason.MANUAL:
        order_callback(step, node.task.callbacks, "on_failure", ti, attempt)


def _retry_after_kill(step: Step, node: Node, attempt: Attempt, why: Reason) -> None:
    if why in (Reason.ENGINE_STOP, Reason.KILL_REQUESTED):
        move_task(step, node, _T.UP_FOR_RETRY, why, attempt.id)
        node.ti.retry_at = step.now
        return
    retry_later(step, node, attempt, retries_used(node.ti), why, None)


_KILL_CLASSES = {Reason.TIMEOUT: FailureClass.TIMEOUT, Reason.ENGINE_STOP: FailureClass.INFRASTRUCTURE}
_KILL_ERRORS = {
    Reason.KILL_REQUESTED: "killed by an operator",
    Reason.CLEARED: "killed to be cleared",
    Reason.MANUAL: "killed to be marked",
    Reason.CANCEL: "killed because its run was cancelled",
    Reason.RUN_TIMEOUT: "killed because its run timed out",
    Reason.ENGINE_STOP: "killed by a stop of the engine",
}


def begin_epoch(ti: TaskInstance, retries: int | None = None) -> None:
    """Forgets what the present epoch spent: retries count from here. `retries` None: as many as the task has."""
    ti.retries = retries
    ti.epoch_start = ti.attempt
    ti.lost_count = ti.spared = ti.requeues = 0
    ti.started_at = ti.scheduled_at = ti.last_error = ti.failed_keys = None


def retry_later(
    step: Step, node: Node, attempt: Attempt, number: int, reason: Reason, retry_after: float | None
) -> None:
    """Up for retry, at an absolute moment counted from the attempt's end."""
    ti = node.ti
    u = jitter_u(step.memory.run.run_id, ti.task_id, ti.map_index, attempt.number)
    move_task(step, node, _T.UP_FOR_RETRY, reason, attempt.id)
    ended_at = step.now if attempt.ended_at is None else min(attempt.ended_at, step.now)
    ti.retry_at = ended_at + delay_after(node.task.retry, number, u, retry_after)
    order_callback(step, node.task.callbacks, "on_retry", ti, attempt)


def fill(step: Step, attempt: Attempt, status: AttemptStatus | None) -> None:
    """Takes over what the status tells; a clock that was set back never makes an end before the start."""
    ended_at = step.now
    if status is not None:
        attempt.exit_code, attempt.signal, attempt.error = status.code, status.signal, status.error
        attempt.duration, attempt.cpu_seconds, attempt.peak_bytes = (
            status.duration,
            status.cpu_seconds,
            status.peak_bytes,
        )
        if status.ended is not None:
            ended_at = min(status.ended, step.now)
    attempt.ended_at = max(ended_at, attempt.started_at or 0)


def _timed_out(node: Node) -> str:
    return f"timed out after {node.task.execution_timeout:g} s" if node.task.execution_timeout else "timed out"

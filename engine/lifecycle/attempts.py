"""The course of attempts: granted, claimed, ended, not started, tried again."""

from __future__ import annotations

import json

from engine.lifecycle.events import BreakerRefused, Claimed, Ended, Granted, RetryDue, RetryNow, SpawnFailed
from engine.lifecycle.killing import dead, fill, result_stands, retry_later
from engine.lifecycle.mapping import has_item
from engine.lifecycle.memory import Node
from engine.lifecycle.moves import Step, end_attempt, move_task, note_attempt, order_callback
from engine.lifecycle.outcome import lets_start
from engine.lifecycle.retry import Judgement, classify, judge, retry_number
from engine.lifecycle.rules import Verdict
from engine.lifecycle.table import IllegalTransition
from engine.model.attempt_files import AttemptStatus
from engine.model.moments import Micros
from engine.model.rows import Attempt
from engine.model.states import AttemptState, FailureClass, Outcome, Reason, TaskState

MAX_REQUEUES = 2
"""Failed starts of one attempt that are followed by another start of it."""

_T = TaskState


def granted(step: Step, event: Granted) -> None:
    """Scheduled → queued. Raises IllegalTransition unless the instance is scheduled and its run running."""
    memory = step.memory
    node = memory.nodes[event.ti]
    ti = node.ti
    if not lets_start(memory.run, node.task):
        raise IllegalTransition(f"run {memory.run.run_id} is {memory.run.state}: {ti.task_id} cannot be started")
    attempt = ti.current
    move_task(step, node, _T.QUEUED, Reason.ADMITTED, event.attempt_id if attempt is None else attempt.id)
    if attempt is not None:
        return
    ti.attempt += 1
    ti.requeues = 0
    ti.started_at = None
    ti.current = Attempt(
        event.attempt_id, ti.id, ti.attempt, AttemptState.QUEUED, step.now, version_id=memory.run.version_id
    )
    memory.by_attempt[event.attempt_id] = ti
    step.changes.insert_attempt(ti.current)


def claimed(step: Step, event: Claimed) -> None:
    """Queued → running. Evidence of a process goes before what was thought: a requeued instance runs, too."""
    ti = step.memory.by_attempt.get(event.attempt_id)
    attempt = ti.current if ti else None
    if ti is None or attempt is None or attempt.state is not AttemptState.QUEUED:
        step.changes.ignored.append(f"attempt {event.attempt_id}: claimed again, or not current any more")
        return
    attempt.pid, attempt.pid_started, attempt.boot_id = event.pid, event.pid_started, event.boot_id
    _claim(step, step.memory.nodes[ti.id], attempt, event.at)


def _claim(step: Step, node: Node, attempt: Attempt, at: Micros) -> None:
    ti = node.ti
    attempt.state = AttemptState.RUNNING
    attempt.started_at = at
    step.changes.touch_task(ti)
    ti.started_at = at
    if ti.state is _T.KILLING:
        note_attempt(step, ti, attempt, AttemptState.QUEUED, Reason.CLAIMED)
        return
    step.changes.touch_attempt(attempt)
    if ti.state is _T.SCHEDULED:
        move_task(step, node, _T.QUEUED, Reason.CLAIMED, attempt.id)
    move_task(step, node, _T.RUNNING, Reason.CLAIMED, attempt.id)


def ended(step: Step, event: Ended) -> None:
    """Running → what the evidence says. Also closes a kill; a result for an attempt that is over is only noted."""
    ti = step.memory.by_attempt.get(event.attempt_id)
    attempt = ti.current if ti else None
    if ti is None or attempt is None:
        _late(step, event)
        return
    node = step.memory.nodes[ti.id]
    status = event.status
    if ti.state is _T.KILLING and not result_stands(node, status):
        dead(step, node, status)
        return
    if attempt.state is AttemptState.QUEUED:
        _claim(step, node, attempt, (status and status.started) or attempt.queued_at or step.now)
    judgement = judge(node.task.retry, status, event.reason, event.matches)
    fill(step, attempt, status)
    attempt.failure_class = judgement.failure_class
    if judgement.outcome is Outcome.SUCCESS or judgement.outcome is Outcome.SKIPPED:
        end_attempt(step, ti, judgement.outcome, judgement.reason)
        ti.last_error = ti.failed_keys = None
        success = judgement.outcome is Outcome.SUCCESS
        if success and node.task.decides is not None and status is not None and status.follow is not None:
            ti.decision = tuple(status.follow)
            step.memory.note_decision(node)
        move_task(step, node, _T.SUCCESS if success else _T.SKIPPED, judgement.reason, attempt.id)
        if success:
            order_callback(step, node.task.callbacks, "on_success", ti, attempt)
        return
    attempt.error = _describe(status, judgement)
    if status is not None and status.failed_keys is not None:
        step.changes.touch_task(ti)
        ti.failed_keys = json.dumps(status.failed_keys, separators=(",", ":"))
    _fail(step, node, judgement)


def _fail(step: Step, node: Node, judgement: Judgement) -> None:
    """The current attempt failed or was lost: up for retry while there is budget, else failed."""
    ti = node.ti
    number = retry_number(node.task.retry, ti, judgement)
    attempt = end_attempt(step, ti, judgement.outcome, judgement.reason)
    if judgement.reason is Reason.BREAKER_OPEN and number is not None:
        attempt.counts = False
        ti.spared += 1
    if judgement.outcome is Outcome.LOST:
        attempt.counts = False
        ti.lost_count += 1
        step.memory.overruled[attempt.id] = attempt
    ti.last_error = attempt.error
    if number is None:
        move_task(step, node, _T.FAILED, judgement.reason, attempt.id)
        order_callback(step, node.task.callbacks, "on_failure", ti, attempt)
    else:
        retry_later(step, node, attempt, number, judgement.reason, judgement.delay)


def spawn_failed(step: Step, event: SpawnFailed) -> None:
    """Queued → scheduled, to be tried again with the same attempt; failed when that happens too often."""
    ti = step.memory.by_attempt.get(event.attempt_id)
    attempt = ti.current if ti else None
    if ti is None or attempt is None or attempt.state is not AttemptState.QUEUED or ti.state is _T.SCHEDULED:
        step.changes.ignored.append(f"attempt {event.attempt_id}: not being started: {event.error}")
        return
    node = step.memory.nodes[ti.id]
    attempt.error = event.error
    if ti.state is _T.KILLING:
        dead(step, node, None)
        return
    ti.last_error = event.error
    ti.requeues += 1
    if ti.requeues > MAX_REQUEUES:
        attempt.failure_class = FailureClass.INFRASTRUCTURE
        end_attempt(step, ti, Outcome.UNSPENT, Reason.STUCK_IN_QUEUE)
        move_task(step, node, _T.FAILED, Reason.STUCK_IN_QUEUE, attempt.id)
        order_callback(step, node.task.callbacks, "on_failure", ti, attempt)
        return
    step.changes.touch_attempt(attempt)
    move_task(step, node, _T.SCHEDULED, Reason.SPAWN_FAILED, attempt.id, event.error)
    _look_again(step, node)


def _look_again(step: Step, node: Node) -> None:
    """Its upstreams may have been cleared while the instance was not waiting for them."""
    step.ordered = True
    step.work.append(node)


def breaker_refused(step: Step, event: BreakerRefused) -> None:
    """Scheduled → failed or skipped: it was not even started."""
    node = step.memory.nodes.get(event.ti)
    if node is None or node.ti.state is not _T.SCHEDULED:
        step.changes.ignored.append(f"task instance {event.ti}: does not wait for breaker {event.breaker}")
        return
    move_task(step, node, _T.SKIPPED if event.skip else _T.FAILED, Reason.BREAKER_OPEN, None, event.breaker)
    if not event.skip:
        node.ti.last_error = f"breaker {event.breaker} is open"
        order_callback(step, node.task.callbacks, "on_failure", node.ti)


def retry_due(step: Step, event: RetryDue | RetryNow) -> None:
    """Up for retry → scheduled, or back to waiting for upstreams that have been cleared meanwhile."""
    node = step.memory.nodes.get(event.ti)
    if node is None or node.ti.state is not _T.UP_FOR_RETRY:
        step.changes.ignored.append(f"task instance {event.ti}: no retry is waiting")
        return
    if node.verdict() is Verdict.RUN and has_item(step.memory, node):
        move_task(step, node, _T.SCHEDULED, Reason.RETRY_DUE if isinstance(event, RetryDue) else Reason.RETRY_NOW)
    else:
        move_task(step, node, _T.NONE, Reason.UPSTREAM)
        _look_again(step, node)


def _describe(status: AttemptStatus | None, judgement: Judgement) -> str:
    if status is None:
        reboot = judgement.reason is Reason.REBOOT
        return "lost: the host was restarted" if reboot else "lost: no evidence of how it ended"
    if status.error:
        return status.error
    return f"killed by signal {status.signal}" if status.signal else f"exit code {status.code}"


def _late(step: Step, event: Ended) -> None:
    attempt = step.memory.overruled.get(event.attempt_id)
    if attempt is None or attempt.late_result is not None or event.status is None:
        step.changes.ignored.append(f"attempt {event.attempt_id}: its end is known, or it is none of this run")
        return
    attempt.late_result = classify(event.status).outcome.value
    ti = step.memory.by_id[attempt.task_instance]
    note_attempt(step, ti, attempt, attempt.state, Reason.EXIT)

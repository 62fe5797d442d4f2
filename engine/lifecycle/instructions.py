"""What has to be done about a state, read from the state alone: after a commit and after a crash alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from engine.lifecycle.memory import RunMemory
from engine.model.moments import SECOND, Micros
from engine.model.rows import TaskInstance
from engine.model.states import RunState, TaskState


@dataclass(frozen=True, slots=True)
class Launch:
    """Start the attempt's process, unless it has been started: the claim in its directory decides."""

    ti: int
    attempt_id: str


@dataclass(frozen=True, slots=True)
class Kill:
    """Have the attempt's process killed and its death confirmed. `grace`: seconds between the two signals."""

    ti: int
    attempt_id: str
    grace: float


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Report RetryDue at this moment."""

    ti: int
    at: Micros


@dataclass(frozen=True, slots=True)
class Timeout:
    """Report TaskTimeout of this attempt at this moment."""

    ti: int
    attempt_id: str
    at: Micros


@dataclass(frozen=True, slots=True)
class Stack:
    """Have the attempt say in its log what it is doing. Never derived from a state: asked for by an operator alone."""

    ti: int
    attempt_id: str


@dataclass(frozen=True, slots=True)
class AnswerBy:
    """Take the default answer at this moment."""

    ti: int
    at: Micros


Instruction: TypeAlias = AnswerBy | Launch | Kill | WakeAt | Timeout | Stack


def derive(ti: TaskInstance, memory: RunMemory) -> tuple[Instruction, ...]:
    """What has to be done about one instance. Carrying it out twice must do no harm."""
    state, attempt = ti.state, ti.current
    if state is TaskState.UP_FOR_RETRY and ti.retry_at is not None:
        return (WakeAt(ti.id, ti.retry_at),)
    if state is TaskState.AWAITING_INPUT:
        approval = memory.task(ti).approval
        if approval is None or approval.timeout is None or ti.scheduled_at is None:
            return ()
        return (AnswerBy(ti.id, ti.scheduled_at + round(approval.timeout * SECOND)),)
    if attempt is None:
        return ()
    if state is TaskState.QUEUED:
        return (Launch(ti.id, attempt.id),)
    if state is TaskState.KILLING:
        return (Kill(ti.id, attempt.id, memory.task(ti).grace),)
    limit = memory.task(ti).execution_timeout
    if state is TaskState.RUNNING and limit is not None and attempt.started_at is not None:
        return (Timeout(ti.id, attempt.id, attempt.started_at + round(limit * SECOND)),)
    return ()


def run_timeout_at(memory: RunMemory) -> Micros | None:
    """When to report RunTimeout of the present episode; None when there is no limit or the run is not running."""
    run, limit = memory.run, memory.plan.spec.run_timeout
    if limit is None or run.started_at is None or run.state not in (RunState.RUNNING, RunState.PAUSED):
        return None
    return run.started_at + round(limit * SECOND)

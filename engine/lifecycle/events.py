"""What can happen to a run. Operators' events carry the id of their command and the name of their actor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from engine.model.attempt_files import AttemptStatus
from engine.model.moments import Micros
from engine.model.rows import Run, TaskInstance
from engine.model.states import Reason, TaskState


@dataclass(frozen=True, slots=True)
class Start:
    """A run slot is free: the queued run runs, and its first instances are looked at."""


@dataclass(frozen=True, slots=True)
class Review:
    """Look at every instance anew, though nothing happened. After a recovery it finds what would wait for ever."""


@dataclass(frozen=True, slots=True)
class Granted:
    """All limits are free: the scheduled instance takes its slots. A requeued attempt keeps the id that it has."""

    ti: int
    attempt_id: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """The attempt's process exists and owns the attempt."""

    attempt_id: str
    pid: int | None
    pid_started: int | None
    boot_id: str | None
    at: Micros


@dataclass(frozen=True, slots=True)
class Ended:
    """The attempt's process is over. `status` None: without evidence of how. `reason` overrides the status's own."""

    attempt_id: str
    status: AttemptStatus | None
    reason: Reason | None = None
    matches: tuple[int, ...] = ()
    """Places of the task's retry rules whose regular expression was found in what the attempt said."""


@dataclass(frozen=True, slots=True)
class Unkillable:
    """SIGKILL was sent a while ago, and something of the attempt still does not end; `why` in words."""

    attempt_id: str
    why: str


@dataclass(frozen=True, slots=True)
class SpawnFailed:
    """The attempt's process was not started, and will not be by what has been tried."""

    attempt_id: str
    error: str


@dataclass(frozen=True, slots=True)
class Answered:
    """A person has answered an approval, or its time is over: then `option` is its default, None if it has none."""

    ti: int
    option: str | None
    in_time: bool = True
    command: str | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class BreakerRefused:
    """The circuit breaker of a scheduled instance is open, and its task does not wait for that."""

    ti: int
    breaker: str
    skip: bool


@dataclass(frozen=True, slots=True)
class RetryDue:
    """The retry timer of an instance ran out."""

    ti: int


@dataclass(frozen=True, slots=True)
class TaskTimeout:
    """The execution timeout of an instance's attempt passed. Without an attempt id: of whichever is running."""

    ti: int
    attempt_id: str | None = None


@dataclass(frozen=True, slots=True)
class RunTimeout:
    """The run timeout passed. Without an episode: of the present one."""

    episode: int | None = None


@dataclass(frozen=True, slots=True)
class CodeGone:
    """The code of the run's DAG version is not kept any more, and its file is gone or another: nothing can start."""


@dataclass(frozen=True, slots=True)
class EngineKill:
    """The engine stops and takes this attempt with it: no budget is used, and the instance is due again at once."""

    ti: int


@dataclass(frozen=True, slots=True)
class Clear:
    """Forget how these instances ended: new epoch, to be decided anew; what followed from them is taken back."""

    tis: tuple[int, ...]
    command: str | None = None
    by: str | None = None
    retries: int | None = None
    """Retries of the new epoch; None: as many as the task has."""
    force: bool = False
    """Have them run, whatever what they wait for says: a branch that left them out, an upstream that failed."""


@dataclass(frozen=True, slots=True)
class RetryNow:
    """Do not wait for the retry timer."""

    ti: int
    command: str | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """Decide the state of these instances: success, failed or skipped. Live processes are killed first."""

    tis: tuple[int, ...]
    state: TaskState
    command: str | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Kill:
    """Kill the instance's process; the instance fails and is not retried."""

    ti: int
    command: str | None = None
    by: str | None = None
    again: bool = False
    """Instead of failing it is tried again at once; no budget is used."""


@dataclass(frozen=True, slots=True)
class CancelRun:
    """End the run: live processes are killed, everything unfinished is cancelled.

    Teardowns whose setup succeeded still run, unless this is forced: then they are killed or cancelled like the rest.
    """

    command: str | None = None
    by: str | None = None
    force: bool = False


@dataclass(frozen=True, slots=True)
class PauseRun:
    """Start nothing more of this run; what runs goes on."""

    command: str | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class ResumeRun:
    """Undo a pause."""

    command: str | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Restore:
    """Undo: these rows, as they were before a command, and the run as it was; rows that have started are left alone."""

    tasks: tuple[TaskInstance, ...]
    run: Run | None = None
    command: str | None = None
    by: str | None = None


OperatorEvent: TypeAlias = Clear | RetryNow | Mark | Kill | CancelRun | PauseRun | ResumeRun | Restore
Event: TypeAlias = (
    Start
    | Review
    | Granted
    | Claimed
    | Ended
    | SpawnFailed
    | RetryDue
    | BreakerRefused
    | Answered
    | TaskTimeout
    | RunTimeout
    | CodeGone
    | EngineKill
    | Unkillable
    | OperatorEvent
)

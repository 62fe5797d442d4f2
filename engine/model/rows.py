"""Runs, task instances and attempts, as held in memory and in the store. Moments are integer microseconds UTC."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from engine.model.dag import Json
from engine.model.moments import Micros
from engine.model.states import AttemptState, FailureClass, Outcome, Reason, RunState, RunType, TaskState

UNMAPPED = -1
"""`map_index` of an unmapped task instance, or of the lasting summary row of a mapped task."""


@dataclass(slots=True)
class Run:
    """One run of a DAG. `id` is the store's key, `run_id` the name people see."""

    id: int
    run_id: str
    dag_id: str
    version_id: int
    run_type: RunType
    state: RunState
    logical_date: Micros
    interval_start: Micros
    interval_end: Micros
    run_after: Micros
    created_at: Micros
    reason: Reason = Reason.CREATED
    params: dict[str, Json] = field(default_factory=dict)
    note: str | None = None
    created_by: str | None = None
    inferred: bool = False
    """A manual run whose logical date was not given but taken from the last completed interval."""
    episode: int = 1
    started_at: Micros | None = None
    ended_at: Micros | None = None
    changed_seq: int = 0
    backfill: int | None = None
    """The backfill that made it, or ran it again."""
    priority: int = 0
    """What operators added to the priority weight of its tasks."""
    config: dict[str, Json] = field(default_factory=dict)
    """Its environment, where its params came from, what `[config]` said, connections by reference. No secrets."""


@dataclass(slots=True)
class Attempt:
    """One attempt of a task instance. Never reused: a retry is a new attempt with a new id (a ULID)."""

    id: str
    task_instance: int
    number: int
    state: AttemptState = AttemptState.QUEUED
    queued_at: Micros | None = None
    started_at: Micros | None = None
    ended_at: Micros | None = None
    outcome: Outcome | None = None
    failure_class: FailureClass | None = None
    reason: Reason | None = None
    exit_code: int | None = None
    signal: int | None = None
    error: str | None = None
    """One line: the exception's type and text, or what the process's end says."""
    pid: int | None = None
    pid_started: int | None = None
    """Start time of the process in clock ticks since boot, as the kernel gives it: guards against reused pids."""
    boot_id: str | None = None
    duration: Micros | None = None
    """By the monotonic clock of whoever saw both ends."""
    cpu_seconds: float | None = None
    peak_bytes: int | None = None
    version_id: int | None = None
    late_result: str | None = None
    """An outcome that arrived after an operator had decided otherwise: shown, never applied."""
    counts: bool = True
    """Whether it spends retry budget (an engine's own stop does not)."""


@dataclass(slots=True)
class TaskInstance:
    """One task of one run. `attempt` is its newest attempt number; `current` the attempt that has not ended, if any."""

    id: int
    run: int
    task_id: str
    map_index: int = UNMAPPED
    state: TaskState = TaskState.NONE
    reason: Reason | None = None
    attempt: int = 0
    epoch_start: int = 0
    """Attempts made before the present try epoch (run creation or the last clear)."""
    lost_count: int = 0
    """Attempts of this epoch that ended `lost`; they have a budget of their own."""
    spared: int = 0
    """Attempts of this epoch that use no retry budget without being lost (ended by the engine's own stop)."""
    requeues: int = 0
    """Starts of the current attempt that failed before its process existed."""
    current: Attempt | None = None
    then: TaskState | None = None
    """For `killing`: the state that follows once the process is confirmed dead."""
    then_reason: Reason | None = None
    retry_at: Micros | None = None
    scheduled_at: Micros | None = None
    started_at: Micros | None = None
    ended_at: Micros | None = None
    blockers: tuple[str, ...] = ()
    last_error: str | None = None
    decision: tuple[str, ...] | None = None
    """Of a decider that succeeded and left some tasks out: the tasks directly below that it chose."""
    forced: bool = False
    """An operator has it run in this epoch, whatever its upstreams, its trigger rule and the past say."""
    changed_seq: int = 0
    retries: int | None = None
    """Retries of the present epoch where a clear gave another number than the task's."""
    failed_keys: str | None = None
    """JSON list of what the epoch's last partial attempt left undone: the next attempt is given these alone."""


class Transition(NamedTuple):
    """One entry of the feed: which row moved, from what to what, why and by whose command.

    A tuple because four of them are made for every task: a frozen dataclass takes five times as long to build.
    """

    kind: str
    """`run`, `task`, `attempt`, `dag`, `import`, `pool`, `engine`, `hold`."""
    at: Micros
    dag_id: str | None = None
    run: int | None = None
    task_instance: int | None = None
    attempt: str | None = None
    from_state: str | None = None
    to_state: str | None = None
    reason: str | None = None
    command: str | None = None
    detail: str | None = None

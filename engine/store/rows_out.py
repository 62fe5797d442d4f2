"""What consoles and the command line read: plain immutable rows. States are text, moments and durations integer
microseconds (moments UTC). Text in them is as it was stored: whoever draws it sanitises it.
"""

from __future__ import annotations

from typing import NamedTuple

from engine.model.dag import Json
from engine.model.moments import Micros


class DagLine(NamedTuple):
    """One DAG in the list of DAGs. `state` is `active`, or `inactive` once its file is gone."""

    dag_id: str
    file: str
    state: str
    version_id: int | None
    timezone: str
    schedule: str | None
    owner: str | None
    tags: tuple[str, ...]
    broken_since: Micros | None
    """Its file no longer loads since then; runs use the last good version."""
    next_start: Micros | None
    """Logical date of the next run."""
    next_run_after: Micros | None
    """When the next run is due."""
    enabled_at: Micros | None
    paused_at: Micros | None
    paused_by: str | None
    pause_reason: str | None


class RunLine(NamedTuple):
    """One run in a list of runs. `id` is the store's key, `run_id` the name that people see."""

    id: int
    run_id: str
    dag_id: str
    version_id: int
    run_type: str
    state: str
    reason: str
    logical_date: Micros
    run_after: Micros
    started_at: Micros | None
    """Start of the present episode."""
    ended_at: Micros | None
    created_by: str | None
    changed_seq: int
    earlier: Micros = 0
    """How long the episodes before the present one took together."""
    episode: int = 1
    """Which stretch this is: a run that is cleared after its end begins another."""


class RunDetail(NamedTuple):
    """One run, whole."""

    id: int
    run_id: str
    dag_id: str
    version_id: int
    run_type: str
    state: str
    reason: str
    logical_date: Micros
    interval_start: Micros
    interval_end: Micros
    run_after: Micros
    created_at: Micros
    started_at: Micros | None
    ended_at: Micros | None
    episode: int
    params: dict[str, Json]
    note: str | None
    created_by: str | None
    inferred: bool
    changed_seq: int
    earlier: Micros = 0
    """How long the episodes before the present one took together."""


class EpisodeLine(NamedTuple):
    """One stretch of a run between its opening (or reopening) and its end."""

    number: int
    version_id: int
    reason: str
    opened_by: str | None
    started_at: Micros | None
    ended_at: Micros | None
    outcome: str | None


class LiveTask(NamedTuple):
    """A task instance of an active run that does something, waits for a limit, or has failed."""

    id: int
    run: int
    dag_id: str
    task_id: str
    map_index: int
    state: str
    reason: str | None
    attempt: int
    epoch_start: int
    retry_at: Micros | None
    scheduled_at: Micros | None
    started_at: Micros | None
    ended_at: Micros | None
    blockers: tuple[str, ...]
    last_error: str | None


class Totals(NamedTuple):
    """Figures of the whole home; `tasks` counts the task instances of active runs by state."""

    dags: int
    paused: int
    broken: int
    active_runs: int
    tasks: dict[str, int]


class Usual(NamedTuple):
    """How long something usually takes: percentiles (linear interpolation) of its last 100 successes of 30 days.

    With fewer than five there are none.
    """

    p50: Micros | None
    p95: Micros | None
    samples: int
    p99: Micros | None = None


class DagStats(NamedTuple):
    """A DAG's run times, and how its runs of the last 7 days ended (backfills and cancelled ones apart)."""

    usual: Usual
    succeeded: int
    failed: int


class InstanceLine(NamedTuple):
    """One task instance. `attempt` is the number of its newest attempt, `current_attempt` the id of one under way."""

    id: int
    run: int
    dag_id: str
    task_id: str
    map_index: int
    state: str
    reason: str | None
    attempt: int
    epoch_start: int
    lost_count: int
    current_attempt: str | None
    then_state: str | None
    retry_at: Micros | None
    scheduled_at: Micros | None
    started_at: Micros | None
    ended_at: Micros | None
    duration: Micros | None
    blockers: tuple[str, ...]
    last_error: str | None
    changed_seq: int
    retries: int | None = None
    """Retries of the present epoch where a clear gave another number than the task's."""
    failed_keys: str | None = None
    """JSON list of what the epoch's last partial attempt left undone."""
    took: Micros | None = None
    """How long the newest attempt ran, as whoever watched it measured; else from its start to its end."""


class AttemptLine(NamedTuple):
    """One attempt; `id` names its directory."""

    id: str
    task_instance: int
    number: int
    state: str
    queued_at: Micros | None
    started_at: Micros | None
    ended_at: Micros | None
    outcome: str | None
    failure_class: str | None
    reason: str | None
    exit_code: int | None
    signal: int | None
    error: str | None
    pid: int | None
    duration: Micros | None
    cpu_seconds: float | None
    peak_bytes: int | None
    version_id: int | None
    late_result: str | None
    counts: int

    @property
    def took(self) -> Micros | None:
        """How long it ran, as whoever watched it measured; else from its start to its end."""
        if self.duration is not None or self.started_at is None or self.ended_at is None:
            return self.duration
        return max(self.ended_at - self.started_at, 0)


class CallbackLine(NamedTuple):
    """A callback of a run: `task_instance` is None for the DAG's own."""

    id: str
    task_instance: int | None
    attempt: str | None
    name: str
    state: str
    created_at: Micros
    started_at: Micros | None
    ended_at: Micros | None
    outcome: str | None
    exit_code: int | None
    error: str | None


class GridCell(NamedTuple):
    """The state of one task instance in the grid of runs and tasks."""

    run: int
    task_id: str
    map_index: int
    state: str


class Mention(NamedTuple):
    """Who last changed a row by a command; `task_instance` is None for the run itself."""

    task_instance: int | None
    user: str
    verb: str
    at: Micros
    note: str | None


class VersionLine(NamedTuple):
    """One version of a DAG."""

    id: int
    number: int
    bundle: str
    created_at: Micros
    commit_id: str | None = None
    commit_author: str | None = None
    committed_at: Micros | None = None
    dirty: int | None = None


class VersionDetail(NamedTuple):
    """One version of a DAG with its serialized form as JSON text."""

    id: int
    dag_id: str
    number: int
    bundle: str
    spec_hash: str
    spec: str
    created_at: Micros
    commit_id: str | None = None
    commit_author: str | None = None
    committed_at: Micros | None = None
    dirty: int | None = None


class ResultLine(NamedTuple):
    """The newest result of a task instance; `value` is None when the attempt's directory holds it as a file."""

    attempt: str
    value: str | None
    bytes: int
    at: Micros


class CommandLine(NamedTuple):
    """One line of the audit. `claimed` is what the client only said of its operator."""

    number: int
    id: str
    verb: str
    args: dict[str, Json]
    selector: Json
    seen_seq: int | None
    uid: int
    login_uid: int | None
    user: str
    claimed: dict[str, str]
    client: str
    received_at: Micros
    applied_seq: int
    outcome: str
    message: str
    result: dict[str, Json]
    note: str | None


class MovedLine(NamedTuple):
    """One step of what a command changed."""

    kind: str
    dag_id: str | None
    run_id: str | None
    task_id: str | None
    map_index: int | None
    before: str | None
    after: str | None
    reason: str | None
    detail: str | None


class SessionLine(NamedTuple):
    """One life of the engine. Without `ended_at` it runs, or was killed soon after `last_seen_at`."""

    id: int
    started_at: Micros
    last_seen_at: Micros
    ended_at: Micros | None
    reason: str | None
    boot_id: str | None
    pid: int | None
    version: str | None


class ImportErrorLine(NamedTuple):
    """Why a DAG file, or one DAG of it, could not be loaded."""

    file: str
    dag_id: str | None
    message: str
    line: int | None
    traceback: str | None
    at: Micros


class PoolLine(NamedTuple):
    """A pool with its slots, those in use (queued, running, being killed) and those asked for by waiting tasks."""

    name: str
    slots: int
    description: str | None
    used: int
    wanted: int
    include_deferred: bool = False
    """Whether tasks that have begun and wait without a process keep their slots; they are among the used then."""


class HoldLine(NamedTuple):
    """A hold that has not been released; past `until` it no longer holds."""

    id: int
    scope: str
    pattern: str
    who: str
    note: str | None
    since: Micros
    until: Micros | None

"""DAGs as the overview shows them: last runs, what runs now, what comes next. Moments are microseconds UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from engine.model.moments import Micros

FAILURES_ALLOWED = "failures_allowed"
ACTIVE_RUN = frozenset({"queued", "running", "paused", "cancelling"})


class RunMark(NamedTuple):
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
    ended_at: Micros | None
    created_by: str | None
    earlier: Micros = 0
    """How long the episodes before the present one took together: a run that was reopened has several."""

    @property
    def sign(self) -> str:
        """What it is drawn as: its state, or that it succeeded although tasks failed which may."""
        return self.reason if self.state == "success" and self.reason == FAILURES_ALLOWED else self.state

    @property
    def active(self) -> bool:
        """Whether the run has not ended."""
        return self.state in ACTIVE_RUN

    def duration(self, now: Micros) -> Micros | None:
        """How long the run has run in all its episodes, so far or in all; None before its start."""
        if self.started_at is None:
            return None
        end = now if self.ended_at is None else self.ended_at
        return self.earlier + max(end - self.started_at, 0)


class LiveTask(NamedTuple):
    """A task instance that is neither waiting for its upstream nor ended."""

    id: int
    run: int
    task_id: str
    map_index: int
    state: str
    attempt: int
    epoch_start: int
    max_tries: int | None
    """Attempts that one epoch allows: retries + 1; None while the DAG version has not been read."""
    retry_at: Micros | None
    scheduled_at: Micros | None
    started_at: Micros | None
    blockers: tuple[str, ...]
    last_error: str | None
    p95: Micros | None = None
    asks: str | None = None
    """What an approval asks a person."""


@dataclass(frozen=True, slots=True)
class ActiveRun:
    """A run that has not ended: its tasks counted by state, and those that are alive or wait for a limit."""

    mark: RunMark
    counts: Mapping[str, int]
    live: tuple[LiveTask, ...]

    @property
    def total(self) -> int:
        """All task instances of the run."""
        return sum(self.counts.values())

    @property
    def done(self) -> int:
        """Those that have ended, in whatever way."""
        return sum(self.counts.get(state, 0) for state in ENDED_TASK)


ENDED_TASK = ("success", "failed", "skipped", "upstream_failed", "cancelled", "removed")


class DagStats(NamedTuple):
    """Figures of a DAG's runs: the last 100 successes of 30 days, and how the runs of 7 days ended."""

    p50: Micros | None
    p95: Micros | None
    samples: int
    succeeded: int
    failed: int


class DagCard(NamedTuple):
    """One DAG. `recent` holds its last runs, oldest first; `stats` is None until they have been computed."""

    dag_id: str
    file: str
    state: str
    timezone: str
    schedule: str | None
    owner: str | None
    tags: tuple[str, ...]
    broken_since: Micros | None
    next_logical: Micros | None
    next_run_after: Micros | None
    paused_at: Micros | None
    paused_by: str | None
    pause_reason: str | None
    recent: tuple[RunMark, ...] = ()
    active: tuple[ActiveRun, ...] = ()
    stats: DagStats | None = None

    @property
    def kind(self) -> str | None:
        """Kind of its schedule: a run of kind `trigger` is due at its logical date. None where no run comes."""
        if self.next_logical is None or self.next_run_after is None:
            return None
        return "trigger" if self.next_logical == self.next_run_after else "interval"

    @property
    def last_run(self) -> RunMark | None:
        """The newest run by logical date."""
        return self.recent[-1] if self.recent else None

    @property
    def last_ended(self) -> RunMark | None:
        """The newest run, by logical date, that has ended."""
        return next((mark for mark in reversed(self.recent) if not mark.active), None)


class ImportProblem(NamedTuple):
    """A DAG file (or one DAG of it) that could not be loaded."""

    file: str
    dag_id: str | None
    message: str
    line: int | None
    at: Micros
    traceback: tuple[str, ...] = ()


class Failure(NamedTuple):
    """A task instance that failed and nobody has put right yet, or that waits for its next try."""

    dag_id: str
    run: int
    run_id: str
    task_id: str
    map_index: int
    state: str
    error: str
    at: Micros
    retry_at: Micros | None = None
    cause: str = ""
    """The key of its cause, as the store's error gives it; the words are made safe to draw, the key knows the error."""


@dataclass(frozen=True, slots=True)
class ParamCard:
    """A declared parameter of a DAG. `schema` is JSON-Schema-like: `type`, `enum`, `minimum`, …"""

    name: str
    default: object = None
    required: bool = False
    schema: Mapping[str, object] = field(default_factory=dict)
    description: str | None = None

"""One run in detail: its tasks with their edges, attempts and usual durations. Moments are microseconds UTC."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from console.model.dags import ParamCard, RunMark
from console.model.keys import UNMAPPED
from engine.model.moments import Micros


class AttemptCard(NamedTuple):
    """One attempt of a task instance; `id` names its directory."""

    id: str
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
    late_result: str | None

    @property
    def took(self) -> Micros | None:
        """How long it ran, as whoever watched it measured; else from its start to its end."""
        if self.duration is not None or self.started_at is None or self.ended_at is None:
            return self.duration
        return max(self.ended_at - self.started_at, 0)

    @property
    def glyph_state(self) -> str:
        """The name under which the attempt's glyph is found: its outcome, or its state while it has none."""
        return self.outcome or self.state


class GoodAttempt(NamedTuple):
    """An attempt that ended well, to compare another one with."""

    id: str
    number: int
    run_id: str
    logical_date: Micros


class Usual(NamedTuple):
    """How long a task usually takes: percentiles of its last successes."""

    p50: Micros | None
    p95: Micros | None
    samples: int


class Mention(NamedTuple):
    """Who changed a row, by which verb and when."""

    who: str
    verb: str
    at: Micros


class TaskCard(NamedTuple):
    """One task instance. `attempts` are oldest first."""

    id: int
    task_id: str
    map_index: int
    state: str
    reason: str | None
    attempt: int
    epoch_start: int
    max_tries: int | None
    then_state: str | None
    retry_at: Micros | None
    scheduled_at: Micros | None
    started_at: Micros | None
    ended_at: Micros | None
    blockers: tuple[str, ...]
    last_error: str | None
    changed_seq: int
    attempts: tuple[AttemptCard, ...] = ()
    usual: Usual | None = None
    mention: Mention | None = None

    @property
    def key(self) -> tuple[str, str, int]:
        """What identifies its row on a screen."""
        return "task", self.task_id, self.map_index

    @property
    def name(self) -> str:
        """The task's id, with its map index where it has one."""
        return self.task_id if self.map_index == UNMAPPED else f"{self.task_id}[{self.map_index}]"

    def waited(self, attempt: AttemptCard) -> Micros | None:
        """How long an attempt waited for its slot: the newest from when it could have begun, also after a retry."""
        if attempt.started_at is None or attempt.queued_at is None:
            return None
        since = attempt.queued_at
        if attempt is self.latest and self.scheduled_at is not None:
            since = min(self.scheduled_at, since)
        return max(attempt.started_at - since, 0)

    @property
    def stands_for_itself(self) -> bool:
        """Not the summary row of a mapped task, whose indexes are counted instead."""
        return self.reason != "expanded"

    @property
    def latest(self) -> AttemptCard | None:
        """The newest attempt."""
        return self.attempts[-1] if self.attempts else None

    @property
    def newest(self) -> AttemptCard | None:
        """The newest attempt of the present epoch: what ran before a clear says nothing of what runs now."""
        latest = self.latest
        return latest if latest is not None and latest.number > self.epoch_start else None

    @property
    def tries(self) -> int:
        """Attempts of the present epoch."""
        return max(self.attempt - self.epoch_start, 0)

    def elapsed(self, now: Micros) -> Micros | None:
        """How long the newest attempt of the epoch has run, so far or in all; None where none has started."""
        latest = self.newest
        if latest is None and self.attempts:
            return None
        if latest is not None and latest.took is not None:
            return latest.took
        started = self.started_at if latest is None else latest.started_at
        if started is None:
            return None
        if self.state in ("running", "killing"):
            return max(now - started, 0)
        ended = self.ended_at if latest is None else latest.ended_at
        return max(ended - started, 0) if ended is not None else None


class TaskPlan(NamedTuple):
    """What a DAG version says of one task."""

    task_id: str
    upstream: tuple[str, ...]
    kind: str
    trigger_rule: str
    retries: int
    retry_delay: float
    exponential: bool
    multiplier: float
    max_delay: float
    pool: str
    execution_timeout: float | None
    runbook: str | None
    doc: str | None
    owner: str | None
    memory_limit: int | None = None
    rules: int = 0
    """How many retry rules it has."""
    group: str | None = None
    """The task group that it is in; groups in groups are joined by dots."""
    pool_slots: int = 1
    asks: str | None = None
    """What an approval asks a person."""


_LOGGED = {"failed": 0, "running": 1, "killing": 1, "up_for_retry": 2}


@dataclass(frozen=True)
class RunDetail:
    """One run as its own screen shows it. `tasks` are in the DAG's declaration order, mapped ones by index."""

    mark: RunMark
    interval_start: Micros
    interval_end: Micros
    created_at: Micros
    episode: int
    inferred: bool
    note: str | None
    params: str
    """The parameters as one line of JSON."""
    version: int | None
    timezone: str
    runbook: str | None
    plan: tuple[TaskPlan, ...]
    tasks: tuple[TaskCard, ...]
    run_p50: Micros | None = None
    run_p95: Micros | None = None
    mention: Mention | None = None
    config: Mapping[str, str] | None = None
    """What was configured for it, as lines: its environment, where params came from, `[config]`."""
    shape: int = 0
    """Another number: other task instances than before. While it stays, only what they say has changed."""

    tally: Mapping[str, int] | None = None
    """Task instances by state, where whoever made the picture has counted them already."""
    indexes: Mapping[str, Mapping[str, int]] | None = None
    """The same for the indexes of each mapped task; the same object while nothing of a task has moved."""
    places: Mapping[tuple[str, int], int] | None = None
    """The same for the place of each instance among the tasks, by task id and map index."""

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """Task instances by state; none is zero."""
        counted = (card.state for card in self.tasks if card.stands_for_itself)
        return Counter(counted) if self.tally is None else self.tally

    @cached_property
    def index_counts(self) -> Mapping[str, Mapping[str, int]]:
        """Indexes of mapped tasks by state, by task id; the summary rows are not counted."""
        if self.indexes is not None:
            return self.indexes
        found: dict[str, Counter[str]] = {}
        for card in self.tasks:
            if card.map_index != UNMAPPED:
                found.setdefault(card.task_id, Counter())[card.state] += 1
        return found

    def task(self, task_id: str, map_index: int = UNMAPPED) -> TaskCard | None:
        """The instance of a task; None when the run has none."""
        if self.places is not None:
            at = self.places.get((task_id, map_index))
            return None if at is None else self.tasks[at]
        return next((t for t in self.tasks if t.task_id == task_id and t.map_index == map_index), None)

    def logged(self, card: TaskCard) -> TaskCard:
        """Whose log stands for an instance: its own; for the summary of a mapped task that of an index.

        That is the first one that failed, else the first that runs or waits for a retry, else the first that began.
        """
        if card.stands_for_itself:
            return card
        tried = (each for each in self.tasks if each.task_id == card.task_id and each.attempts)
        return min(tried, key=lambda each: _LOGGED.get(each.state, len(_LOGGED)), default=card)


@dataclass(frozen=True, slots=True)
class DagDetail:
    """One DAG as its own screen shows it: its latest runs, newest first."""

    dag_id: str
    runs: tuple[RunMark, ...]
    more: bool = False
    """Whether there are older ones."""


@dataclass(frozen=True, slots=True)
class TriggerForm:
    """What is needed to start a run of a DAG by hand: the zone its dates are read in, and its parameters."""

    dag_id: str
    timezone: str
    params: tuple[ParamCard, ...] = ()
    doc: tuple[str, ...] = ()
    like: str = ""
    """A run whose params are filled in; empty: the DAG's defaults."""
    date: str = ""
    """Its logical date, as it is typed in the DAG's zone."""

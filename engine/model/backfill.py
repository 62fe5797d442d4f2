"""Backfills: a range of logical dates to run, or to run again, as one object. Moments are integer microseconds UTC."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from engine.model.dag import Json
from engine.model.moments import Micros


class BackfillState(StrEnum):
    """State of a backfill. `stopping`: nothing new starts, and its runs that are under way end."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    STOPPED_BY_FAILURES = "stopped_by_failures"


ACTIVE_BACKFILL = frozenset({BackfillState.RUNNING, BackfillState.PAUSED, BackfillState.STOPPING})
"""States in which a backfill may still start or wait for runs."""


class ItemState(StrEnum):
    """State of one date of a backfill."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


class ItemReason(StrEnum):
    """What is to become of a date, or why it is skipped."""

    CREATE = "create"
    RERUN = "rerun"
    RERUN_FAILED = "rerun_failed"
    IN_FLIGHT = "in_flight"
    ALREADY_EXISTS = "already_exists"
    NO_RUN = "no_run"
    """Only some tasks are to run, and there is no run whose other results could be used."""


class Order(StrEnum):
    """Which dates come first."""

    OLDEST = "oldest"
    NEWEST = "newest"


class Reprocess(StrEnum):
    """Which existing runs are run again: none, those that failed or were cancelled, or all that are over."""

    NONE = "none"
    FAILED = "failed"
    COMPLETED = "completed"


@dataclass(slots=True)
class Backfill:
    """One backfill. `start` and `stop` limit the starts of intervals, both inclusive."""

    id: int
    dag_id: str
    state: BackfillState
    start: Micros
    stop: Micros
    order: Order
    max_active: int
    """Runs of it at the same time; the DAG's own limit does not count for them."""
    reprocess: Reprocess
    created_at: Micros
    created_by: str
    total: int
    """Dates in it, skipped ones included."""
    params: dict[str, Json] = field(default_factory=dict)
    """Of new runs: those that were given; the others are as the DAG says when a run is made."""
    tasks: list[str] = field(default_factory=list)
    """Only these tasks, and with `downstream` those below them, are run again; empty: whole runs."""
    downstream: bool = False
    max_slots: int | None = None
    """Task instances of it at the same time; None: with all backfills together half of each pool."""
    not_during: str | None = None
    """A time of the day in which nothing of it starts: `05:30-08:00 Europe/Berlin`."""
    stop_after: int | None = None
    """Stops after so many failed runs."""
    failures: int = 0
    """Failed runs since it was started or resumed."""
    waits_for: str | None = None
    """Why nothing of it starts although it is running: `dag_paused`, `dag_inactive` or `not_during`."""
    note: str | None = None
    ended_at: Micros | None = None


@dataclass(slots=True)
class BackfillItem:
    """One date of a backfill, in the order in which they are run."""

    backfill: int
    ordinal: int
    logical_date: Micros
    interval_end: Micros
    state: ItemState
    reason: ItemReason
    run: int | None = None


def time_left(dates: int, at_once: int, p50: Micros | None, p95: Micros | None) -> tuple[Micros, Micros] | None:
    """How long so many dates take if their runs take as long as others did, from median to 95th percentile; None where
    nothing is left, or nothing is known.
    """
    if not dates or p50 is None or p95 is None:
        return None
    rounds = -(-dates // at_once)
    return rounds * p50, rounds * p95

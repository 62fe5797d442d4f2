"""Rows of the store as the engine reads them back. Moments are integer microseconds UTC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from engine.model.backfill import Backfill, BackfillItem
from engine.model.dag import Json
from engine.model.moments import Micros
from engine.model.states import RunState


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """A DAG version. `spec` is the JSON text of the serialized DAG, `bundle` the folder below `versions/`."""

    id: int
    dag_id: str
    number: int
    bundle: str
    spec_hash: str
    spec: str
    created_at: Micros


@dataclass(frozen=True, slots=True)
class StoredDag:
    """A DAG as the engine last knew it; `state` is `active` or `inactive`, `tags` decoded."""

    dag_id: str
    file: str
    state: str
    current_version: int | None
    broken_since: Micros | None
    schedule: str | None
    timezone: str
    owner: str | None
    tags: list[str]


@dataclass(frozen=True, slots=True)
class StoredSchedule:
    """Where a DAG's schedule stands; `paused_at` is None while it is not paused."""

    dag_id: str
    next_start: Micros | None
    next_run_after: Micros | None
    enabled_at: Micros | None
    paused_at: Micros | None
    paused_by: str | None
    pause_reason: str | None
    spec_hash: str | None
    last_start: Micros | None
    last_end: Micros | None
    catchup_until: Micros | None
    catchup: Literal["none", "latest", "all"] | None


class StoredBackfill(NamedTuple):
    """A backfill with its dates, in their order."""

    backfill: Backfill
    items: list[BackfillItem]


class StoredSlot(NamedTuple):
    """The run that has a slot of a schedule."""

    run: int
    run_id: str
    state: RunState


@dataclass(frozen=True, slots=True)
class StoredPool:
    """A pool and its size."""

    name: str
    slots: int
    description: str | None
    configured: int | None = None
    """What `dagdeck.toml` said when it was read last; None for a pool that an operator made."""
    include_deferred: int = 0
    """1: tasks that have begun and wait without a process keep their slots."""
    configured_deferred: int = 0
    """What `dagdeck.toml` said of that."""


@dataclass(frozen=True, slots=True)
class StoredHold:
    """A hold that has not been released; it may have run out (`until`)."""

    id: int
    scope: str
    pattern: str
    who: str
    note: str | None
    since: Micros
    until: Micros | None


@dataclass(frozen=True, slots=True)
class StoredSession:
    """One life of the engine. `ended_at` is None while it runs, and for ever when it was killed."""

    id: int
    started_at: Micros
    last_seen_at: Micros
    ended_at: Micros | None
    reason: str | None
    boot_id: str | None
    pid: int | None
    version: str | None


@dataclass(frozen=True, slots=True)
class StoredResult:
    """A task's result; `value` is its JSON text, or None when the attempt's directory holds it as a file."""

    task_id: str
    map_index: int
    task_instance: int
    attempt: str
    value: str | None
    bytes: int
    at: Micros


@dataclass(frozen=True, slots=True)
class StoredCommand:
    """A command of the audit, to answer the same command again."""

    id: str
    verb: str
    outcome: str
    message: str
    result: dict[str, Json]
    applied_seq: int
    uid: int
    user: str
    number: int = 0
    """Its place in the audit, from 1 on."""


@dataclass(frozen=True, slots=True)
class Heads:
    """The highest numbers given so far; 0 where there is none."""

    seq: int
    run: int
    task_instance: int
    version: int
    hold: int
    session: int

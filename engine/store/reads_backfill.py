"""Reads about backfills: lists, dates, progress, and how long what is left will take."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NamedTuple

from engine.model.dag import Json
from engine.model.moments import Micros
from engine.store.errors import NotFound
from engine.store.percentiles import usual
from engine.store.reader import Reader, Row
from engine.store.reads_overview import dag_stats
from engine.store.rows_out import Usual

_LAST = 2**63 - 1
MOST_ITEMS = 100_000


class BackfillLine(NamedTuple):
    """One backfill. `start` and `stop` limit the starts of intervals, both inclusive."""

    id: int
    dag_id: str
    state: str
    start: Micros
    stop: Micros
    order: str
    max_active: int
    reprocess: str
    created_at: Micros
    created_by: str
    total: int
    params: dict[str, Json]
    tasks: list[str]
    downstream: bool
    max_slots: int | None
    not_during: str | None
    stop_after: int | None
    failures: int
    waits_for: str | None
    note: str | None
    ended_at: Micros | None


class Progress(NamedTuple):
    """How many dates of a backfill are in each state."""

    pending: int = 0
    running: int = 0
    success: int = 0
    failed: int = 0
    cancelled: int = 0
    skipped: int = 0

    @property
    def left(self) -> int:
        """Dates that are not over."""
        return self.pending + self.running


class ItemLine(NamedTuple):
    """One date of a backfill, with its run once there is one."""

    ordinal: int
    logical_date: Micros
    interval_end: Micros
    state: str
    reason: str
    run: int | None
    run_id: str | None
    run_state: str | None


class Moved(NamedTuple):
    """Who paused or cancelled a backfill, and when."""

    who: str
    at: Micros
    note: str | None


def backfills(reader: Reader, dag_id: str | None = None, count: int = 50) -> list[BackfillLine]:
    """Backfills of one DAG or of all, newest first."""
    values = {"dag_id": dag_id, "before": _LAST, "count": count}
    return [_line(row) for row in reader.all("backfill", "backfills", values)]


def backfill(reader: Reader, backfill: int) -> BackfillLine:
    """One backfill. Raises NotFound."""
    row = reader.one("backfill", "backfill", {"id": backfill})
    if row is None:
        raise NotFound(f"there is no backfill {backfill}")
    return _line(row)


def progress(reader: Reader, ids: Iterable[int]) -> dict[int, Progress]:
    """How far backfills are."""
    wanted = list(ids)
    counts: dict[int, dict[str, int]] = {key: {} for key in wanted}
    for key, state, count in reader.all("backfill", "items_by_state", {"ids": json.dumps(wanted)}):
        counts[key][state] = count
    return {key: Progress(**found) for key, found in counts.items()}


def items(reader: Reader, backfill: int, first: int = 0, count: int = 1000) -> list[ItemLine]:
    """Dates of a backfill in their order, from the one with the number `first` on."""
    values = {"id": backfill, "first": first, "count": count}
    return [ItemLine._make(row) for row in reader.all("backfill", "items", values)]


def last_moved(reader: Reader, backfill: int, verb: str) -> Moved | None:
    """The newest command of the audit with this verb about a backfill; None where it is not kept any more."""
    row = reader.one("backfill", "last_moved", {"id": backfill, "verb": verb})
    return None if row is None else Moved._make(row)


def run_times(reader: Reader, line: BackfillLine, now: Micros) -> Usual:
    """How long its runs take: by its own once there are five, else by the DAG's."""
    row = reader.one("backfill", "run_times", {"id": line.id})
    own = usual(row[0] if row else None)
    if own.p50 is not None:
        return own
    stats = dag_stats(reader, [line.dag_id], now).get(line.dag_id)
    return stats.usual if stats is not None and stats.usual.p50 is not None else own


def _line(row: Row) -> BackfillLine:
    return BackfillLine._make((*row[:11], json.loads(row[11]), json.loads(row[12]), bool(row[13]), *row[14:]))

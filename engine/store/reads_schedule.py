"""Reads about schedules: what was left out."""

from __future__ import annotations

from typing import NamedTuple

from engine.model.moments import Micros
from engine.store.reader import Reader


class GapLine(NamedTuple):
    """Neighbouring intervals that no run was made for: from the first one's start to the last one's end.

    `runs` is 0 where the time belongs to no interval, because the schedule was changed. `why` is `catchup`, `missed`,
    `overlap` or `schedule`.
    """

    dag_id: str
    first: Micros
    until: Micros
    runs: int
    why: str
    at: Micros


def gaps(reader: Reader, dag_id: str | None = None, count: int = 200) -> list[GapLine]:
    """Gaps that no backfill has filled, of one DAG or of all, newest first."""
    return [GapLine._make(row) for row in reader.all("schedule", "gaps", {"dag_id": dag_id, "count": count})]

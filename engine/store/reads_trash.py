"""Deleted runs, as they are listed."""

from __future__ import annotations

from typing import NamedTuple

from engine.model.moments import Micros
from engine.store.reader import Reader


class Trashed(NamedTuple):
    """A run in the trash."""

    run_id: str
    dag_id: str
    run: int
    state: str
    logical_date: Micros
    at: Micros
    who: str
    note: str | None
    taken: bool
    """Whether its id or its place in the schedule has another run by now, or its DAG version is gone."""


def trashed(reader: Reader, run_id: str | None = None) -> list[Trashed]:
    """What is in the trash, the newest first; or the run of that id."""
    rows = reader.all("trash", "trashed", {"run_id": run_id})
    return [Trashed(*(*row[:-1], bool(row[-1]))) for row in rows]

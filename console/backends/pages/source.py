"""The source view: the version that a run used, or one that was asked for, and what has changed since."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.backends.sources import source_card, stored
from console.model.source import SourceCard

if TYPE_CHECKING:
    from console.backends.pages import Reading
    from console.backends.rows import Rows


def read(reading: Reading) -> SourceCard | None:
    """For `(dag_id, run_id, number)`: the version by its number, else the run's, else the current one."""
    dag_id, run_id, number = reading.args
    rows = reading.rows
    key: int | None = None
    if number is not None:
        listed = rows.all("run", "versions_of_dag", {"dag_id": dag_id, "count": 2**31})
        key = next((row[0] for row in listed if row[1] == number), None)
    elif run_id is not None:
        found = rows.one("run", "run_by_run_id", {"run_id": run_id})
        row = None if found is None else rows.one("run", "run", {"run": found[0]})
        key = None if row is None else row[3]
    else:
        latest = rows.one("run", "current_version", {"dag_id": dag_id})
        key = None if latest is None else latest[0]
    if key is None:
        return None
    before = reading.before
    if isinstance(before, SourceCard) and before.shown == stored(rows, key).card and _is_current(rows, before):
        return before
    return source_card(rows, reading.versions, str(dag_id), key)


def _is_current(rows: Rows, card: SourceCard) -> bool:
    latest = rows.one("run", "current_version", {"dag_id": card.dag_id})
    return latest is not None and latest[0] == card.current.id

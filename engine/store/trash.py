"""Deleted runs: taken out of their tables whole, kept for a week as one row each, and put back as they were."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from engine.model.moments import DAY, Micros
from engine.store.batch import Value

KEPT: Micros = 7 * DAY
_TABLES: tuple[tuple[str, str], ...] = (
    ("run", "id = :run"),
    ("run_config", "run = :run"),
    ("run_episode", "run = :run"),
    ("task_instance", "run = :run"),
    ("attempt", "task_instance IN (SELECT id FROM task_instance WHERE run = :run)"),
    ("task_result", "task_instance IN (SELECT id FROM task_instance WHERE run = :run)"),
    ("failure_resolved", "task_instance IN (SELECT id FROM task_instance WHERE run = :run)"),
    ("callback", "run = :run"),
)
"""What belongs to a run, in the order in which it can be put back."""


def take(connection: sqlite3.Connection, values: Mapping[str, Value]) -> None:
    """Moves a run that is over, with all that belongs to it, into the trash; what has been there too long goes."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for table, where in _TABLES:
        cursor = connection.execute(f"SELECT * FROM {table} WHERE {where}", {"run": values["run"]})
        names = [column[0] for column in cursor.description]
        rows[table] = [dict(zip(names, row, strict=True)) for row in cursor]
    run = rows["run"][0]
    connection.execute(
        "INSERT INTO trash (run, run_id, dag_id, version_id, run_type, state, logical_date, last_task, at, who, note,"
        " rows) VALUES (:run, :run_id, :dag_id, :version_id, :run_type, :state, :logical_date, :last_task, :at, :who,"
        " :note, :rows)",
        {
            **{name: run[name] for name in ("run_id", "dag_id", "version_id", "run_type", "state", "logical_date")},
            **values,
            "last_task": max((row["id"] for row in rows["task_instance"]), default=0),
            "rows": json.dumps(rows),
        },
    )
    connection.execute("DELETE FROM run WHERE id = :run AND state IN ('success', 'failed', 'cancelled')", dict(values))
    connection.execute("DELETE FROM trash WHERE at < ?", (int(values["at"] or 0) - KEPT,))


def put_back(connection: sqlite3.Connection, values: Mapping[str, Value]) -> None:
    """Puts a run back as it was. Columns that have come since must have a default."""
    found = connection.execute("SELECT rows FROM trash WHERE run = ?", (values["run"],)).fetchone()
    for table, _ in _TABLES:
        for row in json.loads(found[0]).get(table, ()):
            names = ", ".join(row)
            marks = ", ".join("?" * len(row))
            connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))
    connection.execute("DELETE FROM trash WHERE run = ?", (values["run"],))


STEPS: Mapping[str, Callable[[sqlite3.Connection, Mapping[str, Value]], None]] = {
    "trash.take": take,
    "trash.put_back": put_back,
}
"""What a batch may carry by name beside statements."""

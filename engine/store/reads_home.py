"""Reads about the home: the feed of changes, the audit, the engine's sessions, import errors, pools and holds."""

from __future__ import annotations

import json
from typing import Any

from engine.model.breaker import Breaker
from engine.model.dag import DEFAULT_POOL
from engine.model.states import DEFERRED_TASK
from engine.store.reader import Reader, Row
from engine.store.rows_out import (
    CommandLine,
    HoldLine,
    ImportErrorLine,
    MovedLine,
    PoolLine,
    SessionLine,
)

_END = 2**63 - 1

MOST_MOVED = 100_000
"""Steps of one command that are read."""


def commands(reader: Reader, before: int | None = None, count: int = 200) -> list[CommandLine]:
    """The audit, newest first, going on before the number `before`."""
    values = {"number": _END if before is None else before, "count": count}
    return [_command(row) for row in reader.all("home", "commands", values)]


def command(reader: Reader, command_id: str) -> CommandLine | None:
    """One line of the audit, by the id that the client gave it."""
    row = reader.one("home", "command", {"id": command_id})
    return _command(row) if row else None


def moved_by(reader: Reader, found: CommandLine) -> list[MovedLine]:
    """What a command changed, in order, as far as the feed still has it."""
    values = {"low": found.applied_seq - MOST_MOVED, "high": found.applied_seq, "command": found.id}
    rows = reader.all("home", "moved_by", {**values, "count": MOST_MOVED})
    return [MovedLine._make(row) for row in rows]


def sessions(reader: Reader, count: int = 20) -> list[SessionLine]:
    """The engine's lives, the latest first."""
    return [SessionLine._make(row) for row in reader.all("home", "sessions", {"count": count})]


def import_errors(reader: Reader, count: int = 500) -> list[ImportErrorLine]:
    """DAG files that do not load, the latest first."""
    return [ImportErrorLine._make(row) for row in reader.all("home", "import_errors", {"count": count})]


def pools(reader: Reader) -> list[PoolLine]:
    """All pools with their use."""
    with reader.snapshot():
        rows = reader.all("home", "pools")
        including = {row[0] for row in rows if row[3]}
        used: dict[str, int] = {}
        wanted: dict[str, int] = {}
        for version_id, task_id, state, count in reader.all("home", "alive_tasks"):
            pool, slots = _pools_of_version(reader, version_id).get(task_id, (DEFAULT_POOL, 1))
            if state in DEFERRED_TASK and pool not in including:
                continue
            side = wanted if state == "scheduled" else used
            side[pool] = side.get(pool, 0) + slots * count
        return [
            PoolLine(name, slots, description, used.get(name, 0), wanted.get(name, 0), bool(include))
            for name, slots, description, include in rows
        ]


def breakers(reader: Reader) -> list[Breaker]:
    """All circuit breakers that have ever been needed, by name."""
    return [Breaker(*(*row[:-1], json.loads(row[-1]))) for row in reader.all("home", "breakers")]


def holds(reader: Reader) -> list[HoldLine]:
    """Holds that have not been released, the oldest first."""
    return [HoldLine._make(row) for row in reader.all("home", "open_holds")]


def _pools_of_version(reader: Reader, version_id: int) -> dict[str, tuple[str, int]]:
    """Pool and slots of each task that is not on one slot of the default pool. A version never changes."""
    known = reader.remembered.get(version_id)
    if known is None:
        row = reader.one("run", "version", {"id": version_id})
        tasks: list[dict[str, Any]] = json.loads(row[5]).get("tasks", []) if row else []
        known = {
            task["task_id"]: (task.get("pool", DEFAULT_POOL), task.get("pool_slots", 1))
            for task in tasks
            if task.get("pool", DEFAULT_POOL) != DEFAULT_POOL or task.get("pool_slots", 1) != 1
        }
        reader.remembered[version_id] = known
    return known


def _command(row: Row) -> CommandLine:
    args, selector, claimed, result = (json.loads(row[at]) if row[at] else None for at in (3, 4, 9, 15))
    return CommandLine._make((*row[:3], args, selector, *row[5:9], claimed, *row[10:15], result, row[16]))

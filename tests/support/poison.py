"""A store in which every column that takes text holds an attack: found by its schema, so that none is forgotten."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from tests.support.attacks import EVIL, SURROGATES
from tests.support.console_store import NOW

CODES = {
    "meta": {"key", "value"},
    "engine_session": {"boot_id"},
    "dag": {"dag_id", "state", "timezone", "schedule"},
    "dag_version": {"dag_id", "bundle", "spec_hash", "commit_id"},
    "import_error": {"dag_id"},
    "schedule_state": {"dag_id", "spec_hash", "catchup"},
    "schedule_gap": {"dag_id", "why"},
    "run": {"run_id", "dag_id", "state", "run_type"},
    "backfill": {"dag_id", "state", "sort", "reprocess", "tasks"},
    "backfill_item": {"state"},
    "task_instance": {"dag_id", "task_id", "state", "current_attempt", "then_state"},
    "attempt": {"id", "state", "outcome", "boot_id"},
    "task_result": {"attempt"},
    "callback": {"id", "attempt", "state", "outcome", "boot_id"},
    "event": {"kind", "dag_id", "attempt", "from_state", "to_state", "command"},
    "command": {"id", "verb", "outcome", "chain", "client"},
    "failure_claim": {"signature"},
    "recovery": {"state", "command", "dags", "backfills"},
    "recovery_item": {"run_id", "tasks", "state"},
    "trash": {"run_id", "dag_id", "run_type", "state", "rows"},
    "undo": {"command", "former"},
    "breaker": {"state", "probe"},
    "hold": {"scope"},
    "answer": {"command"},
}
"""By table, the columns of ids and codes, which the engine holds to letters or makes itself."""
NEWER = "1" * 16
"""The bundle of a second version."""
_KEPT = frozenset({
    "dag_id", "task_id", "file", "kind", "upstream", "inputs", "trigger_rule", "pool", "role", "setups", "expression",
    "timezone", "start_date", "end_date", "catchup", "on_missed", "overlap", "outcome", "on_broken", "on_lost", "then",
    "decides", "type", "run_ids", "task_ids", "dag_ids", "map_indexes",
})  # fmt: skip
"""Names of the same inside JSON."""


def poisoned(value: Any, name: str = "") -> Any:
    """A JSON value in which every text is an attack but those that are codes; empty lists and objects hold one."""
    if isinstance(value, str):
        return value if name in _KEPT else EVIL
    if isinstance(value, list):
        return [poisoned(item, name) for item in value]
    if isinstance(value, dict):
        return {key: poisoned(item, key) for key, item in value.items()}
    return value


def poison(database: Path) -> set[str]:
    """Puts attacks wherever a text may stand, into at least one row of each table; gives the names of the columns."""
    code = database.parent / "versions" / NEWER / "trades_us.py"
    code.parent.mkdir(parents=True, exist_ok=True)
    code.write_text(f"# {EVIL}\n", "utf-8")
    store = sqlite3.connect(database, isolation_level=None)
    found: set[str] = set()
    try:
        store.execute("PRAGMA foreign_keys = OFF")
        triggers = store.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            store.execute(f"DROP TRIGGER {name}")
        _situations(store)
        for (table,) in store.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_%'"
            " ESCAPE '\\'"
        ).fetchall():
            found |= _poison(store, table)
        for _, sql in triggers:
            store.execute(sql)
    finally:
        store.close()
    return found


def _situations(store: sqlite3.Connection) -> None:
    """What the views have more to say about: params, a question that waits, a group, retries, a DAG that is broken."""
    for version, spec in store.execute("SELECT id, spec FROM dag_version").fetchall():
        found = json.loads(spec)
        param = {"default": "x", "required": False, "schema": {"enum": ["x"]}, "description": "x"}
        found |= {"params": {"x": param, EVIL: param}, "env": {"x": "x"}, "runbook": "x"}
        found["tasks"][0] |= {"group": "x", "env": {"x": "x"}}
        asked = {"message": "x", "options": ["x", "y"], "rejects": ["y"], "params": {EVIL: param}, "default": "x"}
        found["tasks"][-1] |= {"kind": "approval", "approval": {"skips": False, "timeout": 60.0, **asked}}
        store.execute("UPDATE dag_version SET spec = ? WHERE id = ?", [json.dumps(found), version])
    columns = [row[1] for row in store.execute("PRAGMA table_info(dag_version)")]
    instead = {"id": "99", "number": "2", "bundle": f"'{NEWER}'"}
    store.execute(
        f"INSERT INTO dag_version SELECT {', '.join(instead.get(name, name) for name in columns)} FROM dag_version"
        " WHERE dag_id = 'trades_us' LIMIT 1"
    )
    store.execute("UPDATE dag SET current_version = 99 WHERE dag_id = 'trades_us'")
    newest = "(SELECT max(id) FROM run)"
    store.execute(
        "UPDATE task_instance SET state = 'awaiting_input', blockers = '[]', started_at = ?, scheduled_at = ?"
        f" WHERE task_id = 'report' AND run = {newest}",
        [NOW, NOW],
    )
    store.execute(f"UPDATE run SET state = 'running', ended_at = NULL WHERE id = {newest}")
    store.execute("UPDATE dag SET broken_since = ? WHERE dag_id = 'fx_daily'", [NOW])


def _poison(store: sqlite3.Connection, table: str) -> set[str]:
    columns = [(row[1], row[2], row[3], row[5]) for row in store.execute(f"PRAGMA table_info({table})")]
    if store.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 0:
        given = _ROWS.get(table, {})
        row = {name: given.get(name, _plain(name, kind)) for name, kind, _, _ in columns}
        marks = ", ".join("?" * len(row))
        store.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))
    keys = [name for name, _, _, key in columns if key]
    poisonable = [name for name, kind, _, _ in columns if kind == "TEXT" and name not in CODES.get(table, ())]
    for name in poisonable:
        rows = store.execute(f"SELECT {', '.join(keys)}, {name} FROM {table}").fetchall()
        for number, (*key, old) in enumerate(rows):
            new = _new(name, old) if name not in keys else f"{EVIL}{number}"
            where = " AND ".join(f"{each} IS ?" for each in keys)
            store.execute(f"UPDATE {table} SET {name} = ? WHERE {where}", [new, *key])
            if name in keys:
                break
    return {f"{table}.{name}" for name in poisonable}


def _new(name: str, old: str | None) -> str:
    """An attack in the form that the column has: JSON where it holds JSON."""
    try:
        value = None if old is None else json.loads(old)
    except ValueError:
        value = None
    if name in ("tags", "blockers", "failed_keys", "decision", "victims"):
        return json.dumps([f"{EVIL}{SURROGATES}", "x" * 10_000])
    if name in ("params", "args", "claimed", "config", "result", "report"):
        return json.dumps({EVIL: f"{EVIL}{SURROGATES}", **poisoned(value or {})})
    if isinstance(value, dict | list):
        return json.dumps(poisoned(value))  # no lone surrogates: what is read by types refuses them where it is stored
    return EVIL


def _plain(name: str, kind: str) -> object:
    if kind == "TEXT":
        return "x"
    return NOW if name.endswith(("_at", "since", "until", "first", "start", "stop", "date", "_end")) else 1


_ROWS: dict[str, dict[str, object]] = {
    "recovery_report": {"report": '{"interrupted": ["x"]}', "acknowledged_at": None, "acknowledged_by": None},
    "schedule_gap": {
        "dag_id": "trades_us", "first": NOW - 9 * 3_600_000_000, "until": NOW - 8 * 3_600_000_000, "count": 3,
        "why": "missed",
    },
    "run_config": {"config": "{}"},
    "backfill": {
        "dag_id": "trades_us", "state": "running", "sort": "oldest", "reprocess": "none", "params": "{}", "tasks": "[]",
        "ended_at": None, "max_slots": None, "stop_after": None,
    },
    "backfill_item": {"backfill": 1, "state": "pending", "run": None},
    "task_result": {"value": '{"a": "b"}', "in_file": 0},
    "answer": {"params": "{}"},
    "callback": {"state": "ended", "outcome": "failed"},
    "command": {
        "verb": "clear", "args": "{}", "claimed": "{}", "result": "{}", "outcome": "done", "client": "cli",
        "selector": '{"dag_ids": ["trades_us"]}',
    },
    "recovery": {"state": "running", "dags": "[]", "backfills": "[]", "ended_at": None},
    "recovery_item": {"run_id": "trades_us@x", "tasks": "[]", "state": "pending"},
    "trash": {"dag_id": "trades_us", "run_id": "trades_us@x", "state": "failed", "run_type": "manual", "rows": "{}"},
    "undo": {"former": "{}"},
    "breaker": {"state": "open", "until": None, "victims": "[]"},
    "hold": {"scope": "all", "until": None, "released_at": None, "released_by": None},
}  # fmt: skip

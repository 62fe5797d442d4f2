"""The newest commands of the audit, newest first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from console.model.audit import Audit, AuditCard
from console.model.reading import one_line, safe
from engine.store import reads_home
from engine.store.reader import Reader

if TYPE_CHECKING:
    from console.backends.pages import Reading
    from engine.store.rows_out import CommandLine

_MOST = 500
_LONGEST = 600
_NAMES = ("id", "pool", "breaker", "cause", "hold", "command", "pattern", "scope")


def read(reading: Reading) -> Audit:
    """For (): everything that is listed."""
    return Audit(tuple(map(_card, reads_home.commands(cast(Reader, reading.rows), count=_MOST))))


def _card(row: CommandLine) -> AuditCard:
    dag_id, run_id, task = _about(row)
    return AuditCard(
        row.number, row.id, row.received_at, safe(row.user), safe(row.client), safe(row.verb), safe(row.outcome),
        one_line(row.message), None if row.note is None else one_line(row.note), dag_id, run_id, task, _details(row),
        None if dag_id else _limit(row),
    )  # fmt: skip


def _details(row: CommandLine) -> tuple[tuple[str, str], ...]:
    claimed = dict(row.claimed)
    known = {
        "host": claimed.pop("host", ""),
        "terminal": claimed.pop("terminal", "none"),
        "account": f"uid {row.uid}" + ("" if row.login_uid is None else f", login uid {row.login_uid}"),
        "it says": ", ".join(f"{name}={value}" for name, value in claimed.items()),
        "about": _json(row.selector),
        "asked with": _json({name: value for name, value in row.args.items() if value not in (None, False)}),
        "result": _json(row.result),
        "seen": "" if row.seen_seq is None else f"the picture at event {row.seen_seq}",
        "event": str(row.applied_seq),
    }
    return tuple((name, one_line(value)) for name, value in known.items() if value and value != "{}")


def _json(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _about(row: CommandLine) -> tuple[str | None, str | None, str | None]:
    """The first DAG, run and task that it names; the run that it made, where it made one."""
    selector = row.selector if isinstance(row.selector, dict) else {}
    dag_id, run_id, task = (_first(selector.get(name)) for name in ("dag_ids", "run_ids", "task_ids"))
    made = row.result.get("run_id")
    if run_id is None and isinstance(made, str):
        run_id = safe(made)
    if dag_id is None and run_id is not None:
        dag_id = run_id.partition("@")[0] or None
    return dag_id, run_id, None if task is None else task.rpartition("/")[2]


def _limit(row: CommandLine) -> str | None:
    """What else the arguments name: the number of a backfill, a pool, a breaker, a cause."""
    named = next(
        (row.args[name] for name in _NAMES if isinstance(row.args.get(name), str | int) and row.args[name] != ""), None
    )
    return None if named is None else safe(str(named))


def _first(names: object) -> str | None:
    return safe(names[0]) if isinstance(names, list) and names else None

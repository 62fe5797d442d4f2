"""The newest commands of the audit, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from console.model.audit import Audit, AuditCard
from console.model.reading import one_line, safe
from engine.store import reads_home
from engine.store.reader import Reader

if TYPE_CHECKING:
    from console.backends.pages import Reading
    from engine.store.rows_out import CommandLine

_MOST = 500


def read(reading: Reading) -> Audit:
    """For (): everything that is listed."""
    return Audit(tuple(map(_card, reads_home.commands(cast(Reader, reading.rows), count=_MOST))))


def _card(row: CommandLine) -> AuditCard:
    dag_id, run_id, task = _about(row)
    return AuditCard(
        row.number, row.id, row.received_at, safe(row.user), safe(row.client), safe(row.verb), safe(row.outcome),
        one_line(row.message), None if row.note is None else one_line(row.note), dag_id, run_id, task,
    )  # fmt: skip


def _about(row: CommandLine) -> tuple[str | None, str | None, str | None]:
    """The first DAG, run and task that it names; the run that it made, where it made one."""
    selector = row.selector if isinstance(row.selector, dict) else {}
    dag_id, run_id, task = (_first(selector.get(name)) for name in ("dag_ids", "run_ids", "task_ids"))
    made = row.result.get("run_id")
    if run_id is None and isinstance(made, str):
        run_id = safe(made)
    if dag_id is None and run_id is not None:
        dag_id = run_id.partition("@")[0] or None
    return dag_id, run_id, task


def _first(names: object) -> str | None:
    return safe(names[0]) if isinstance(names, list) and names else None

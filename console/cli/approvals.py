"""`dagdeck approvals` and `dagdeck answer`: what waits for a person, and the person's answer."""

from __future__ import annotations

import time
from typing import Any

import click

from console.cli import names
from console.cli.changes import run_and_tasks
from console.cli.changing import change, report
from console.cli.link import select
from console.cli.options import Asking, changing, param_option, reading
from console.cli.output import Column, emit_json, no_rows, table
from console.cli.reading import iso, open_store
from console.cli.session import Session, pass_session
from console.cli.trigger import parse_param
from console.figures import ago, countdown


@click.command()
@reading
@pass_session
def approvals(session: Session, as_json: bool) -> None:
    """List what waits for a person's answer, the oldest first."""
    # Imported on first use: listings of other things need no explanations.
    from console.cli.explaining import questions

    with open_store(session.home) as store, store.snapshot():
        found = questions(store)
    if as_json:
        emit_json([_json(row) for row in found])
        return
    now = time.time_ns() // 1000
    columns = [
        Column("run"),
        Column("task"),
        Column("for", right=True),
        Column("options"),
        Column("default"),
        Column("asks"),
    ]
    rows = []
    for row in found:
        default = f"{row.default or 'fails'} in {countdown(row.due, now)}" if row.due is not None else ""
        rows.append((row.run_id, row.name, ago(row.asked_at, now), ", ".join(row.options), default, row.message))
    table(columns, rows)
    if not found:
        no_rows("nothing waits for a person")


def _json(row: Any) -> dict[str, Any]:
    return {
        "run_id": row.run_id,
        "dag_id": row.dag_id,
        "task_id": row.task_id,
        "map_index": row.map_index,
        "message": row.message,
        "options": list(row.options),
        "params": row.params,
        "asked_at": iso(row.asked_at),
        "due_at": iso(row.due),
        "default": row.default,
    }


@click.command()
@click.argument("run", shell_complete=names.runs)
@click.argument("task", shell_complete=names.approvals)
@click.argument("option", shell_complete=names.options)
@param_option("A value of the approval's form.")
@changing
@pass_session
def answer(session: Session, run: str, task: str, option: str, params: tuple[str, ...], asking: Asking) -> None:
    """Answer the approval TASK of RUN with OPTION. Of two answers the first one counts, and the other is told so."""
    run_id, tasks = run_and_tasks(session.home, run, (task,))
    args = {"option": option, "param_texts": dict(parse_param(text) for text in params)}
    report(change(session, "answer", select(runs=(run_id,), tasks=tasks), args, asking), asking)

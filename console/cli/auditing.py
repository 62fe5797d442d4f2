"""`dagdeck audit`: who asked for what, and what came of it."""

from __future__ import annotations

from typing import Any

import click

from console.cli.errors import NotFound
from console.cli.options import reading
from console.cli.output import Column, clean, emit_json, no_rows, say, table
from console.cli.reading import Reader, open_store, reads_home
from console.cli.session import Session, pass_session
from console.cli.shapes import command_json
from engine.model.ids import instance_name
from engine.model.moments import to_iso


@click.command()
@click.argument("number", type=click.IntRange(1), required=False)
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Commands to list at most.")
@reading
@pass_session
def audit(session: Session, number: int | None, limit: int, as_json: bool) -> None:
    """Who asked for what, newest first, and what came of it; of the command NUMBER all that is known."""
    with open_store(session.home) as store:
        if number is not None:
            _one(store, number, as_json)
            return
        found = reads_home.commands(store, count=limit)
    if as_json:
        emit_json([command_json(row) for row in found])
        return
    columns = [
        Column("number", right=True), Column("when"), Column("who"), Column("verb"), Column("outcome"), Column("what"),
        Column("note"),
    ]  # fmt: skip
    table(
        columns,
        [
            (row.number, to_iso(row.received_at), row.user, row.verb, row.outcome, row.message, row.note)
            for row in found
        ],
    )
    if not found:
        no_rows("no command yet")


def _one(store: Reader, number: int, as_json: bool) -> None:
    row = next(iter(reads_home.commands(store, before=number + 1, count=1)), None)
    if row is None or row.number != number:
        raise NotFound(f"the audit has no command {number}")
    whole = command_json(row)
    moved = [
        {
            "kind": each.kind,
            "dag_id": each.dag_id,
            "run_id": each.run_id,
            "task_id": each.task_id,
            "map_index": each.map_index,
            "before": each.before,
            "after": each.after,
            "reason": each.reason,
            "detail": each.detail,
        }
        for each in reads_home.moved_by(store, row)
    ]
    if as_json:
        emit_json({**whole, "changes": moved})
        return
    for name, value in whole.items():
        if value not in (None, {}, ""):
            say(f"{name:<12} {clean(_words(value))}")
    rows = [
        (_name(each), each["before"], each["after"], each["reason"] or "", each["detail"] or "")
        for each in moved
        if each["before"] != each["after"]
    ]
    columns = [Column("what"), Column("before", state=True), Column("after", state=True), Column("reason"), Column("")]
    if rows:
        say("")
        table(columns, rows)


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}={_words(each)}" for name, each in value.items() if each not in (None, False, ""))
    return ", ".join(map(_words, value)) if isinstance(value, list) else str(value)


def _name(each: dict[str, Any]) -> str:
    if each["task_id"] is not None:
        return f"{each['run_id']} {instance_name(each['task_id'], each['map_index'])}"
    return str(each["run_id"] or each["dag_id"] or each["kind"])

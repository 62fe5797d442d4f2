"""`dagdeck stats` and `audit`: figures and records of a home."""

from __future__ import annotations

import time
from typing import Any

import click

from console.cli.options import reading
from console.cli.output import Column, emit_json, no_rows, say, table
from console.cli.reading import (
    Reader,
    Usual,
    find_dag,
    open_store,
    reads_home,
    reads_overview,
    reads_run,
    seconds,
    spec_of,
)
from console.cli.session import Session, pass_session
from console.cli.shapes import command_json
from console.figures import duration, percent
from engine.model.moments import to_iso


@click.command()
@click.argument("dag", required=False)
@reading
@pass_session
def stats(session: Session, dag: str | None, as_json: bool) -> None:
    """How long runs take, and how many succeed: of all DAGs, or of DAG and its tasks.

    Percentiles are of the last 100 successes within 30 days, success rates of the last 7 days.
    """
    with open_store(session.home) as store, store.snapshot():
        names = [row.dag_id for row in reads_overview.dags(store)] if dag is None else [find_dag(store, dag).dag_id]
        runs = _run_stats(store, names)
        tasks = _task_stats(store, dag) if dag is not None else []
    if as_json:
        emit_json(runs if dag is None else {**runs[0], "tasks": tasks})
        return
    columns = [
        Column("dag"),
        Column("succeeded", right=True),
        Column("failed", right=True),
        Column("ok 7d", right=True),
        Column("p50", right=True),
        Column("p95", right=True),
    ]
    table(columns, [_run_row(row) for row in runs])
    if tasks:
        say()
        columns = [Column("task"), Column("samples", right=True), Column("p50", right=True), Column("p95", right=True)]
        table(columns, [(row["task_id"], row["samples"], _time(row["p50"]), _time(row["p95"])) for row in tasks])


def _run_stats(store: Reader, dag_ids: list[str]) -> list[dict[str, Any]]:
    found = reads_overview.dag_stats(store, dag_ids, time.time_ns() // 1000)
    rows = []
    for dag_id in dag_ids:
        known = found[dag_id]
        total = known.succeeded + known.failed
        rows.append(
            {
                "dag_id": dag_id,
                "succeeded": known.succeeded,
                "failed": known.failed,
                "success_rate": known.succeeded / total if total else None,
                **_usual(known.usual),
            }
        )
    return rows


def _task_stats(store: Reader, dag_id: str) -> list[dict[str, Any]]:
    version = find_dag(store, dag_id).version_id
    if version is None:
        return []
    names = [task.task_id for task in spec_of(store, version).tasks]
    found = reads_run.task_stats(store, dag_id, names, time.time_ns() // 1000)
    return [{"dag_id": dag_id, "task_id": name, **_usual(found[name])} for name in names]


def _usual(usual: Usual) -> dict[str, Any]:
    return {"p50": seconds(usual.p50), "p95": seconds(usual.p95), "samples": usual.samples}


def _run_row(row: dict[str, Any]) -> tuple[object, ...]:
    rate = percent(row["succeeded"], row["succeeded"] + row["failed"])
    return (row["dag_id"], row["succeeded"], row["failed"], rate, _time(row["p50"]), _time(row["p95"]))


def _time(value: float | None) -> str:
    return "" if value is None else duration(round(value * 1_000_000))


@click.command()
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Commands to list at most.")
@reading
@pass_session
def audit(session: Session, limit: int, as_json: bool) -> None:
    """Who asked for what, newest first, and what came of it."""
    with open_store(session.home) as store:
        found = reads_home.commands(store, count=limit)
    if as_json:
        emit_json([command_json(row) for row in found])
        return
    columns = [Column("when"), Column("who"), Column("verb"), Column("outcome"), Column("what"), Column("note")]
    table(
        columns,
        [(to_iso(row.received_at), row.user, row.verb, row.outcome, row.message, row.note) for row in found],
    )
    if not found:
        no_rows("no command yet")

"""`dagdeck stats`: figures of a home."""

from __future__ import annotations

import time
from typing import Any

import click

from console.cli import names
from console.cli.options import reading
from console.cli.output import Column, emit_json, say, table
from console.cli.reading import (
    Reader,
    Usual,
    find_dag,
    open_store,
    reads_overview,
    reads_run,
    seconds,
    spec_of,
)
from console.cli.session import Session, pass_session
from console.figures import percent, took
from console.model.durations import Series, slowest_first, task_series
from console.model.figures import FASTER, SLOWER


@click.command()
@click.argument("dag", required=False, shell_complete=names.dags)
@reading
@pass_session
def stats(session: Session, dag: str | None, as_json: bool) -> None:
    """How long runs take, and how many succeed: of all DAGs, or of DAG and its tasks.

    Percentiles are of the last 100 successes within 30 days, without backfills, and need five; success rates are of the
    last 7 days. Tasks come slowest first; what they wait is the time for a slot.
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
        *(Column(name, right=True) for name in ("n", "p50", "p95", "p99")),
    ]
    table(columns, [_run_row(row) for row in runs])
    if tasks:
        say()
        figures = ("n", "p50", "p95", "p99", "waits p50", "waits p95")
        columns = [Column("task"), *(Column(name, right=True) for name in figures), Column("trend")]
        table(columns, [_task_row(row) for row in tasks])


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
    told = reads_run.task_times(store, dag_id, names, time.time_ns() // 1000)
    series = slowest_first(task_series(name, told[name]) for name in names)
    return [_task_json(dag_id, each) for each in series]


def _task_json(dag_id: str, series: Series) -> dict[str, Any]:
    p50, p95, p99 = (seconds(series.at(share)) for share in (0.5, 0.95, 0.99))
    waits = {"queue_p50": seconds(series.waited(0.5)), "queue_p95": seconds(series.waited(0.95))}
    known = {"p50": p50, "p95": p95, "p99": p99, "samples": len(series.took), **waits, "trend": series.trend}
    return {"dag_id": dag_id, "task_id": series.name, **known}


def _usual(usual: Usual) -> dict[str, Any]:
    return {"p50": seconds(usual.p50), "p95": seconds(usual.p95), "p99": seconds(usual.p99), "samples": usual.samples}


def _task_row(row: dict[str, Any]) -> tuple[object, ...]:
    ratio = row["trend"]
    trend = "" if ratio is None else f"{ratio:.1f}× of late" if ratio > SLOWER or ratio < FASTER else "steady"
    times = (_time(row[name]) for name in ("p50", "p95", "p99", "queue_p50", "queue_p95"))
    return (row["task_id"], row["samples"], *times, trend)


def _run_row(row: dict[str, Any]) -> tuple[object, ...]:
    times = (_time(row[name]) for name in ("p50", "p95", "p99"))
    rate = percent(row["succeeded"], row["succeeded"] + row["failed"])
    return (row["dag_id"], row["succeeded"], row["failed"], rate, row["samples"], *times)


def _time(value: float | None) -> str:
    return "–" if value is None else took(round(value * 1_000_000))

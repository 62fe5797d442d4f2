"""`dagdeck backfill …`: create, list, show, pause, resume, cancel, retry."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import Any

import click

from console.cli import names
from console.cli.changing import change, report
from console.cli.errors import CliError, Exit
from console.cli.link import select
from console.cli.options import Asking, changing, param_option, reading
from console.cli.output import Column, emit_json, facts, no_rows, say, table
from console.cli.reading import (
    Reader,
    find_dag,
    iso,
    open_store,
    reads_backfill,
    reads_overview,
    reads_schedule,
    seconds,
)
from console.cli.session import Session, pass_session
from console.cli.standing import mention_idleness
from console.cli.trigger import expect_dag, parse_param
from console.figures import ago, duration
from engine.model.backfill import time_left
from engine.model.moments import Micros, to_iso, to_local

BackfillLine = reads_backfill.BackfillLine


@click.group()
def backfill() -> None:
    """Backfills: create, list, show, pause, resume, cancel, retry."""


@backfill.command()
@click.argument("dag", shell_complete=names.dags)
@click.option("--from", "start", metavar="A", help="First date: 2026-01-01, -90d, yesterday; in the DAG's zone.")
@click.option("--to", "end", metavar="B", help="Last date, the whole of it; else now.")
@click.option("--range", "span", metavar="A..B", help="Both at once: -90d..yesterday.")
@click.option("--gaps", is_flag=True, help="The dates that were left out, as `dagdeck dags gaps` lists them.")
@click.option(
    "--order",
    type=click.Choice(["oldest", "newest"]),
    default="oldest",
    show_default=True,
    help="Which dates come first.",
)
@click.option("--max-active", type=click.IntRange(1, 10_000), help="Runs at a time; 1: one after the other.")
@click.option("--reprocess", type=click.Choice(["none", "failed", "completed"]), help="Runs to run again; else none.")
@param_option("A parameter of new runs.")
@click.option("--stop-after", type=click.IntRange(1), metavar="N", help="Stop after so many failed runs.")
@click.option("--task", "tasks", multiple=True, metavar="T", help="Only this task, of runs that are there.")
@click.option("--downstream", is_flag=True, help="With --task: and everything below it.")
@click.option("--max-slots", type=click.IntRange(1), metavar="N", help="Tasks at a time; else half of each pool.")
@click.option("--not-during", metavar="TIME", help='Start nothing at this time: "05:30-08:00 Europe/Berlin".')
@changing
@pass_session
def create(session: Session, /, dag: str, gaps: bool, params: tuple[str, ...], asking: Asking, **given: Any) -> None:
    """Run a range of dates of DAG, or run it again. --dry-run lists each date and what would become of it."""
    args = {name: value for name, value in given.items() if value not in (None, (), False) and name != "span"}
    with open_store(session.home) as store:
        expect_dag(session.home, store, dag)
        args |= _range(store, dag, given["start"], given["end"], given["span"], gaps)
    args["param_texts"] = dict(parse_param(text) for text in params)
    if "tasks" in args:
        args["tasks"] = list(args["tasks"])
    report(change(session, "backfill_create", select(dags=(dag,)), args, asking), asking)


def _range(
    store: Reader, dag: str, start: str | None, end: str | None, span: str | None, gaps: bool
) -> dict[str, str | None]:
    """The range as the engine takes it. Raises CliError unless it is said in exactly one way."""
    if sum((start is not None or end is not None, span is not None, gaps)) != 1 or (end and not start):
        raise CliError("say the range by --from and --to, by --range A..B, or by --gaps", Exit.USAGE)
    if not gaps:
        return {"start": span or start, "end": end}
    found = [row for row in reads_schedule.gaps(store, dag) if row.runs]
    if not found:
        raise CliError(f"{dag} has no gaps", Exit.REFUSED)
    last = max(row.until for row in found) - 1
    return {"start": to_iso(min(row.first for row in found)), "end": to_iso(last)}


@backfill.command("list")
@click.argument("dag", required=False, shell_complete=names.dags)
@reading
@pass_session
def list_backfills(session: Session, dag: str | None, as_json: bool) -> None:
    """List backfills, newest first, of DAG or of all."""
    now = time.time_ns() // 1000
    with open_store(session.home) as store, store.snapshot():
        rows = reads_backfill.backfills(store, find_dag(store, dag).dag_id if dag else None)
        found = [_json(store, row, now) for row in rows]
        zones = _zones(store)
        _mention_idleness(session, store, rows, now)
    if as_json:
        emit_json(found)
        return
    columns = [
        Column("number", right=True),
        Column("DAG"),
        Column("from"),
        Column("to"),
        Column("state", state=True),
        Column("done", right=True),
        Column("failed", right=True),
        Column("left", right=True),
        Column("about"),
    ]
    shown = [
        (
            row.id, row.dag_id, *_span(row, zones), _state(row), made["done"], made["failed"], made["left"],
            _about(made).removeprefix("about "),
        )
        for row, made in zip(rows, found, strict=True)
    ]  # fmt: skip
    table(columns, shown)
    if not rows:
        no_rows("no backfills")


@backfill.command()
@click.argument("number", type=int)
@reading
@pass_session
def show(session: Session, number: int, as_json: bool) -> None:
    """Show a backfill and each of its dates."""
    now = time.time_ns() // 1000
    with open_store(session.home) as store, store.snapshot():
        row = reads_backfill.backfill(store, number)
        about = _json(store, row, now)
        zones = _zones(store)
        _mention_idleness(session, store, [row], now)
        dates = reads_backfill.items(store, number, count=reads_backfill.MOST_ITEMS)
    if as_json:
        listed = [
            {
                "logical_date": iso(item.logical_date),
                "state": item.state,
                "reason": item.reason,
                "run_id": item.run_id,
                "run_state": item.run_state,
            }
            for item in dates
        ]
        emit_json({**about, "dates": listed})
        return
    first, last = _span(row, zones)
    zone = zones.get(row.dag_id, "UTC")
    names = ("order", "max_active", "reprocess", "stop_after", "note")
    left = f" ({known})" if (known := _about(about)) else ""
    facts(
        [
            ("number", row.id),
            ("DAG", row.dag_id),
            ("state", _state(row)),
            ("dates", f"{first} to {last} ({zone})"),
            *((name.replace("_", " "), about[name]) for name in names),
            ("params", ", ".join(f"{name}={json.dumps(value)}" for name, value in row.params.items()) or None),
            ("only", ", ".join(row.tasks) + (" and what is below" if row.downstream else "") if row.tasks else None),
            ("not during", row.not_during),
            ("max slots", row.max_slots),
            ("created", f"{ago(row.created_at, now)} ago by {row.created_by}"),
            ("progress", f"{about['done']} done, {about['failed']} failed, {about['left']} left{left}"),
        ]
    )
    say()
    columns = [Column("logical date"), Column("local"), Column("state", state=True), Column("reason"), Column("run")]
    table(
        columns,
        [
            (iso(item.logical_date), to_local(item.logical_date, zone), item.state, item.reason, item.run_id)
            for item in dates
        ],
    )


def _zones(store: Reader) -> dict[str, str]:
    return {dag.dag_id: dag.timezone for dag in reads_overview.dags(store)}


def _span(row: BackfillLine, zones: dict[str, str]) -> tuple[str, str]:
    """The first and the last date as somebody in the DAG's zone calls them."""
    zone = zones.get(row.dag_id, "UTC")
    return to_local(row.start, zone), to_local(row.stop, zone)


def _json(store: Reader, row: BackfillLine, now: int) -> dict[str, Any]:
    """A backfill under stable keys, with how far it is and how long what is left will take."""
    progress = reads_backfill.progress(store, [row.id])[row.id]
    times = reads_backfill.run_times(store, row, now)
    left = time_left(progress.left, row.max_active, times.p50, times.p95) if row.ended_at is None else None
    return {
        "number": row.id,
        **row._asdict(),
        "start": iso(row.start),
        "stop": iso(row.stop),
        "created_at": iso(row.created_at),
        "ended_at": iso(row.ended_at),
        **progress._asdict(),
        "done": row.total - progress.left - progress.cancelled,
        "left": progress.left,
        "left_p50": seconds(left[0]) if left else None,
        "left_p95": seconds(left[1]) if left else None,
    }


def _about(about: dict[str, Any]) -> str:
    if about["left_p50"] is None:
        return ""
    low, high = (duration(round(about[name] * 1_000_000), tenths=False) for name in ("left_p50", "left_p95"))
    return f"about {low}" if low == high else f"about {low} to {high}"


def _mention_idleness(session: Session, store: Reader, rows: Iterable[BackfillLine], now: Micros) -> None:
    mention_idleness(session.home, store, ("running" for row in rows if row.state in ("running", "stopping")), now)


def _state(row: BackfillLine) -> str:
    return row.state if row.waits_for is None else f"{row.state} ({row.waits_for})"


def _ask(session: Session, verb: str, number: int, asking: Asking, **args: Any) -> None:
    report(change(session, f"backfill_{verb}", select(), {"id": number, **args}, asking), asking)


@backfill.command()
@click.argument("number", type=int)
@changing
@pass_session
def pause(session: Session, number: int, asking: Asking) -> None:
    """Start nothing more of a backfill; what is under way goes on."""
    _ask(session, "pause", number, asking)


@backfill.command()
@click.argument("number", type=int)
@changing
@pass_session
def resume(session: Session, number: int, asking: Asking) -> None:
    """Go on with a backfill that was paused, or that failures have stopped."""
    _ask(session, "resume", number, asking)


@backfill.command()
@click.argument("number", type=int)
@click.option("--running", is_flag=True, help="Also its runs that are under way.")
@changing
@pass_session
def cancel(session: Session, number: int, running: bool, asking: Asking) -> None:
    """Drop what has not started of a backfill. Its runs go on, or with --running are cancelled."""
    _ask(session, "cancel", number, asking, running=running)


@backfill.command()
@click.argument("number", type=int)
@changing
@pass_session
def retry(session: Session, number: int, asking: Asking) -> None:
    """Run again what failed, or was cancelled, of a backfill."""
    _ask(session, "retry", number, asking)

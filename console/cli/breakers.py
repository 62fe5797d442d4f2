"""`dagdeck breakers`: circuit breakers, and opening and closing them by hand."""

from __future__ import annotations

import time
from typing import Any

import click

from console.cli import names
from console.cli.changing import change, report
from console.cli.link import select
from console.cli.options import Asking, Listing, changing, reading
from console.cli.output import Column, emit_json, no_rows, table
from console.cli.reading import iso, open_store, reads_home, seconds
from console.cli.session import Session, home_option, pass_session
from console.figures import countdown
from engine.model.breaker import Breaker
from engine.model.moments import Micros


@click.group(cls=Listing)
@home_option
def breakers() -> None:
    """Circuit breakers: how they stand; trip, hold, reset."""


@breakers.command("list")
@reading
@pass_session
def list_breakers(session: Session, as_json: bool) -> None:
    """List the breakers that have ever had a failure; `dagdeck breakers` alone does the same."""
    with open_store(session.home) as store:
        found = reads_home.breakers(store)
    if as_json:
        emit_json([_json(row) for row in found])
        return
    now = time.time_ns() // 1000
    columns = [Column("breaker"), Column("state"), Column("failures", right=True), Column("next"), Column("last error")]
    table(
        columns,
        [(row.name, row.state.replace("_", " "), row.failures, _next(row, now), row.last_error) for row in found],
    )
    if not found:
        no_rows("no breaker has had a failure")


def _json(row: Breaker) -> dict[str, Any]:
    return {
        "breaker": row.name,
        "state": row.state,
        "failures": row.failures,
        "cooldown": seconds(row.cooldown),
        "probe_at": iso(row.until),
        "held": row.is_held,
        "opened_at": iso(row.opened_at),
        "last_failure_at": iso(row.last_failure_at),
        "last_error": row.last_error,
        "dags": row.victims,
        "by": row.by,
        "note": row.note,
    }


def _next(row: Breaker, now: Micros) -> str:
    if row.is_held:
        by = f" by {row.by}" if row.by else ""
        return f"held open{by}" + (f": {row.note}" if row.note else "")
    if row.state == "half_open":
        return "its probe runs" if row.probe else "a probe goes out"
    return f"probe in {countdown(row.until, now)}" if row.until is not None else ""


@breakers.command()
@click.argument("breaker", shell_complete=names.breakers)
@click.option("--for", "duration", metavar="TIME", help="Let a probe out after so long, such as 30m; else it is held.")
@changing
@pass_session
def trip(session: Session, breaker: str, duration: str | None, asking: Asking) -> None:
    """Open BREAKER: nothing that uses it starts. What runs goes on."""
    args = {"breaker": breaker} | ({"for": duration} if duration is not None else {})
    report(change(session, "trip", select(), args, asking), asking)


@breakers.command()
@click.argument("breaker", shell_complete=names.breakers)
@changing
@pass_session
def hold(session: Session, breaker: str, asking: Asking) -> None:
    """Open BREAKER and hold it open until it is reset."""
    report(change(session, "trip", select(), {"breaker": breaker}, asking), asking)


@breakers.command()
@click.argument("breaker", shell_complete=names.breakers)
@changing
@pass_session
def reset(session: Session, breaker: str, asking: Asking) -> None:
    """Close BREAKER and forget its failures: what waits for it starts."""
    report(change(session, "reset", select(), {"breaker": breaker}, asking), asking)

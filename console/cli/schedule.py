"""`dagdeck schedule`: what a schedule means, before a DAG is written with it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

import click

from console.cli.errors import CliError, Exit
from console.cli.output import Column, emit_json, paint, say, table
from engine.model.moments import Micros, from_iso, to_datetime, to_iso

if TYPE_CHECKING:
    from engine.timetable import Slot

MOST = 1000


@click.command()
@click.argument("expression", metavar="EXPR")
@click.option("--timezone", default="UTC", show_default=True, metavar="ZONE", help="IANA zone of the expression.")
@click.option("--kind", type=click.Choice(["interval", "trigger"]), default="interval", show_default=True)
@click.option(
    "--from",
    "start",
    metavar="WHEN",
    help="First logical date; naive text is in the zone. Else the next run that is due.",
)
@click.option("--to", "end", metavar="WHEN", help="Last logical date.")
@click.option("--count", type=click.IntRange(1, MOST), default=10, show_default=True, help="Runs to list at most.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def schedule(
    expression: str,
    timezone: str,
    kind: Literal["interval", "trigger"],
    start: str | None,
    end: str | None,
    count: int,
    as_json: bool,
) -> None:
    """Say what a cron EXPR means: in words, and as the runs that it makes.

    A run of kind interval covers the time between two points and is due at the end of it; a run of kind trigger is
    due at its point.
    """
    # The arithmetic is imported on first use, for a listing should not pay for croniter.
    from engine.timetable import ScheduleError, compile_timetable, describe, slot_at, slots

    try:
        timetable = compile_timetable(expression, timezone, kind)
    except ScheduleError as error:
        raise CliError(str(error), Exit.USAGE) from error
    now = time.time_ns() // 1000
    # Without --from, the first run is the next one that is due: it may cover time that has passed already.
    first = _moment(start, timezone, "--from") if start is not None else slot_at(timetable, now).logical_date
    due = first if start is not None else now
    last = _moment(end, timezone, "--to") if end is not None else None
    if last is not None and last < first:
        raise CliError(f"--to {end} is before --from {start or 'now'}", Exit.USAGE)
    runs: list[Slot] = []
    for slot in slots(timetable, first - 1):
        if len(runs) == count or (last is not None and slot.logical_date > last):
            break
        if slot.run_after >= due:
            runs.append(slot)
    words = describe(timetable)
    if as_json:
        emit_json(
            {
                "expression": expression,
                "timezone": timezone,
                "kind": kind,
                "words": words,
                "runs": [_slot_json(slot, timezone) for slot in runs],
            }
        )
        return
    say(words)
    if runs:
        say()
        columns = [Column("logical date"), Column("local"), Column("interval end"), Column("due (local)")]
        table(columns, [_slot_row(slot, timezone) for slot in runs])
    else:
        say(paint("no run is due in that time", None, dim=True))


def _moment(text: str, zone: str, option: str) -> Micros:
    try:
        return from_iso(text, zone)
    except ValueError as error:
        raise CliError(f"{option} {text!r} is not a date or time such as 2026-11-22T01:00", Exit.USAGE) from error


def _local(moment: Micros, zone: str) -> str:
    return to_datetime(moment, zone).strftime("%a %Y-%m-%d %H:%M %Z")


def _slot_row(slot: Slot, zone: str) -> tuple[str, ...]:
    return (
        to_iso(slot.logical_date),
        _local(slot.logical_date, zone),
        to_iso(slot.interval_end),
        _local(slot.run_after, zone),
    )


def _slot_json(slot: Slot, zone: str) -> dict[str, str]:
    return {
        "logical_date": to_iso(slot.logical_date),
        "interval_start": to_iso(slot.interval_start),
        "interval_end": to_iso(slot.interval_end),
        "run_after": to_iso(slot.run_after),
        "local": to_datetime(slot.logical_date, zone).isoformat(),
    }

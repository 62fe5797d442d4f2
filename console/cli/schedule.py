"""`dagdeck schedule`: what a schedule means, before a DAG is written with it."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import islice, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from console.cli.errors import CliError, Exit
from console.cli.output import Column, emit_json, paint, say, table
from console.cli.session import Session, pass_session
from engine.model.date_lists import dates_in, is_file
from engine.model.moments import Micros, from_iso, to_datetime, to_iso

if TYPE_CHECKING:
    from engine.timetable import Slot, Timetable

MOST = 1000


@click.command()
@click.argument("expression", metavar="EXPR")
@click.option("--timezone", metavar="ZONE", help="IANA zone of the expression; else the home's, else UTC.")
@click.option("--kind", type=click.Choice(["interval", "trigger"]), help="Else interval; for single times trigger.")
@click.option("--start-date", metavar="WHEN", help="What `every …` is counted from; else --from, else today.")
@click.option(
    "--exclude", multiple=True, metavar="DATES", help="2026-12-25, 2026-12-24..2027-01-01 or 12-25; or a file of these."
)
@click.option("--day-and", is_flag=True, help="A date has to fit both day fields of a cron expression.")
@click.option(
    "--from",
    "start",
    metavar="WHEN",
    help="First logical date; naive text is in the zone. Else the next run that is due.",
)
@click.option("--to", "end", metavar="WHEN", help="Last logical date.")
@click.option("--count", type=click.IntRange(1, MOST), help="Runs to list at most: 10, or with --to 1000.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@pass_session
def schedule(
    session: Session,
    expression: str,
    timezone: str | None,
    kind: Literal["interval", "trigger"] | None,
    start_date: str | None,
    exclude: tuple[str, ...],
    day_and: bool,
    start: str | None,
    end: str | None,
    count: int | None,
    as_json: bool,
) -> None:
    """Say what EXPR means: in words, as points in time, and as the runs that it makes.

    EXPR is a cron expression or a name such as @daily, `every 15m` (elapsed time), `every month` (the calendar),
    `at 2026-11-22T06:00`, or several of these with `;` between them. A run of kind interval covers the time between
    two points and is due at the end of it; a run of kind trigger is due at its point.
    """
    # The arithmetic is imported on first use, for a listing should not pay for croniter.
    from engine.timetable import ScheduleError, compile_timetable, describe

    zone = timezone or session.zone
    now = time.time_ns() // 1000
    try:
        compile_timetable("@daily", zone)  # before any date is read in it
        anchor = start_date or start
        today = to_datetime(now, zone).replace(hour=0, minute=0, second=0, microsecond=0)
        anchored = _moment(anchor, zone, "--start-date" if start_date else "--from") if anchor else None
        if anchored is None and "every" in expression.lower():
            anchored = round(today.timestamp()) * 1_000_000
        left_out = tuple(date for text in exclude for date in _dates(text))
        table = compile_timetable(expression, zone, kind or "trigger", anchored, exclude=left_out, both_days=day_and)
        timetable = table if kind or table.is_finite else replace(table, kind="interval")
    except ScheduleError as error:
        raise CliError(str(error), Exit.USAGE) from error
    first = _moment(start, zone, "--from") if start is not None else None
    last = _moment(end, zone, "--to") if end is not None else None
    if last is not None and last < (now if first is None else first):
        raise CliError(f"--to {end} is before --from {start or 'now'}", Exit.USAGE)
    runs = _runs(timetable, first, last, now, count or (MOST if last is not None else 10))
    _print(describe(timetable), timetable, runs, as_json)


def _runs(timetable: Timetable, first: Micros | None, last: Micros | None, now: Micros, count: int) -> list[Slot]:
    """The runs from `first` to `last`; without a first one, from the next that is due: it may cover time past."""
    from engine.timetable import coming, slots

    found = coming(timetable, now) if first is None else slots(timetable, first - 1)
    return list(islice(takewhile(lambda slot: last is None or slot.logical_date <= last, found), count))


def _print(words: str, timetable: Timetable, runs: list[Slot], as_json: bool) -> None:
    zone = timetable.timezone
    if as_json:
        emit_json(
            {
                "expression": timetable.expression,
                "timezone": zone,
                "kind": timetable.kind,
                "words": words,
                "points": [_point_json(point, zone) for point in _points(runs)],
                "runs": [_slot_json(slot, zone) for slot in runs],
            }
        )
        return
    say(words)
    if runs:
        say()
        columns = [Column("logical date"), Column("local"), Column("interval end"), Column("due (local)")]
        table(columns, [_slot_row(slot, zone) for slot in runs])
    else:
        say(paint("no run is due in that time", None, dim=True))


def _points(runs: list[Slot]) -> list[Micros]:
    """The schedule's points among the runs: where intervals begin, and where the last one ends."""
    return sorted({point for slot in runs for point in (slot.interval_start, slot.interval_end)})


def _dates(text: str) -> list[str]:
    """A date as it was typed, or those of the file that it names."""
    if not is_file(text):
        return [text]
    try:
        return dates_in(Path(text).read_text("utf-8"), text)
    except (OSError, ValueError) as error:
        raise CliError(f"--exclude {text}: {error}", Exit.USAGE) from error


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


def _point_json(point: Micros, zone: str) -> dict[str, str]:
    return {"utc": to_iso(point), "local": to_datetime(point, zone).isoformat()}


def _slot_json(slot: Slot, zone: str) -> dict[str, str]:
    named = {
        "logical_date": slot.logical_date,
        "data_interval_start": slot.interval_start,
        "data_interval_end": slot.interval_end,
        "run_after": slot.run_after,
    }
    utc = {name: to_iso(moment) for name, moment in named.items()}
    return utc | {f"{name}_local": to_datetime(moment, zone).isoformat() for name, moment in named.items()}

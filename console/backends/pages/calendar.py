"""The dates of a DAG for a year: which have runs and how these went, which were left out, which never had one."""

from __future__ import annotations

from dataclasses import fields
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Literal

from console.backends.sources import stored
from console.model.backfills import GapCard
from console.model.calendar import Calendar, DateCell, begins, cell_of, months
from console.model.reading import safe
from engine.model.dag import ScheduleSpec
from engine.model.moments import DAY, HOUR, Micros

if TYPE_CHECKING:
    from console.backends.pages import Reading
    from engine.timetable import Timetable

MOST_RUNS = 20_000
_MOST_DATES = 20_000
"""A schedule with more dates than this in thirteen months is taken to have one in every cell."""
_MOST_GAPS = 200
_NAMES = frozenset(field.name for field in fields(ScheduleSpec))


def read(reading: Reading) -> Calendar:
    """For (DAG, years back): its calendar."""
    dag_id, back = str(reading.args[0]), int(str(reading.args[1]))
    before = reading.before if isinstance(reading.before, Calendar) else None
    if before is not None and reading.dirty is not None and dag_id not in reading.dirty.dag_ids:
        return before
    latest = reading.rows.one("run", "current_version", {"dag_id": dag_id})
    if latest is None:
        return Calendar(safe(dag_id))
    known = stored(reading.rows, latest[0]).spec.get("schedule", {})
    spec = ScheduleSpec(**{name: value for name, value in known.items() if name in _NAMES})
    table = _table(spec)
    if table is None:
        return Calendar(safe(dag_id), safe(spec.timezone))
    days = months(_newest(reading, dag_id, table), spec.timezone, back)
    begin, end = (begins(day, 1, spec.timezone) for day in days)
    dates, per_day = _dates(table, spec.timezone, begin, end, days)
    _begun(dates, table, spec.timezone, per_day, reading.now)
    values = {"dag_id": dag_id, "first": begin, "until": end, "count": MOST_RUNS}
    cells: dict[int, DateCell] = {}
    rows = reading.rows.all("schedule", "dates", values)
    for logical_date, state, run_id, started_at, ended_at in rows:
        took = None if started_at is None or ended_at is None else max(0, ended_at - started_at)
        cell, word = cell_of(logical_date, spec.timezone, per_day), safe(state)
        at = cells.get(cell)
        cells[cell] = (
            DateCell(word, 1, int(word == "failed"), safe(run_id), took)
            if at is None
            else at.with_run(word, safe(run_id), took)
        )
    gaps = reading.rows.all("schedule", "gaps", {"dag_id": dag_id, "count": _MOST_GAPS})
    unit: Literal["day", "hour"] = "hour" if per_day > 1 else "day"
    return Calendar(
        safe(dag_id), spec.timezone, unit, days[0] * per_day, days[1] * per_day, cells, dates,
        tuple(GapCard(safe(row[0]), row[1], row[2], row[3], safe(row[4])) for row in gaps),
        rows[-1][0] if len(rows) == MOST_RUNS else None,
    )  # fmt: skip


def _newest(reading: Reading, dag_id: str, table: Timetable) -> Micros:
    """Where the calendar ends: now, or for a schedule that is over its last date, or the last date with a run."""
    from engine.timetable import last_completed, next_point

    if next_point(table, reading.now) is not None and (table.end is None or table.end >= reading.now):
        return reading.now
    last = last_completed(table, reading.now)
    found = reading.rows.all("schedule", "dates", {"dag_id": dag_id, "first": 0, "until": reading.now, "count": 1})
    ends = [*(() if last is None else (last.logical_date,)), *(row[0] for row in found)]
    return max(ends, default=reading.now)


def _table(spec: ScheduleSpec) -> Timetable | None:
    # The arithmetic is imported with the first schedule that is looked at: a console's start should not pay for it.
    from engine.timetable import ScheduleError, timetable_of

    try:
        return timetable_of(spec)
    except (ScheduleError, ValueError):
        return None


def _dates(
    table: Timetable, zone: str, begin: Micros, end: Micros, days: tuple[int, int]
) -> tuple[dict[int, Micros], int]:
    """When the first run of each cell with a date is due, and the cells of a day: hours, where neighbouring dates are
    mostly less than half a day apart. Before the start date and after the end date there are no dates."""
    from engine.timetable import slots_between

    found = list(islice(slots_between(table, begin, end - 1), _MOST_DATES + 1))
    close = sum(later.logical_date - earlier.logical_date < DAY // 2 for earlier, later in pairwise(found))
    per_day = 24 if close > len(found) // 2 else 1
    if len(found) > _MOST_DATES:
        hours = ((cell, begin + number * HOUR) for number, cell in enumerate(range(days[0] * 24, days[1] * 24)))
        return {cell: due for cell, due in hours if _inside(table, due, HOUR - 1)}, 24
    dates: dict[int, Micros] = {}
    for slot in found:
        if not _inside(table, slot.logical_date):
            continue
        dates.setdefault(cell_of(slot.logical_date, zone, per_day), slot.run_after)
    return dates, per_day


def _begun(dates: dict[int, Micros], table: Timetable, zone: str, per_day: int, now: Micros) -> None:
    """When the first date is due of the cell that has begun, where only its begin is known: nothing is late before."""
    from engine.timetable import slots_between

    cell = cell_of(now, zone, per_day)
    if dates.get(cell) == begins(cell, per_day, zone):
        found = slots_between(table, begins(cell, per_day, zone), begins(cell + 1, per_day, zone) - 1)
        dates[cell] = next((slot.run_after for slot in found), dates[cell])


def _inside(table: Timetable, moment: Micros, room: Micros = 0) -> bool:
    """Whether the schedule has dates at a moment, or so long after it."""
    after_start = table.start is None or table.start <= moment + room
    return after_start and (table.end is None or moment <= table.end)

"""The timetable of a DAG version."""

from __future__ import annotations

from engine.model.dag import ScheduleSpec
from engine.model.moments import Micros, from_iso
from engine.timetable.timetable import Timetable, compile_timetable


def timetable_of(schedule: ScheduleSpec) -> Timetable | None:
    """The timetable of a schedule; None for a DAG that only people trigger. Raises ScheduleError, or ValueError for
    dates that are none.
    """
    if schedule.expression is None:
        return None
    return compile_timetable(
        schedule.expression,
        schedule.timezone,
        schedule.kind,
        _moment(schedule.start_date, schedule.timezone),
        _moment(schedule.end_date, schedule.timezone),
        exclude=tuple(schedule.exclude),
        both_days=schedule.day_and,
    )


def _moment(text: str | None, zone: str) -> Micros | None:
    return from_iso(text, zone) if text else None

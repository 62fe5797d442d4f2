"""Slots: what a timetable says of one scheduled run, and which data interval a date belongs to."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, takewhile

from engine.timetable.errors import ScheduleError
from engine.timetable.points import next_point, points_after, points_before, previous_point
from engine.timetable.timetable import Micros, Timetable


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """One place for a scheduled run: it covers [interval_start, interval_end) and is due at `run_after`.

    `logical_date` is always the start of the interval. All are integer microseconds UTC.
    """

    logical_date: Micros
    interval_start: Micros
    interval_end: Micros
    run_after: Micros


def slots(tt: Timetable, after: Micros | None = None) -> Iterator[Slot]:
    """The scheduled slots in order, from the start date to the end date, with a logical date later than `after`.

    Raises ScheduleError if neither the timetable's start nor `after` says where to begin.
    """
    if after is None and tt.start is None:
        raise ScheduleError("this schedule has no start date, so its slots have no first one; give a start date")
    bounds = [] if after is None else [after + 1]
    if tt.start is not None:
        bounds.append(tt.start)
    for slot in _unlimited(tt, max(bounds)):
        if tt.end is not None and slot.logical_date > tt.end:
            return
        yield slot


def coming(tt: Timetable, now: Micros) -> Iterator[Slot]:
    """The scheduled slots that are not due yet, from the start date to the end date. The first may have begun."""
    begin = previous_point(tt, now)
    return (slot for slot in slots(tt, (now if begin is None else begin) - 1) if slot.run_after >= now)


def slots_between(tt: Timetable, low: Micros, high: Micros) -> Iterator[Slot]:
    """The slots with logical dates in [low, high], ascending, not limited by start and end."""
    return takewhile(lambda slot: slot.logical_date <= high, _unlimited(tt, low))


def slots_before(tt: Timetable, before: Micros) -> Iterator[Slot]:
    """The slots with a logical date before `before`, descending, not limited by start and end."""
    following = next_point(tt, before - 1)
    for point in points_before(tt, before):
        if tt.kind == "trigger":
            yield _slot(point, point)
        elif following is not None:
            yield _slot(point, following)
        following = point


def slot_at(tt: Timetable, logical_date: Micros) -> Slot:
    """The slot that a date belongs to: the date is moved back to the schedule point at or before it.

    Not limited by start and end. Raises ScheduleError if there is none, as before the first of single times.
    """
    point = previous_point(tt, logical_date)
    following = None if point is None else point if tt.kind == "trigger" else next_point(tt, point)
    if point is None or following is None:
        raise ScheduleError(
            "no interval of the schedule holds the logical date: it is before the first or after the last of its "
            "times, or outside the years 2 to 9998; choose another"
        )
    return _slot(point, following)


def last_completed(tt: Timetable, now: Micros) -> Slot | None:
    """The latest slot that is due at `now`, between the start date and the end date; None if there is none."""
    bound = due_until(tt, now)
    if bound is None:
        return None
    slot = next(slots_before(tt, bound if tt.end is None else min(bound, tt.end + 1)), None)
    if slot is None or (tt.start is not None and slot.logical_date < tt.start):
        return None
    return slot


def due_until(tt: Timetable, at: Micros) -> Micros | None:
    """The bound of what is due at `at`: slots with a smaller logical date are, others are not. None: none is due."""
    point = previous_point(tt, at)
    if point is None:
        return None
    return point if tt.kind == "interval" else point + 1


def _unlimited(tt: Timetable, low: Micros) -> Iterator[Slot]:
    points = points_after(tt, low, inclusive=True)
    if tt.kind == "trigger":
        return (_slot(point, point) for point in points)
    return (_slot(point, following) for point, following in pairwise(points))


def _slot(start: Micros, end: Micros) -> Slot:
    return Slot(logical_date=start, interval_start=start, interval_end=end, run_after=end)

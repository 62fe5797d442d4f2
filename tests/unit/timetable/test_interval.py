"""Slots and data intervals."""

from datetime import UTC, datetime
from itertools import islice, pairwise

import pytest

from engine.timetable import ScheduleError, Slot, compile_timetable, last_completed, slot_at, slots

SECOND = 1_000_000
DAY = 86_400 * SECOND


def utc(text: str) -> int:
    """An instant from ISO text; without an offset it is UTC."""
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()) * SECOND


def interval(start: str, end: str) -> Slot:
    """The slot of an interval schedule."""
    return Slot(utc(start), utc(start), utc(end), utc(end))


def test_an_interval_is_due_when_it_is_complete() -> None:
    """The run for [a, b) has the logical date a and is due at b."""
    tt = compile_timetable("0 6 * * *", start=utc("2026-01-01"))
    assert next(slots(tt)) == interval("2026-01-01T06:00", "2026-01-02T06:00")


def test_a_trigger_covers_nothing() -> None:
    """A trigger slot starts, ends and is due at its point."""
    tt = compile_timetable("0 6 * * *", kind="trigger", start=utc("2026-01-01"))
    six = utc("2026-01-01T06:00")
    assert next(slots(tt)) == Slot(six, six, six, six)


def test_the_start_is_inclusive() -> None:
    """A start on a point makes that point the first interval; a microsecond later makes it the next one."""
    point = utc("2026-01-01T06:00")
    assert next(slots(compile_timetable("0 6 * * *", start=point))).logical_date == point
    assert next(slots(compile_timetable("0 6 * * *", start=point + 1))).logical_date == point + DAY


def test_the_start_is_an_instant_whatever_zone_it_was_written_in() -> None:
    """A start inside a repeated hour keeps the pass it names."""
    zone = "Europe/Berlin"
    first_pass, second_pass = utc("2025-10-26T02:00+02:00"), utc("2025-10-26T02:00+01:00")
    hourly = compile_timetable("0 * * * *", zone, start=first_pass)
    assert [slot.logical_date for slot in islice(slots(hourly), 2)] == [first_pass, second_pass]
    daily = compile_timetable("0 2 * * *", zone, start=first_pass + 1)
    assert next(slots(daily)).logical_date == second_pass


def test_the_end_is_inclusive_on_the_interval_start() -> None:
    """The last interval is the one that starts at the end date, though it is due later."""
    for kind in ("interval", "trigger"):
        tt = compile_timetable("0 0 * * *", kind=kind, start=utc("2026-01-01"), end=utc("2026-01-03"))
        assert [slot.logical_date for slot in slots(tt)] == [utc(f"2026-01-0{day}") for day in (1, 2, 3)]
    tt = compile_timetable("0 0 * * *", start=utc("2026-01-01"), end=utc("2026-01-03") - 1)
    assert len(list(slots(tt))) == 2


def test_slots_after_a_date() -> None:
    """With `after`, only later logical dates come, and the start still holds."""
    tt = compile_timetable("0 0 * * *", start=utc("2026-01-05"))
    assert next(slots(tt, utc("2026-01-07"))).logical_date == utc("2026-01-08")
    assert next(slots(tt, utc("2026-01-07") - 1)).logical_date == utc("2026-01-07")
    assert next(slots(tt, utc("2020-01-01"))).logical_date == utc("2026-01-05")


def test_slots_need_a_beginning() -> None:
    """Without a start date and without `after` there is no first slot, and the error says what to give."""
    with pytest.raises(ScheduleError, match="give a start date"):
        next(slots(compile_timetable("0 0 * * *")))
    assert next(slots(compile_timetable("0 0 * * *"), 0)).logical_date == DAY


def test_intervals_touch_over_a_change_of_clocks() -> None:
    """Each interval starts where the one before it ended, on the days of 23 and 25 hours too."""
    tt = compile_timetable("30 2 * * *", "Europe/Berlin", start=utc("2025-01-01"))
    year = list(islice(slots(tt), 365))
    assert all(first.interval_end == second.interval_start for first, second in pairwise(year))
    assert {(slot.interval_end - slot.interval_start) // (3600 * SECOND) for slot in year} == {23, 24, 25}


def test_a_date_belongs_to_the_interval_that_contains_it() -> None:
    """A date is moved back to its schedule point: the point itself stays, and limits do not matter."""
    tt = compile_timetable("0 6 * * *", start=utc("2026-01-01"), end=utc("2026-01-31"))
    expected = interval("2026-05-05T06:00", "2026-05-06T06:00")
    for text in ("2026-05-05T06:00", "2026-05-05T12:00", "2026-05-06T05:59:59"):
        assert slot_at(tt, utc(text)) == expected
    assert slot_at(tt, utc("2026-05-06T06:00") - 1) == expected
    assert slot_at(tt, utc("2025-12-31")) == interval("2025-12-30T06:00", "2025-12-31T06:00")


def test_a_date_in_a_skipped_hour_belongs_to_the_interval_around_it() -> None:
    """The date of a run asked for in a gap is an instant, and the interval that contains it is found."""
    tt = compile_timetable("30 2 * * *", "Europe/Berlin")
    slot = slot_at(tt, utc("2025-03-30T01:15"))
    assert slot == interval("2025-03-29T01:30", "2025-03-30T01:30")


def test_a_date_of_a_trigger_schedule_is_moved_to_its_point() -> None:
    """For trigger schedules the date of the point is the whole slot."""
    tt = compile_timetable("0 6 * * *", kind="trigger")
    six = utc("2026-05-05T06:00")
    assert slot_at(tt, utc("2026-05-05T12:00")) == Slot(six, six, six, six)


@pytest.mark.parametrize("date", ["0001-01-01", "9999-12-31"])
def test_a_date_outside_the_calendar_is_refused(date: str) -> None:
    """The first and the last year of the calendar are refused in words."""
    with pytest.raises(ScheduleError, match="years 2 to 9998"):
        slot_at(compile_timetable("0 0 1 1 *"), utc(date))


def test_the_last_completed_interval() -> None:
    """At its end an interval is complete, a microsecond earlier it is not."""
    tt = compile_timetable("0 6 * * *")
    end = utc("2026-05-06T06:00")
    assert last_completed(tt, end) == interval("2026-05-05T06:00", "2026-05-06T06:00")
    assert last_completed(tt, end - 1) == interval("2026-05-04T06:00", "2026-05-05T06:00")


def test_the_last_completed_trigger() -> None:
    """A trigger slot is complete at its point."""
    tt = compile_timetable("0 6 * * *", kind="trigger")
    six = utc("2026-05-06T06:00")
    found = last_completed(tt, six)
    assert found is not None
    assert found.logical_date == six
    earlier = last_completed(tt, six - 1)
    assert earlier is not None
    assert earlier.logical_date == six - DAY


def test_the_last_completed_interval_keeps_the_limits() -> None:
    """Before the first interval is complete there is none; after the end date it stays the last one."""
    tt = compile_timetable("0 0 * * *", start=utc("2026-01-10"), end=utc("2026-01-12"))
    assert last_completed(tt, utc("2026-01-11") - 1) is None
    assert last_completed(tt, utc("2026-01-11")) == interval("2026-01-10", "2026-01-11")
    assert last_completed(tt, utc("2026-03-01")) == interval("2026-01-12", "2026-01-13")
    assert last_completed(tt, utc("0001-01-01")) is None

"""Schedules beside one cron expression: fixed and calendar intervals, single times, several parts, left-out dates."""

from datetime import UTC, datetime
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

import pytest

from engine.timetable import (
    ScheduleError,
    Timetable,
    compile_timetable,
    count_points,
    describe,
    next_point,
    points_after,
    points_before,
    previous_point,
    slot_at,
    slots,
)

SECOND = 1_000_000


def utc(text: str) -> int:
    """An instant from ISO text; without an offset it is UTC."""
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()) * SECOND


def local(tt: Timetable, low: str, high: str) -> list[str]:
    """The points between two instants as local wall times; forward, backward and counted have to agree."""
    first, last = utc(low), utc(high)
    found = list(takewhile(lambda point: point < last, points_after(tt, first, inclusive=True)))
    assert list(takewhile(lambda point: point >= first, points_before(tt, last))) == found[::-1]
    assert count_points(tt, first, last) == len(found) == len(set(found))
    return [datetime.fromtimestamp(at // SECOND, ZoneInfo(tt.timezone)).strftime("%m-%d %H:%M") for at in found]


@pytest.mark.parametrize("text", ["every 90m", "every 1h30m", "EVERY  90 minutes", "every 5400s"])
def test_fixed_intervals_count_elapsed_time_from_the_start(text: str) -> None:
    """A fixed interval is anchored at the start date and goes on through a change of clocks."""
    tt = compile_timetable(text, "Europe/Berlin", start=utc("2026-03-28T23:10"))
    assert local(tt, "2026-03-28T23:00", "2026-03-29T04:00") == [
        "03-29 00:10",
        "03-29 01:40",
        "03-29 04:10",
        "03-29 05:40",
    ]


def test_months_are_counted_from_the_anchor() -> None:
    """A month from 31 January is the last of February, and the month after that is again the 31st."""
    tt = compile_timetable("every month", start=utc("2026-01-31"))
    assert local(tt, "2026-01-01", "2026-06-01") == [
        "01-31 00:00",
        "02-28 00:00",
        "03-31 00:00",
        "04-30 00:00",
        "05-31 00:00",
    ]
    assert previous_point(tt, utc("2026-01-30")) == utc("2025-12-31")


@pytest.mark.parametrize(
    ("text", "zone", "start", "low", "high", "expected"),
    [
        ("every day", "Europe/Berlin", "2026-03-27T01:30", "2026-03-28", "2026-03-31", ["28", "29 03:30", "30"]),
        ("every 2 days", "Europe/Berlin", "2026-10-23T00:30", "2026-10-23", "2026-10-28", ["23", "25 02:30", "27"]),
        (
            "every day",
            "Pacific/Apia",
            "2011-12-27T10:00",
            "2011-12-29",
            "2012-01-01",
            ["29 00:00", "31 00:00", "01 00:00"],
        ),
    ],
)
def test_days_keep_their_wall_time(text: str, zone: str, start: str, low: str, high: str, expected: list[str]) -> None:
    """A day on the calendar may have 23 or 25 hours; a skipped time moves by the gap, a skipped date comes once."""
    found = local(compile_timetable(text, zone, start=utc(start)), low, high)
    assert len(found) == len(expected)
    assert all(part in point for part, point in zip(expected, found, strict=True))


def test_several_parts_are_one_schedule() -> None:
    """Points of several crons come in order, and one that two of them name comes once."""
    tt = compile_timetable("0 6 * * 1-5; 0 9 * * sat,sun; 0 9,6 * * 6")
    assert local(tt, "2026-01-02", "2026-01-05") == ["01-02 06:00", "01-03 06:00", "01-03 09:00", "01-04 09:00"]
    found = list(islice(slots(compile_timetable("0 6 * * *; 0 18 * * *", start=utc("2026-01-01"))), 3))
    assert [slot.interval_end for slot in found[:2]] == [slot.interval_start for slot in found[1:]]


def test_excluded_dates_have_no_points() -> None:
    """Single dates, ranges and days of every year are left out, by the local date; intervals then are longer."""
    dates = ("2026-12-28", "2026-12-30..2027-01-02", "12-25")
    tt = compile_timetable("30 0 * * *", "Asia/Tokyo", start=utc("2026-12-23"), exclude=dates)
    assert local(tt, "2026-12-23", "2027-01-03T12:00") == [
        "12-24 00:30", "12-26 00:30", "12-27 00:30", "12-29 00:30", "01-03 00:30",
    ]  # fmt: skip
    christmas = slot_at(tt, utc("2026-12-24T20:00"))
    assert christmas.interval_end - christmas.interval_start == 48 * 3600 * SECOND
    hours = compile_timetable("every 12h", start=utc("2026-12-24"), exclude=("12-25",))
    assert local(hours, "2026-12-24", "2026-12-26T13:00") == [
        "12-24 00:00",
        "12-24 12:00",
        "12-26 00:00",
        "12-26 12:00",
    ]


def test_both_day_fields_can_be_asked_for() -> None:
    """With both days a Friday the 13th is a Friday and a 13th; without, either is enough."""
    both = compile_timetable("0 0 13 * fri", both_days=True)
    assert local(both, "2026-01-01", "2027-01-01") == ["02-13 00:00", "03-13 00:00", "11-13 00:00"]
    assert "that is a Friday (both are needed)" in describe(both)
    assert len(local(compile_timetable("0 0 13 * fri"), "2026-01-01", "2027-01-01")) == 61


def test_single_times_end() -> None:
    """Single times fire once each, in order, naive ones in the zone; after the last there is none."""
    tt = compile_timetable("at 2026-03-02T06:00, 2026-03-01T06:00", "Asia/Tokyo", "trigger")
    assert [slot.logical_date for slot in slots(tt, 0)] == [utc("2026-02-28T21:00"), utc("2026-03-01T21:00")]
    assert next_point(tt, utc("2026-03-02")) is None
    with pytest.raises(ScheduleError, match="no interval of the schedule holds"):
        slot_at(tt, utc("2026-01-01"))
    once = compile_timetable("@once", kind="trigger", start=utc("2026-03-01"))
    assert [slot.run_after for slot in slots(once)] == [utc("2026-03-01")]


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("every 15m", {}, "start date"),
        ("@once", {}, "start date"),
        ("every 0m", {"start": 0}, "length"),
        ("every blue moon", {"start": 0}, "every 15m"),
        ("every 99 years", {"start": 0}, "10"),
        ("at noon", {}, "not a time"),
        ("at 2026-01-01", {}, "kind 'trigger'"),
        ("0 6 * * *;", {}, "is empty"),
        ("0 0 30 2 *", {}, "never matches"),
        ("0 0 30 2 mon", {"both_days": True}, "never matches"),
        ("0 0 25 12 *", {"exclude": ("12-25",)}, "excluded dates leave no other"),
        ("at 2026-01-01", {"kind": "trigger", "exclude": ("2026-01-01",)}, "all excluded"),
        ("@daily", {"exclude": ("yesterday",)}, "excluded date 'yesterday'"),
        ("@daily", {"exclude": ("2026-02-03..2026-02-01",)}, "ends before it begins"),
        ("@daily", {"exclude": ("02-30",)}, "02-30"),
    ],
)
def test_what_cannot_be_used_is_refused(text: str, options: dict[str, object], words: str) -> None:
    """Schedules that can never match, and dates that are none, are refused with what is wrong."""
    with pytest.raises(ScheduleError) as caught:
        compile_timetable(text, **options)  # type: ignore[arg-type]  # from the table
    assert words in str(caught.value)


def test_a_leap_day_on_a_weekday_is_found() -> None:
    """The rarest dates are no impossible ones: a leap day that is a Monday comes every 28 years."""
    tt = compile_timetable("0 0 29 2 mon", both_days=True)
    assert next_point(tt, utc("2026-01-01")) == utc("2044-02-29")


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        (
            "every 15m",
            {},
            "every 15 minutes of elapsed time, counted from 1970-01-01 00:00, UTC; each run covers the 15",
        ),
        ("every 1d", {}, "every 24 hours of elapsed time"),
        ("every hour", {}, "every hour of elapsed time"),
        ("every 90m", {}, "every 1 hour and 30 minutes of elapsed time"),
        ("every 2 weeks", {}, "every 2 weeks on the calendar"),
        ("every quarter", {}, "every 3 months on the calendar"),
        ("every year", {}, "every year on the calendar"),
        ("0 6 * * *; 0 9 * * sat", {}, "at 06:00 every day; and at 09:00 every Saturday, UTC"),
        (
            "0 6 * * *",
            {"exclude": ("12-25", "2026-01-01..2026-01-06")},
            "every day, except on 25 December and 2026-01-01 to",
        ),
        ("at 2026-01-01T06:00", {"kind": "trigger"}, "once, at 2026-01-01 06:00, UTC"),
    ],
)
def test_words(text: str, options: dict[str, object], words: str) -> None:
    """Every kind of schedule is said in words."""
    assert words in describe(compile_timetable(text, start=0, **options))  # type: ignore[arg-type]  # from the table

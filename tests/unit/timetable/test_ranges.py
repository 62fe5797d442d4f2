"""Ranges and times of the day as people type them."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from engine.model.moments import from_iso, to_datetime
from engine.timetable import ScheduleError, read_range, read_window

ZONE = "Europe/Berlin"
NOW = from_iso("2026-03-30T10:15", ZONE)


def shown(first: str, last: str | None = None) -> tuple[str, str]:
    """A range by the clock of the zone."""
    begin, end = read_range(first, last, ZONE, NOW)
    return tuple(to_datetime(at, ZONE).strftime("%m-%d %H:%M:%S") for at in (begin, end))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("-2d..yesterday", None, ("03-28 00:00:00", "03-29 23:59:59")),
        ("2026-03-29..2026-03-29", None, ("03-29 00:00:00", "03-29 23:59:59")),
        ("2026-03-29", None, ("03-29 00:00:00", "03-29 23:59:59")),
        ("yesterday", None, ("03-29 00:00:00", "03-29 23:59:59")),
        ("-1w", None, ("03-23 00:00:00", "03-30 10:15:00")),
        ("-6h..now", None, ("03-30 04:15:00", "03-30 10:15:00")),
        ("2026-03-01T06:00..", None, ("03-01 06:00:00", "03-30 10:15:00")),
        ("2026-03-01", "2026-03-02T12:00", ("03-01 00:00:00", "03-02 12:00:00")),
        ("-1d", "today", ("03-29 00:00:00", "03-30 23:59:59")),
    ],
)
def test_ranges(first: str, last: str | None, expected: tuple[str, str]) -> None:
    """Days are those of the zone, whatever their length, and both ends are in the range."""
    assert shown(first, last) == expected


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        ("last week", None, "how long ago"),
        ("..yesterday", None, "not an end of a range"),
        ("yesterday..-3d", None, "ends before it begins"),
        ("2026-02-30", "2026-03-01", "'2026-02-30'"),
    ],
)
def test_what_is_no_range_is_refused(first: str, last: str | None, words: str) -> None:
    """The error names the text and what can be written."""
    with pytest.raises(ScheduleError, match=words):
        read_range(first, last, ZONE, NOW)


def test_a_window_over_midnight_in_its_own_zone() -> None:
    """A window may go over midnight, is read by the clock of its zone, and says when it changes next."""
    window = read_window("22:00-06:30 Asia/Tokyo", ZONE)
    inside = int(datetime(2026, 3, 30, 1, 0, tzinfo=ZoneInfo("Asia/Tokyo")).timestamp()) * 1_000_000
    assert window.contains(inside)
    ends = window.next_change(inside)
    assert to_datetime(ends, "Asia/Tokyo").strftime("%d %H:%M") == "30 06:30"
    assert not window.contains(ends)
    assert to_datetime(window.next_change(ends), "Asia/Tokyo").strftime("%d %H:%M") == "30 22:00"


def test_a_window_on_a_day_that_lacks_it() -> None:
    """A window within the hour that clocks skip has no length that day, and its changes still come in order."""
    window = read_window("02:15-02:45", ZONE)
    before = from_iso("2026-03-29T01:00", ZONE)
    change = window.next_change(before)
    assert to_datetime(change, ZONE).strftime("%d %H:%M") == "29 03:15"
    assert not window.contains(change)
    assert window.next_change(change) > change


@pytest.mark.parametrize("text", ["5-8", "05:30-25:00", "05:30-05:30", "05:30-08:00 Mars/Olympus"])
def test_what_is_no_time_of_the_day_is_refused(text: str) -> None:
    """Hours, minutes and the zone are checked."""
    with pytest.raises(ScheduleError):
        read_window(text, ZONE)

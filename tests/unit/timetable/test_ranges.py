"""Ranges and times of the day as people type them."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from engine.model.moments import DAY, MINUTE, from_iso, to_datetime
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


@pytest.mark.parametrize(
    ("text", "date", "expected"),
    [
        ("02:15-02:45", "2026-03-29", ["03:15+0200", "03:45+0200"]),
        ("01:30-02:30", "2026-03-29", ["01:30+0100", "03:30+0200"]),
        ("02:15-02:45", "2026-10-25", ["02:15+0200", "02:45+0100"]),
        ("01:00-02:30", "2026-10-25", ["01:00+0200", "02:30+0100"]),
        ("02:30-05:00", "2026-10-25", ["02:30+0200", "05:00+0100"]),
        ("02:30-02:00", "2026-10-25", []),
        ("01:50-02:10 Australia/Lord_Howe", "2026-10-04", ["01:50+1030", "02:40+1100"]),
        ("01:30-01:50 Australia/Lord_Howe", "2026-04-05", ["01:30+1100", "01:50+1030"]),
    ],
)
def test_a_window_on_a_day_on_which_clocks_change(text: str, date: str, expected: list[str]) -> None:
    """A repeated time begins at its first pass and ends at its last; a skipped one comes later by the gap."""
    window = read_window(text, ZONE)
    at, end = (from_iso(f"{date}T{time}", window.zone.key) for time in ("00:00", "23:59"))
    found = []
    while (at := window.next_change(at)) < end:
        found.append(to_datetime(at, window.zone.key).strftime("%H:%M%z"))
    assert found == expected


@pytest.mark.parametrize("text", ["02:15-02:45", "22:30-02:30", "02:30-02:00", "00:00-23:59"])
@pytest.mark.parametrize("day", ["2026-03-28", "2026-10-24"])
def test_a_window_changes_when_it_says(text: str, day: str) -> None:
    """From any moment on it stays as it is until its next change, and is otherwise from then on."""
    window, first = read_window(text, ZONE), from_iso(day, ZONE)
    for at in range(first, first + 3 * DAY, 25 * MINUTE):
        change = window.next_change(at)
        assert window.contains(at) == window.contains(change - 1) != window.contains(change)


@pytest.mark.parametrize("text", ["5-8", "05:30-25:00", "05:30-05:30", "05:30-08:00 Mars/Olympus"])
def test_what_is_no_time_of_the_day_is_refused(text: str) -> None:
    """Hours, minutes and the zone are checked."""
    with pytest.raises(ScheduleError):
        read_window(text, ZONE)

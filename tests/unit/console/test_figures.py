"""Durations, times and sizes in the console's grammar."""

from __future__ import annotations

import pytest

from console.figures import ago, bytes_, clock, coarse, countdown, date, duration, percent, until
from engine.model.moments import DAY, HOUR, MINUTE, SECOND, from_iso


@pytest.mark.parametrize(
    ("us", "shown"),
    [
        (-5 * SECOND, "0.0s"),
        (0, "0.0s"),
        (40_650_000, "40.6s"),
        (59_999_999, "59.9s"),
        (72 * SECOND, "1m12s"),
        (4 * MINUTE, "4m00s"),
        (2 * HOUR + 46 * MINUTE + 59 * SECOND, "2h46m"),
        (3 * DAY + 4 * HOUR, "3d04h"),
        (1390 * DAY + 4 * HOUR, "1390d"),
    ],
)
def test_durations_have_two_units_and_are_never_rounded_up(us: int, shown: str) -> None:
    """A duration shows what has fully passed, in two units at most; clocks that disagree give zero."""
    assert duration(us) == shown


def test_coarse_durations_change_rarely() -> None:
    """Between a minute and an hour a coarse duration shows minutes only, and no tenths anywhere."""
    assert [coarse(us) for us in (12_900_000, 45 * MINUTE + 53 * SECOND, 3 * HOUR, 2 * DAY)] == [
        "12s",
        "45m",
        "3h00m",
        "2d00h",
    ]
    assert ago(0, 41 * MINUTE) == until(41 * MINUTE, 0) == "41m"
    assert until(0, 5) == "0s"


def test_a_countdown_reaches_zero_only_when_the_time_has_come() -> None:
    """A begun second counts as a whole one, and an hour or more is shown in hours."""
    assert countdown(74 * SECOND, 0) == "1:14"
    assert countdown(1, 0) == "0:01"
    assert countdown(0, 0) == countdown(0, 99 * SECOND) == "0:00"
    assert countdown(HOUR + 46 * MINUTE, 0) == "1h46m"


def test_times_of_day_follow_the_zone() -> None:
    """The same moment is shown in UTC and in the DAG's zone."""
    moment = from_iso("2026-12-01T02:14:07Z")
    assert clock(moment) == "02:14:07"
    assert clock(moment, "Europe/Berlin", seconds=False) == "03:14"
    assert date(moment, "America/New_York") == "30 Nov"


def test_sizes_have_three_digits_at_most() -> None:
    """Sizes are in powers of 1024 with one letter, cut and not rounded up."""
    sizes = (0, 999, 1000, 1536, 38_000, 88 * 2**20, 1023 * 2**20, 5 * 2**40)
    assert [bytes_(size) for size in sizes] == ["0B", "999B", "0.9K", "1.5K", "37K", "88M", "0.9G", "5.0T"]


def test_a_share_is_whole_only_when_nothing_is_missing() -> None:
    """99.96 % is not shown as 100 %, and nothing of nothing is blank."""
    assert [percent(part, 100) for part in (100, 99.96, 98, 0)] == ["100%", "99.9%", "98%", "0%"]
    assert percent(0, 0) == ""

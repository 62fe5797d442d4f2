"""Compiling a timetable: zones, kinds and limits."""

import pytest

from engine.timetable import ScheduleError, Timetable, compile_timetable


def test_the_default_is_an_interval_schedule_in_utc() -> None:
    """Without further arguments a schedule is read in UTC, is of the interval kind and has no limits."""
    assert compile_timetable("0 6 * * *") == Timetable("0 6 * * *", "UTC", "interval", None, None)


def test_a_bad_expression_is_refused() -> None:
    """An expression that cannot be read is refused when the timetable is compiled."""
    with pytest.raises(ScheduleError, match="minute field"):
        compile_timetable("61 * * * *")


FOREIGN_ZONES = ["", "Berlin", "Mars/Olympus", "+02:00", "CEST", "Europe", "x" * 5000]
HOST_ZONES = ["localtime", "posixrules", "right/UTC", "../etc/passwd", "/etc/passwd"]


@pytest.mark.parametrize("zone", [*FOREIGN_ZONES, *HOST_ZONES, "a\x00b", "\x1b[31m"])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    """A zone that is no IANA name, or that means the host's own, is refused in printable words."""
    with pytest.raises(ScheduleError, match=r"time zone .* is not known") as caught:
        compile_timetable("@daily", zone)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


def test_a_misspelt_zone_gets_a_suggestion() -> None:
    """The error names the zone that was probably meant."""
    with pytest.raises(ScheduleError, match="did you mean 'Europe/Berlin'"):
        compile_timetable("@daily", "Europe/Berlni")


def test_an_unknown_kind_is_refused() -> None:
    """Only the two kinds are accepted; the error names them."""
    kind = "cron"
    with pytest.raises(ScheduleError, match="'interval' or 'trigger'"):
        compile_timetable("@daily", kind=kind)  # type: ignore[arg-type]  # the wrong kind is the case


def test_an_end_before_the_start_is_refused() -> None:
    """Limits between which nothing can be due are refused; equal ones are not."""
    with pytest.raises(ScheduleError, match="end date is before the start date"):
        compile_timetable("@daily", start=5, end=4)
    assert compile_timetable("@daily", start=5, end=5).end == 5

"""Schedule points, above all where clocks change."""

from datetime import UTC, datetime
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo

import pytest

from engine.timetable import (
    compile_timetable,
    count_points,
    next_point,
    points_after,
    points_before,
    previous_point,
)

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR


def utc(text: str) -> int:
    """An instant from ISO text; without an offset it is UTC."""
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()) * SECOND


def on_dates(expression: str, zone: str, first: str, last: str) -> list[str]:
    """The points whose local dates lie between two dates, as local wall times with offsets."""
    tt = compile_timetable(expression, zone)
    key = ZoneInfo(zone)
    found: list[str] = []
    for point in points_after(tt, utc(first) - 2 * DAY):
        local = datetime.fromtimestamp(point // SECOND, key)
        if local.date().isoformat() > last:
            return found
        if local.date().isoformat() >= first:
            found.append(local.strftime("%d %H:%M%z"))
    raise AssertionError("the schedule ended")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("30 2 * * *", ["30 03:30+0200"]),
        ("0 2 * * *", ["30 03:00+0200"]),
        ("0,30 2 * * *", ["30 03:00+0200", "30 03:30+0200"]),
        ("30 2,3 * * *", ["30 03:30+0200"]),
        ("0 1-4 * * *", ["30 01:00+0100", "30 03:00+0200", "30 04:00+0200"]),
        ("*/20 2 * * *", ["30 03:00+0200", "30 03:20+0200", "30 03:40+0200"]),
        ("0 9-16/7 * * *", ["30 09:00+0200", "30 16:00+0200"]),
    ],
)
def test_berlin_in_spring(expression: str, expected: list[str]) -> None:
    """A wall time that clocks skip fires once, moved by the length of the gap; two that meet there fire once."""
    assert on_dates(expression, "Europe/Berlin", "2025-03-30", "2025-03-30") == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("30 2 * * *", ["26 02:30+0100"]),
        ("0,30 2 * * *", ["26 02:00+0100", "26 02:30+0100"]),
        ("30 1-3 * * *", ["26 01:30+0200", "26 02:30+0100", "26 03:30+0100"]),
        ("0 3 * * *", ["26 03:00+0100"]),
    ],
)
def test_berlin_in_autumn(expression: str, expected: list[str]) -> None:
    """A wall time that comes twice fires once, at the later pass."""
    assert on_dates(expression, "Europe/Berlin", "2025-10-26", "2025-10-26") == expected


def test_every_two_hours_in_autumn() -> None:
    """A step over hours names wall times: the repeated 02:00 fires once, at the later pass, and the count stays 12."""
    points = on_dates("0 */2 * * *", "Europe/Berlin", "2025-10-26", "2025-10-26")
    assert points[:3] == ["26 00:00+0200", "26 02:00+0100", "26 04:00+0100"]
    assert len(points) == 12


@pytest.mark.parametrize("hours", ["*", "*/1", "0-23"])
def test_every_hour_follows_elapsed_time(hours: str) -> None:
    """With every hour named there are 23 points on the short day and 25 on the long one, one hour apart."""
    for date, count in (("2025-03-30", 23), ("2025-10-26", 25)):
        assert len(on_dates(f"0 {hours} * * *", "Europe/Berlin", date, date)) == count
    tt = compile_timetable(f"0 {hours} * * *", "Europe/Berlin")
    year = list(takewhile(lambda point: point < utc("2026-01-01"), points_after(tt, utc("2025-01-01"))))
    assert {high - low for low, high in pairwise(year)} == {HOUR}


def test_every_quarter_follows_elapsed_time() -> None:
    """Minutes of every hour come in both passes of a repeated hour and not at all in a skipped one."""
    assert len(on_dates("*/15 * * * *", "America/New_York", "2025-03-09", "2025-03-09")) == 92
    assert len(on_dates("*/15 * * * *", "America/New_York", "2025-11-02", "2025-11-02")) == 100


def test_new_york() -> None:
    """The rule holds where clocks change at local two o'clock west of Greenwich."""
    assert on_dates("30 2 * * *", "America/New_York", "2025-03-09", "2025-03-09") == ["09 03:30-0400"]
    assert on_dates("30 1 * * *", "America/New_York", "2025-11-02", "2025-11-02") == ["02 01:30-0500"]


def test_lord_howe_has_gaps_of_half_an_hour() -> None:
    """A moved time may land between its neighbours: all three fire, in order of time."""
    expected = ["05 02:30+1100", "05 02:45+1100", "05 02:50+1100"]
    assert on_dates("0,20,45 2 * * *", "Australia/Lord_Howe", "2025-10-05", "2025-10-05") == expected
    expected = ["06 01:30+1030", "06 01:45+1030"]
    assert on_dates("30,45 1 * * *", "Australia/Lord_Howe", "2025-04-06", "2025-04-06") == expected
    assert on_dates("0 * * * *", "Australia/Lord_Howe", "2025-04-06", "2025-04-06")[1:4] == [
        "06 01:00+1100",
        "06 02:00+1030",
        "06 03:00+1030",
    ]


def test_cairo_has_no_midnight_in_spring() -> None:
    """A daily run at a midnight that does not exist starts when the day does."""
    assert on_dates("0 0 * * *", "Africa/Cairo", "2024-04-25", "2024-04-27") == [
        "25 00:00+0200",
        "26 01:00+0300",
        "27 00:00+0300",
    ]
    assert on_dates("30 23 * * *", "Africa/Cairo", "2024-10-31", "2024-10-31") == ["31 23:30+0200"]


def test_apia_skips_a_whole_day() -> None:
    """The daily point of a date that does not exist falls together with that of the next date."""
    assert on_dates("0 0 * * *", "Pacific/Apia", "2011-12-28", "2012-01-01") == [
        "28 00:00-1000",
        "29 00:00-1000",
        "31 00:00+1400",
        "01 00:00+1400",
    ]
    assert on_dates("0 12 30 12 *", "Pacific/Apia", "2011-12-29", "2011-12-31") == ["31 12:00+1400"]
    assert len(on_dates("0 * * * *", "Pacific/Apia", "2011-12-29", "2011-12-31")) == 48


def test_kwajalein_skips_a_day_in_1993() -> None:
    """Points of a skipped date keep their order with those of the date that follows."""
    assert on_dates("0 6,18 20,21 8 *", "Pacific/Kwajalein", "1993-08-19", "1993-08-23") == [
        "20 06:00-1200",
        "20 18:00-1200",
        "22 06:00+1200",
        "22 18:00+1200",
    ]


def test_casablanca_turns_back_for_ramadan() -> None:
    """Where clocks go back in the middle of the year and forward again, the rule is the same."""
    assert on_dates("30 2 * * *", "Africa/Casablanca", "2025-02-23", "2025-02-23") == ["23 02:30+0000"]
    assert on_dates("30 2 * * *", "Africa/Casablanca", "2025-04-06", "2025-04-06") == ["06 03:30+0100"]


def test_zones_that_gave_up_summer_time() -> None:
    """Former changes count in the past, none come after the last one."""
    assert on_dates("30 0 * * *", "Asia/Tehran", "2022-03-22", "2022-03-22") == ["22 01:30+0430"]
    assert on_dates("30 0 * * *", "Asia/Tehran", "2023-03-22", "2023-03-22") == ["22 00:30+0330"]
    assert on_dates("0 0 * * *", "America/Sao_Paulo", "2018-11-04", "2018-11-04") == ["04 01:00-0200"]
    assert on_dates("30 23 * * *", "America/Sao_Paulo", "2019-02-16", "2019-02-16") == ["16 23:30-0300"]
    assert on_dates("0 0 * * *", "America/Sao_Paulo", "2019-11-03", "2019-11-03") == ["03 00:00-0300"]


def test_clocks_that_turn_back_over_midnight() -> None:
    """Where a date comes again after the next one has begun, points still ascend and each wall time fires once."""
    tt = compile_timetable("*/30 * * * *", "America/St_Johns")
    points = list(islice(points_after(tt, utc("2010-11-06T20:00")), 40))
    assert points == sorted(set(points))
    assert on_dates("0 0,23 * * *", "America/St_Johns", "2010-11-06", "2010-11-07") == [
        "06 00:00-0230",
        "06 23:00-0230",
        "07 00:00-0330",
        "07 23:00-0330",
    ]


def test_clocks_that_skip_the_last_hour_of_a_day() -> None:
    """A wall time moved over midnight fires on the next date, and still once for each date."""
    assert on_dates("30 23 * * *", "America/Nuuk", "2024-03-29", "2024-03-31") == [
        "29 23:30-0200",
        "31 00:30-0100",
        "31 23:30-0100",
    ]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"])
def test_days_have_23_24_or_25_hours_that_add_up_to_the_year(zone: str) -> None:
    """The lengths of the daily intervals of a year add up to that year, and only changes make them unusual."""
    tt = compile_timetable("0 0 * * *", zone)
    key = ZoneInfo(zone)
    low = int(datetime(2025, 1, 1, tzinfo=key).timestamp()) * SECOND
    high = int(datetime(2026, 1, 1, tzinfo=key).timestamp()) * SECOND
    points = list(takewhile(lambda point: point <= high, points_after(tt, low, inclusive=True)))
    lengths = [later - earlier for earlier, later in pairwise(points)]
    assert len(lengths) == 365
    assert sum(lengths) == high - low == 365 * DAY
    unusual = sorted(length / HOUR for length in lengths if length != DAY)
    assert unusual == ([23.5, 24.5] if zone == "Australia/Lord_Howe" else [23.0, 25.0])


def test_one_point_for_each_local_date_in_25_years() -> None:
    """A daily schedule has exactly one point for each date that exists, whatever its zone does."""
    zones = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Africa/Casablanca"]
    for zone in [*zones, "Asia/Tehran", "America/Sao_Paulo", "Pacific/Apia", "America/St_Johns"]:
        key = ZoneInfo(zone)
        tt = compile_timetable("30 2 * * *", zone)
        points = takewhile(lambda point: point < utc("2025-01-01"), points_after(tt, utc("2000-01-01T16:00")))
        dates = [datetime.fromtimestamp(point // SECOND, key).date() for point in points]
        skipped = 1 if zone == "Pacific/Apia" else 0
        assert len(dates) == len(set(dates)) == (dates[-1] - dates[0]).days + 1 - skipped


def test_leap_days() -> None:
    """The leap day comes every four years and skips 2100; both directions agree over that distance."""
    tt = compile_timetable("0 0 29 2 *")
    assert next_point(tt, utc("2095-01-01")) == utc("2096-02-29")
    assert next_point(tt, utc("2096-02-29")) == utc("2104-02-29")
    assert previous_point(tt, utc("2104-02-28")) == utc("2096-02-29")


def test_the_31st() -> None:
    """Months without a 31st are passed over."""
    tt = compile_timetable("0 0 31 * *")
    points = [
        datetime.fromtimestamp(point // SECOND, UTC).month for point in islice(points_after(tt, utc("2026-01-01")), 7)
    ]
    assert points == [1, 3, 5, 7, 8, 10, 12]


def test_a_zone_is_the_place_where_the_expression_is_read() -> None:
    """Six o'clock in Berlin is five in UTC in winter and four in summer."""
    tt = compile_timetable("0 6 * * *", "Europe/Berlin")
    assert next_point(tt, utc("2026-01-10")) == utc("2026-01-10T05:00")
    assert next_point(tt, utc("2026-07-10")) == utc("2026-07-10T04:00")


def test_offsets_of_odd_seconds() -> None:
    """In a zone whose offset is no whole minute, points keep to its own clock."""
    tt = compile_timetable("0 * * * *", "Africa/Monrovia")
    assert next_point(tt, utc("1971-06-01")) == utc("1971-06-01T00:44:30")


def test_bounds_are_exact_to_the_microsecond() -> None:
    """`after` is exclusive unless asked for, and so is the end of a search backward."""
    tt = compile_timetable("0 * * * *")
    noon = utc("2026-05-05T12:00")
    assert next_point(tt, noon) == noon + HOUR
    assert next_point(tt, noon - 1) == noon
    assert next(points_after(tt, noon, inclusive=True)) == noon
    assert next(points_after(tt, noon + 1, inclusive=True)) == noon + HOUR
    assert previous_point(tt, noon) == noon
    assert previous_point(tt, noon, inclusive=False) == noon - HOUR
    assert previous_point(tt, noon - 1) == noon - HOUR
    assert list(islice(points_before(tt, noon + 1), 2)) == [noon, noon - HOUR]


def test_points_before_the_epoch_and_after_2038() -> None:
    """Neither 1970 nor 2038 is a limit."""
    tt = compile_timetable("30 6 * * *", "Europe/Berlin")
    assert previous_point(tt, -1) == utc("1969-12-31T05:30")
    assert next_point(tt, utc("2038-01-19T04:00")) == utc("2038-01-19T05:30")
    assert next_point(tt, utc("2500-07-01")) == utc("2500-07-01T04:30")


def test_the_calendar_has_two_ends() -> None:
    """Far away there is no further point: iteration ends and lookups give None, without an error."""
    tt = compile_timetable("0 0 1 1 *", "Asia/Tokyo")
    assert list(points_after(tt, utc("9999-06-01"))) == []
    assert next_point(tt, 10**30) is None
    assert previous_point(tt, utc("0001-01-01")) is None
    assert previous_point(tt, -(10**30)) is None
    assert next_point(tt, -(10**30)) is not None
    assert previous_point(tt, 10**30) is not None


def test_start_and_end_do_not_limit_points() -> None:
    """Points are those of the expression; the limits of the schedule belong to its slots."""
    tt = compile_timetable("0 0 * * *", start=utc("2026-01-10"), end=utc("2026-01-11"))
    assert next_point(tt, utc("2026-01-01")) == utc("2026-01-02")
    assert next_point(tt, utc("2026-02-01")) == utc("2026-02-02")


def test_counting_equals_walking() -> None:
    """Counting a span gives the number of points in it, bounds included below and excluded above."""
    tt = compile_timetable("*/20 1-3 * * *", "Europe/Berlin")
    low, high = utc("2025-01-01"), utc("2026-01-01")
    points = list(takewhile(lambda point: point < high, points_after(tt, low, inclusive=True)))
    assert count_points(tt, low, high) == len(points)
    assert count_points(tt, points[5], points[9]) == 4
    assert count_points(tt, points[5] + 1, points[9] + 1) == 4
    assert count_points(tt, high, low) == 0


def test_ten_years_of_minutes_are_counted() -> None:
    """A span of millions of points is counted exactly."""
    tt = compile_timetable("* * * * *", "Europe/Berlin")
    low = utc("2015-01-01")
    assert count_points(tt, low, low + 3653 * DAY) == 3653 * 1440


def test_every_restart_gives_the_same_points() -> None:
    """Starting anew after any point of a week with a change gives the rest of the same list."""
    tt = compile_timetable("0,20,45 1-3 * * *", "Australia/Lord_Howe")
    for start in ("2025-04-03", "2025-10-02"):
        points = list(islice(points_after(tt, utc(start)), 60))
        for number, point in enumerate(points[:-1]):
            assert next_point(tt, point) == points[number + 1]
            assert previous_point(tt, points[number + 1], inclusive=False) == point

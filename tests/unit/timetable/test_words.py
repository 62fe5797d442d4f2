"""Schedules in words."""

import pytest

from engine.timetable import compile_timetable, describe


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("* * * * *", "every minute, UTC; each run covers the minute before (interval)"),
        ("*/15 * * * *", "every 15 minutes, UTC; each run covers the 15 minutes before (interval)"),
        ("7/15 * * * *", "every 15 minutes, from minute 07 on, UTC; each run covers the 15 minutes before (interval)"),
        ("*/7 * * * *", "every hour at minutes 00, 07, 14, 21, 28, 35, 42, 49 and 56, UTC; each run covers the time"),
        ("@hourly", "every hour, on the hour, UTC; each run covers the hour before (interval)"),
        ("5 * * * *", "every hour at minute 05, UTC; each run covers the hour before (interval)"),
        ("0 * * * mon", "every hour, on the hour, every Monday, UTC; each run covers the time since the point before"),
        ("30 2 * * *", "at 02:30 every day, UTC; each run covers the day before (interval)"),
        ("0,30 6 * * *", "at 06:00 and 06:30 every day, UTC; each run covers the time since the point before"),
        ("0 6,12,18 * * *", "at 06:00, 12:00 and 18:00 every day, UTC;"),
        ("0 */2 * * *", "every 2 hours from 00:00 to 22:00 every day, UTC;"),
        ("0 9-17 * * mon-fri", "every hour from 09:00 to 17:00 every Monday to Friday, UTC;"),
        ("*/10 9-17 * * *", "every 10 minutes from 09:00 to 17:50 every day, UTC;"),
        ("* 9-17 * * *", "every minute from 09:00 to 17:59 every day, UTC;"),
        ("1-3,7 8-11,20 * * *", "at minutes 01 to 03 and 07 of the hours 08 to 11 and 20 every day, UTC;"),
        ("0 6 * * 1", "at 06:00 every Monday, UTC; each run covers the week before (interval)"),
        ("0 6 * * 0,3", "at 06:00 every Wednesday and Sunday, UTC;"),
        ("0 6 * * fri-sun", "at 06:00 every Friday to Sunday, UTC;"),
        ("0 6 1 * *", "at 06:00 on day 1 of every month, UTC; each run covers the month before (interval)"),
        ("0 6 1,15 * *", "at 06:00 on days 1 and 15 of every month, UTC;"),
        ("0 6 1-7 * *", "at 06:00 on days 1 to 7 of every month, UTC;"),
        ("0 6 31 * *", "at 06:00 on day 31 of every month that has it, UTC; each run covers the time since"),
        ("0 6 1 1 *", "at 06:00 on day 1 of January, UTC; each run covers the year before (interval)"),
        ("0 6 1 1,7 *", "at 06:00 on day 1 of January and July, UTC;"),
        ("0 6 * 6-8 *", "at 06:00 every day in June, July and August, UTC;"),
        ("0 6 * 6 mon", "at 06:00 every Monday in June, UTC;"),
        ("0 0 29 2 *", "at 00:00 on day 29 of February, in leap years, UTC; each run covers the time since"),
        ("0 6 13 * fri", "at 06:00 on day 13 of every month or on any Friday (either is enough), UTC;"),
        ("0 6 13 6 1,5", "at 06:00 on day 13 in June or on any Monday or Friday in June (either is enough), UTC;"),
    ],
)
def test_words(expression: str, words: str) -> None:
    """A schedule is one sentence: when, in which zone, and what each run covers."""
    assert describe(compile_timetable(expression)).startswith(words)


def test_the_zone_and_the_kind_are_named() -> None:
    """The sentence names the zone and says of a trigger schedule that it covers nothing."""
    tt = compile_timetable("30 2 * * *", "Europe/Berlin", "trigger")
    expected = "at 02:30 every day, Europe/Berlin; each run is due at that moment and covers no interval (trigger)"
    assert describe(tt) == expected

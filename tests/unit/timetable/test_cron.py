"""Reading cron expressions: the dialect, and what is refused with which words."""

from datetime import date

import pytest

from engine.timetable import ScheduleError
from engine.timetable.cron import parse
from engine.timetable.dialect import PRESETS


def day(text: str) -> int:
    """Days since 1970-01-01."""
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("*", tuple(range(60))),
        ("*/1", tuple(range(60))),
        ("*/20", (0, 20, 40)),
        ("*/60", (0,)),
        ("7", (7,)),
        ("07", (7,)),
        ("5/20", (5, 25, 45)),
        ("59/15", (59,)),
        ("7-9", (7, 8, 9)),
        ("0-7", (0, 1, 2, 3, 4, 5, 6, 7)),
        ("10-12", (10, 11, 12)),
        ("10-20/5", (10, 15, 20)),
        ("10-21/5", (10, 15, 20)),
        ("30-30", (30,)),
        ("30-30/7", (30,)),
        ("58-1", (0, 1, 58, 59)),
        ("59-0", (0, 59)),
        ("3,1,2,1", (1, 2, 3)),
        ("0,30-32,*/40", (0, 30, 31, 32, 40)),
    ],
)
def test_minutes(field: str, values: tuple[int, ...]) -> None:
    """Numbers, ranges, steps and lists name the minutes that a reader of cron expects."""
    assert parse(f"{field} * * * *").minutes == values


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("7", {0}),
        ("0", {0}),
        ("sun", {0}),
        ("Mon-FRI", {1, 2, 3, 4, 5}),
        ("fri-mon", {0, 1, 5, 6}),
        ("fri-sun", {0, 5, 6}),
        ("5-7", {0, 5, 6}),
        ("7-2", {0, 1, 2}),
        ("sat-sun", {0, 6}),
        ("0-7", {0, 1, 2, 3, 4, 5, 6}),
        ("1-7", {0, 1, 2, 3, 4, 5, 6}),
        ("*/2", {0, 2, 4, 6}),
        ("7-7", {0}),
        ("6/3", {6}),
    ],
)
def test_weekdays(field: str, values: set[int]) -> None:
    """Sunday is 0 and 7, names are read in any case, and ranges may run through the end of the week."""
    assert parse(f"0 0 * * {field}").weekdays == values


def test_ranges_to_seven_step_like_numbers() -> None:
    """A range up to 7 steps over the numbers as written, and 7 is then Sunday."""
    for low in range(7):
        for step in range(1, 8):
            expected = {number % 7 for number in range(low, 8, step)}
            assert parse(f"0 0 * * {low}-7/{step}").weekdays == expected, (low, step)


def test_every_name_is_its_number() -> None:
    """Each name of a month and of a weekday stands for its number."""
    months = "jan feb mar apr may jun jul aug sep oct nov dec"
    weekdays = "SUN MON TUE WED THU FRI SAT"
    assert [parse(f"0 0 1 {name} *").months for name in months.split()] == [{number} for number in range(1, 13)]
    assert [parse(f"0 0 * * {name}").weekdays for name in weekdays.split()] == [{number} for number in range(7)]


def test_months_run_through_december() -> None:
    """A range of months may run through the end of the year."""
    assert parse("0 0 1 nov-feb *").months == {1, 2, 11, 12}
    assert parse("0 0 1 12-1 *").months == {1, 12}


@pytest.mark.parametrize("name", PRESETS)
def test_presets(name: str) -> None:
    """Each name stands for its five fields, in any case and with blanks around it."""
    assert parse(name) == parse(f" {name.upper()}\t") == parse(PRESETS[name])


def test_blanks() -> None:
    """Any number of spaces and tabs separates fields."""
    assert parse("  5\t 4  * *\t* ") == parse("5 4 * * *")


@pytest.mark.parametrize("hours", ["*", "*/1", "0-23", "0-23/1", "0/1", "0-11,12-23", "5-4"])
def test_every_way_to_name_every_hour_is_one_rule(hours: str) -> None:
    """An hour field that names all hours makes the schedule follow elapsed time, however it is written."""
    assert parse(f"0 {hours} * * *").elapsed


@pytest.mark.parametrize("hours", ["*/2", "0-22", "1-23", "7"])
def test_a_restricted_hour_is_wall_time(hours: str) -> None:
    """An hour field that leaves an hour out makes the schedule follow the wall clock."""
    assert not parse(f"0 {hours} * * *").elapsed


def test_both_day_fields_are_alternatives() -> None:
    """With day of month and day of week both restricted, a day that fits one of them is named."""
    cron = parse("0 0 13 * fri")
    assert cron.either_day
    assert cron.matches(day("2026-11-13"))  # a Friday and the 13th
    assert cron.matches(day("2026-11-06"))  # a Friday
    assert cron.matches(day("2026-12-13"))  # a Sunday, the 13th
    assert not cron.matches(day("2026-12-12"))


@pytest.mark.parametrize("star", ["*", "*/1"])
def test_a_star_in_one_day_field_leaves_the_other_in_charge(star: str) -> None:
    """A day field that is a star restricts nothing, so the other one alone decides."""
    assert not parse(f"0 0 {star} * fri").matches(day("2026-11-14"))
    assert not parse(f"0 0 13 * {star}").matches(day("2026-11-14"))


def test_month_restricts_both_day_fields() -> None:
    """The month must match whichever day field does."""
    assert not parse("0 0 13 jan fri").matches(day("2026-11-13"))


def test_times_ascend() -> None:
    """The times of a day are ascending minutes since midnight."""
    assert parse("30,0 9,3 * * *").times == (180, 210, 540, 570)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("", ["is empty", "five fields"]),
        (" \t ", ["is empty"]),
        ("0 0 * *", ["has 4 fields", "exactly five"]),
        ("0 0 * * * *", ["has 6 fields", "seconds and years"]),
        ("0 0 * * * * 2026", ["has 7 fields"]),
        ("60 * * * *", ["'60' in the minute field (character 1)", "0 to 59"]),
        ("0 24 * * *", ["'24' in the hour field (character 3)", "0 to 23"]),
        ("0  0 0 * *", ["'0' in the day of month field (character 6)", "1 to 31"]),
        ("0 0 32 * *", ["1 to 31"]),
        ("0 0 1 13 *", ["'13' in the month field", "jan to dec"]),
        ("0 0 1 0 *", ["'0' in the month field"]),
        ("0 0 * * 8", ["'8' in the day of week field", "0 and 7 are Sunday"]),
        ("0 0 * * 1,2,9", ["'9' in the day of week field (character 13)"]),
        ("0 0 * * 5-9", ["'5-9' in the day of week field"]),
        ("0 mon * * *", ["'mon' in the hour field"]),
        ("0 0 * Jnu *", ["'Jnu' in the month field"]),
        ("1,,2 * * * *", ["character 3", "empty place"]),
        ("1, * * * *", ["empty place"]),
        ("*,5 * * * *", ["already names every minute"]),
        ("5,*/1 * * * *", ["already names every minute"]),
        ("*/0 * * * *", ["step", "1 to 60"]),
        ("*/61 * * * *", ["step", "1 to 60"]),
        ("*/x * * * *", ["step"]),
        ("*/ * * * *", ["is not read"]),
        ("-5 * * * *", ["is not read"]),
        ("1-2-3 * * * *", ["is not read"]),
        ("1.5 * * * *", ["is not read"]),
        ("50-10/7 * * * *", ["steps through the end", "list"]),
        ("H * * * *", ["'H' in the minute field", "hashed"]),
        ("H/15 * * * *", ["hashed"]),
        ("R * * * *", ["random", "restart"]),
        ("0 0 L * *", ["last day"]),
        ("0 0 15W * *", ["working day"]),
        ("0 0 * * 5L", ["last day"]),
        ("0 0 * * 5#2", ["n-th weekday"]),
        ("0 0 ? * *", ["write '*'"]),
        ("@reboot", ["names no time", "@daily"]),
        ("@every 5m", ["*/5 * * * *"]),
        ("@dayly", ["did you mean @daily?"]),
        ("@", ["known are"]),
        ("@daily x", ["is not a known name"]),
        ("0 0 * * *\n", ["character 10", "plain ASCII"]),
        ("0\u00a00 * * *", ["character 2", "\\xa0"]),
        ("٣ * * * *", ["character 1", "plain ASCII"]),
        ("0 0 * * \x1b[31m", ["character 9"]),
        ("9" * 5000, ["5000 characters", "at most 200"]),
        ("9" * 150 + " * * * *", ["is not a value"]),
        (",".join("1" * 100) + " * * * *", ["207 characters"]),
    ],
)
def test_refused(expression: str, words: list[str]) -> None:
    """What is not in the dialect is refused with what is wrong, where it stands and what is allowed."""
    with pytest.raises(ScheduleError) as caught:
        parse(expression)
    text = str(caught.value)
    for word in words:
        assert word in text
    assert text.isprintable()
    assert len(text) < 500


@pytest.mark.parametrize(
    "expression", ["0 0 30 2 *", "0 0 30-31 feb *", "0 0 31 4,6,9,11 *", "0 0 31 2-2 */1", "* * 31 jun *"]
)
def test_a_schedule_that_never_matches_is_refused(expression: str) -> None:
    """Days that no year has are refused when the schedule is read, not when a run is awaited."""
    with pytest.raises(ScheduleError, match="never matches"):
        parse(expression)


@pytest.mark.parametrize("expression", ["0 0 29 2 *", "0 0 30 2,3 *", "0 0 31 2 mon"])
def test_a_schedule_that_matches_sometimes_is_read(expression: str) -> None:
    """A leap day, one long month among short ones, or a day of week as the alternative is enough."""
    assert parse(expression)


def test_two_hundred_characters_are_read() -> None:
    """The limit of length is exact."""
    expression = "0 0 * * " + ",".join(["1"] * 96)
    assert parse(expression + " ").weekdays == {1}
    with pytest.raises(ScheduleError, match="201 characters"):
        parse(expression + " " * (201 - len(expression)))

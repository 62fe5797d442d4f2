"""Cron expressions of five fields: read, checked, and turned into the days and minutes that they name."""

import calendar
import difflib
import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import NoReturn

from croniter import croniter

from engine.timetable.errors import ScheduleError

MAX_LENGTH = 200
PRESETS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAY_NAMES = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")

_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_ITEM = re.compile(r"(?:(?P<star>\*)|(?P<low>\w+)(?:-(?P<high>\w+))?)(?:/(?P<step>\w+))?", re.ASCII)
_HINTS = (
    ("?", "write '*' for any day"),
    ("#", "the n-th weekday of a month cannot be written; name days of the month or days of the week"),
    ("~", "random times are refused because a restart would move them; write the number"),
)
_LETTERS = {
    "h": "hashed times are refused because they differ between systems; write the number",
    "r": "random times are refused because a restart would move them; write the number",
    "l": "the last day cannot be written; with the interval kind, '0 0 1 * *' covers each whole month",
    "w": "the nearest working day cannot be written; name days of the week, such as mon-fri",
}


@dataclass(frozen=True, slots=True)
class _Field:
    """One of the five fields: its name, its bounds, and the words that stand for numbers in it."""

    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()

    def number(self, text: str) -> int | None:
        """The number that a digit string or a name stands for; None if it is neither."""
        if text.isdigit():
            return int(text) if len(text) <= 4 else None
        if text in self.words:
            return self.words.index(text) + self.low
        return None

    @property
    def largest(self) -> int:
        """The largest number that may be written; day of week also takes 7 for Sunday."""
        return 7 if self.name == "day of week" else self.high

    @property
    def allowed(self) -> str:
        """The allowed values in words, for errors."""
        text = f"{self.low} to {self.largest}"
        if self.words:
            text += f" or {self.words[0]} to {self.words[-1]}"
        return text + (" (0 and 7 are Sunday)" if self.largest == 7 else "")


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, MONTH_NAMES),
    _Field("day of week", 0, 6, WEEKDAY_NAMES),
)


@dataclass(frozen=True, slots=True)
class Cron:
    """What an expression names: times of the day and days. Days are counted from 1970-01-01, times in minutes."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool
    any_weekday: bool
    times: tuple[int, ...]

    @property
    def elapsed(self) -> bool:
        """True if every hour is named: the schedule then follows elapsed time instead of the wall clock."""
        return len(self.hours) == 24

    @property
    def every_day(self) -> bool:
        """True if no date is left out."""
        return self.any_day and self.any_weekday and len(self.months) == 12

    @property
    def either_day(self) -> bool:
        """True if day of month and day of week are both restricted: a day that fits one of them is enough."""
        return not self.any_day and not self.any_weekday

    def matches(self, day: int) -> bool:
        """Whether the date `day` days after 1970-01-01 is named."""
        if self.every_day:
            return True
        when = date.fromordinal(day + _EPOCH_ORDINAL)
        if when.month not in self.months:
            return False
        in_week = (day + 4) % 7 in self.weekdays
        if self.any_day:
            return in_week
        in_month = when.day in self.days
        return in_month or in_week if self.either_day else in_month

    def next_day(self, day: int, last: int) -> int | None:
        """The first named date in [day, last]; None if there is none."""
        while day <= last:
            if self.matches(day):
                return day
            when = date.fromordinal(day + _EPOCH_ORDINAL)
            day += 1
            if when.month not in self.months:
                day += calendar.monthrange(when.year, when.month)[1] - when.day
        return None

    def previous_day(self, day: int, first: int) -> int | None:
        """The last named date in [first, day]; None if there is none."""
        while day >= first:
            if self.matches(day):
                return day
            when = date.fromordinal(day + _EPOCH_ORDINAL)
            day -= when.day if when.month not in self.months else 1
        return None


@lru_cache(maxsize=4096)
def parse(expression: str) -> Cron:
    """Read an expression of five fields or one of the `@` names.

    Raises ScheduleError if it is not in the dialect or can never match.
    """
    written = _fields_of(expression)
    texts = tuple(_plain(expression, field, *place) for field, place in zip(_FIELDS, written, strict=True))
    values = _expand(texts)
    minutes, hours, days, months, weekdays = values
    cron = Cron(
        minutes=minutes,
        hours=hours,
        days=frozenset(days),
        months=frozenset(months),
        weekdays=frozenset(weekdays),
        any_day=texts[2] == "*",
        any_weekday=texts[4] == "*",
        times=tuple(60 * hour + minute for hour in hours for minute in minutes),
    )
    _refuse_never(expression, cron)
    return cron


def quoted(text: str) -> str:
    """Foreign text for an error: one printable line, cut where it is long."""
    return ascii(text if len(text) <= 80 else text[:77] + "...")


def _refuse(expression: str, what: str) -> NoReturn:
    raise ScheduleError(f"schedule {quoted(expression)}: {what}")


def _fields_of(expression: str) -> list[tuple[str, int]]:
    """Split into the five fields, in lower case, each with the number of its first character."""
    if len(expression) > MAX_LENGTH:
        _refuse(
            expression, f"is {len(expression)} characters long; at most {MAX_LENGTH} are read, so shorten the lists"
        )
    for at, character in enumerate(expression):
        if character != "\t" and not " " <= character <= "~":
            _refuse(expression, f"character {at + 1} is {character!a}; use plain ASCII, spaces and tabs only")
    lowered = expression.lower()
    if lowered.strip().startswith("@"):
        return [(text, 1) for text in _preset(expression, lowered.strip()).split()]
    found = [(match.group(), match.start() + 1) for match in re.finditer(r"\S+", lowered)]
    if len(found) != len(_FIELDS):
        order = "minute, hour, day of month, month, day of week"
        if not found:
            _refuse(expression, f"is empty; write five fields ({order}) or a name such as @daily")
        what = f"has {len(found)} fields; exactly five are read ({order})"
        if len(found) > len(_FIELDS):
            what += "; seconds and years cannot be written, so take their field out"
        _refuse(expression, what)
    return found


def _preset(expression: str, name: str) -> str:
    if name in PRESETS:
        return PRESETS[name]
    if name == "@reboot":
        _refuse(expression, "'@reboot' names no time; write one of " + ", ".join(PRESETS))
    if name.startswith("@every"):
        _refuse(expression, "'@every' is not read; write a step, such as '*/5 * * * *' for every five minutes")
    close = difflib.get_close_matches(name, PRESETS, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    _refuse(expression, f"is not a known name; {hint}known are {', '.join(PRESETS)}")


def _plain(expression: str, field: _Field, text: str, at: int) -> str:
    """Check one field and rewrite it in numbers, in forms that have one reading only."""
    items = text.split(",")
    plain = []
    for item in items:
        plain.append(_plain_item(expression, field, item, at))
        if item.startswith("*") and plain[-1] == "*" and len(items) > 1:
            _refuse_item(
                expression, field, item, at, f"already names every {field.name}: take the rest of the list out"
            )
        at += len(item) + 1
    return ",".join(plain)


def _plain_item(expression: str, field: _Field, item: str, at: int) -> str:
    match = _ITEM.fullmatch(item)
    if match is None:
        _refuse_item(expression, field, item, at, _shape_hint(item))
    count = field.high - field.low + 1
    step = 1
    if match["step"] is not None:
        number = int(match["step"]) if match["step"].isdigit() and len(match["step"]) <= 4 else 0
        if not 1 <= number <= count:
            hint = (
                f"has a step of {match['step']!r}; a step is a number from 1 to {count} and starts anew with the field"
            )
            _refuse_item(expression, field, item, at, hint)
        step = number
    suffix = "" if step == 1 else f"/{step}"
    if match["star"]:
        return "*" + suffix
    low = _number(expression, field, item, at, match["low"])
    if match["high"] is None:
        if match["step"] is None or low >= field.high:
            return str(low)
        return f"{low}-{field.high}{suffix}"
    return _plain_range(expression, field, item, at, low, _number(expression, field, item, at, match["high"]), suffix)


def _plain_range(expression: str, field: _Field, item: str, at: int, low: int, high: int, suffix: str) -> str:
    """A range, forward or through the end of the field.

    croniter takes an equal range for the whole field and steps unevenly through the end, so it is given neither.
    """
    if low == high:
        return str(low)
    if field.largest > field.high:  # 7 is Sunday, like 0
        low %= field.largest
        high = field.high if (low, high) == (field.low, field.largest) else high
    if low < high:
        return f"{low}-{high}{suffix}"
    if suffix:
        _refuse_item(expression, field, item, at, "steps through the end of the field; write it as a list")
    tail = str(low) if low == field.high else f"{low}-{field.high}"
    head = str(high) if high == field.low else f"{field.low}-{high}"
    return f"{tail},{head}"


def _number(expression: str, field: _Field, item: str, at: int, text: str) -> int:
    number = field.number(text)
    if number is None:
        _refuse_item(expression, field, item, at, f"{_letter_hint(text)}allowed are {field.allowed}")
    if not field.low <= number <= field.largest:
        _refuse_item(expression, field, item, at, f"is out of range; allowed are {field.allowed}")
    return number


def _refuse_item(expression: str, field: _Field, item: str, at: int, what: str) -> NoReturn:
    shown = expression[at - 1 : at - 1 + len(item)]
    _refuse(expression, f"{quoted(shown)} in the {field.name} field (character {at}) {what}")


def _shape_hint(item: str) -> str:
    for sign, hint in _HINTS:
        if sign in item:
            return f"is not read: {hint}"
    if not item:
        return "is an empty place in a list; take the comma out"
    return "is not read; write a number, a range a-b, a step */n or a-b/n, or a list of these"


def _letter_hint(text: str) -> str:
    for letter in (text[0], text[-1]):
        if letter in _LETTERS and not text.strip(letter).isalpha():
            return f"is not read: {_LETTERS[letter]}; "
    return "is not a value of this field; "


def _expand(texts: tuple[str, ...]) -> tuple[tuple[int, ...], ...]:
    """The values of each field, ascending, as croniter reads them from unambiguous text."""
    expanded, _ = croniter.expand(" ".join(texts))
    return tuple(
        tuple(range(field.low, field.high + 1)) if values == ["*"] else tuple(sorted(int(value) for value in values))
        for field, values in zip(_FIELDS, expanded, strict=True)
    )


def _refuse_never(expression: str, cron: Cron) -> None:
    """Refuse dates that no year has; with both day fields set, a day of week always matches."""
    if cron.any_day or cron.either_day:
        return
    longest = max(calendar.monthrange(2000, month)[1] for month in cron.months)
    if min(cron.days) > longest:
        months = ", ".join(calendar.month_name[month] for month in sorted(cron.months))
        _refuse(
            expression,
            f"never matches: no day {min(cron.days)} (day of month, field 3) comes in {months}; "
            f"write a day up to {longest} or another month",
        )

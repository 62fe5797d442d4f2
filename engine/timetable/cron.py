"""Cron expressions as the days and the minutes that they name."""

import calendar
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from croniter import croniter

from engine.timetable.dialect import FIELDS, MONTHS, plain_fields, refuse
from engine.timetable.exclusion import EPOCH_ORDINAL, NOTHING, Exclusion

_MOST_DAYS = 41 * 366
"""Within so many days every date that a rule can name comes, the leap day on each day of the week included."""


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
    both_days: bool = False
    """With both day fields set, a date has to fit both of them, not only one."""
    exclude: Exclusion = NOTHING

    @property
    def elapsed(self) -> bool:
        """True if every hour is named: the schedule then follows elapsed time instead of the wall clock."""
        return len(self.hours) == 24

    @property
    def every_day(self) -> bool:
        """True if no date is left out."""
        return self.any_day and self.any_weekday and len(self.months) == 12 and not self.exclude

    @property
    def either_day(self) -> bool:
        """True if day of month and day of week are both restricted, and a day that fits one of them is enough."""
        return not (self.any_day or self.any_weekday or self.both_days)

    def matches(self, day: int) -> bool:
        """Whether the date `day` days after 1970-01-01 is named."""
        if self.every_day:
            return True
        when = date.fromordinal(day + EPOCH_ORDINAL)
        if when.month not in self.months or day in self.exclude:
            return False
        in_week = (day + 4) % 7 in self.weekdays
        if self.any_day:
            return in_week
        in_month = when.day in self.days
        return in_month or in_week if self.either_day else in_month and in_week

    def next_day(self, day: int, last: int) -> int | None:
        """The first named date in [day, last]; None if there is none."""
        while day <= last:
            if self.matches(day):
                return day
            when = date.fromordinal(day + EPOCH_ORDINAL)
            day += 1
            if when.month not in self.months:
                day += calendar.monthrange(when.year, when.month)[1] - when.day
        return None

    def previous_day(self, day: int, first: int) -> int | None:
        """The last named date in [first, day]; None if there is none."""
        while day >= first:
            if self.matches(day):
                return day
            when = date.fromordinal(day + EPOCH_ORDINAL)
            day -= when.day if when.month not in self.months else 1
        return None


@lru_cache(maxsize=4096)
def parse(expression: str, both_days: bool = False, exclude: Exclusion = NOTHING) -> Cron:
    """Read an expression of five fields or one of the `@` names.

    both_days: with both day fields set, a date has to fit both. exclude: dates that have no points. Raises
    ScheduleError if it is not in the dialect or can never match.
    """
    texts = plain_fields(expression)
    minutes, hours, days, months, weekdays = _expand(texts)
    cron = Cron(
        minutes=minutes,
        hours=hours,
        days=frozenset(days),
        months=frozenset(months),
        weekdays=frozenset(weekdays),
        any_day=texts[2] == "*",
        any_weekday=texts[4] == "*",
        times=tuple(60 * hour + minute for hour in hours for minute in minutes),
        both_days=both_days,
        exclude=exclude,
    )
    _refuse_never(expression, cron)
    return cron


def _expand(texts: tuple[str, ...]) -> tuple[tuple[int, ...], ...]:
    """The values of each field, ascending."""
    expanded, _ = croniter.expand(" ".join(texts))
    return tuple(
        tuple(range(field.low, field.high + 1)) if values == ["*"] else tuple(sorted(int(value) for value in values))
        for field, values in zip(FIELDS, expanded, strict=True)
    )


def _refuse_never(expression: str, cron: Cron) -> None:
    """Refuse what no year has: a day that its months lack, days that never fit both fields, or only excluded ones."""
    if cron.every_day:
        return
    longest = max(calendar.monthrange(2000, month)[1] for month in cron.months)
    if not cron.any_day and not cron.either_day and min(cron.days) > longest:
        months = ", ".join(MONTHS[month - 1] for month in sorted(cron.months))
        refuse(
            expression,
            f"never matches: no day {min(cron.days)} (day of month, field 3) comes in {months}; "
            f"write a day up to {longest} or another month",
        )
    first = max(cron.exclude.last + 1, 0)
    if cron.next_day(first, first + _MOST_DAYS) is None:
        what = "the excluded dates leave no other" if cron.exclude else "no date fits both day fields"
        refuse(expression, f"never matches: {what}")

"""Dates that a schedule leaves out: single dates, ranges of dates, and days that come every year."""

import re
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from engine.timetable.errors import ScheduleError, quoted

EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
MOST_EXCLUDED = 5000

_YEARLY = re.compile(r"(\d{2})-(\d{2})")


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Excluded dates. Days are counted from 1970-01-01, ranges hold their first and their last day."""

    days: frozenset[int] = frozenset()
    ranges: tuple[tuple[int, int], ...] = ()
    yearly: frozenset[tuple[int, int]] = frozenset()
    """(month, day) of every year."""

    def __bool__(self) -> bool:
        return bool(self.days or self.ranges or self.yearly)

    def __contains__(self, day: int) -> bool:
        if day in self.days or any(first <= day <= last for first, last in self.ranges):
            return True
        if not self.yearly:
            return False
        when = date.fromordinal(day + EPOCH_ORDINAL)
        return (when.month, when.day) in self.yearly

    @property
    def last(self) -> int:
        """The last day that is excluded by its own date and not every year; -1 where there is none."""
        return max((*self.days, *(last for _, last in self.ranges)), default=-1)


NOTHING = Exclusion()


@lru_cache(maxsize=1024)
def read_exclusion(texts: tuple[str, ...]) -> Exclusion:
    """Reads dates (`2026-12-25`), ranges (`2026-12-24..2027-01-01`) and days of every year (`12-25`).

    Raises ScheduleError naming the text that is none of them.
    """
    if not texts:
        return NOTHING
    if len(texts) > MOST_EXCLUDED:
        raise ScheduleError(f"{len(texts)} dates are excluded; at most {MOST_EXCLUDED} can be: write ranges a..b")
    days: set[int] = set()
    ranges: list[tuple[int, int]] = []
    yearly: set[tuple[int, int]] = set()
    for text in texts:
        first, dots, last = text.strip().partition("..")
        found = _YEARLY.fullmatch(first)
        if dots:
            low, high = _day(first, text), _day(last, text)
            if high < low:
                raise ScheduleError(f"excluded dates {quoted(text)}: the range ends before it begins")
            ranges.append((low, high))
        elif found is not None:
            yearly.add(_day_of_every_year(int(found[1]), int(found[2]), text))
        else:
            days.add(_day(first, text))
    return Exclusion(frozenset(days), tuple(sorted(ranges)), frozenset(yearly))


def _day(text: str, whole: str) -> int:
    try:
        return date.fromisoformat(text.strip()).toordinal() - EPOCH_ORDINAL
    except ValueError:
        raise ScheduleError(
            f"excluded date {quoted(whole)} is not read: write a date such as 2026-12-25, a range such as "
            "2026-12-24..2027-01-01, or a day of every year such as 12-25"
        ) from None


def _day_of_every_year(month: int, day: int, whole: str) -> tuple[int, int]:
    _day(f"2000-{month:02d}-{day:02d}", whole)
    return month, day

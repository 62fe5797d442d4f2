"""Rules beside cron: fixed intervals, calendar intervals and single times, each with its points in both directions."""

import calendar
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from engine.timetable.exclusion import EPOCH_ORDINAL, Exclusion
from engine.timetable.zone import FIRST_YEAR, LAST_YEAR

Micros: TypeAlias = int

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)
EARLIEST: Micros = (datetime(FIRST_YEAR, 1, 1, tzinfo=UTC) - _EPOCH) // _MICRO
LATEST: Micros = (datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC) - _EPOCH) // _MICRO


@dataclass(frozen=True, slots=True)
class Every:
    """Points a fixed time apart, counted from an anchor: elapsed time, which no change of clocks touches."""

    anchor: Micros
    step: Micros

    def after(self, low: Micros, zone: ZoneInfo, exclude: Exclusion) -> Iterator[Micros]:
        """The points from `low` on, ascending."""
        low = max(low, EARLIEST)
        return _kept(range(low + (self.anchor - low) % self.step, LATEST, self.step), zone, exclude)

    def before(self, high: Micros, zone: ZoneInfo, exclude: Exclusion) -> Iterator[Micros]:
        """The points before `high`, descending."""
        high = min(high, LATEST) - 1
        return _kept(range(high - (high - self.anchor) % self.step, EARLIEST - 1, -self.step), zone, exclude)

    def count(self, low: Micros, high: Micros) -> int:
        """How many points lie in [low, high)."""
        return max(0, -((self.anchor - high) // self.step) + (self.anchor - low) // self.step)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Points whole days or months apart on the calendar, counted from the wall time at which the anchor stands.

    Each is computed from the anchor: a month from 31 January is 28 February, two months from it are 31 March.
    """

    anchor: Micros
    number: int
    unit: Literal["day", "month"]

    def after(self, low: Micros, zone: ZoneInfo, exclude: Exclusion) -> Iterator[Micros]:
        """The points from `low` on, ascending."""
        number, last = self._near(low, zone) - 2, None
        while (point := self._point(number, zone)) is not None:
            if point >= low and point != last and not (exclude and self._day(number, zone) in exclude):
                yield point
                last = point
            number += 1

    def before(self, high: Micros, zone: ZoneInfo, exclude: Exclusion) -> Iterator[Micros]:
        """The points before `high`, descending."""
        number, last = self._near(high, zone) + 2, None
        while (point := self._point(number, zone)) is not None:
            if point < high and point != last and not (exclude and self._day(number, zone) in exclude):
                yield point
                last = point
            number -= 1

    def _near(self, at: Micros, zone: ZoneInfo) -> int:
        """The number of a point close to `at`; numbers beyond the calendar's ends are brought back into it."""
        at = min(max(at, EARLIEST + 86_400_000_000), LATEST - 86_400_000_000)
        one, two = _wall(self.anchor, zone), _wall(at, zone)
        if self.unit == "day":
            return (two.toordinal() - one.toordinal()) // self.number
        return ((two.year - one.year) * 12 + two.month - one.month) // self.number

    def _wall_of(self, number: int, zone: ZoneInfo) -> datetime | None:
        anchor = _wall(self.anchor, zone)
        if self.unit == "day":
            ordinal = anchor.toordinal() + number * self.number
            if not datetime(FIRST_YEAR, 1, 1).toordinal() <= ordinal <= datetime(LAST_YEAR, 12, 31).toordinal():
                return None
            return datetime.combine(datetime.fromordinal(ordinal).date(), anchor.time())
        year, month = divmod(anchor.year * 12 + anchor.month - 1 + number * self.number, 12)
        if not FIRST_YEAR <= year <= LAST_YEAR:
            return None
        return anchor.replace(year=year, month=month + 1, day=1) + timedelta(
            days=min(anchor.day, calendar.monthrange(year, month + 1)[1]) - 1
        )

    def _day(self, number: int, zone: ZoneInfo) -> int:
        wall = self._wall_of(number, zone)
        return wall.toordinal() - EPOCH_ORDINAL if wall is not None else 0

    def _point(self, number: int, zone: ZoneInfo) -> Micros | None:
        """A wall time that is skipped moves by the length of the gap; one that comes twice counts at the later pass."""
        wall = self._wall_of(number, zone)
        if wall is None:
            return None
        first, second = (wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
        one, two = (moment.astimezone(UTC) for moment in (first, second))
        return (max(one, two) - _EPOCH) // _MICRO


@dataclass(frozen=True, slots=True)
class Times:
    """Single points, ascending."""

    points: tuple[Micros, ...]

    def after(self, low: Micros, zone: ZoneInfo, exclude: Exclusion) -> Iterator[Micros]:
        """The points from `low` on, ascending."""
        return _kept(self.points[bisect_left(self.points, low) :], zone, exclude)

    def before(self, high: Micros, zone: ZoneInfo, exclude: Exclusion) -> Iterator[Micros]:
        """The points before `high`, descending."""
        return _kept(reversed(self.points[: bisect_left(self.points, high)]), zone, exclude)


def _kept(points: Iterable[Micros], zone: ZoneInfo, exclude: Exclusion) -> Iterator[Micros]:
    """The points whose local dates are not excluded."""
    if not exclude:
        return iter(points)
    return (point for point in points if _wall(point, zone).toordinal() - EPOCH_ORDINAL not in exclude)


def _wall(at: Micros, zone: ZoneInfo) -> datetime:
    """What a clock in the zone shows, without the zone."""
    return (_EPOCH + timedelta(microseconds=at)).astimezone(zone).replace(tzinfo=None)

"""Points of cron expressions found by walking minutes around every change of clocks: an oracle without arithmetic.

For each change one table says which wall time each minute shows; all expressions are looked up in it.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import pairwise, takewhile
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo, available_timezones

from engine.timetable import compile_timetable, count_points, points_after, points_before, slots

FIRST, LAST = 1990, 2037
AROUND = 36 * 60
"""Minutes looked at on either side of a change."""
MARGIN = 26 * 60
"""Minutes more in the table, so that no wall time's other pass lies outside: the longest step of a clock is a day."""
MINUTE = 60_000_000
EPOCH = date(1970, 1, 1)
NOONS = [datetime(FIRST, 1, 1, 12) + timedelta(days=days) for days in range(-3, 366 * (LAST + 1 - FIRST), 3)]
"""Every third noon of any zone's own clock, from three days before the first year on to a while after the last."""
EVERY = frozenset(range(24))


@dataclass(frozen=True)
class Case:
    """An expression, and what it names: minutes, hours, and dates."""

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    named: Callable[[date], bool] = lambda day: True


def case(text: str, minutes: object, hours: object, named: Callable[[date], bool] = lambda day: True) -> Case:
    """A case with its values from any collections."""
    return Case(text, frozenset(minutes), frozenset(hours), named)  # type: ignore[call-overload]  # of integers


CASES = (
    case("0 * * * *", [0], EVERY),
    case("*/15 * * * *", range(0, 60, 15), EVERY),
    case("0 0-23 * * *", [0], EVERY),
    case("30 2 * * *", [30], [2]),
    case("0,30 2 * * *", [0, 30], [2]),
    case("30 2,3 * * *", [30], [2, 3]),
    case("0,20,45 2 * * *", [0, 20, 45], [2]),
    case("0 */2 * * *", [0], range(0, 24, 2)),
    case("0 9-16 * * *", [0], range(9, 17)),
    case("@daily", [0], [0]),
    case("59 23 * * *", [59], [23]),
    case("15 0,1,4,22 * * *", [15], [0, 1, 4, 22]),
    case("*/7 1-5 * * sun", range(0, 60, 7), range(1, 6), lambda day: day.isoweekday() == 7),
    case("0 12 * * mon-fri", [0], [12], lambda day: day.isoweekday() <= 5),
    case("30 3 1,15 * *", [30], [3], lambda day: day.day in (1, 15)),
    case("0 1 13 * 6", [0], [1], lambda day: day.day == 13 or day.isoweekday() == 6),
    case("5 * * * 0", [5], EVERY, lambda day: day.isoweekday() == 7),
)


@dataclass(frozen=True)
class Change:
    """A change of clocks in one zone that stands for all zones in which the days around it look the same."""

    zone: str
    minute: int
    """The first minute (UTC, since 1970) with the new offset."""


@dataclass
class MinuteTable:
    """Which wall time each minute around a change shows. Minutes since 1970, of UTC and of the zone's own calendar."""

    change: Change
    low: int = field(init=False)
    high: int = field(init=False)

    def __post_init__(self) -> None:
        self.low, self.high = self.change.minute - AROUND, self.change.minute + AROUND

    @cached_property
    def walls(self) -> dict[int, int]:
        """The wall time of each minute. Minute by minute within hours in which the clocks change."""
        zone = ZoneInfo(self.change.zone)
        found: dict[int, int] = {}
        for first in range(self.low - MARGIN, self.high + MARGIN, 60):
            wall = wall_minute(zone, first)
            if wall_minute(zone, first + 60) == wall + 60:
                found |= zip(range(first, first + 60), range(wall, wall + 60), strict=True)
            else:
                found |= {at: wall_minute(zone, at) for at in range(first, first + 60)}
        return found

    @cached_property
    def by_minute(self) -> dict[int, list[tuple[int, int]]]:
        """Of each minute of the hour: when in [low, high) the clock shows it, with the days that it then shows."""
        found: dict[int, list[tuple[int, int]]] = {minute: [] for minute in range(60)}
        for at in range(self.low, self.high):
            day, time = divmod(self.walls[at], 1440)
            found[time % 60].append((at, day))
        return found

    @cached_property
    def fires(self) -> dict[int, int]:
        """When each wall time fires outside elapsed time: at its last pass, or moved by the gap if it has none."""
        found = {wall: at for at, wall in self.walls.items()}
        gaps = ((at, wall, then) for (at, wall), (_, then) in pairwise(self.walls.items()) if then > wall + 1)
        for at, wall, following in gaps:
            for missing in range(wall + 1, following):
                found.setdefault(missing, at + missing - wall)
        return found

    @cached_property
    def dates(self) -> list[tuple[int, date]]:
        """The dates of the table's wall times, those that clocks skip included."""
        days = sorted({wall // 1440 for wall in self.fires})
        return [(day, EPOCH + timedelta(days=day)) for day in days]

    def points(self, asked: Case) -> list[int]:
        """The points of an expression in [low, high)."""
        days = {day for day, when in self.dates if asked.named(when)}
        if len(asked.hours) == 24:
            found = {at for minute in asked.minutes for at, day in self.by_minute[minute] if day in days}
        else:
            times = [60 * hour + minute for hour in asked.hours for minute in asked.minutes]
            named = (day * 1440 + time for day in days for time in times)
            found = {self.fires[wall] for wall in named if wall in self.fires}
        return sorted(at for at in found if self.low <= at < self.high)

    def faults(self, asked: Case) -> list[str]:
        """Where the timetable says otherwise: forward, backward, counted, and as intervals."""
        tt = compile_timetable(asked.text, self.change.zone, start=self.low * MINUTE)
        low, high = self.low * MINUTE, self.high * MINUTE
        expected = [at * MINUTE for at in self.points(asked)]
        where = f"{asked.text!r} in {self.change.zone} around {self.change.minute}"
        found = []
        if list(takewhile(lambda at: at < high, points_after(tt, low, inclusive=True))) != expected:
            found.append(f"{where}: the points are not those of the minutes")
        if list(takewhile(lambda at: at >= low, points_before(tt, high))) != expected[::-1]:
            found.append(f"{where}: the points backward are others than forward")
        if count_points(tt, low, high) != len(expected):
            found.append(f"{where}: {count_points(tt, low, high)} points are counted, not {len(expected)}")
        intervals = list(takewhile(lambda slot: slot.interval_end < high, slots(tt)))
        if [(slot.interval_start, slot.interval_end) for slot in intervals] != list(pairwise(expected)):
            found.append(f"{where}: the intervals do not touch, or are others than those between the points")
        return found


def wall_minute(zone: ZoneInfo, at: int) -> int:
    """What a clock in the zone shows at a minute UTC, as minutes since its own 1970."""
    local = datetime.fromtimestamp(at * 60, zone)
    return (local.toordinal() - EPOCH.toordinal()) * 1440 + local.hour * 60 + local.minute


def rule_sets() -> list[str]:
    """One zone for each set of rules: names that mean the same rules have the same file."""
    distinct: dict[bytes, str] = {}
    for name in sorted(available_timezones() - {"localtime", "posixrules"}):
        places = [Path(folder) / name for folder in TZPATH]
        found = next((place.read_bytes() for place in places if place.is_file()), name.encode())
        distinct.setdefault(found, name)
    return list(distinct.values())


def all_changes() -> list[Change]:
    """Every change of clocks from 1990 to 2037, once for all zones whose clocks go alike in the days around it."""
    seen: dict[tuple[tuple[int, int], ...], Change] = {}
    for name in rule_sets():
        found = list(_changes_of(ZoneInfo(name)))
        moments = [at for at, _, _ in found]
        for at, _, _ in found:
            near = found[bisect_left(moments, at - 6 * 1440) : bisect_left(moments, at + 6 * 1440)]
            alike = (*((moment, before) for moment, before, _ in near), (at, near[-1][2]))
            seen.setdefault(alike, Change(name, at))
    return list(seen.values())


def some_changes(share: int, seed: int) -> list[Change]:
    """One in `share` of all changes, drawn by a seed."""
    changes = all_changes()
    return random.Random(seed).sample(changes, len(changes) // share)


def _changes_of(zone: ZoneInfo) -> Iterator[tuple[int, int, int]]:
    """Minutes at which the offset changes, with the offsets before and after, found by looking every third day."""
    first, last = ((date(year, 1, 1) - EPOCH).days for year in (FIRST, LAST + 1))
    known = _offset(zone, first * 1440)
    shown = [zone.utcoffset(noon) for noon in NOONS]
    for at, day in enumerate(range(first, last, 3)):
        if shown[at] == shown[at + 1] == shown[at + 2] == shown[at + 3]:
            continue
        offset = _offset(zone, (day + 3) * 1440)
        if offset != known:
            low, high = day * 1440, (day + 3) * 1440
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (low, middle) if _offset(zone, middle) == offset else (middle, high)
            yield high, known, offset
            known = offset


def _offset(zone: ZoneInfo, at: int) -> int:
    offset = datetime.fromtimestamp(at * 60, zone).utcoffset()
    assert offset is not None
    return round(offset.total_seconds())

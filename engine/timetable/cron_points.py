"""The points of a cron rule: the instants that it names in a zone. Everything here counts in seconds.

If every hour is named, the schedule follows elapsed time: a repeated hour counts twice, a skipped one not at all.
Otherwise each wall time fires once per local date: one that clocks skip is moved by the length of the gap, one that
comes twice fires at the later pass. Each point is computed from the calendar, never from the point before it, so any
place to restart from gives the same points.
"""

from bisect import bisect_left
from collections.abc import Iterator
from typing import NamedTuple
from zoneinfo import ZoneInfo

from engine.timetable.cron import Cron
from engine.timetable.zone import DAY, Stretch, stretches_from, stretches_until


def cron_after(cron: Cron, zone: ZoneInfo, low: int) -> Iterator[int]:
    """The points from `low` on, ascending, to the end of the calendar in the year 9998."""
    for stretch in stretches_from(zone, low):
        part = _part(cron, stretch, max(low, stretch.start), stretch.end)
        yield from part.first
        for wall in _walls(cron, part.low, part.high):
            yield wall - stretch.offset


def cron_before(cron: Cron, zone: ZoneInfo, high: int) -> Iterator[int]:
    """The points before `high`, descending."""
    for stretch in stretches_until(zone, high):
        part = _part(cron, stretch, stretch.start, min(high, stretch.end))
        for wall in _walls_down(cron, part.low, part.high):
            yield wall - stretch.offset
        yield from reversed(part.first)


def cron_count(cron: Cron, zone: ZoneInfo, low: int, high: int) -> int:
    """How many points lie in [low, high), without walking them."""
    total = 0
    for stretch in stretches_from(zone, low):
        if stretch.start >= high:
            break
        part = _part(cron, stretch, max(low, stretch.start), min(high, stretch.end))
        total += len(part.first) + _count_walls(cron, part.low, part.high)
    return total


class _Part(NamedTuple):
    """The points of one stretch: some instants that stand first, then the wall times in [low, high)."""

    first: list[int]
    low: int
    high: int


def _part(cron: Cron, stretch: Stretch, low: int, high: int) -> _Part:
    """The points of `stretch` in [low, high), which lies inside it. Seconds."""
    offset = stretch.offset
    if cron.elapsed:
        return _Part([], low + offset, high + offset)
    repeated = max(0, offset - stretch.after)
    kept = min(high, stretch.end - repeated)
    gap_end = stretch.start + max(0, offset - stretch.before)
    if low >= gap_end:
        return _Part([], low + offset, kept + offset)
    until = min(gap_end, high)
    moved = {wall - stretch.before for wall in _walls(cron, low + stretch.before, until + stretch.before)}
    own = {wall - offset for wall in _walls(cron, low + offset, min(until, kept) + offset)}
    return _Part(sorted(moved | own), until + offset, kept + offset)


def _walls(cron: Cron, low: int, high: int) -> Iterator[int]:
    """The wall times in [low, high), ascending, as seconds of a calendar without zones."""
    begin, last = low // DAY, (high - 1) // DAY
    day = cron.next_day(begin, last)
    while day is not None:
        base = day * DAY
        skip = bisect_left(cron.times, -(-(low - base) // 60)) if day == begin else 0
        for minute in cron.times[skip:] if skip else cron.times:
            wall = base + minute * 60
            if wall >= high:
                return
            yield wall
        day = cron.next_day(day + 1, last)


def _walls_down(cron: Cron, low: int, high: int) -> Iterator[int]:
    """The wall times in [low, high), descending."""
    begin, first = (high - 1) // DAY, low // DAY
    day = cron.previous_day(begin, first)
    while day is not None:
        base = day * DAY
        stop = bisect_left(cron.times, -(-(high - base) // 60)) if day == begin else len(cron.times)
        for minute in reversed(cron.times[:stop]):
            wall = base + minute * 60
            if wall < low:
                return
            yield wall
        day = cron.previous_day(day - 1, first)


def _count_walls(cron: Cron, low: int, high: int) -> int:
    """How many wall times lie in [low, high)."""
    if high <= low:
        return 0
    first, last = low // DAY, (high - 1) // DAY
    below = bisect_left(cron.times, -(-(low - first * DAY) // 60))
    upto = bisect_left(cron.times, -(-(high - last * DAY) // 60))
    total = len(cron.times) * _count_days(cron, first, last)
    if cron.matches(first):
        total -= below
    if cron.matches(last):
        total -= len(cron.times) - upto
    return total


def _count_days(cron: Cron, first: int, last: int) -> int:
    if cron.every_day:
        return last - first + 1
    return sum(1 for day in range(first, last + 1) if cron.matches(day))

"""Zones as stretches of constant offset. All times here are whole seconds since 1970-01-01 UTC."""

import difflib
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from engine.timetable.errors import ScheduleError, quoted

DAY = 86_400
FIRST_YEAR = 2
LAST_YEAR = 9998

# The tz database holds no two changes of one zone within three days of each other, and none by more than a day.
_SAMPLE = DAY
_MARGIN = 2 * DAY
_HOST_NAMES = frozenset({"localtime", "posixrules"})


class Stretch(NamedTuple):
    """A time [start, end) in which a zone keeps one offset, with the offsets before and after it (seconds east)."""

    start: int
    end: int
    offset: int
    before: int
    after: int


def find_zone(name: str) -> ZoneInfo:
    """The IANA zone of that name. Raises ScheduleError if there is none, or if the name means the host's own zone."""
    if 0 < len(name) <= 100 and name not in _HOST_NAMES and not name.startswith("right/"):
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass
    known = {zone.lower(): zone for zone in available_timezones() if "/" in zone}
    close = difflib.get_close_matches(name.lower()[:100], known, n=1)
    hint = f"did you mean {known[close[0]]!r}? " if close else ""
    raise ScheduleError(
        f"time zone {quoted(name)} is not known; {hint}write an IANA name such as 'Europe/Berlin' or 'UTC', "
        "not an offset or an abbreviation"
    )


def stretches_from(zone: ZoneInfo, at: int) -> Iterator[Stretch]:
    """The stretches that end after `at`, ascending, to the end of the calendar."""
    for year in range(_year_of(zone, at), LAST_YEAR + 1):
        for stretch in _stretches_of(zone, year):
            if stretch.end > at:
                yield stretch


def stretches_until(zone: ZoneInfo, at: int) -> Iterator[Stretch]:
    """The stretches that start at or before `at`, descending, to the beginning of the calendar."""
    for year in range(_year_of(zone, at), FIRST_YEAR - 1, -1):
        for stretch in reversed(_stretches_of(zone, year)):
            if stretch.start <= at:
                yield stretch


def _offset(zone: ZoneInfo, at: int) -> int:
    offset = datetime.fromtimestamp(at, zone).utcoffset()
    return offset.days * DAY + offset.seconds if offset is not None else 0


def _year_of(zone: ZoneInfo, at: int) -> int:
    lowest = int(datetime(FIRST_YEAR, 1, 1, tzinfo=UTC).timestamp())
    highest = int(datetime(LAST_YEAR, 12, 31, tzinfo=UTC).timestamp())
    year = datetime.fromtimestamp(min(max(at, lowest), highest), UTC).year
    return max(FIRST_YEAR, year - 1) if at < _cut(zone, year) else year


@lru_cache(maxsize=8192)
def _cut(zone: ZoneInfo, year: int) -> int:
    """Where the zone's year begins here: the first moment of it that is far from any change.

    So no skipped and no repeated hour ever spans two years.
    """
    at = int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
    while len({_offset(zone, near) for near in range(at - _MARGIN, at + _MARGIN + 1, _SAMPLE)}) > 1:
        at += _MARGIN
    return at


@lru_cache(maxsize=8192)
def _stretches_of(zone: ZoneInfo, year: int) -> tuple[Stretch, ...]:
    """The stretches of one year, cut at the year's ends."""
    begin, end = _cut(zone, year), _cut(zone, year + 1)
    changes: list[tuple[int, int]] = []
    left, offset = begin, _offset(zone, begin)
    while left < end:
        right = min(left + _SAMPLE, end)
        found = _offset(zone, right)
        if found != offset:
            changes.append((_change_between(zone, left, right), found))
        left, offset = right, found
    starts = [(begin, _offset(zone, begin)), *changes]
    stretches = []
    for number, (start, own) in enumerate(starts):
        last = number + 1 == len(starts)
        stop, after = (end, own) if last else starts[number + 1]
        stretches.append(Stretch(start, stop, own, starts[number - 1][1] if number else own, after))
    return tuple(stretches)


def _change_between(zone: ZoneInfo, left: int, right: int) -> int:
    """The first second in (left, right] that has the offset of `right`."""
    new = _offset(zone, right)
    while right - left > 1:
        middle = (left + right) // 2
        if _offset(zone, middle) == new:
            right = middle
        else:
            left = middle
    return right

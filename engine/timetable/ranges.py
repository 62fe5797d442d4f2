"""Ranges of time as people type them: `-90d..yesterday`, `2024-01-01..2024-03-31`; and times of the day."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from engine.model.moments import Micros, from_datetime, to_datetime
from engine.timetable.errors import ScheduleError, quoted
from engine.timetable.zone import find_zone

_AGO = re.compile(r"-(\d{1,5})([hdw])")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_WINDOW = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})(?:\s+(\S+))?")
_DAYS = {"today": 0, "yesterday": -1, "tomorrow": 1}


def read_range(first: str, last: str | None, zone: str, now: Micros) -> tuple[Micros, Micros]:
    """The first and the last moment of a range, both inclusive; days are those of the zone, and taken whole.

    `first` may be a whole range `a..b`. Ends are a date, a date with a time, `today`, `yesterday`, `now`, or `-90d`,
    `-2w`, `-6h`: days and weeks ago as days, hours ago as moments. Without a last end it is `now`, except that a
    single day is that day. Raises ScheduleError.
    """
    if last is None:
        first, dots, rest = first.partition("..")
        last = rest if dots else first if first in _DAYS or _DATE.fullmatch(first) else "now"
    begin, end = _end(first or "", zone, now, whole=False), _end(last or "now", zone, now, whole=True)
    if end < begin:
        raise ScheduleError(f"the range {quoted(first)}..{quoted(last)} ends before it begins")
    return begin, end


def _end(text: str, zone: str, now: Micros, *, whole: bool) -> Micros:
    """One end of a range; `whole`: the last moment of a day, not its first."""
    text = text.strip()
    today = to_datetime(now, find_zone(zone).key).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    ago = _AGO.fullmatch(text)
    if text == "now":
        return now
    if ago is not None and ago[2] == "h":
        return now - int(ago[1]) * 3_600_000_000
    if ago is not None:
        day = today - timedelta(days=int(ago[1]) * (7 if ago[2] == "w" else 1))
    elif text in _DAYS:
        day = today + timedelta(days=_DAYS[text])
    else:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise ScheduleError(
                f"{quoted(text)} is not an end of a range: write a date such as 2026-01-31, a time such as "
                "2026-01-31T06:00, today, yesterday, now, or how long ago: -90d, -2w, -6h"
            ) from None
        if not _DATE.fullmatch(text):
            return from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone)))
        day = moment
    if whole:
        return _instant(day + timedelta(days=1), ZoneInfo(zone)) - 1
    return _instant(day, ZoneInfo(zone))


def _instant(wall: datetime, zone: ZoneInfo, *, last: bool = False) -> Micros:
    """When a clock in the zone shows this: of two passes the first, or the `last`. A time that is skipped comes as much
    later as clocks leave out.
    """
    passes = [from_datetime(wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)) for fold in (0, 1)]
    return max(passes) if last else passes[0]


@dataclass(frozen=True, slots=True)
class DayWindow:
    """A time of the day, in minutes of the local clock; it may go over midnight.

    Where an hour comes twice it lasts from the first pass of its beginning to the last pass of its end. What clocks
    skip comes later by the length of the gap, so a window that lies in a gap is not left out.
    """

    begin: int
    end: int
    zone: ZoneInfo

    def contains(self, at: Micros) -> bool:
        """Whether the moment lies within."""
        return any(first <= at < until for first, until in self._spans(at))

    def next_change(self, at: Micros) -> Micros:
        """When it begins or ends next, after `at`."""
        spans = self._spans(at)
        if not self.contains(at):
            return min(first for first, _ in spans if first > at)
        for first, until in spans:
            if first <= at < until:
                at = until  # where the clocks change, one may reach into the next
        return at

    def _spans(self, at: Micros) -> list[tuple[Micros, Micros]]:
        """The windows of the days around a moment, in their order."""
        day = to_datetime(at).astimezone(self.zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        length = self.end + (0 if self.begin < self.end else 1440)
        days = (day + timedelta(days=number) for number in range(-2, 4))
        return [
            (
                _instant(midnight + timedelta(minutes=self.begin), self.zone),
                _instant(midnight + timedelta(minutes=length), self.zone, last=True),
            )
            for midnight in days
        ]


def read_window(text: str, zone: str) -> DayWindow:
    """Reads `05:30-08:00` or `05:30-08:00 Europe/Berlin`; without a zone it is `zone`. Raises ScheduleError."""
    found = _WINDOW.fullmatch(text.strip())
    numbers = [int(found[place]) for place in (1, 2, 3, 4)] if found else [99] * 4
    if found is None or max(numbers[0], numbers[2]) > 23 or max(numbers[1], numbers[3]) > 59:
        raise ScheduleError(f"{quoted(text)} is not a time of the day: write it as 05:30-08:00 Europe/Berlin")
    begin, end = numbers[0] * 60 + numbers[1], numbers[2] * 60 + numbers[3]
    if begin == end:
        raise ScheduleError(f"{quoted(text)} begins and ends at the same time: nothing, or everything, is in it")
    return DayWindow(begin, end, find_zone(found[5] or zone))

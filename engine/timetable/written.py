"""The written form of a whole schedule: cron expressions, `every …` and `at …`, one or several of them with `;`."""

import re
from datetime import datetime
from functools import lru_cache
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from engine.timetable.cron import Cron, parse
from engine.timetable.dialect import refuse
from engine.timetable.errors import ScheduleError
from engine.timetable.exclusion import read_exclusion
from engine.timetable.rules import Calendar, Every, Times
from engine.timetable.zone import FIRST_YEAR, LAST_YEAR, find_zone

Rule: TypeAlias = Cron | Every | Calendar | Times

MOST_PARTS = 50
MOST_TIMES = 1000
SECOND = 1_000_000
_EPOCH = datetime.fromisoformat("1970-01-01T00:00+00:00")
_LENGTHS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_WORDS = {"second": 1, "minute": 60, "hour": 3600}
_CALENDAR: dict[str, tuple[int, Literal["day", "month"]]] = {
    "day": (1, "day"),
    "week": (7, "day"),
    "month": (1, "month"),
    "quarter": (3, "month"),
    "year": (12, "month"),
}
_SHORT = re.compile(r"(\d+[smhdw])+")
_LONG = re.compile(r"(?:(\d+) +)?([a-z]+?)s?")
_LONGEST_DAYS = 3660
_LONGEST_MONTHS = 120


@lru_cache(maxsize=4096)
def read_schedule(
    expression: str, timezone: str, start: int | None, exclude: tuple[str, ...], both_days: bool
) -> tuple[Rule, ...]:
    """The rules of a schedule; their points together are the schedule's. `start` (microseconds) anchors intervals.

    Raises ScheduleError, saying what is wrong and where.
    """
    excluded = read_exclusion(exclude)
    parts = [part.strip() for part in expression.split(";")]
    if len(parts) > MOST_PARTS:
        raise ScheduleError(f"the schedule has {len(parts)} parts; at most {MOST_PARTS} are read")
    rules: list[Rule] = []
    for part in parts:
        first = part.lower().partition(" ")[0]
        if first == "every":
            rules.append(_every(part, part[5:].strip().lower(), start))
        elif first == "at":
            rules.append(Times(_times(part, part[2:], find_zone(timezone))))
        elif part.lower() == "@once":
            if start is None:
                refuse(part, "runs once, at the start date, and there is none; give a start date")
            rules.append(Times((start,)))
        else:
            rules.append(parse(part, both_days, excluded))
    return tuple(rules)


def _every(part: str, length: str, start: int | None) -> Every | Calendar:
    if start is None:
        refuse(part, "is counted from the start date, and there is none; give a start date")
    if _SHORT.fullmatch(length):
        seconds = sum(int(number) * _LENGTHS[unit] for number, unit in re.findall(r"(\d+)([smhdw])", length))
        return _fixed(part, seconds, start)
    found = _LONG.fullmatch(length)
    if found is not None and found[2] in _WORDS:
        return _fixed(part, int(found[1] or 1) * _WORDS[found[2]], start)
    if found is None or found[2] not in _CALENDAR:
        refuse(
            part,
            "is not read; write a length such as 'every 15m', 'every 1h30m' or 'every 2 hours' for elapsed time, "
            "or 'every day', 'every 2 weeks', 'every 3 months' for the calendar",
        )
    days, unit = _CALENDAR[found[2]]
    number = int(found[1] or 1) * days
    longest = _LONGEST_DAYS if unit == "day" else _LONGEST_MONTHS
    if not 1 <= number <= longest:
        refuse(part, f"has a length that does not fit; write 1 to {longest // days}")
    return Calendar(start, number, unit)


def _fixed(part: str, seconds: int, start: int) -> Every:
    if not 1 <= seconds <= _LONGEST_DAYS * 86_400:
        refuse(part, "has a length that does not fit; write one second to ten years")
    return Every(start, seconds * SECOND)


def _times(part: str, text: str, zone: ZoneInfo) -> tuple[int, ...]:
    points = {_time(part, one.strip(), zone) for one in text.split(",")}
    if len(points) > MOST_TIMES:
        refuse(part, f"names {len(points)} times; at most {MOST_TIMES} are read")
    return tuple(sorted(points))


def _time(part: str, text: str, zone: ZoneInfo) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        refuse(part, f"{text!a} is not a time; write times such as 2026-11-22T06:00, with commas between them")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        refuse(part, f"{text!a} is outside the years {FIRST_YEAR} to {LAST_YEAR}, which schedules cover")
    since = moment - _EPOCH
    return since.days * 86_400 * SECOND + since.seconds * SECOND + since.microseconds

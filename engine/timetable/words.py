"""A schedule in words."""

import calendar
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

from engine.timetable.cron import Cron
from engine.timetable.dialect import MONTHS, WEEKDAYS
from engine.timetable.exclusion import NOTHING
from engine.timetable.rules import Calendar, Every, Times
from engine.timetable.timetable import Timetable
from engine.timetable.written import Rule

_MOST_TIMES = 6


def describe(tt: Timetable) -> str:
    """One sentence that says when runs are due, in which zone, and what each covers."""
    if tt.kind == "trigger":
        covers = "each run is due at that moment and covers no interval (trigger)"
    else:
        covers = f"each run covers {_covered(tt)} (interval)"
    when = "; and ".join(_when(rule, tt) for rule in tt.rules)
    return f"{when}{_except(tt.exclude)}, {tt.timezone}; {covers}"


def _when(rule: Rule, tt: Timetable) -> str:
    if isinstance(rule, Every):
        return f"every {length_in_words(rule.step)} of elapsed time, counted from {_local(rule.anchor, tt)}"
    if isinstance(rule, Calendar):
        number, unit = rule.number, str(rule.unit)
        for larger, name in ((12, "year"), (7, "week")):
            if number % larger == 0 and unit == {"year": "month", "week": "day"}[name]:
                number, unit = number // larger, name
        return f"every {_counted(number, unit)} on the calendar, counted from {_local(rule.anchor, tt)}"
    if isinstance(rule, Times):
        shown = [_local(point, tt) for point in rule.points[:_MOST_TIMES]]
        left = len(rule.points) - len(shown)
        return "once, at " + _listed([*shown, f"{left} more times"] if left else shown)
    if not rule.elapsed:
        return f"{_times(rule)} {_days(rule)}"
    return _times(rule) if replace(rule, exclude=NOTHING).every_day else f"{_times(rule)}, {_days(rule)}"


def _covered(tt: Timetable) -> str:
    rule = tt.rules[0]
    if len(tt.rules) == 1 and not tt.exclude:
        if isinstance(rule, Cron):
            return _span(rule)
        if isinstance(rule, Every):
            return f"the {length_in_words(rule.step)} before"
    return "the time since the point before"


def _except(exclude: Sequence[str]) -> str:
    if not exclude:
        return ""
    if len(exclude) > _MOST_TIMES:
        return f", except on {len(exclude)} excluded dates"
    return ", except on " + _listed(_date_in_words(text.strip()) for text in exclude)


def _date_in_words(text: str) -> str:
    if ".." in text:
        return text.replace("..", " to ")
    if len(text) == 5:
        return f"{int(text[3:])} {MONTHS[int(text[:2]) - 1]}"
    return text


def length_in_words(micros: int) -> str:
    """`15 minutes`, `1 hour and 30 minutes`; a length of one unit is that unit: `hour`."""
    parts: list[tuple[int, str]] = []
    left = micros // 1_000_000
    for size, noun in ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        number, left = divmod(left, size)
        if number:
            parts.append((number, noun))
    if parts[0] == (1, "day"):
        parts[0] = (24, "hour")
        if len(parts) > 1 and parts[1][1] == "hour":
            parts[:2] = [(24 + parts[1][0], "hour")]
    if len(parts) == 1:
        return _counted(*parts[0])
    return _listed(f"{number} {noun if number == 1 else noun + 's'}" for number, noun in parts)


def _local(at: int, tt: Timetable) -> str:
    moment = datetime.fromtimestamp(at // 1_000_000, tt.zone)
    return moment.strftime("%Y-%m-%d %H:%M:%S" if moment.second else "%Y-%m-%d %H:%M")


def _times(cron: Cron) -> str:
    if cron.elapsed:
        return _times_of_every_hour(cron.minutes)
    if len(cron.times) <= _MOST_TIMES:
        return "at " + _listed(_clock(*divmod(time, 60)) for time in cron.times)
    first, last = _clock(cron.hours[0], cron.minutes[0]), _clock(cron.hours[-1], cron.minutes[-1])
    hours = _step(cron.hours)
    if hours == 1 and (minutes := _step_of_hour(cron.minutes)):
        return f"every {_counted(minutes, 'minute')} from {first} to {last}"
    if hours and len(cron.minutes) == 1:
        return f"every {_counted(hours, 'hour')} from {first} to {last}"
    noun = "minute" if len(cron.minutes) == 1 else "minutes"
    return f"at {noun} {_ranges(cron.minutes)} of the hours {_ranges(cron.hours)}"


def _times_of_every_hour(minutes: tuple[int, ...]) -> str:
    if minutes == (0,):
        return "every hour, on the hour"
    if step := _step_of_hour(minutes):
        start = f", from minute {minutes[0]:02d} on" if minutes[0] else ""
        return f"every {_counted(step, 'minute')}{start}"
    return f"every hour at {'minute' if len(minutes) == 1 else 'minutes'} {_ranges(minutes)}"


def _days(cron: Cron) -> str:
    months = "" if len(cron.months) == 12 else " in " + _listed(_months(cron))
    if cron.any_day and cron.any_weekday:
        return f"every day{months}"
    if cron.any_day:
        return f"{_weekdays(cron)}{months}"
    noun = "day" if len(cron.days) == 1 else "days"
    days = f"on {noun} {_ranges(sorted(cron.days), width=1)}"
    if cron.either_day:
        names = _listed((WEEKDAYS[day % 7] for day in _from_monday(cron)), "or")
        where = months or " of every month"
        return f"{days}{where} or on any {names}{months} (either is enough)"
    if not cron.any_weekday:
        names = _listed((WEEKDAYS[day % 7] for day in _from_monday(cron)), "or")
        return f"{days}{months or ' of every month'} that is a {names} (both are needed)"
    if _leap_day(cron):
        return f"{days} of February, in leap years"
    shortest = min(calendar.monthrange(2001, month)[1] for month in cron.months)
    exist = ""
    if max(cron.days) > shortest:
        exist = " that has it" if len(cron.days) == 1 else " that has them"
    if not months:
        return f"{days} of every month{exist}"
    return f"{days} of {_listed(_months(cron))}"


def _weekdays(cron: Cron) -> str:
    numbers = _from_monday(cron)
    names = [WEEKDAYS[number % 7] for number in numbers]
    if len(names) == 1:
        return f"every {names[0]}"
    if len(names) > 2 and _step(numbers) == 1:
        return f"every {names[0]} to {names[-1]}"
    return f"every {_listed(names)}"


def _span(cron: Cron) -> str:
    """The length of the interval in words, where all intervals have the same one on the calendar."""
    if cron.elapsed and cron.every_day:
        step = 60 if len(cron.minutes) == 1 else _step_of_hour(cron.minutes)
        if step == 60:
            return "the hour before"
        if step:
            return "the minute before" if step == 1 else f"the {step} minutes before"
    if len(cron.times) == 1 and not cron.either_day:
        if cron.every_day:
            return "the day before"
        if cron.any_day and len(cron.weekdays) == 1 and len(cron.months) == 12:
            return "the week before"
        if cron.any_weekday and len(cron.days) == 1 and len(cron.months) == 12 and max(cron.days) <= 28:
            return "the month before"
        if cron.any_weekday and len(cron.days) == len(cron.months) == 1 and not _leap_day(cron):
            return "the year before"
    return "the time since the point before"


def _leap_day(cron: Cron) -> bool:
    return list(cron.months) == [2] and list(cron.days) == [29]


def _months(cron: Cron) -> list[str]:
    return [MONTHS[month - 1] for month in sorted(cron.months)]


def _from_monday(cron: Cron) -> list[int]:
    """The weekdays as 1 (Monday) to 7 (Sunday)."""
    return sorted(day or 7 for day in cron.weekdays)


def _step(values: Sequence[int]) -> int:
    """The common difference of ascending values, 0 if there is none."""
    steps = {high - low for low, high in pairwise(values)}
    return steps.pop() if len(steps) == 1 else 0


def _step_of_hour(minutes: Sequence[int]) -> int:
    """The common difference of minutes that goes on from one hour to the next, 0 if there is none."""
    step = _step(minutes)
    return step if step and minutes[0] + 60 - minutes[-1] == step else 0


def _ranges(values: Sequence[int], width: int = 2) -> str:
    """Numbers in words, runs of three and more as `a to b`."""
    parts: list[str] = []
    run: list[int] = []
    for value in [*values, None]:
        if value is not None and run and value == run[-1] + 1:
            run.append(value)
            continue
        if len(run) > 2:
            parts.append(f"{run[0]:0{width}d} to {run[-1]:0{width}d}")
        else:
            parts.extend(f"{number:0{width}d}" for number in run)
        run = [] if value is None else [value]
    return _listed(parts)


def _listed(parts: Iterable[str], last: str = "and") -> str:
    *head, tail = parts
    return f"{', '.join(head)} {last} {tail}" if head else tail


def _counted(number: int, noun: str) -> str:
    return noun if number == 1 else f"{number} {noun}s"


def _clock(hour: int, minute: int) -> str:
    return f"{hour:02d}:{minute:02d}"

"""Figures in the console's grammar: durations, times, sizes. Pure; moments and durations are integer microseconds UTC.

Figures are cut, never rounded up: `59.9s` does not become a minute before the minute is over. A negative elapsed time
(two clocks that disagree) is shown as zero.
"""

from __future__ import annotations

from engine.model.moments import DAY, HOUR, MINUTE, SECOND, Micros, to_datetime

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def duration(us: Micros, *, tenths: bool = True) -> str:
    """A duration with two units at most: `40.6s`, `1m12s`, `2h46m`, `3d04h`; `tenths=False` gives `40s`. From a
    thousand days on hours say nothing: `1390d`.
    """
    us = max(us, 0)
    if us < MINUTE:
        return f"{us // SECOND}.{us % SECOND // 100_000}s" if tenths else f"{us // SECOND}s"
    if us < HOUR:
        return f"{us // MINUTE}m{us % MINUTE // SECOND:02d}s"
    if us < DAY:
        return f"{us // HOUR}h{us % HOUR // MINUTE:02d}m"
    return f"{us // DAY}d{us % DAY // HOUR:02d}h" if us < 1000 * DAY else f"{us // DAY}d"


def took(us: Micros) -> str:
    """How long something took: milliseconds below a second, where tenths would all read the same."""
    return f"{max(us, 0) // 1000}ms" if us < SECOND else duration(us)


def coarse(us: Micros) -> str:
    """A duration for the corner of an eye, which changes rarely: `12s`, `3m`, `2h46m`, `3d04h`."""
    us = max(us, 0)
    return f"{us // MINUTE}m" if MINUTE <= us < HOUR else duration(us, tenths=False)


def ago(then: Micros, now: Micros) -> str:
    """How long ago `then` was, coarsely and without the word: `41m`."""
    return coarse(now - then)


def until(then: Micros, now: Micros) -> str:
    """How far away `then` is, coarsely and without the word: `45m`. A moment that has passed is `0s`."""
    return coarse(then - now)


def countdown(then: Micros, now: Micros) -> str:
    """What is left until `then`: `1:14`, `0:00` once it has passed, `2h46m` from an hour on.

    A begun second counts as a whole one, so that `0:00` never stands there before the time has come.
    """
    left = -(-max(then - now, 0) // SECOND)
    return duration(left * SECOND) if left >= 3600 else f"{left // 60}:{left % 60:02d}"


def clock(moment: Micros, zone: str = "UTC", *, seconds: bool = True) -> str:
    """The time of day in an IANA zone: `02:14:07`, or `02:14`."""
    return to_datetime(moment, zone).strftime("%H:%M:%S" if seconds else "%H:%M")


def date(moment: Micros, zone: str = "UTC") -> str:
    """Day and month in an IANA zone: `1 Dec`. The names do not follow the locale: columns stay as wide as they are."""
    day = to_datetime(moment, zone)
    return f"{day.day} {_MONTHS[day.month - 1]}"


def bytes_(count: int) -> str:
    """A size with at most three digits and one letter, in powers of 1024: `512B`, `1.2G`, `88M`."""
    size = float(max(count, 0))
    for unit in "BKMGTP":
        if size < 1000 or unit == "P":
            break
        size /= 1024
    if unit == "B" or size >= 10:
        return f"{int(size)}{unit}"
    return f"{int(size * 10) / 10:.1f}{unit}"


def percent(part: float, whole: float) -> str:
    """A share: `96%`, `99.8%`, and `100%` only when it is the whole. Nothing of nothing is blank."""
    if whole <= 0:
        return ""
    share = part / whole * 100
    if share >= 100:
        return "100%"
    tenths = int(share * 10)
    return f"{tenths // 10}%" if tenths % 10 == 0 else f"{tenths / 10:.1f}%"


def silence(since: Micros, cpu: float | None, now: Micros) -> str:
    """What is said of a running task that writes nothing: `silent 38m  cpu 0%`."""
    return f"silent {ago(since, now)}" + ("" if cpu is None else f"  cpu {int(cpu)}%")

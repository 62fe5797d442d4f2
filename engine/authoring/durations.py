"""Durations as authors write them: a timedelta, or text such as "30s", "15m", "1h30m"."""

from __future__ import annotations

import re
from datetime import timedelta

DURATION_RULE = 'a timedelta, or text such as "30s", "15m", "2h", "1d"'
_PART = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)")
_UNIT_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_LONGEST = 100 * 366 * 86_400.0


def seconds_of(value: object) -> float:
    """The seconds of a duration. Raises ValueError when it is neither a timedelta nor such text, or over a century."""
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
    elif isinstance(value, str):
        seconds = _from_text(value)
    else:
        raise ValueError(DURATION_RULE)
    if abs(seconds) > _LONGEST:
        raise ValueError("at most 100 years")
    return seconds


def _from_text(text: str) -> float:
    position, seconds = 0, 0.0
    while position < len(text):
        part = _PART.match(text, position)
        if part is None:
            raise ValueError(DURATION_RULE)
        seconds += float(part[1]) * _UNIT_SECONDS[part[2]]
        position = part.end()
    if position == 0:
        raise ValueError(DURATION_RULE)
    return seconds

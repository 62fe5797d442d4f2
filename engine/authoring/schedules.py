"""The arguments of a DAG that say when it runs, brought into their written form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from datetime import date, datetime, timedelta
from typing import Any, Literal, TypeAlias

from engine.authoring.durations import seconds_of
from engine.authoring.registry import read_beside
from engine.model.date_lists import dates_in, is_file

Catchup: TypeAlias = Literal["none", "latest", "all"]
CATCHUPS: tuple[Catchup, ...] = ("none", "latest", "all")
_ALLOWED = 'cron text such as "0 6 * * *", "@daily", "every 15m", a timedelta, a datetime, a list of these, or None'


def schedule(value: Any) -> str | None:
    """The schedule as text: parts with `;` between them. A timedelta is elapsed time, datetimes are single runs."""
    if value is None:
        return None
    parts = list(value) if isinstance(value, list | tuple) else [value]
    if not parts:
        raise ValueError(_ALLOWED)
    times = [part for part in parts if isinstance(part, datetime)]
    texts = [_part(part) for part in parts if not isinstance(part, datetime)]
    if times:
        texts.append("at " + ", ".join(moment.isoformat() for moment in times))
    return "; ".join(texts)


def _part(value: Any) -> str:
    if isinstance(value, timedelta):
        seconds, rest = divmod(value, timedelta(seconds=1))
        if seconds < 1 or rest:
            raise ValueError("a timedelta of whole seconds, at least one")
        return f"every {_length(seconds)}"
    if not isinstance(value, str) or not value.strip():
        raise ValueError(_ALLOWED)
    return value


def _length(seconds: int) -> str:
    parts = []
    for size, unit in ((3600, "h"), (60, "m"), (1, "s")):
        number, seconds = divmod(seconds, size)
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts)


def ends_by_itself(text: str | None) -> bool:
    """Whether a schedule consists of single times, between which there is no interval to cover."""
    parts = (part.strip().lower() for part in (text or "").split(";"))
    return text is not None and all(part == "@once" or part.startswith("at ") for part in parts)


def catchup(value: Any) -> tuple[Catchup, float | None]:
    """`none`, `latest` or `all`, and with `all` how far back in seconds where that is limited."""
    if isinstance(value, bool):
        return ("all" if value else "none"), None
    for word in CATCHUPS:
        if value == word:
            return word, None
    try:
        seconds = seconds_of(value)
    except ValueError:
        seconds = 0.0
    if seconds <= 0:
        raise ValueError('True, False, "none", "latest", "all", or how far back, such as "7d"')
    return "all", seconds


_EXCLUDED = (
    'a list of dates such as ["2026-12-25", "2026-12-24..2027-01-01", "12-25"], or the name of a file of dates beside '
    "the DAG file"
)


def excluded(value: Any) -> list[str]:
    """Dates and texts as texts, those of files among them; what they mean is checked with the schedule."""
    entries = [value] if isinstance(value, str) else value
    if not isinstance(entries, Sequence | Set | Mapping) or isinstance(entries, bytes):
        raise ValueError(_EXCLUDED)
    found: list[str] = []
    for entry in entries:
        if isinstance(entry, datetime) or not isinstance(entry, date | str):
            raise ValueError(_EXCLUDED)
        if isinstance(entry, date):
            found.append(entry.isoformat())
        elif is_file(entry):
            found.extend(_dates_beside(entry))
        else:
            found.append(entry.strip())
    return sorted(set(found))


def _dates_beside(name: str) -> list[str]:
    text = read_beside(name)
    try:
        return dates_in(text, name)
    except ValueError as problem:
        raise ValueError(f"a file of dates: {problem}") from None

"""Checks of single argument values. Each returns the normal form, or raises ValueError saying what is allowed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from engine.authoring.durations import seconds_of

Check: TypeAlias = Callable[[Any], Any]
ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
RESERVED_ENV = "DAGDECK_"
MOST_DELAYS = 100
_UNIT_BYTES = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def shown(value: object, width: int = 80) -> str:
    """A short `repr` for messages, also of values whose `repr` fails."""
    try:
        text = repr(value)
    except Exception as problem:
        text = f"<{type(value).__name__} whose repr raises {type(problem).__name__}>"
    return text if len(text) <= width else text[: width - 1] + "…"


def boolean(value: Any) -> bool:
    """True or False, nothing that merely looks like it."""
    if not isinstance(value, bool):
        raise ValueError("True or False")
    return value


def text(value: Any) -> str:
    """Text with something in it, without NUL characters."""
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise ValueError("text that is not empty")
    return value


def whole(least: int, most: int = 1_000_000) -> Check:
    """A whole number within limits."""

    def check(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return value

    return check


def number(least: float, most: float) -> Check:
    """A number within limits."""

    def check(value: Any) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f"a number from {least:g} to {most:g}")
        return float(value)

    return check


def duration(*, zero: bool) -> Check:
    """A duration in seconds, not negative; `zero` says whether 0 is allowed."""

    def check(value: Any) -> float:
        seconds = seconds_of(value)
        if seconds < 0 or (seconds == 0 and not zero):
            raise ValueError("a duration of 0 or more" if zero else "a duration of more than 0")
        return seconds

    return check


def durations(value: Any) -> float | list[float]:
    """A duration in seconds, or a list of them, none of them negative."""
    check = duration(zero=True)
    if not isinstance(value, list | tuple):
        return float(check(value))
    if not 1 <= len(value) <= MOST_DELAYS:
        raise ValueError(f"a duration, or a list of 1 to {MOST_DELAYS} of them")
    return [check(item) for item in value]


def size(value: Any) -> int:
    """A number of bytes, or text such as "512M"; at least a megabyte."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT])(?:i?B)?\s*", value) if isinstance(value, str) else None
    if found is not None:
        value = int(float(found[1]) * _UNIT_BYTES[found[2]])
    if not isinstance(value, int) or isinstance(value, bool) or not _UNIT_BYTES["M"] <= value < 1 << 60:
        raise ValueError('a size such as "512M" or "2G", or a number of bytes, of at least a megabyte')
    return value


def choice(*allowed: str) -> Check:
    """One of the named words."""

    def check(value: Any) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise ValueError("one of " + ", ".join(f'"{word}"' for word in allowed))
        return str(value)

    return check


def text_list(value: Any) -> list[str]:
    """A list (or other collection) of texts, kept in order, each once."""
    if isinstance(value, str) or not isinstance(value, list | tuple | set | frozenset):
        raise ValueError('a list of texts, such as ["weather"]')
    ordered = sorted(value) if isinstance(value, set | frozenset) else value
    return list(dict.fromkeys(text(item) for item in ordered))


def env_names(value: Any) -> dict[str, Any]:
    """A mapping whose keys can be names of environment variables and are not reserved."""
    if not isinstance(value, Mapping):
        raise ValueError('a dict, such as {"LEVEL": "info"}')
    for name in value:
        if not isinstance(name, str) or not ENV_NAME.match(name):
            raise ValueError(f"names of letters, digits and '_', not {shown(name)}")
        if name.startswith(RESERVED_ENV):
            raise ValueError(f"names that do not start with {RESERVED_ENV}, unlike {name}")
    return dict(value)


def callbacks(value: Any) -> tuple[Callable[..., Any], ...]:
    """A function, or a list of functions, each of which takes the context."""
    found = tuple(value) if isinstance(value, list | tuple) else (value,)
    if not found or not all(callable(one) for one in found):
        raise ValueError("a function that takes the context, or a list of such functions")
    return found

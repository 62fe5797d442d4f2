"""What a task says of trying again: rules about its failures, and results that are only a part of the work."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, TypeAlias

from engine.authoring.durations import seconds_of
from engine.model.dag import RetryRule as Rule

_THEN = ("retry", "fail", "skip")
_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*\Z")
_MOST_RULES = 100

Classes: TypeAlias = type[BaseException] | str
Numbers: TypeAlias = int | Iterable[int]


class RetryRule:
    """What follows a failure of one kind, as in `RetryRule(exit_code=75, delay="5m")`.

    A rule speaks where all of its conditions hold: `exception` (a class, or its name where it is not to be imported;
    subclasses count; several in a list), `exit_code`, `http_status`, and `match`, a regular expression that is
    searched in the error's line and, for a shell task, in the last lines of its log. `then` is "retry", "fail" or
    "skip"; `delay` replaces the policy's for a retry. Raises ValueError saying what is wrong.
    """

    def __init__(
        self,
        *,
        exception: Classes | Sequence[Classes] | None = None,
        exit_code: Numbers | None = None,
        http_status: Numbers | None = None,
        match: str | None = None,
        then: str = "retry",
        delay: timedelta | str | None = None,
    ) -> None:
        if then not in _THEN:
            raise ValueError(f"RetryRule: then={then!r}: one of {', '.join(_THEN)}")
        if delay is not None and then != "retry":
            raise ValueError(f'RetryRule: a delay belongs to then="retry", not to {then!r}')
        self.rule = Rule(
            exceptions=[] if exception is None else _names(exception),
            exit_codes=[] if exit_code is None else _numbers("exit_code", exit_code, 1, 255),
            http_status=[] if http_status is None else _numbers("http_status", http_status, 100, 599),
            match=None if match is None else _pattern(match),
            then="retry" if then == "retry" else "fail" if then == "fail" else "skip",
            delay=None if delay is None else seconds_of(delay),
        )
        if self.rule.delay is not None and self.rule.delay < 0:
            raise ValueError("RetryRule: the delay must not be negative")
        if not (exception or exit_code is not None or http_status is not None or match):
            raise ValueError("RetryRule: a rule needs a condition: exception, exit_code, http_status or match")


class Partial:
    """Returned by a task that did a part of its work: the keys in `failed` are left, the next try is given these alone.

    `ok` is what was done, as a list of keys or their number; with nothing in `failed` the task has succeeded, and `ok`
    is its result. Keys are JSON values. Raises ValueError when `failed` is no list.
    """

    def __init__(self, ok: Any = None, failed: Iterable[Any] = (), message: str = "") -> None:
        if isinstance(failed, str | bytes) or not isinstance(failed, Iterable):
            raise ValueError("Partial: failed= is a list of keys")
        self.ok = ok
        self.failed = list(failed)
        self.message = message

    def __str__(self) -> str:
        done = len(self.ok) if isinstance(self.ok, Sequence) and not isinstance(self.ok, str) else self.ok
        of = f" of {len(self.failed) + done}" if isinstance(done, int) and not isinstance(done, bool) else ""
        named = ", ".join(str(key) for key in self.failed[:5]) + (", …" if len(self.failed) > 5 else "")
        return f"{len(self.failed)}{of} failed: {named}" + (f" ({self.message})" if self.message else "")


def rules(value: Any) -> list[Rule]:
    """The value of `retry_rules=`. Raises ValueError saying what is allowed."""
    given = value if isinstance(value, list | tuple) else [value]
    if len(given) > _MOST_RULES or not all(isinstance(rule, RetryRule) for rule in given):
        raise ValueError(f"a list of at most {_MOST_RULES} RetryRule(...)")
    return [rule.rule for rule in given]


def _names(value: Classes | Sequence[Classes]) -> list[str]:
    found = []
    for one in value if isinstance(value, list | tuple) else (value,):
        if isinstance(one, type) and issubclass(one, BaseException):
            found.append(full_name(one))
        elif isinstance(one, str) and _NAME.match(one):
            found.append(one)
        else:
            raise ValueError(f'RetryRule: exception={one!r}: an exception class or its name, such as "httpx.HTTPError"')
    return found


def full_name(kind: type[BaseException]) -> str:
    """How a class is called in rules: built-in ones by their bare name."""
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _numbers(name: str, value: Numbers, least: int, most: int) -> list[int]:
    given = [value] if isinstance(value, int) else list(value)
    if not given or not all(isinstance(n, int) and not isinstance(n, bool) and least <= n <= most for n in given):
        raise ValueError(f"RetryRule: {name}={value!r}: whole numbers from {least} to {most}")
    return given


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except (re.error, TypeError) as problem:
        raise ValueError(f"RetryRule: match={value!r} is no regular expression: {problem}") from None
    return value

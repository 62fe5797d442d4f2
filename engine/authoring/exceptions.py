"""What a task may raise to say how it ended, and what a wrong definition raises."""

from __future__ import annotations

from datetime import timedelta

from engine.authoring.durations import seconds_of
from engine.authoring.places import Place, user_place


class SkipTask(Exception):
    """Raised by a task that has nothing to do: the task instance is skipped, its attempt is not a failure."""


class PermanentError(Exception):
    """Raised by a task whose failure no retry can cure: it fails at once, whatever its retries."""


FailTask = PermanentError


class TransientError(Exception):
    """Raised by a task whose failure will pass: it is tried again as its retry policy says."""


class RetryAfter(TransientError):
    """A transient failure that knows when to try again.

    `delay` is a timedelta, text such as "90s", or a number of seconds (as an HTTP Retry-After header gives it).
    Raises ValueError when it is none of these, or negative.
    """

    def __init__(self, delay: timedelta | str | float, message: str = "") -> None:
        if isinstance(delay, int | float) and not isinstance(delay, bool):
            self.seconds = float(delay)
        else:
            self.seconds = seconds_of(delay)
        if not 0 <= self.seconds < float("inf"):
            raise ValueError(f"RetryAfter({delay!r}): the delay must not be negative")
        super().__init__(message or f"try again in {self.seconds:g} s")


class TaskMissing(PermanentError):
    """The DAG file no longer defines the task that the attempt was started for."""


class DefinitionError(Exception):
    """A DAG file defines something that cannot be. `file` and `line` name the place in the user's code."""

    def __init__(self, message: str, place: Place | None = None) -> None:
        super().__init__(message)
        at = place or user_place()
        self.file: str = at.file
        self.line: int = at.line


class ParamError(ValueError):
    """A value that a param's declaration does not allow."""

"""How a command ends: its exit codes, and errors that name what is wrong, where, and what to do."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes, the same for every verb."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NO_ENGINE = 3
    NOT_FOUND = 4
    REFUSED = 5


class CliError(Exception):
    """An error for people: one or a few lines on standard error, and an exit code for scripts."""

    def __init__(self, message: str, code: Exit = Exit.FAILED) -> None:
        super().__init__(message)
        self.code = code


class NoHome(CliError):
    """There is no home to talk about, or no engine serves it."""

    def __init__(self, message: str) -> None:
        super().__init__(message, Exit.NO_ENGINE)


class NotFound(CliError):
    """What was named does not exist."""

    def __init__(self, message: str) -> None:
        super().__init__(message, Exit.NOT_FOUND)


class Refused(CliError):
    """The engine, or the operator at the question, said no: nothing was changed."""

    def __init__(self, message: str) -> None:
        super().__init__(message, Exit.REFUSED)

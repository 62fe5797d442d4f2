"""An exception as its reader sees it: one line for the status, the traceback for the log."""

from __future__ import annotations

import sys
import traceback

_LONGEST = 500


def one_line(error: BaseException) -> str:
    """`Type: text`, on one line, also for exceptions whose text cannot be had."""
    try:
        text = " ".join(str(error).split())
    except BaseException as problem:
        text = f"<its text raises {type(problem).__name__}>"
    line = f"{type(error).__name__}: {text}" if text else type(error).__name__
    line = line.encode("utf-8", "backslashreplace").decode()
    return shortened(line)


def shortened(line: str) -> str:
    """A line as long as a status may hold."""
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def to_log(error: BaseException, ours: str) -> None:
    """Prints the traceback, without the frames of the modules below `ours` that only led to the author's code."""
    _let_out()
    try:
        frames = error.__traceback__
        while frames is not None and frames.tb_frame.f_code.co_filename.startswith(ours):
            frames = frames.tb_next
        traceback.print_exception(type(error), error, frames or error.__traceback__)
    except BaseException as problem:
        say(f"{one_line(error)} (its traceback cannot be printed: {type(problem).__name__})")


def say(line: str) -> None:
    """Prints a line of ours to the log, if there still is one to print to."""
    _let_out()
    try:
        print(f"dagdeck: {line}", file=sys.stderr, flush=True)
    except (OSError, ValueError, AttributeError):
        pass


def _let_out() -> None:
    """What the task has printed without a line feed is still kept back: it comes before what is said of its end."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError, AttributeError):
        pass

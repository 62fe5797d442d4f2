"""The end of a console that was told to end: signals, a terminal that has gone, and a deadline for both.

One thread sleeps until a signal has come or the terminal has hung up, asks the app to end, and gives the terminal back
itself if that has not happened in time: a blocked event loop or a terminal that takes nothing more cannot hold it up.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import termios
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Self

GIVE_BACK: Final = (
    "\x1b[?2026l"  # show what was held back
    "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l"  # no mouse reports
    "\x1b[?2004l\x1b[?1004l\x1b[?2048l"  # no bracketed paste, focus or size reports
    "\x1b[<u"  # the keyboard protocol as it was before
    "\x1b[?7h\x1b[m\x1b[?1049l\x1b[?25h"  # wrap lines, plain colours, the normal screen, a visible cursor
)
"""What takes a terminal out of every mode that the console may have put it in."""

DEADLINE: Final = 3.0
"""Seconds that an app has to end by itself."""

_ENDING: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_DONE: Final = 0


def give_back(descriptor: int, attributes: list[Any] | None) -> None:
    """Give the terminal back as it was, without ever waiting for it: a terminal that takes nothing gets nothing."""
    if attributes is not None:
        with contextlib.suppress(termios.error, OSError):
            termios.tcsetattr(descriptor, termios.TCSANOW, attributes)
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    if any(event & select.POLLOUT for _, event in poll.poll(200)):
        with contextlib.suppress(OSError):
            os.write(descriptor, GIVE_BACK.encode())


def attributes_of(descriptor: int) -> list[Any] | None:
    """The terminal's line settings; None where it is no terminal."""
    try:
        return termios.tcgetattr(descriptor)
    except termios.error:
        return None


class Lifeline:
    """A block in which SIGTERM, SIGHUP, SIGINT and a hang-up call `end(exit_code)`, from a thread, once.

    If the block has not been left `DEADLINE` seconds later the process gives the terminal back and exits with the code.
    """

    def __init__(self, end: Callable[[int], None], descriptor: int = 0) -> None:
        self._end = end
        self._descriptor = descriptor
        self._attributes = attributes_of(descriptor)
        self._wake, self._woken = -1, -1
        self._thread: threading.Thread | None = None
        self._handlers: dict[signal.Signals, Any] = {}
        self._wakeup_before = -1

    def __enter__(self) -> Self:
        self._woken, self._wake = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        # The interpreter writes a signal's number here at once, also while its main thread is inside some library.
        self._wakeup_before = signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        self._handlers = {number: signal.signal(number, _nothing) for number in _ENDING}
        self._thread = threading.Thread(target=self._watch, name="lifeline", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        os.write(self._wake, bytes([_DONE]))
        if self._thread is not None:
            self._thread.join()
        os.close(self._wake)
        os.close(self._woken)
        if error is not None:
            give_back(self._descriptor, self._attributes)

    def _watch(self) -> None:
        poll = select.poll()
        poll.register(self._woken, select.POLLIN)
        if sys.platform == "linux" and self._attributes is not None:
            poll.register(self._descriptor, 0)
        while True:
            gone = any(found == self._descriptor for found, _ in poll.poll())
            numbers = self._read()
            if _DONE in numbers:
                return
            ending = next((number for number in numbers if number in _ENDING), signal.SIGHUP if gone else None)
            if ending is not None:
                break
        code = 128 + ending
        self._end(code)
        poll = select.poll()
        poll.register(self._woken, select.POLLIN)
        while poll.poll(DEADLINE * 1000):
            if _DONE in self._read():
                return
        give_back(self._descriptor, self._attributes)
        os._exit(code)

    def _read(self) -> bytes:
        try:
            return os.read(self._woken, 512)
        except BlockingIOError:
            return b""


def _nothing(*_: object) -> None:
    """A handler must stand for the interpreter to pass the signal on."""

"""Signals as readable bytes for a poll loop: children that ended, and, where wanted, polite requests to stop."""

from __future__ import annotations

import operator
import os
import signal
from importlib import import_module
from types import FrameType

_set_handler = import_module("_signal").signal
"""The bare function below Python's wrapper, which costs a forked child more than all else that it does with signals."""
_CHILD_ENDED, _DEFAULT = int(signal.SIGCHLD), int(signal.SIG_DFL)


class Wakeup:
    """Turns SIGCHLD into readiness of `fd`, and with `polite` SIGTERM, SIGINT and SIGHUP into `stopping`."""

    def __init__(self, polite: bool) -> None:
        self.stopping = False
        self.fd, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, operator.is_)  # it must be handled to be noticed: two arguments, no effect
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP) if polite else ():
            signal.signal(number, self._stop)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True

    def drain(self) -> None:
        """Takes the bytes out, before looking at what they stand for."""
        try:
            while len(os.read(self.fd, 4096)) == 4096:
                pass
        except BlockingIOError:
            pass

    def undo_in_child(self) -> None:
        """In a forked child: back to what a fresh process has."""
        signal.set_wakeup_fd(-1)
        _set_handler(_CHILD_ENDED, _DEFAULT)
        os.close(self.fd)
        os.close(self._write)

"""Signals as readable bytes for a poll loop: children that ended, and polite requests to stop."""

from __future__ import annotations

import os
import signal
from types import FrameType


class Wakeup:
    """Turns SIGCHLD into readiness of `fd`, and SIGTERM, SIGINT and SIGHUP into `stopping`."""

    def __init__(self) -> None:
        self.stopping = False
        self.fd, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _ignore)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
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

    @property
    def descriptors(self) -> tuple[int, int]:
        """What a forked child has to close."""
        return self.fd, self._write


def _ignore(number: int, frame: FrameType | None) -> None:
    """Present so that the signal is noticed at all."""

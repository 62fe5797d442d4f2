"""A meter for full-screen programs: starts one in a pseudo terminal and measures what comes out, and when."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from benchmarks.homes import processor_seconds, proportional_bytes

KEYS = {"enter": b"\r", "esc": b"\x1b", "tab": b"\t", "space": b" ", "pgdn": b"\x1b[6~", "pgup": b"\x1b[5~"}
SILENCE = 0.4
"""A program that has written nothing for so long has settled, in seconds."""


class Probe:
    """A program in a terminal of `size` (columns, rows), from the moment of its start. Use it as a context manager."""

    def __init__(self, command: Sequence[str], *, size: tuple[int, int] = (160, 50)) -> None:
        self.written = bytearray()
        self.started = time.monotonic()
        self.first_byte: float | None = None
        self._size = size
        self.pid, self._terminal = pty.fork()
        if self.pid == 0:
            self._become(command)
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))

    def _become(self, command: Sequence[str]) -> None:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", self._size[1], self._size[0], 0, 0))
        for name in ("NO_COLOR", "COLUMNS", "LINES"):
            os.environ.pop(name, None)
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", LANG="C.UTF-8")
        os.execvp(command[0], list(command))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                break
            if self._gone(3.0):
                break
        os.close(self._terminal)

    def _gone(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.read(0.02)
            if os.waitpid(self.pid, os.WNOHANG)[0]:
                return True
        return False

    def read(self, seconds: float) -> bytes:
        """What comes within that time, at the latest; returns at the first piece. Empty when nothing came."""
        if not select.select([self._terminal], [], [], max(0.0, seconds))[0]:
            return b""
        try:
            data = os.read(self._terminal, 1 << 16)
        except OSError:
            return b""
        if data and self.first_byte is None:
            self.first_byte = time.monotonic() - self.started
        self.written += data
        return data

    def painted(self, text: str, seconds: float = 30.0) -> float:
        """Seconds from the start until `text` has been written. Raises TimeoutError when it never is."""
        wanted = text.encode()
        deadline = time.monotonic() + seconds
        while wanted not in self.written:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{text!r} was never painted; the end of it: {bytes(self.written[-400:])!r}")
            self.read(0.05)
        return time.monotonic() - self.started

    def settle(self, at_most: float = 15.0) -> None:
        """Reads until the program has fallen silent, or for so long."""
        deadline = time.monotonic() + at_most
        while time.monotonic() < deadline and self.read(SILENCE):
            pass

    def rate(self, seconds: float) -> tuple[float, float]:
        """Bytes per second, and the share of a core that the program uses, while nobody types."""
        before, used, began = len(self.written), processor_seconds([self.pid]), time.monotonic()
        while (left := began + seconds - time.monotonic()) > 0:
            self.read(left)
        took = time.monotonic() - began
        return (len(self.written) - before) / took, (processor_seconds([self.pid]) - used) / took

    def press(self, key: str) -> None:
        """Types one key."""
        os.write(self._terminal, KEYS.get(key, key.encode()))

    def key_to_paint(self, key: str, pause: float = 0.2) -> float | None:
        """Seconds from a key to the first byte that answers it; None when nothing came within a second.

        What the program writes by itself just then counts as an answer, so a busy screen flatters: use keys that
        repaint, on a screen that has been silent, or many keys.
        """
        deadline = time.monotonic() + pause
        while (left := deadline - time.monotonic()) > 0:
            self.read(left)
        sent = time.monotonic()
        self.press(key)
        return time.monotonic() - sent if self.read(1.0) else None

    def memory(self) -> float:
        """Proportional memory of the program, in MB."""
        return proportional_bytes([self.pid]) / 2**20

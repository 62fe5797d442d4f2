"""A program in a pseudo terminal, with a screen that understands what it writes."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import pyte

KEYS = {
    "enter": b"\r",
    "esc": b"\x1b",
    "tab": b"\t",
    "space": b" ",
    "up": b"\x1b[A",
    "down": b"\x1b[B",
    "right": b"\x1b[C",
    "left": b"\x1b[D",
    "pgup": b"\x1b[5~",
    "pgdn": b"\x1b[6~",
    "home": b"\x1b[H",
    "end": b"\x1b[F",
    "bs": b"\x7f",
    "f1": b"\x1bOP",
}

# Makes the pseudo terminal the controlling one, as it is for a program that a person starts, then becomes the program.
TRAMPOLINE = "import fcntl,os,sys,termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"


class Screen(pyte.Screen):
    """pyte's screen, deaf to what it does not know."""

    def report_device_status(self, *args: Any, **kwargs: Any) -> None:
        """A question to the terminal stays without answer."""

    def set_margins(self, *args: Any, **kwargs: Any) -> None:
        """`CSI ? ... r` sets no margins."""
        kwargs.pop("private", None)
        super().set_margins(*args)


def lines_on(screen: pyte.Screen) -> list[str]:
    """Its lines without trailing blanks. The second cell of a wide character holds no text."""
    buffer, columns = screen.buffer, range(screen.columns)
    return ["".join(buffer[y][x].data for x in columns).rstrip() for y in range(screen.lines)]


def seen(screen: pyte.Screen) -> list[list[tuple[Any, ...]]]:
    """What is seen of every cell: character, colours and attributes, but of a plain blank its background alone."""
    return [[_seen(screen.buffer[y][x]) for x in range(screen.columns)] for y in range(screen.lines)]


def _seen(cell: Any) -> tuple[Any, ...]:
    if cell.data == " " and not (cell.reverse or cell.underscore or cell.strikethrough):
        return (" ", cell.bg)
    return tuple(cell)


class PtyProgram:
    """Starts a program in a pseudo terminal of `size` (columns, rows). As a context manager it also ends the program.

    `raw` is everything written so far; `screen` is pyte's picture of it.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        size: tuple[int, int] = (80, 24),
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        blind: bool = False,
    ) -> None:
        self.blind = blind
        """Whether only the bytes are kept: to make a picture of them costs more than to write them."""
        self.screen = Screen(*size)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = bytearray()
        self._master, self._slave = pty.openpty()
        os.set_blocking(self._master, False)
        self._set_size(size)
        self._cwd = cwd
        self._environ = environ = {
            **os.environ,
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LANG": "C.UTF-8",
            **(env or {}),
        }
        for name in ("NO_COLOR", "COLUMNS", "LINES"):
            if name not in (env or {}):
                environ.pop(name, None)
        self.process = self._start(command)

    def _start(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-S", "-E", "-c", TRAMPOLINE, *command],
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            env=self._environ,
            cwd=self._cwd,
            start_new_session=True,
        )

    def then(self, command: Sequence[str]) -> None:
        """Starts another program in this terminal, after the one before has ended."""
        assert self.process.poll() is not None
        self.process = self._start(command)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        self.hang_up()

    # Reading

    def pump(self, seconds: float) -> int:
        """Read for that long; gives the number of bytes that came."""
        before, until = len(self.raw), time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and self._read(left):
            pass
        return len(self.raw) - before

    def until(self, condition: str | Callable[[], bool], seconds: float = 45.0) -> None:
        """Read until the text stands on the screen, or the condition holds. AssertionError, with the screen, if not."""
        met = (lambda: condition in self.text) if isinstance(condition, str) else condition
        deadline = time.monotonic() + seconds
        while not met():
            left = deadline - time.monotonic()
            assert left > 0, f"never came: {condition}\n{self.text}\n{bytes(self.raw[-300:])!r}"
            self._read(min(left, 0.05))

    def quiet(self, seconds: float = 0.3, at_most: float = 45.0) -> None:
        """Read until nothing has come for that long."""
        deadline = time.monotonic() + at_most
        while self.pump(seconds):
            assert time.monotonic() < deadline, "it never fell silent"

    def look_away(self, seconds: float) -> None:
        """Leave unread for that long whatever the program writes, or until it has ended."""
        until = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < until:
            time.sleep(0.02)

    def unread(self, condition: Callable[[], bool], meanwhile: bytes = b"", seconds: float = 45.0) -> None:
        """Leave unread whatever the program writes, typing `meanwhile` again and again, until the condition holds."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "never came while nobody read"
            self.send(meanwhile)
            time.sleep(0.01)

    @property
    def lines(self) -> list[str]:
        """The screen's lines without trailing blanks."""
        return lines_on(self.screen)

    @property
    def text(self) -> str:
        """The screen as one text."""
        return "\n".join(self.lines)

    def cells(self) -> list[list[tuple[Any, ...]]]:
        """What is seen of every cell, to compare one screen with another."""
        return seen(self.screen)

    def modes(self) -> dict[str, bool]:
        """The private modes that the program has switched, as it left them."""
        found = re.findall(rb"\x1b\[\?([0-9;]+)([hl])", self.raw)
        return {number: switch == b"h" for numbers, switch in found for number in numbers.decode().split(";")}

    def line_settings(self) -> list[Any]:
        """The settings of the terminal's line, as `termios.tcgetattr` gives them."""
        return termios.tcgetattr(self._slave)

    # Acting

    def press(self, *keys: str) -> None:
        """Type keys: single characters, the names in KEYS, or `ctrl+x`."""
        for key in keys:
            if key.startswith("ctrl+") and len(key) == 6:
                self.send(bytes([ord(key[5].upper()) - 64]))
            else:
                self.send(KEYS.get(key, key.encode()))

    def send(self, data: bytes) -> None:
        """Type bytes as they are."""
        os.write(self._master, data)

    def resize(self, columns: int, rows: int) -> None:
        """Change the terminal's size."""
        self.screen.resize(rows, columns)
        self._set_size((columns, rows))
        self.signal(signal.SIGWINCH)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program."""
        os.kill(self.process.pid, number)

    def hang_up(self) -> None:
        """Close the terminal, as when a connection is lost."""
        for descriptor in (self._slave, self._master):
            if descriptor >= 0:
                os.close(descriptor)
        self._slave = self._master = -1

    def wait(self, seconds: float = 40.0) -> int:
        """Read until the program has ended; gives its exit code. AssertionError when it does not end."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"it has not ended\n{self.text}"
            self._read(0.02)
        self._read(0)
        return self.process.returncode

    def _set_size(self, size: tuple[int, int]) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))

    def _read(self, seconds: float) -> bool:
        """Read what comes within that time. False when nothing did."""
        if self._master < 0:
            time.sleep(min(seconds, 0.02))
            return False
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self._master, 65536)
        except (BlockingIOError, OSError):
            return False
        self.raw += data
        if not self.blind:
            self._stream.feed(data)
        return bool(data)

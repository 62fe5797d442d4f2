"""A full-screen program at the far end of a link with a delay and a bit rate, and the terminal at the near end.

Between the two lies what lies between a console and a person who came over SSH: a key takes half the delay there, what
the program writes comes at the link's rate and takes half the delay back. The link holds only so many bytes: when they
are on their way, the program's terminal takes no more, and the program has to notice.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import pyte

from tests.support.pty import KEYS, TRAMPOLINE, Screen, lines_on

ANSWER = b"\x1b[0n"
_PIECE = 64
"""Bytes that arrive at once: 8 ms at 64 kbit/s."""


class _Terminal(Screen):
    """A screen that answers when it is asked how it is, as terminals do."""

    def __init__(self, columns: int, rows: int, answer: Callable[[bytes], None]) -> None:
        super().__init__(columns, rows)
        self._answer = answer

    def report_device_status(self, *args: Any, **kwargs: Any) -> None:
        """Answers that all is well."""
        if args[:1] == (5,) and not kwargs.get("private"):
            self._answer(ANSWER)


class SlowLink:
    """Starts a program behind a link: `delay` seconds there and back, `rate` bytes a second, `holds` bytes at most.

    Without a rate it is the plain terminal. Use it as an asynchronous context manager. `screen` is what the person
    sees, `seen` what has arrived.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        size: tuple[int, int] = (80, 24),
        delay: float = 0.0,
        rate: float | None = None,
        holds: int = 4096,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.screen = _Terminal(*size, self.send)
        self.seen = bytearray()
        self._stream = pyte.ByteStream(self.screen)
        self._command, self._size, self._cwd, self._env = command, size, cwd, env or {}
        self._half, self._rate, self._holds = delay / 2, rate, holds
        self._master = -1
        self._free_at = 0.0
        self._on_the_way = 0
        self.fullest = 0
        """The most bytes that were in the link at once; may be set back to 0."""
        self.answered = 0
        """Answers of the terminal that have come to the program's end."""
        self._listening = self._closed = False
        self._news = asyncio.Event()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The program's process."""
        assert self._process is not None
        return self._process.pid

    async def __aenter__(self) -> Self:
        self._master, slave = os.openpty()
        columns, rows = self._size
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.set_blocking(self._master, False)
        environ = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
        for name in ("NO_COLOR", "COLUMNS", "LINES"):
            environ.pop(name, None)
        environ |= self._env
        self._process = self._start(slave, environ)
        os.close(slave)
        self._listen(on=True)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._listen(on=False)
        self._closed = True
        os.close(self._master)
        self._process.terminate()
        try:
            await asyncio.to_thread(self._process.wait, 10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            await asyncio.to_thread(self._process.wait)

    def _start(self, slave: int, environ: dict[str, str]) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-S", "-E", "-c", TRAMPOLINE, *self._command]
        return subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environ, cwd=self._cwd, start_new_session=True
        )

    def _listen(self, *, on: bool) -> None:
        loop = asyncio.get_running_loop()
        if on and not self._listening:
            loop.add_reader(self._master, self._take)
        elif not on and self._listening:
            loop.remove_reader(self._master)
        self._listening = on

    def _take(self) -> None:
        """Bytes enter the link, as many as it has room for."""
        loop = asyncio.get_running_loop()
        room = 65536 if self._rate is None else self._holds - self._on_the_way
        try:
            data = os.read(self._master, max(room, 1))
        except BlockingIOError:
            return
        except OSError:  # the program has ended
            self._listen(on=False)
            return
        if self._rate is None:
            loop.call_later(self._half, self._arrive, data)
            return
        for at in range(0, len(data), _PIECE):
            piece = data[at : at + _PIECE]
            self._free_at = max(self._free_at, loop.time()) + len(piece) / self._rate
            self._on_the_way += len(piece)
            self.fullest = max(self.fullest, self._on_the_way)
            loop.call_at(self._free_at, self._leave, len(piece))
            loop.call_at(self._free_at + self._half, self._arrive, piece)
        if self._on_the_way >= self._holds:
            self._listen(on=False)

    def _leave(self, size: int) -> None:
        """Bytes have left the program's end: there is room for more."""
        self._on_the_way -= size
        if self._on_the_way < self._holds and not self._closed:
            self._listen(on=True)

    def _arrive(self, data: bytes) -> None:
        self.seen += data
        self._stream.feed(data)
        self._news.set()

    # The person at the near end

    def press(self, key: str) -> None:
        """Types a key (a character, a name of KEYS, or `ctrl+x`), which is there half a delay later."""
        control = key.startswith("ctrl+") and len(key) == 6
        self.send(bytes([ord(key[5].upper()) - 64]) if control else KEYS.get(key, key.encode()))

    def send(self, data: bytes) -> None:
        """Sends bytes, which are there half a delay later."""
        asyncio.get_running_loop().call_later(self._half, self._type, data)

    def _type(self, data: bytes) -> None:
        if not self._closed:
            with suppress(OSError):  # the program has ended
                os.write(self._master, data)
                self.answered += data == ANSWER

    def resize(self, columns: int, rows: int) -> None:
        """Gives the terminal another size."""
        self.screen.resize(rows, columns)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    async def until(self, condition: str | Callable[[], bool], seconds: float = 30.0) -> float:
        """Waits until a text is on the screen, or a condition holds, and gives the seconds that it took.

        Raises TimeoutError, with the screen.
        """
        met = (lambda: condition in self.text) if isinstance(condition, str) else condition
        began = time.monotonic()
        try:
            async with asyncio.timeout(seconds):
                while not met():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise TimeoutError(f"never seen: {condition}\n{self.text}") from None
        return time.monotonic() - began

    async def quiet(self, seconds: float = 0.3, at_most: float = 15.0) -> None:
        """Waits until nothing has come for so long."""
        deadline = time.monotonic() + at_most
        while time.monotonic() < deadline:
            self._news.clear()
            try:
                async with asyncio.timeout(seconds):
                    await self._news.wait()
            except TimeoutError:
                return

    @property
    def lines(self) -> list[str]:
        """The screen's lines."""
        return lines_on(self.screen)

    @property
    def text(self) -> str:
        """The screen as one text."""
        return "\n".join(self.lines)

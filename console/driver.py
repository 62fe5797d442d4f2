"""The terminal's driver: Textual's, with a writer that never blocks the app and frames that wait for their terminal."""

from __future__ import annotations

import os
import re
import select
import signal
import time
from asyncio import TimerHandle
from codecs import getincrementaldecoder
from collections.abc import Callable
from contextlib import suppress
from queue import Queue
from typing import IO, Any, Final

from textual import constants, events
from textual._ansi_sequences import SYNC_END, SYNC_START
from textual._parser import ParseError
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers._writer_thread import WriterThread
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Size

from console.escapes import ESCAPE, Escapes
from console.flight import ANSWER, ASK, Flight
from console.wire import installed, wire_of

_NO_MOUSE: Final = "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l"
_MOUSE: Final = "\x1b[?1000h\x1b[?1006h"
"""Presses and the wheel alone: a pointer that only moves would send bytes up, and make others come down."""
_LAST_MOVE: Final = re.compile(r"\x1b\[\d+;\d+H\Z")
_CORNER: Final = "\x1b[1;1H"
_ANSWERS: Final = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1bP[^\x1b]*\x1b\\|\x1b\[[?>=][\d;]*c")
"""What a terminal answers to somebody else's question (colours, its kind): Textual would take it for typed keys."""
_GIVE_UP: Final = 2.0
_LAST_ANSWER: Final = 1.5
"""Seconds that a console which leaves waits for the terminal's answer: later it would be typed into the shell."""
_IDLE_LOOK: Final = 0.1
_ESCAPE_LOOK: Final = 0.01
"""Seconds between two looks whether a sequence that began with Escape has come to an end."""


class FrameWriter(WriterThread):
    """Writes to the terminal in its own thread. A terminal that has gone swallows everything, and nothing raises."""

    def __init__(
        self, file: IO[str], on_idle: Callable[[], None], on_wait: Callable[[float], None], *, bounded: bool
    ) -> None:
        super().__init__(file)
        if not bounded:
            self._queue = Queue()
        self._on_idle, self._on_wait = on_idle, on_wait
        self._given = self._taken = 0
        self._gone = False

    @property
    def idle(self) -> bool:
        """Whether the terminal has taken everything that was written."""
        return self._given == self._taken

    def write(self, text: str) -> None:
        """Hand text to the thread."""
        self._given += 1
        super().write(text)

    def run(self) -> None:
        """Write what is handed over, until told to stop."""
        while (text := self._queue.get()) is not None:
            if not self._gone:
                began = time.monotonic()
                self._send(text.encode("utf-8", "replace"))
                self._on_wait(time.monotonic() - began)
            self._taken += 1
            if self.idle:
                self._on_idle()

    def stop(self) -> None:
        """End the thread. One that hangs on a terminal which takes nothing is left behind."""
        self._queue.put(None)
        self.join(_GIVE_UP)

    def _send(self, data: bytes) -> None:
        descriptor = self._file.fileno()
        while data:
            try:
                data = data[os.write(descriptor, data) :]
            except BlockingIOError:
                select.select([], [descriptor], [])
            except OSError:
                self._gone = True
                return


class ConsoleDriver(LinuxDriver):
    """Textual's driver. It hears no moves of the mouse; with the console's wire it drops frames and never blocks."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = False, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._wire = wire_of(app.console)
        self._held = ""
        self._last_move = ""
        self._started_before = False
        self._taking = False
        self._flight = Flight()
        self._given_up: TimerHandle | None = None
        self._cut = ""
        self._wire.ready = self._is_idle

    @property
    def hears_mouse(self) -> bool:
        """Whether the terminal is asked for clicks and the wheel."""
        return self._mouse

    def listen_to_mouse(self) -> bool:
        """Listens from now on, or, if it did, does not any more; gives which."""
        self._mouse = not self._mouse
        self.write(_MOUSE if self._mouse else _NO_MOUSE)
        return self._mouse

    def _enable_mouse_support(self) -> None:
        """Presses and the wheel, in the encoding that has no limit of columns."""
        if self._mouse:
            self.write(_MOUSE)

    @property
    def frame_sent(self) -> bool:
        """Whether everything drawn so far has been taken by the terminal."""
        return self._is_idle() and not self._wire.pending

    @property
    def slow(self) -> bool:
        """Whether the link to the terminal has been slow of late."""
        return self._flight.slow(time.monotonic())

    def start_application_mode(self) -> None:
        """Take the terminal over, with a writer of our own."""
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual leaves this method untyped.
        signal.signal(signal.SIGWINCH, self._on_winch)
        stock = self._writer_thread
        if stock is None or not stock.is_alive() or self._file is None:
            return
        stock.stop()
        self._writer_thread = FrameWriter(self._file, self._on_idle, self._on_wait, bounded=not installed())
        self._flight = Flight()
        self._writer_thread.start()
        super().write(self._flight.begin(time.monotonic()))
        self._taking = True
        if not self._mouse:
            self.write(_NO_MOUSE)
        self._last_move = ""
        self._wire.forget()
        if self._started_before:
            self._loop.call_soon_threadsafe(self._app.refresh)
        self._started_before = True

    def _on_winch(self, *_: object) -> None:
        """A signal may come while another is handled: the size is taken later, by the loop, so that the newest is last.

        Textual takes it here, and a console could stay at the size before.
        """
        if not self._in_band_window_resize:
            self._loop.call_soon_threadsafe(self._take_size)

    def _take_size(self) -> None:
        size = Size(*self._get_terminal_size())
        self.send_message(events.Resize(size, size))

    def _sigcont_application(self, *_: object) -> None:
        """Takes the terminal anew; after a SIGSTOP, of which nobody was told, the threads of before end first.

        Textual would start others beside them, and take the raw terminal for the one to be given back at the end.
        """
        settings = self.attrs_before if self._taking else None
        if self._taking and self._auto_restart:
            self._taking = False
            self.exit_event.set()
            if self._key_thread is not None:
                self._key_thread.join(_GIVE_UP)
            self.exit_event.clear()
            self.close()
        super()._sigcont_application()
        if settings is not None:
            self.attrs_before = settings

    def stop_application_mode(self) -> None:
        """Give the terminal back, once it has answered."""
        self._taking = False
        until = time.monotonic() + _LAST_ANSWER
        while (now := time.monotonic()) < until and self._flight.outstanding(now):
            time.sleep(_ESCAPE_LOOK)
        self.write(f"\x1b[m{_NO_MOUSE}")
        super().stop_application_mode()

    def run_input_thread(self) -> None:
        """Hand typed keys on, until told to stop.

        Textual's own loop takes Escape with a letter behind it for another key, and dies of bytes that are not UTF-8.
        """
        parser, escapes = XTermParser(self._debug), Escapes()
        decode = getincrementaldecoder("utf-8")("replace").decode
        try:
            while not self.exit_event.is_set():
                wait = _IDLE_LOOK if parser._timeout_time is None else _ESCAPE_LOOK
                if select.select([self.fileno], [], [], constants.ESCAPE_DELAY if escapes.held else wait)[0]:
                    data = os.read(self.fileno, 4096)
                    if not data:
                        return
                    typed = _ANSWERS.sub("", self._without_answer(decode(data)))
                    for text, escape in escapes.split(typed):
                        for event in (events.Key("escape", ESCAPE),) if escape else parser.feed(text):
                            self.process_message(event)
                elif escapes.release():
                    self.process_message(events.Key("escape", ESCAPE))
                for event in parser.tick():
                    self.process_message(event)
        finally:
            with suppress(EOFError, ParseError):
                list(parser.feed(""))

    def _without_answer(self, typed: str) -> str:
        """What was typed, without the terminal's answers to this console, which may come in two pieces."""
        typed, self._cut = self._cut + typed, ""
        if ANSWER in typed:
            again = self._flight.answered(time.monotonic())
            with suppress(RuntimeError):  # the loop has ended meanwhile
                self._loop.call_soon_threadsafe(self._go_on, again)
            return typed.replace(ANSWER, "")
        if typed.endswith((ANSWER[:2], ANSWER[:3])) and self._flight.outstanding(time.monotonic()):
            at = typed.rindex("\x1b")
            typed, self._cut = typed[:at], typed[at:]
        return typed

    def _go_on(self, again: bool) -> None:
        """The terminal has answered: there may be room for what was dropped meanwhile."""
        if self._taking:
            if again:
                super().write(ASK)
                self._wait_for_answer()
            self.send_pending()

    def write(self, data: str) -> None:
        """Write data, but for brackets of synchronised output around nothing and moves that nobody can see.

        Textual moves the hidden cursor after each frame: to a widget that takes typing, or else into the corner.
        """
        data = data.removesuffix(_CORNER)
        if data == SYNC_START:
            self._held = data
            return
        if data == SYNC_END and self._held:
            self._held = ""
            return
        if not data or data == self._last_move:
            return
        if data != SYNC_END:
            move = _LAST_MOVE.search(data)
            self._last_move = move[0] if move else ""
        data, self._held = self._held + data, ""
        asks = self._taking and self._flight.wrote(len(data), time.monotonic())
        super().write(data + ASK if asks else data)
        if asks:
            self._wait_for_answer()

    def _wait_for_answer(self) -> None:
        """What is held back until the terminal answers goes out without an answer, after a while."""
        if self._given_up is not None:
            self._given_up.cancel()
        self._given_up = self._loop.call_later(self._flight.patience + _IDLE_LOOK, self.send_pending)

    def send_pending(self) -> None:
        """Send what has changed since the last frame, if the terminal has taken that."""
        move = self._last_move
        if self._wire.pending and (frame := self._wire.frame()):
            self.write(frame + move)

    def _is_idle(self) -> bool:
        writer = self._writer_thread
        taken = writer.idle if isinstance(writer, FrameWriter) else True
        return self._taking and taken and self._flight.room(time.monotonic())

    def _on_wait(self, seconds: float) -> None:
        """Called in the writer's thread: for so long it was writing."""
        self._flight.waited(seconds, time.monotonic())

    def _on_idle(self) -> None:
        """Called in the writer's thread: whatever was dropped meanwhile goes out as one frame."""
        if self._wire.pending and self._taking:
            with suppress(RuntimeError):  # the loop has ended meanwhile
                self._loop.call_soon_threadsafe(self.send_pending)

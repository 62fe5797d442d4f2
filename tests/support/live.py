"""The live console in a pseudo terminal, seen from outside."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.support.hostile_walk import place_of
from tests.support.live_program import Told, mark, told_in
from tests.support.pty import PtyProgram
from tests.support.slow_link import ANSWER
from tests.support.source import PROJECT

ASK = b"\x1b[5n"


def command(told: Path) -> list[str]:
    """What starts it."""
    return [sys.executable, "-m", "tests.support.live_program", str(told)]


def going_to(view: str) -> bytes:
    """What a person types to go to a view."""
    return f":open {place_of(view).address}\r".encode()


class Live(PtyProgram):
    """The live console, whose terminal says that it is a `term`. `within`: another command, which starts it."""

    def __init__(
        self, folder: Path, size: tuple[int, int], term: str, within: Sequence[str] = (), *, mute: bool = False
    ) -> None:
        self._told = folder / "told"
        self.mute, self.within = mute, within
        """Whether it leaves the program's questions without answer, as some terminals do."""
        super().__init__(within or command(self._told), size=size, cwd=str(PROJECT), env={"TERM": term}, blind=True)
        self.before = self.line_settings()
        """The settings of the terminal's line before the console took it."""
        self._marks = 0

    @property
    def told(self) -> Told:
        """How it is."""
        return told_in(self._told)

    def open(self, view: str) -> None:
        """Goes to a view."""
        self.send(going_to(view))
        self.until(lambda: self.told.view == view)

    def hold(self) -> None:
        """Reads until the world stands still and all of it is on the screen; asked again, after a full repaint."""
        self._marks += 1
        os.kill(self.told.pid, signal.SIGUSR1)
        self.until(lambda: self.told.marks == self._marks)
        if not self.within:
            self.until(lambda: mark(self._marks) in self.raw[-4096:])

    def _read(self, seconds: float) -> bool:
        """Answers as a terminal does when it is asked how it is, which a program may wait for."""
        before = max(len(self.raw) - len(ASK) + 1, 0)
        found = super()._read(seconds)
        if not self.mute:
            self.send(ANSWER * self.raw.count(ASK, before))
        return found

    def let_go(self) -> None:
        """The world changes again."""
        os.kill(self.told.pid, signal.SIGUSR2)

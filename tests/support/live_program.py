"""A console whose world changes all the time, to be watched from outside: `python -m tests.support.live_program TOLD`.

A hundred times a second it writes into TOLD what `Told` holds. On SIGUSR1 the world stands still, always in the same
state; when that has been read and drawn and the terminal has taken it, the terminal is sent `mark(n)`, which it does
not understand. On SIGUSR2 the world goes on. SIGUSR1 while it stands still sends every cell again before the next mark.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import unicodedata
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from textual.pilot import Pilot

from console.actions.views import VIEWS
from console.app import ConsoleApp
from console.driver import ConsoleDriver
from console.model.reading import safe
from console.terminal import run_console
from tests.support.attacks import EVIL
from tests.support.hostile import RUN, HostileWorld
from tests.support.hostile_walk import Walk

_EVERY = 0.01
_CHANGE = 3
"""Beats from one change of the world to the next."""


class Told(NamedTuple):
    """What is told of the console. `behind`: its terminal has not taken the newest frame."""

    pid: int = 0
    view: str = ""
    size: tuple[int, int] = (0, 0)
    """Columns and rows of what is drawn."""
    beats: int = 0
    """Turns of the event loop at which somebody counted."""
    changes: int = 0
    """How often the world has changed."""
    marks: int = 0
    behind: bool = False
    dialog: bool = False
    """Whether a dialog is open."""


def mark(number: int) -> bytes:
    """What the terminal is sent after everything else."""
    return b"\x1b]777;mark %d\x07" % number


def told_in(path: Path) -> Told:
    """What was told last."""
    if not path.exists():
        return Told()
    found: dict[str, Any] = json.loads(path.read_text())
    return Told(**{**found, "size": tuple(found["size"])})


class Live(ConsoleApp):
    """A console of which somebody outside sees how it is."""

    def __init__(self, world: HostileWorld, told: Path) -> None:
        super().__init__(world.home, lambda: world, now=world.now)
        self.world, self.path = world, told
        self.told = Told(os.getpid())
        self.held = self.whole = False
        """Whether the world stands still, and whether every cell is sent again before the next mark."""
        self.asked = 0

    def on_mount(self) -> None:
        """Lives from now on. The console's own handler is called as well: not from here."""
        signal.signal(signal.SIGUSR1, self.hold)
        signal.signal(signal.SIGUSR2, self.let_go)
        for life in (self.live(), self.answer()):
            self.run_worker(life, group="feed")

    def hold(self, *_: object) -> None:
        """No change any more, and a mark."""
        self.whole, self.held = self.held, True
        self.asked += 1

    def let_go(self, *_: object) -> None:
        """Changes again."""
        self.held = False

    async def live(self) -> None:
        """Counts, changes the world, and tells."""
        while True:
            await asyncio.sleep(_EVERY)
            beats, changes = self.told.beats + 1, self.told.changes
            if not self.held and beats % _CHANGE == 0:
                changes += 1
                self.change(("none", "running")[changes % 2], changes)
            drawn = self.stage._compositor.size
            self.told = self.told._replace(
                view=self.stage.front.view,
                size=(drawn.width, drawn.height),
                beats=beats,
                changes=changes,
                behind=not self.frame_sent(),
                dialog=self.screen is not self.stage,
            )
            self.tell()

    def change(self, state: str, attempt: int) -> None:
        """The world is another one: a task is."""
        self.world.put_task(RUN, self.world.runs[RUN].tasks[-2]._replace(state=state, attempt=attempt))

    async def answer(self) -> None:
        """Sends the marks that are asked for."""
        walk = Walk(self, Pilot(self), "")
        while True:
            await asyncio.sleep(_EVERY)
            if self.told.marks == self.asked:
                continue
            if self.whole:
                self.repaint()
            else:
                self.change("none", 0)
            await walk.until(lambda: self.scene().snapshot.seq == self.world.seq, "the newest is shown")
            await walk.settle()
            await walk.until(self.frame_sent, "the terminal has taken it")
            driver = self._driver
            assert isinstance(driver, ConsoleDriver) and driver._writer_thread is not None
            self.told = self.told._replace(marks=self.told.marks + 1)
            driver._writer_thread.write(mark(self.told.marks).decode())

    def tell(self) -> None:
        """For whoever looks, who never sees half of it."""
        written = self.path.with_suffix(".new")
        written.write_text(json.dumps(self.told._asdict()))
        written.replace(self.path)


def main() -> int:
    """Runs it. Terminals differ in what becomes of a mark above a letter when the cell before it is drawn again."""
    for view in VIEWS.values():
        import_module(view.pane.partition(":")[0])  # a console does it in its first seconds, one after the other
    letters = "".join(sign for sign in safe(EVIL) if not unicodedata.category(sign).startswith("M"))
    return run_console(Live(HostileWorld(letters), Path(sys.argv[1])), mouse=True)


if __name__ == "__main__":
    sys.exit(main())

"""A console in a terminal that walks through all that it can show, by itself: `python -m … (world|HOME) RESULT`.

`world` is the one in which every text is an attack that nothing has cleaned; else it is a home's own console. What
every cell looked like is written into RESULT; in the world, the console then fails in the middle of drawing a view.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

import console.start
from console.app import ConsoleApp
from console.keep import BOOKMARKS, COMMANDS, FILTERS, Keep
from console.terminal import run_console
from engine.home import Home
from tests.support.attacks import EVIL
from tests.support.hostile import HostileWorld
from tests.support.hostile_walk import Walk, in_trouble, places_of_home

WORLD = "world"


def keep(text: str) -> Keep:
    """Bookmarks and lines from before."""
    found = Keep()
    for name in (BOOKMARKS, COMMANDS, FILTERS):
        found.add(name, text[:900])
    return found


class Walked(ConsoleApp):
    """A console that somebody walks through."""

    def run(self, **options: Any) -> None:
        """See `App.run`."""
        super().run(auto_pilot=self.walk, **options)

    async def walk(self, pilot: Pilot[Any]) -> None:
        """All of it; a failure on the way ends the console with its traceback."""
        backend = self.backend
        ours = isinstance(backend, HostileWorld) or sys.argv[1] == WORLD
        walk = Walk(self, pilot, EVIL) if ours else Walk(self, pilot, EVIL, places_of_home(Path(sys.argv[1])))
        if ours:
            await walk.go()
            await in_trouble(walk)
        else:
            await walk.tour()
        told = {"stops": walk.stops, "spoken": sorted(walk.spoken)}
        await asyncio.to_thread(Path(sys.argv[2]).write_text, json.dumps(told), "utf-8")
        if ours:
            self.stage.front.draw = self.fail  # type: ignore[method-assign]  # a view with a fault
            self.call_later(self.redraw)
        else:
            self.exit()

    def fail(self, scene: object) -> None:
        """What a view does that has a fault."""
        raise ValueError(EVIL)


def main() -> int:
    """Runs it."""
    if sys.argv[1] == WORLD:
        backend, reports = HostileWorld(), Path(sys.argv[2]).parent
        return run_console(Walked(backend.home, lambda: backend, now=backend.now, keep=keep(EVIL), reports=reports))
    vars(console.start)["ConsoleApp"] = Walked
    return console.start.run_console(Home(Path(sys.argv[1])))


if __name__ == "__main__":
    sys.exit(main())

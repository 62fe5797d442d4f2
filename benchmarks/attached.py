"""Consoles that stay attached: they go through all views, again and again, and must not grow.

`python -m benchmarks.attached --seconds 300 [--consoles 2]`: two JSON lines for each console and for the engine. Ends
with 1 if one of them grows by more than 2 MB an hour, or keeps files open; in less than a quarter of an hour, by more
than that and what two looks at the same may differ by. The first third of the time is for what is read once.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.homes import BenchHome
from benchmarks.slopes import Growth, descriptors, growth, resident
from benchmarks.view_figures import SIZE, views_home
from console.cli.link import EngineLink, engine_pid, select
from console.model.place import Place
from engine.store import reads_overview
from engine.store.reader import Reader
from tests.support.slow_link import SlowLink

PER_HOUR, NOISE = 2.0, 1.0
"""MB by which a process may grow in an hour, and by which two looks at the same may differ."""
_SHORTEST = 0.25
"""Hours from which on growth per hour says something."""
KEYS = ("j", "j", "pgdn", "pgup", "k", "?", "esc", "i", "esc", "/", "e", "esc")
SIZES = (SIZE, (80, 24), (200, 60))


@dataclass(slots=True)
class Watched:
    """A process, and what it held at each look, after the time that it had to settle."""

    name: str
    pid: int
    memory: list[tuple[float, float]] = field(default_factory=list)
    files: list[tuple[float, float]] = field(default_factory=list)
    rounds: int = 0

    def look(self) -> None:
        """Notes what it holds now. Raises RuntimeError when it has ended."""
        now, memory, files = time.monotonic(), resident(self.pid), descriptors(self.pid)
        if not memory or not files:
            raise RuntimeError(f"{self.name} has ended")
        self.memory.append((now, memory))
        self.files.append((now, files))

    def growths(self) -> list[Growth]:
        """How its memory and its open files went."""
        hours = (self.memory[-1][0] - self.memory[0][0]) / 3600
        noise = NOISE / max(hours, 1e-3) if hours < _SHORTEST else 0.0
        return [
            growth(f"{self.name}: memory, MB, {self.rounds} rounds", self.memory, PER_HOUR + noise),
            growth(f"{self.name}: open files", self.files, 0.5 / max(hours, 1e-3)),
        ]


async def walk(home: BenchHome, places: Sequence[Place], number: int, ends: float, settled: float) -> Watched:
    """One console that goes from view to view until the time is up."""
    command = [sys.executable, "-m", "benchmarks.open_console", str(home.home.root)]
    async with SlowLink(command, size=SIZE) as link:
        await link.until("? keys")
        seen = Watched(f"console {number}", link.pid)
        for place in itertools.cycle(places):
            if time.monotonic() > ends:
                return seen
            if place is places[0]:
                link.resize(*SIZES[seen.rounds % len(SIZES)])
                seen.rounds += 1
            link.send(f":open {place.address}\r".encode())
            await link.quiet(0.2, 1.0)
            for key in KEYS:
                link.press(key)
                await asyncio.sleep(0.3 if key == "esc" else 0.05)
            if place is places[-1] and time.monotonic() > settled:
                await link.quiet(0.3, 2.0)
                try:
                    seen.look()
                except RuntimeError as error:
                    raise RuntimeError(f"{error}; the end of it: {bytes(link.seen[-3000:])!r}") from error
    return seen


async def keep_busy(home: BenchHome, ends: float, settled: float) -> Watched:
    """Starts another run whenever the last one is nearly over, and looks at the engine.

    Runs that are over go to the trash but for two: a home that is kept has as many runs today as yesterday.
    """
    pid = engine_pid(home.home)
    assert pid is not None
    seen = Watched("engine", pid)
    runs: list[str] = []
    with Reader(home.home.database) as reader:
        while time.monotonic() < ends:
            if reads_overview.totals(reader).tasks.get("running", 0) < 4:
                runs.append(await asyncio.to_thread(home.trigger, "busy"))
                seen.rounds += 1
                if len(runs) > 2:
                    await asyncio.to_thread(_delete, home, runs.pop(0))
            await asyncio.sleep(5.0)
            if time.monotonic() > settled:
                seen.look()
    return seen


def _delete(home: BenchHome, run_id: str) -> None:
    home.finish(run_id)
    with EngineLink(home.home) as link:
        link.command("delete", select(runs=(run_id,)), {}, None, None)


async def soak(home: BenchHome, places: Sequence[Place], seconds: float, consoles: int) -> list[Watched]:
    """All of them at once."""
    began = time.monotonic()
    ends, settled = began + seconds, began + seconds / 3
    walks = [walk(home, places, number, ends, settled) for number in range(consoles)]
    return list(await asyncio.gather(*walks, keep_busy(home, ends, settled)))


def main() -> int:
    """Reads the arguments and runs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attached", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--consoles", type=int, default=2)
    chosen = parser.parse_args()
    with views_home() as (home, places):
        seen = asyncio.run(soak(home, list(places.values()), chosen.seconds, chosen.consoles))
    found = [each for process in seen for each in process.growths()]
    for each in found:
        print(json.dumps(each.as_json()))
    return 0 if all(each.kept for each in found) else 1


if __name__ == "__main__":
    sys.exit(main())

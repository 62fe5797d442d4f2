"""Consoles that stay attached: they go through all views, again and again, and must not grow.

`python -m benchmarks.attached --seconds 300 [--consoles 2]`: one JSON line for each console and for the engine. Ends
with 1 if one of them grows by more than 2 MB an hour, beyond what a look of its memory may differ by, or keeps files
open. The first third of the time is for what is imported, read and remembered once.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.homes import BenchHome
from benchmarks.view_figures import SIZE, views_home
from console.cli.link import engine_pid
from console.model.place import Place
from engine.store import reads_overview
from engine.store.reader import Reader
from tests.support.slow_link import SlowLink

PER_HOUR, NOISE = 2.0, 1.0
"""MB by which a process may grow in an hour, and by which two looks at the same may differ."""
_LOOK = 2.0
KEYS = ("j", "j", "pgdn", "pgup", "k", "?", "esc", "i", "esc", "/", "e", "esc")
SIZES = (SIZE, (80, 24), (200, 60))


@dataclass(slots=True)
class Watched:
    """A process, and what it held at each look, after the time that it had to settle."""

    name: str
    pid: int
    memory: list[tuple[float, float]] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    rounds: int = 0

    def look(self) -> None:
        """Notes what it holds now."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
        self.memory.append((time.monotonic(), resident / 1024))
        self.files.append(sum(1 for _ in Path(f"/proc/{self.pid}/fd").iterdir()))

    def verdict(self) -> dict[str, object]:
        """Growth between the first and the last third of the looks."""
        third = max(len(self.memory) // 3, 1)
        early, late = self.memory[:third], self.memory[-third:]
        hours = max(statistics.fmean(at for at, _ in late) - statistics.fmean(at for at, _ in early), 1e-9) / 3600
        grown = statistics.median(mb for _, mb in late) - statistics.median(mb for _, mb in early)
        files = statistics.median_low(self.files[-third:]) - statistics.median_low(self.files[:third])
        return {
            "process": self.name,
            "rounds": self.rounds,
            "hours": round(hours, 3),
            "memory_mb": round(self.memory[-1][1], 1),
            "grown_mb": round(grown, 2),
            "mb_per_hour": round(grown / hours, 1),
            "files": self.files[-1],
            "files_grown": files,
            "kept": grown <= PER_HOUR * hours + NOISE and files <= 0,
        }


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
                await asyncio.sleep(0.05)
            if place is places[-1] and time.monotonic() > settled:
                await link.quiet(0.3, _LOOK)
                seen.look()
    return seen


async def keep_busy(home: BenchHome, ends: float, settled: float) -> Watched:
    """Starts another run whenever the last one is nearly over, and looks at the engine."""
    pid = engine_pid(home.home)
    assert pid is not None
    seen = Watched("engine", pid)
    with Reader(home.home.database) as reader:
        while time.monotonic() < ends:
            if reads_overview.totals(reader).tasks.get("running", 0) < 4:
                await asyncio.to_thread(home.trigger, "busy")
                seen.rounds += 1
            await asyncio.sleep(5.0)
            if time.monotonic() > settled:
                seen.look()
    return seen


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
    verdicts = [each.verdict() for each in seen]
    for verdict in verdicts:
        print(json.dumps(verdict))
    return 0 if all(verdict["kept"] for verdict in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())

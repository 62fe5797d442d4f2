"""Attempts per second of the executor alone, beside a bare fork loop and a bare spawn loop in the same run.

`python benchmarks/spawn.py [--attempts 400] [--parallel 16] [--rounds 3]` prints one JSON object. Rates are medians
over the rounds; the bare loops and the executor take turns, so that a busy machine hurts them alike.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine.clock import SystemClock
from engine.execution.local import LocalExecutor
from engine.execution.port import Bundle, Claimed, Ended, Evidence, LaunchOrder, SpawnFailed
from engine.model.attempt_files import AttemptSpec, Context
from engine.model.ids import ulid

DAG_FILE = """
from dagdeck import dag, task

@task
def noop():
    return None

@dag(schedule=None)
def spawn_benchmark():
    noop()
"""

BARE_LOOP = """
import gc, os, sys, time
kind, count, parallel = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
if kind == "host":
    sys.path.insert(0, sys.argv[4])
    import engine.execution.process.template
    gc.freeze()
began, live, started = time.perf_counter(), 0, 0
while started < count or live:
    while live < parallel and started < count:
        if kind != "spawn":
            if os.fork() == 0:
                os._exit(0)
        else:
            os.posix_spawn("/bin/sh", ["sh", "-c", "/bin/true"], {"PATH": "/bin:/usr/bin"}, setsid=True)
        live, started = live + 1, started + 1
    os.wait4(-1, 0)
    live -= 1
print(count / (time.perf_counter() - began))
"""

_DATE = "2026-01-01T00:00:00Z"
CONTEXT = Context(_DATE, _DATE, _DATE, _DATE, "UTC", "manual")


class Bench:
    """One executor on a throw-away home, driven as a scheduler with a fixed parallelism would."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.clock = SystemClock()
        self.bundle = home / "bundle"
        self.bundle.mkdir()
        (self.bundle / "noop.py").write_text(DAG_FILE)
        self.executor = LocalExecutor(home / "attempts", self.clock, log=home / "engine.log")
        self.seen: dict[str, float] = {}
        self.ended = 0
        self.wake = asyncio.Event()
        self.on_end: Callable[[int], None] = lambda count: None

    def order(self, kind: str) -> LaunchOrder:
        spec = AttemptSpec(
            ulid(self.clock.now(), self.clock.entropy(10)), "spawn_benchmark", "r", "noop", -1, 1,
            "shell" if kind == "shell" else "python", CONTEXT, str(self.bundle), "noop.py",
            argv=["/bin/sh", "-c", "/bin/true"] if kind == "shell" else [], cwd=str(self.home),
            env={"PATH": "/bin:/usr/bin", "HOME": "/", "LANG": "C.UTF-8", "TZ": "UTC"},
        )  # fmt: skip
        return LaunchOrder(spec, sys.executable)

    def deliver(self, batch: Sequence[Evidence]) -> None:
        now, ended = time.perf_counter(), 0
        for item in batch:
            if isinstance(item, SpawnFailed):
                raise RuntimeError(item.error)
            if isinstance(item, Claimed):
                self.seen[item.attempt_id] = now
            if isinstance(item, Ended):
                if item.status is None or item.status.code != 0:
                    raise RuntimeError(f"{item}")
                ended += 1
        self.ended += ended
        if ended:
            self.on_end(ended)
        self.wake.set()

    async def rate(self, kind: str, count: int, parallel: int) -> float:
        left = count

        def more(free: int) -> None:
            nonlocal left
            batch = [self.order(kind) for _ in range(min(free, left))]
            left -= len(batch)
            if batch:
                self.executor.launch(batch)

        self.ended, self.on_end = 0, more
        began = time.perf_counter()
        more(parallel)
        while self.ended < count:
            self.wake.clear()
            await self.wake.wait()
        return count / (time.perf_counter() - began)

    async def latencies(self, kind: str, count: int) -> list[float]:
        """Milliseconds from launch() to the Claimed evidence, one attempt at a time."""
        times = []
        self.on_end = lambda free: None
        for _ in range(count):
            order, self.ended = self.order(kind), 0
            began = time.perf_counter()
            self.executor.launch([order])
            while not self.ended:
                self.wake.clear()
                await self.wake.wait()
            times.append((self.seen[order.spec.attempt_id] - began) * 1000)
        return times


def bare(kind: str, count: int, parallel: int) -> float:
    """Per second, in a process of its own: fork, exit and wait; or spawn of `sh -c /bin/true` and wait.

    `fork` forks from the smallest interpreter there is, `host` from one that has imported what every host has.
    """
    root = str(Path(__file__).resolve().parents[1])
    command = [sys.executable, "-I", "-S", "-c", BARE_LOOP, kind, str(count), str(parallel), root]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


async def run(attempts: int, parallel: int, rounds: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        bench = Bench(Path(folder))
        await bench.executor.open(bench.deliver)
        bench.executor.warm([Bundle(sys.executable, str(bench.bundle), "noop.py")])
        await bench.latencies("python", 20)
        rates: dict[str, list[float]] = {"python": [], "fork": [], "host": [], "shell": [], "spawn": []}
        for _ in range(rounds):
            rates["fork"].append(await asyncio.to_thread(bare, "fork", attempts * 2, parallel))
            rates["host"].append(await asyncio.to_thread(bare, "host", attempts, parallel))
            rates["python"].append(await bench.rate("python", attempts, parallel))
            rates["spawn"].append(await asyncio.to_thread(bare, "spawn", attempts, parallel))
            rates["shell"].append(await bench.rate("shell", attempts, parallel))
        late = {kind: await bench.latencies(kind, 200) for kind in ("python", "shell")}
        await bench.executor.close()
    per_second = {name: round(statistics.median(values)) for name, values in rates.items()}
    return {
        "attempts": attempts,
        "parallel": parallel,
        "per_second": per_second,
        "python_of_bare_fork": round(per_second["python"] / per_second["fork"], 3),
        "python_of_bare_fork_from_a_host": round(per_second["python"] / per_second["host"], 3),
        "shell_of_bare_spawn": round(per_second["shell"] / per_second["spawn"], 3),
        "launch_to_claimed_ms": {
            kind: {"p50": round(statistics.median(values), 2), "p95": round(sorted(values)[int(len(values) * 0.95)], 2)}
            for kind, values in late.items()
        },
        "load_average": os.getloadavg()[0],
    }


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--attempts", type=int, default=400)
    options.add_argument("--parallel", type=int, default=16)
    options.add_argument("--rounds", type=int, default=3)
    chosen = options.parse_args()
    print(json.dumps(asyncio.run(run(chosen.attempts, chosen.parallel, chosen.rounds)), indent=2))


if __name__ == "__main__":
    main()

"""Figures of large logs: opening one of gigabytes, and keys while it grows quickly."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.figures import Figure, median
from benchmarks.homes import BenchHome, bench_home, wait
from benchmarks.view_figures import SIZE, Eye
from console.model.place import Place
from engine.store import reads_overview
from engine.store.reader import Reader
from tests.support.slow_link import SlowLink

DAGS = {
    "big_log.py": """
from dagdeck import dag, shell

@dag()
def big_log():
    shell("writes", "echo begun; sleep 600")
"""
}
LOG_BYTES = 2 * 2**30
LAST = "the very last line"
_WRITER = """
import sys, time
at, began = 0, time.monotonic()
with open(sys.argv[1], "ab", 0) as log:
    while True:
        log.write(b"".join(b"%09d a line that has just been written\\n" % number for number in range(at, at + 500)))
        at += 500
        time.sleep(max(0.0, began + at / 10_000 - time.monotonic()))
"""
KEYS = ("k", "k", "j", "pgup", "pgdn", "g", "j", "G") * 6


@contextmanager
def big_log_home() -> Iterator[tuple[BenchHome, Path, Place]]:
    """A home in which a task runs whose log has two gigabytes of generated lines; the log, and where it is seen."""
    with bench_home(DAGS) as home:
        home.start({"big_log"})
        run_id = home.trigger("big_log")
        with Reader(home.home.database) as reader:
            wait(lambda: reads_overview.totals(reader).tasks.get("running", 0), "the task runs")
        wait(lambda: list(home.home.attempts.rglob("log")), "the log stands")
        (log,) = home.home.attempts.rglob("log")
        lines = b"".join(
            b"%09d a line of the kind that pipelines write, neither long nor short\n" % number
            for number in range(200_000)
        )
        with open(log, "ab") as file:
            while file.tell() < LOG_BYTES:
                file.write(lines)
            file.write(f"{LAST}\n".encode())
        yield home, log, Place("run", "big_log", run_id, "writes")


def big_log() -> list[Figure]:
    """A log of 2 GB: its end on the screen, and keys while it is counted and grows by 10,000 lines per second."""
    with big_log_home() as (home, log, place):
        opened, answers = asyncio.run(_watch(home, log, place))
    return [
        Figure("log of 2 GB: opened at its end", opened, "s", 0.3),
        Figure("log growing by 10,000 lines/s: worst key → paint", max(answers) * 1000, "ms", 100.0,
               peers={"p50": median(answers) * 1000}),
    ]  # fmt: skip


async def _watch(home: BenchHome, log: Path, place: Place) -> tuple[float, list[float]]:
    command = [sys.executable, "-m", "benchmarks.open_console", str(home.home.root), place.address]
    async with SlowLink(command, size=SIZE) as link:
        await link.until("writes")
        await asyncio.sleep(3.0)
        link.press("L")
        opened = await link.until(LAST)
        return opened, await keys_while_it_grows(link, log)


async def keys_while_it_grows(link: SlowLink, log: Path) -> list[float]:
    """Seconds from each key to the screen that answers it, while something writes to the log."""
    writer = await asyncio.to_thread(subprocess.Popen, [sys.executable, "-c", _WRITER, str(log)], env=os.environ)
    eye, answers = Eye(link.screen), []
    try:
        for key in KEYS:
            moved = eye.moved(pages=True)
            link.press(key)
            try:
                answers.append(await link.until(moved, 2.0))
            except TimeoutError:
                continue
            await asyncio.sleep(0.1)
    finally:
        writer.kill()
        writer.wait()
    return answers

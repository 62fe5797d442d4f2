"""How soon the console obeys in large homes: 1,000 DAGs over a million task instances, and runs of 10,000 tasks."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

from benchmarks import bigstore
from benchmarks.figures import Figure, median
from benchmarks.view_figures import SIZE, Eye
from console.cli.init import make_home
from console.model.place import Place
from engine.home import Home
from tests.support.slow_link import SlowLink

SCROLL = ("pgdn",) * 8 + ("G", "g") * 2 + ("pgdn", "pgup") * 2 + ("j", "k") * 5
_PATIENCE = 5.0


@contextmanager
def large_home(dags: int, tasks: int, per_run: int) -> Iterator[Home]:
    """A home with so many DAGs and task instances in its store, and no engine."""
    with tempfile.TemporaryDirectory(prefix="ddb-", ignore_cleanup_errors=True) as folder:
        home = make_home(Path(folder) / "large", {}, 'name = "large"\n')
        bigstore.build(home.database, dags, tasks, per_run, time.time_ns() // 1000)
        home.database.chmod(0o600)
        yield home


def newest_run(home: Home, place: int = 0) -> str:
    """A run's id, the newest first."""
    with closing(sqlite3.connect(f"file:{home.database}?mode=ro", uri=True)) as db:
        found = db.execute("SELECT run_id FROM run ORDER BY id DESC LIMIT 1 OFFSET ?", (place,)).fetchone()
        return str(found[0])


async def handle(home: Home, place: Place, row: str, needle: str) -> tuple[float, list[float], list[float]]:
    """Seconds until a text of the rows stands there, for each key that scrolls, and for each letter of a filter."""
    command = [sys.executable, "-m", "benchmarks.open_console", str(home.root), place.address]
    async with SlowLink(command, size=SIZE) as link:
        opened = await link.until(row)
        await asyncio.sleep(3.0)  # what it imports and reads after its first picture
        await link.quiet(0.5, 20.0)
        scrolled = await _type(link, SCROLL)
        link.press("/")
        await link.quiet(0.3)
        filtered = await _type(link, [*needle, *["bs"] * len(needle)])
        return opened, scrolled, filtered


async def _type(link: SlowLink, keys: Sequence[str]) -> list[float]:
    eye, answers = Eye(link.screen), []
    for key in keys:
        answer = partial(_answered, link, eye.moved(pages=True), link.lines[-1])
        link.press(key)
        try:
            answers.append(await link.until(answer, _PATIENCE))
        except TimeoutError:
            continue  # a key at the end of its way
        await link.quiet(0.1, 2.0)
    return answers


def _answered(link: SlowLink, moved: Callable[[], bool], typed: str) -> bool:
    """Whether the rows are others, or what is typed stands in the last line."""
    return moved() or link.lines[-1] != typed


def _figures(name: str, opened: float, scrolled: list[float], filtered: list[float]) -> list[Figure]:
    return [
        Figure(f"{name}: scroll, p50", median(scrolled) * 1000, "ms", 30.0, peers={"rows seen after, s": opened}),
        Figure(f"{name}: scroll, worst", max(scrolled) * 1000, "ms", 100.0),
        Figure(f"{name}: filter, a letter, p50", median(filtered) * 1000, "ms", 30.0),
        Figure(f"{name}: filter, a letter, worst", max(filtered) * 1000, "ms", 100.0),
    ]


def in_large_homes() -> list[Figure]:
    """Scroll and filter, in an overview of 1,000 DAGs and in a run of 10,000 tasks."""
    figures = []
    with large_home(1_000, 1_000_000, 10) as home:
        figures += _figures(
            "overview of 1,000 DAGs", *asyncio.run(handle(home, Place("overview"), "pipeline_", "pipeline_0099"))
        )
    with large_home(2, 60_000, 10_000) as home:
        run_id = newest_run(home, 2)
        place = Place("run", run_id.partition("@")[0], run_id)
        figures += _figures("run of 10,000 tasks", *asyncio.run(handle(home, place, "task_000", "task_0077")))
    return figures

"""What each view of the console costs, and how soon its cursor obeys: on a plain terminal, and over a bad link.

The views are those of the registry: one that is added is measured by being there. The engine is at work meanwhile, with
16 tasks running.

**Key → paint** is the time from the moment at which a key is typed until the screen shows the cursor elsewhere: the
highlighted cells stand in another place than before, or, in a view without any, another text stands in the body. Not
the first byte that comes counts, which may be a clock's, but the one that completes that picture.

**Over a bad link** the same is measured by the person at its near end: 64 kbit/s both ways, 300 ms there and back. So
300 ms of the limit are the link's, and 50 ms are left for the console, and for the bytes that have to come through
before the cursor is seen in its new place: 400 at most.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import pyte

from benchmarks.figures import Figure, median
from benchmarks.homes import BenchHome, bench_home, processor_seconds, wait
from console.actions.views import VIEWS
from console.cli.link import EngineLink, select
from console.model.place import Place
from engine.store import reads_overview
from engine.store.reader import Reader
from tests.support.slow_link import SlowLink

SIZE = (160, 50)
RATE, DELAY, BUDGET = 64_000 / 8, 0.3, 0.05
MODES = {"run": {"boxes": "3", "gantt": "4"}}
"""Keys that show the same view in another way."""
AWAY = {"log": "k"}
"""Keys after which every move leads somewhere: a log that is followed stands at its end."""
KEYS = ("j", "k") * 8 + ("pgdn", "pgup") * 2
FAR_KEYS = ("j", "k") * 6
_PATIENCE = 2.0

DAGS = {
    "busy.py": "# a line of source\n" * 100 + """
from dagdeck import dag, shell

@dag()
def busy():
    for number in range(4000):
        shell(f"work_{number:04}", "sleep 0.3")

@dag()
def chatty():
    shell("writes", "i=0; while [ $i -lt 40000 ]; do i=$((i+1)); echo line $i of a log; sleep 0.05; done")

@dag()
def fails():
    for number in range(8):
        shell(f"breaks_{number}", f"echo ConnectionError: db-{number} refused >&2; exit 1")

@dag()
def timers():
    for number in range(12):
        shell(f"waits_{number:02}", "exit 1", retries=1, retry_delay="55m")
""",
    "hourly.py": """
from dagdeck import DAG, shell

with DAG("mesh"):
    layer = [shell(f"from_{number}", "true") for number in range(5)]
    for deep in range(5):
        following = [shell(f"step_{deep}_{number}", "true") for number in range(5)]
        for number, task in enumerate(following):
            [layer[number], layer[(number + 1) % 5]] >> task
        layer = following

for number in range(24):
    with DAG(f"hourly_{number:02}", schedule=f"{number} * * * *", start_date="2024-01-01", catchup=False):
        shell("first", "true") >> shell("second", "true")
""",
}  # fmt: skip
IDS = {"busy", "chatty", "fails", "timers", "mesh", "hourly_00", "hourly_23"}


@contextmanager
def views_home() -> Iterator[tuple[BenchHome, dict[str, Place]]]:
    """A home that has something to see in each view, and where in it each view is to be looked at."""
    with bench_home(DAGS, config="[pools]\ndb = 4\napi = 2\nfiles = 8\n") as home:
        home.start(IDS)
        with EngineLink(home.home) as link:
            for day in range(1, 4):
                args = {"start": f"2024-02-0{day}T00..2024-02-0{day}T03", "max_active": 2}
                link.command("backfill_create", select(dags=(f"hourly_0{day}",)), args, None, None)
            over = [home.finish(home.trigger(f"hourly_1{number}", link)).run_id for number in range(3)]
            for run_id in over:
                link.command("delete", select(runs=(run_id,)), {}, None, None)
            for dag_id in ("fails", "timers"):
                home.trigger(dag_id, link)
            runs = {dag_id: home.trigger(dag_id, link) for dag_id in ("mesh", "chatty", "busy")}
        with Reader(home.home.database) as reader:
            wait(lambda: reads_overview.totals(reader).tasks.get("running", 0) >= 16, "16 tasks run")
        yield home, {name: place_of(view, runs, mode) for name, view, mode in shown()}


def place_of(view: str, runs: dict[str, str], mode: str = "") -> Place:
    """A place in the view at which there is something to see, and somewhere to go."""
    if mode == MODES["run"]["boxes"]:
        return Place(view, "mesh", runs["mesh"], "step_2_2")
    if view == "log":
        return Place(view, "chatty", runs["chatty"], "writes")
    if view in ("run", "task"):
        return Place(view, "busy", runs["busy"], "work_0000")
    if view in ("grid", "source"):
        return Place(view, "busy")
    return Place(view, None if view == "overview" else "hourly_01")


class Eye:
    """Where on a screen the cursor is: looks again only at rows that were written to."""

    def __init__(self, screen: pyte.Screen) -> None:
        self._screen = screen
        self._rows: dict[int, tuple[frozenset[tuple[int, int]], str]] = {}

    def look(self) -> tuple[frozenset[tuple[int, int]], str]:
        """The highlighted cells of the body, and its text."""
        screen = self._screen
        rule = next((y for y in range(1, 4) if screen.buffer[y][0].data == "─"), 1)
        body = range(rule + 1, screen.lines - 2)
        ground = screen.buffer[screen.lines - 1][screen.columns - 1].bg
        for y in body:
            if y in screen.dirty or y not in self._rows:
                line = [screen.buffer[y][x] for x in range(screen.columns)]
                lit = frozenset((y, x) for x, cell in enumerate(line) if cell.reverse or cell.bg != ground)
                self._rows[y] = lit, "".join(cell.data for cell in line)
        screen.dirty.clear()
        return frozenset().union(*(self._rows[y][0] for y in body)), "\n".join(self._rows[y][1] for y in body)

    def moved(self, *, pages: bool) -> Callable[[], bool]:
        """A question whether the cursor is elsewhere than now; of `pages` also whether other rows stand there."""
        before, text = self.look()

        def answer() -> bool:
            lit, now = self.look()
            return bool(lit - before) if before and not pages else (lit, now) != (before, text)

        return answer


@dataclass(slots=True)
class Seen:
    """What one view was seen to cost."""

    answers: list[float] = field(default_factory=list)
    unanswered: int = 0
    bytes: float = 0.0
    processor: float = 0.0


async def type_keys(link: SlowLink, view: str, keys: tuple[str, ...], seen: Seen) -> None:
    """Types keys in a view, each once the screen has shown what the one before did."""
    if view in AWAY:
        link.press(AWAY[view])
        await link.quiet(0.5, 3.0)
    eye = Eye(link.screen)
    for key in keys:
        moved = eye.moved(pages=key.startswith("pg"))
        link.press(key)
        try:
            seen.answers.append(await link.until(moved, _PATIENCE))
        except TimeoutError:
            seen.unanswered += 1
        await asyncio.sleep(0.1)
        await link.quiet(0.15, 1.0)


@asynccontextmanager
async def opened(home: BenchHome, place: Place, mode: str, *, bad: bool) -> AsyncIterator[SlowLink]:
    """The console at a place, near or far."""
    command = [sys.executable, "-m", "benchmarks.open_console", str(home.home.root), place.address]
    async with SlowLink(command, size=SIZE, rate=RATE if bad else None, delay=DELAY if bad else 0.0) as link:
        await link.until("? keys")
        await asyncio.sleep(2.0)  # what it imports after its first picture
        if mode:
            link.press(mode)
            await asyncio.sleep(0.5)
        await link.quiet(0.3, 3.0)
        yield link


def shown() -> Iterator[tuple[str, str, str]]:
    """Every view, in each of its modes: what it is called in figures, its id, and the key of the mode."""
    for view in VIEWS:
        yield view, view, ""
        for mode, key in MODES.get(view, {}).items():
            yield f"{view} ({mode})", view, key


async def _near(home: BenchHome, place: Place, mode: str, seconds: float) -> Seen:
    seen = Seen()
    async with opened(home, place, mode, bad=False) as link:
        if (left := 60 - time.time() % 60) < seconds + 1:
            await asyncio.sleep(left + 0.5)  # the header's clocks show minutes
        before, used, began = len(link.seen), processor_seconds([link.pid]), time.monotonic()
        await asyncio.sleep(seconds)
        took = time.monotonic() - began
        seen.bytes = (len(link.seen) - before) / took
        seen.processor = (processor_seconds([link.pid]) - used) / took
        await type_keys(link, place.view, KEYS, seen)
    return seen


async def _far(home: BenchHome, place: Place, mode: str) -> Seen:
    seen = Seen()
    async with opened(home, place, mode, bad=True) as link:
        await type_keys(link, place.view, FAR_KEYS, seen)
    return seen


def on_each_view(seconds: float = 5.0) -> list[Figure]:
    """Bytes per second, processor, and key → paint of every view, while 16 tasks run."""
    figures: list[Figure] = []
    with views_home() as (home, places):
        for name, _, mode in shown():
            seen = asyncio.run(_near(home, places[name], mode, seconds))
            answers = _answers(name, seen)
            figures += [
                Figure(f"{name}: bytes per second", seen.bytes, "B/s", 4000.0),
                Figure(f"{name}: processor", seen.processor * 100, "% of a core", 5.0),
                Figure(f"{name}: key → paint, p50", median(answers) * 1000, "ms", 30.0,
                       peers={"unanswered": seen.unanswered}),
                Figure(f"{name}: key → paint, worst", max(answers) * 1000, "ms", 100.0),
            ]  # fmt: skip
    return figures


def over_a_bad_link() -> list[Figure]:
    """Key → the cursor elsewhere, on every view, through 64 kbit/s and 300 ms, while 16 tasks run."""
    figures: list[Figure] = []
    with views_home() as (home, places):
        for name, _, mode in shown():
            seen = asyncio.run(_far(home, places[name], mode))
            answers = _answers(name, seen)
            figures.append(
                Figure(f"{name}: key → cursor over a bad link, p50", median(answers) * 1000, "ms",
                       (DELAY + BUDGET) * 1000, peers={"worst": max(answers) * 1000, "unanswered": seen.unanswered})
            )  # fmt: skip
    return figures


def _answers(name: str, seen: Seen) -> list[float]:
    if not seen.answers:
        raise LookupError(f"view {name} shows nothing in which a cursor could move: give it something to show")
    return seen.answers

"""Figures of the console: first paint, key to paint, bytes on the wire, processor and memory; and of `runs list`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import bare_app, bigstore
from benchmarks.figures import Figure, median, percentile
from benchmarks.homes import BenchHome, bench_home, wait
from benchmarks.probe import Probe
from console.cli.init import make_home
from engine.home import Home
from engine.store import reads_overview
from engine.store.reader import Reader

PYTHON = sys.executable
SIZE = (160, 50)
ROUNDS = 5


@contextmanager
def big_home() -> Iterator[Home]:
    """A home with 1,000 DAGs and a million task instances in its store, and no engine."""
    with tempfile.TemporaryDirectory(prefix="ddb-", ignore_cleanup_errors=True) as folder:
        home = make_home(Path(folder) / "big", {}, 'name = "big"\n')
        bigstore.build(home.database, 1_000, 1_000_000, 10, time.time_ns() // 1000)
        home.database.chmod(0o600)
        yield home


def on_a_big_store() -> list[Figure]:
    """First paint and `runs list`, with 1,000 DAGs and a million task instances."""
    with big_home() as home:
        return [*_first_paint(home), *_listing(home)]


def _first_paint(home: Home) -> list[Figure]:
    """To the first byte on the terminal, of both programs; and, without a limit, to the first rows with DAGs."""
    ours, bare, rows = [], [], []
    for _ in range(ROUNDS):
        with Probe([PYTHON, "-m", "benchmarks.bare_app"], size=SIZE) as probe:
            probe.painted(bare_app.TEXT)
            bare.append(probe.first_byte or 0.0)
        with Probe([PYTHON, "-m", "benchmarks.open_console", str(home.root)], size=SIZE) as probe:
            rows.append(probe.painted("pipeline_"))
            ours.append(probe.first_byte or 0.0)
    return [
        Figure(
            "console: first paint on a big store",
            median(ours),
            "s",
            median(bare) + 0.25,
            peers={"bare one-widget app": median(bare), "rows of DAGs": median(rows)},
        )
    ]


def _listing(home: Home) -> list[Figure]:
    times = []
    for _ in range(ROUNDS + 1):
        began = time.perf_counter()
        subprocess.run(
            [str(Path(PYTHON).with_name("dagdeck")), "--home", str(home.root), "runs", "list"],
            stdout=subprocess.DEVNULL,
            check=True,
        )
        times.append(time.perf_counter() - began)
    return [Figure("`dagdeck runs list` on a big store, whole process", median(times[1:]), "s", 0.3)]


DAGS = {
    "quiet.py": """
from dagdeck import dag, shell

@dag()
def quiet():
    shell("only", "true")
""",
    "busy.py": """
from dagdeck import dag, shell

@dag()
def busy():
    for number in range(4000):
        shell(f"work_{number:04}", "sleep 0.3")
""",
    "timers.py": """
from dagdeck import dag, shell

@dag()
def timers():
    for number in range(12):
        shell(f"waits_{number:02}", "exit 1", retries=1, retry_delay="55m")
""",
}
IDS = {"quiet", "busy", "timers"}


def on_the_wire(seconds: float = 10.0) -> list[Figure]:
    """Bytes per second at 160×50 in three situations, processor and memory, and key → paint while the engine works."""
    with bench_home(DAGS) as home:
        home.start(IDS)
        home.finish(home.trigger("quiet"))
        still = _watch(home, "quiet", seconds)
        home.trigger("timers")
        _wait_for(home, "up_for_retry", 12)
        timers = _watch(home, "timers", seconds)
        home.trigger("busy")
        _wait_for(home, "running", 16)
        busy = _watch(home, "busy", seconds)
        keys, missed = _keys(home)
    return [
        Figure("bytes per second, nothing changes", still.bytes, "B/s", 0.0),
        Figure("bytes per second, 12 timers tick", timers.bytes, "B/s", min(600.0, 40.0 * 12)),
        Figure("bytes per second, 16 tasks run", busy.bytes, "B/s", 4000.0),
        Figure("console with 16 running tasks: processor", busy.processor * 100, "% of a core", 5.0),
        Figure("console with 16 running tasks: memory", busy.memory, "MB PSS", 90.0),
        Figure("key → paint while 16 tasks run, p50", median(keys) * 1000, "ms", 30.0, peers={"unanswered": missed}),
        Figure("key → paint while 16 tasks run, worst", max(keys) * 1000, "ms", 100.0,
               peers={"p95": percentile(keys, 0.95) * 1000}),
    ]  # fmt: skip


class Watched:
    """What one look at the console cost."""

    def __init__(self, sent: float, processor: float, memory: float) -> None:
        self.bytes = sent
        self.processor = processor
        self.memory = memory


def console_command(home: BenchHome) -> list[str]:
    """The console on a home whose engine runs."""
    return [str(Path(PYTHON).with_name("dagdeck")), "--home", str(home.home.root)]


def _watch(home: BenchHome, dag_id: str, seconds: float) -> Watched:
    """Opens the run view of a DAG's latest run and looks on."""
    with Probe(console_command(home), size=SIZE) as probe:
        probe.painted(dag_id)
        probe.settle(3.0)
        _go_to(probe, dag_id)
        probe.settle(3.0)
        _let_the_minute_pass(seconds)
        sent, processor = probe.rate(seconds)
        return Watched(sent, processor, probe.memory())


def _let_the_minute_pass(seconds: float) -> None:
    """The header's clocks show minutes: what is measured next lies within one, so that they do not change."""
    if (left := 60 - time.time() % 60) < seconds + 1:
        time.sleep(left + 0.5)


def _go_to(probe: Probe, dag_id: str) -> None:
    """Filters the overview to one DAG and opens it."""
    for key in ("/", *dag_id, "enter", "enter"):
        probe.press(key)
        probe.read(0.1)


def _keys(home: BenchHome) -> tuple[list[float], int]:
    answered: list[float] = []
    missed = 0
    with Probe(console_command(home), size=SIZE) as probe:
        probe.painted("busy")
        probe.settle(2.0)
        _go_to(probe, "busy")
        probe.settle(2.0)
        for key in ("j", "k") * 20 + ("pgdn", "pgup") * 5 + ("?", "esc") * 3:
            took = probe.key_to_paint(key)
            if took is None:
                missed += 1
            else:
                answered.append(took)
    return answered, missed


def _wait_for(home: BenchHome, state: str, count: int) -> None:
    with Reader(home.home.database) as reader:
        wait(lambda: reads_overview.totals(reader).tasks.get(state, 0) >= count, f"{count} tasks are {state}")

"""Figures of the engine: chains, fans, latency, start, idle, ten thousand tasks, a thousand adoptions."""

from __future__ import annotations

import asyncio
import threading
import time
from itertools import pairwise

from benchmarks.figures import Figure, median, percentile
from benchmarks.homes import BenchHome, bench_home, processor_seconds, proportional_bytes, wait
from benchmarks.spawn import bare
from console.cli.link import EngineLink
from dagdeck import DAG, task
from engine.control.client import connect
from engine.control.protocol import Gauges
from engine.home import Home
from engine.store import reads_overview, reads_run
from engine.store.reader import Reader
from engine.store.resolve import resolve_run
from engine.store.rows_out import RunDetail

PARALLEL = 16

DAGS = {
    "bench.py": """
from dagdeck import dag, shell, task

@task
def noop():
    return None

def fan(count, make):
    first, last = make("first"), make("last")
    first >> [make(f"t{number}") for number in range(count)] >> last

def python(name):
    return noop.override(task_id=name)()

def true(name):
    return shell(name, "/bin/true")

@dag()
def chain():
    before = None
    for number in range(50):
        step = python(f"t{number:02}")
        if before is not None:
            before >> step
        before = step

@dag()
def single():
    python("only")

@dag()
def fan_python():
    fan(200, python)

@dag()
def fan_shell():
    fan(200, true)

@dag()
def ten_thousand():
    fan(9998, python)

@task
def numbers(params):
    return list(range(params["items"]))

@task
def double(number):
    return 2 * number

@task
def add(doubled):
    return sum(doubled)

@dag(params={"items": 198})
def mapped():
    add(double.expand(number=numbers()))
"""
}
IDS = {"chain", "single", "fan_python", "fan_shell", "ten_thousand", "mapped"}


def chain_and_fans() -> list[Figure]:
    """Chain of 50, fans of 200 in Python and shell, and trigger latency, on one engine."""
    with bench_home(DAGS, slots=PARALLEL) as home:
        home.start(IDS)
        home.finish(home.trigger("fan_python"))
        return [*_chain(home), *_fan(home, "fan_python", "fork", 250), *_fan(home, "fan_shell", "spawn", 200),
                *_latency(home)]  # fmt: skip


def _chain(home: BenchHome, rounds: int = 5) -> list[Figure]:
    hops: list[float] = []
    for _ in range(rounds):
        attempts = home.attempts(home.finish(home.trigger("chain")))
        order = [attempts[f"t{number:02}"] for number in range(50)]
        hops += [((b.started_at or 0) - (a.ended_at or 0)) / 1000 for a, b in pairwise(order)]
    return [Figure("chain of 50: one task's end to the next one's start, p50", median(hops), "ms", 5.0,
                   peers={"p95": percentile(hops, 0.95)})]  # fmt: skip


def _fan(home: BenchHome, dag_id: str, peer: str, floor: float, rounds: int = 5) -> list[Figure]:
    ours, theirs, hosts = [], [], []
    for _ in range(rounds):
        theirs.append(bare(peer, 400, PARALLEL))
        if peer == "fork":
            hosts.append(bare("host", 400, PARALLEL))
        run = home.finish(home.trigger(dag_id))
        ours.append(202 / (((run.ended_at or 0) - (run.started_at or 0)) / 1_000_000))
    share, rate, loop = median(ours) / median(theirs), median(ours), median(theirs)
    name = "1→200→1 Python" if peer == "fork" else "1→200→1 /bin/true"
    peers = {f"bare {peer} loop": loop, "share": share}
    if hosts:
        peers |= {"bare fork loop from a host's imports": median(hosts), "share of that": rate / median(hosts)}
    return [Figure(f"{name}, tasks per second", rate, "1/s", max(0.35 * loop, floor), True, peers)]


def _latency(home: BenchHome, rounds: int = 30) -> list[Figure]:
    waits: list[float] = []
    with EngineLink(home.home) as link:
        for _ in range(rounds):
            asked = time.time_ns() // 1000
            run = home.finish(home.trigger("single", link))
            waits.append(((home.attempts(run)["only"].started_at or 0) - asked) / 1000)
    return [Figure("trigger to the first task's start, p50", median(waits), "ms", 25.0,
                   peers={"p95": percentile(waits, 0.95)})]  # fmt: skip


IDLE_DAG = """
from dagdeck import dag, shell

@dag(schedule="0 3 * * *", start_date="2024-01-01", catchup=False)
def idle_{number:03}():
    shell("a", "true") >> shell("b", "true")
"""


def start_and_idle(seconds: float = 20.0) -> list[Figure]:
    """How soon the engine is ready, and what it costs to have it wait, with 100 DAGs."""
    files = {f"idle_{number:03}.py": IDLE_DAG.format(number=number) for number in range(100)}
    ids = {f"idle_{number:03}" for number in range(100)}
    with bench_home(files) as home:
        home.start(ids)
        ready = []
        for _ in range(3):
            home.stop()
            ready.append(home.start(ids))
        time.sleep(3)
        pids = home.processes()
        before, began = processor_seconds(pids), time.monotonic()
        time.sleep(seconds)
        used = (processor_seconds(pids) - before) / (time.monotonic() - began)
        memory = proportional_bytes(pids) / 2**20
    return [
        Figure("engine ready after its start, 100 DAGs", median(ready), "s", 1.0),
        Figure("idle with 100 DAGs, all processes: processor", used * 100, "% of a core", 0.5),
        Figure("idle with 100 DAGs, all processes: memory", memory, "MB PSS", 90.0, peers={"processes": len(pids)}),
    ]


class LagMeter(threading.Thread):
    """Follows the engine's gauges on a loop of its own."""

    def __init__(self, home: Home) -> None:
        super().__init__(daemon=True)
        self.lags: list[float] = []
        self._home = home
        self._enough = threading.Event()

    def run(self) -> None:
        """Collects until `stop`."""
        asyncio.run(self._follow())

    def stop(self) -> list[float]:
        """The lags seen, in milliseconds."""
        self._enough.set()
        self.join(5)
        return self.lags

    async def _follow(self) -> None:
        async with connect(self._home, "bench") as client:
            async for event in client.follow():
                if isinstance(event, Gauges):
                    self.lags.append(event.loop_lag_ms)
                if self._enough.is_set():
                    return


def making() -> list[Figure]:
    """A DAG file that makes 10,000 tasks beside one that makes 200: what each parse and each host pays."""

    def milliseconds_per_task(count: int) -> float:
        began = time.perf_counter()
        with DAG(f"of_{count}"):
            first, last = noop(), noop()
            first >> [noop() for _ in range(count - 2)] >> last
        return (time.perf_counter() - began) * 1000 / count

    @task
    def noop() -> None: ...

    small = median([milliseconds_per_task(200) for _ in range(5)])
    large = median([milliseconds_per_task(10_000) for _ in range(3)])
    return [Figure("a file of 10,000 tasks: time per task made, in times of that of 200", large / small, "×", 1.5,
                   peers={"ms per task": large, "ms per task of 200": small})]  # fmt: skip


def _per_task(run: RunDetail, tasks: int) -> float:
    """How long a run took for each of its tasks, in milliseconds."""
    return ((run.ended_at or 0) - (run.started_at or 0)) / tasks / 1000


def ten_thousand() -> list[Figure]:
    """One run of 10,000 tasks beside one of 200, and the event loop's lag meanwhile."""
    with bench_home(DAGS, slots=PARALLEL) as home:
        home.start(IDS)
        per_task = median([_per_task(home.finish(home.trigger("fan_python")), 202) for _ in range(4)][1:])
        meter = LagMeter(home.home)
        meter.start()
        large = _per_task(home.finish(home.trigger("ten_thousand"), 600), 10_000)
        lags = meter.stop()
    return [
        Figure("10,000 tasks: time per task, in times of that of 200", large / per_task, "×", 1.5,
               peers={"ms per task": large, "ms per task of 200": per_task}),
        Figure("10,000 tasks: loop lag p99 of the seconds' worst", percentile(lags, 0.99), "ms", 50.0,
               peers={"p50": median(lags)}),
    ]  # fmt: skip


def mapped_ten_thousand() -> list[Figure]:
    """One task mapped over 10,000 items beside one mapped over 198, results gathered below, and the loop's lag."""
    with bench_home(DAGS, slots=PARALLEL) as home:
        home.start(IDS)
        per_task = median([_per_task(home.finish(home.trigger("mapped")), 200) for _ in range(4)][1:])
        meter = LagMeter(home.home)
        meter.start()
        large = _per_task(home.finish(home.trigger("mapped", items=9998), 600), 10_000)
        lags = meter.stop()
    return [
        Figure("mapped over 10,000 items: time per task, in times of that of 200", large / per_task, "×", 1.5,
               peers={"ms per task": large, "ms per task of 200": per_task}),
        Figure("mapped over 10,000 items: loop lag p99 of the seconds' worst", percentile(lags, 0.99), "ms", 50.0,
               peers={"p50": median(lags), "worst": max(lags)}),
    ]  # fmt: skip


SLEEPERS = """
from dagdeck import dag, shell

@dag()
def sleepers():
    for number in range(1000):
        shell(f"s{number}", "exec sleep 900")
"""


def adoption() -> list[Figure]:
    """kill -9 of the engine while 1,000 attempts run, and a new start: how long until all are its own again."""
    with bench_home({"sleepers.py": SLEEPERS}, slots=1000) as home:
        home.start({"sleepers"})
        run_id = home.trigger("sleepers")
        with Reader(home.home.database) as reader:
            key = resolve_run(reader, run_id).id

            def running() -> int:
                return reads_overview.state_counts(reader, [key]).get(key, {}).get("running", 0)

            wait(lambda: running() == 1000, "1,000 attempts run")
            home.crash()
            began = time.perf_counter()
            home.start()
            with EngineLink(home.home) as link:
                wait(lambda: link.gauges().running == 1000, "the engine counts 1,000 attempts as its own")
            took = time.perf_counter() - began
            time.sleep(2)
            untouched = sum(row.state == "running" and row.attempt == 1 for row in reads_run.instances(reader, key))
    return [
        Figure("restart with 1,000 running attempts: all adopted", took, "s", 5.0),
        Figure("restart with 1,000 running attempts: uninterrupted", untouched, "attempts", 1000, True),
    ]

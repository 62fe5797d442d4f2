"""Figures of backfills: how soon ten years of days are created, and at what rate their runs are made and run."""

from __future__ import annotations

import time

from benchmarks.figures import Figure
from benchmarks.homes import BenchHome, bench_home, wait
from console.cli.link import EngineLink, select
from engine.store import reads_backfill
from engine.store.reader import Reader

PARALLEL = 16
DAGS = {
    "daily.py": """
from dagdeck import dag, task

@task
def noop():
    return None

@dag(schedule="@daily", start_date="2014-01-01", catchup=False)
def one():
    noop()

@dag(schedule="@daily", start_date="2014-01-01", catchup=False)
def four():
    before = None
    for number in range(4):
        step = noop.override(task_id=f"t{number}")()
        if before is not None:
            before >> step
        before = step

@dag(schedule=None)
def fan():
    first, last = noop.override(task_id="first")(), noop.override(task_id="last")()
    first >> [noop.override(task_id=f"t{number}")() for number in range(200)] >> last
"""
}
DAYS, TEN_YEARS = "2014-01-01..2014-12-31", "2014-01-01..2023-12-29"


def backfills() -> list[Figure]:
    """Creation of 3,650 days, and runs and tasks per second beside a fan of the same tasks in one run."""
    with bench_home(DAGS, slots=PARALLEL) as home:
        home.start({"one", "four", "fan"})
        home.finish(home.trigger("fan"))
        run = home.finish(home.trigger("fan"))
        loop = 202 / (((run.ended_at or 0) - (run.started_at or 0)) / 1_000_000)
        return [_rate(home, "one", 1, loop), _rate(home, "four", 4, loop), _creation(home)]


def _create(home: BenchHome, dag_id: str, days: str, parallel: int) -> tuple[int, float]:
    """A new backfill's number, and the seconds until it was committed."""
    args = {"start": days, "max_active": parallel, "max_slots": PARALLEL}
    with EngineLink(home.home) as link:
        began = time.perf_counter()
        done = link.command("backfill_create", select(dags=(dag_id,)), args, None, None)
        return int(done.result["backfill"]), time.perf_counter() - began


def _creation(home: BenchHome) -> Figure:
    number, took = _create(home, "one", TEN_YEARS, 1)
    with EngineLink(home.home) as link:
        link.command("backfill_cancel", select(), {"id": number, "running": True}, None, None)
    return Figure("backfill of 3,650 days: asked for to committed", took, "s", 1.0)


def _rate(home: BenchHome, dag_id: str, tasks: int, loop: float) -> Figure:
    began = time.perf_counter()
    number, _ = _create(home, dag_id, DAYS, PARALLEL)
    with Reader(home.home.database) as reader:
        wait(lambda: reads_backfill.backfill(reader, number).state == "completed", "the backfill is complete", 300)
        done = reads_backfill.progress(reader, [number])[number].success
    rate = done * tasks / (time.perf_counter() - began)
    name = f"backfill of 365 runs of {tasks} Python task{'s' if tasks > 1 else ''}, 16 at a time: tasks per second"
    return Figure(name, rate, "1/s", 0.5 * loop, True, {"one run of 202 tasks": loop, "share": rate / loop})

"""What the store costs: the writer's processor time per task, and a console's first reads of a large store."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import bigstore
from benchmarks.figures import Figure, median
from engine.lifecycle.changes import Changes
from engine.model.moments import SECOND, Micros
from engine.model.rows import Attempt, Run, TaskInstance, Transition
from engine.model.states import AttemptState, Outcome, Reason, RunState, RunType, TaskState
from engine.store import reads_home, reads_overview
from engine.store.batch import Batch, ResultRow
from engine.store.migrations import open_store
from engine.store.reader import Reader
from engine.store.writer import Writer

TASKS = 3_200
TOGETHER = 16
"""Tasks that move in one commit, as with 16 slots."""
NOW: Micros = 1_700_000_000 * SECOND
FIRST_SCREEN = 40
"""DAGs that a tall terminal shows."""


def writer_cost() -> list[Figure]:
    """No-op tasks through their three commits, 16 at a time, each commit awaited; the least disturbed of five."""
    rounds = []
    for _ in range(5):
        with tempfile.TemporaryDirectory() as folder:
            rounds.append(asyncio.run(_no_op_tasks(Path(folder) / "state.db")))
    seconds, writer, loop = min(rounds, key=lambda figures: figures[1])
    peers = {"loop thread µs": loop / TASKS * 1e6, "wall µs": seconds / TASKS * 1e6}
    return [
        Figure("store: writer's processor time per no-op task", writer / TASKS * 1e6, "µs", limit=150, peers=peers),
        Figure("store: transitions committed per second", 4 * TASKS / seconds, "1/s", limit=2_000, at_least=True),
    ]


def reading() -> list[Figure]:
    """The overview's first screen, and everything it shows, with 1,000 DAGs and a million task instances."""
    with tempfile.TemporaryDirectory() as folder:
        path, now = Path(folder) / "state.db", time.time_ns() // 1000
        bigstore.build(path, 1_000, 1_000_000, 10, now)
        first = [_timed(lambda: _screen(path, now, FIRST_SCREEN)) for _ in range(5)]
        whole = [_timed(lambda: _screen(path, now, 1_000)) for _ in range(3)]
    return [
        Figure("store: reads of the overview's first screen", max(first) * 1000, "ms", limit=150),
        Figure("store: reads of the whole overview", median(whole) * 1000, "ms"),
    ]


def _screen(path: Path, now: Micros, shown: int) -> None:
    with Reader(path) as reader, reader.snapshot():
        wanted = [line.dag_id for line in reads_overview.dags(reader)][:shown]
        reads_overview.recent_runs(reader, wanted)
        reads_overview.dag_stats(reader, wanted, now)
        active = [line.id for line in reads_overview.active_runs(reader)]
        reads_overview.state_counts(reader, active)
        reads_overview.live_tasks(reader, active)
        reads_overview.totals(reader)
        reads_home.pools(reader)


def _timed(what: Callable[[], None]) -> float:
    began = time.perf_counter()
    what()
    return time.perf_counter() - began


async def _no_op_tasks(path: Path) -> tuple[float, float, float]:
    """Wall seconds, the writer's processor seconds, and those of the loop's own thread."""
    open_store(path)
    writer = Writer(path)
    await writer.open()
    definition = Batch()
    definition.add(
        "dag.put", dag_id="d", file="d.py", state="active", current_version=1, broken_since=None, at=NOW, schedule=None,
        timezone="UTC", owner=None, tags="[]",
    )  # fmt: skip
    definition.add("dag_version.add", id=1, dag_id="d", number=1, bundle="b", spec_hash="s", spec="{}", at=NOW)
    await writer.submit(definition)
    creation = Changes()
    creation.insert_run(Run(1, "d@1", "d", 1, RunType.MANUAL, RunState.QUEUED, NOW, NOW, NOW, NOW, NOW))
    tasks = [TaskInstance(key, 1, f"task_{key:05}") for key in range(1, TASKS + 1)]
    for ti in tasks:
        creation.insert_task(ti)
    await writer.submit(Batch(creation))
    wall, process, loop = time.perf_counter(), time.process_time(), time.thread_time()
    for start in range(0, TASKS, TOGETHER):
        for batch in _steps(tasks[start : start + TOGETHER]):
            await writer.submit(batch)
    wall, process, loop = time.perf_counter() - wall, time.process_time() - process, time.thread_time() - loop
    await writer.close()
    return wall, process - loop, loop


def _steps(tasks: list[TaskInstance]) -> Iterator[Batch]:
    granted = Changes()
    for ti in tasks:
        granted.touch_task(ti)
        ti.attempt, ti.scheduled_at = 1, NOW
        ti.current = Attempt(f"01HXXXXXXXXXXXXXX{ti.id:09}", ti.id, 1, queued_at=NOW)
        granted.insert_attempt(ti.current)
        _move(granted, ti, TaskState.SCHEDULED, Reason.UPSTREAM)
        _move(granted, ti, TaskState.QUEUED, Reason.ADMITTED)
    yield Batch(granted)
    claimed = Changes()
    for ti in tasks:
        assert ti.current is not None
        claimed.touch_task(ti)
        claimed.touch_attempt(ti.current)
        ti.current.state, ti.current.pid, ti.current.boot_id, ti.started_at = AttemptState.RUNNING, 4711, "b" * 36, NOW
        _move(claimed, ti, TaskState.RUNNING, Reason.CLAIMED)
    yield Batch(claimed)
    ended, results = Changes(), []
    for ti in tasks:
        attempt, ti.current = ti.current, None
        assert attempt is not None
        ended.touch_task(ti)
        ended.touch_attempt(attempt)
        attempt.state, attempt.outcome, attempt.exit_code = AttemptState.ENDED, Outcome.SUCCESS, 0
        attempt.duration, attempt.ended_at, ti.ended_at = 1_000, NOW, NOW
        _move(ended, ti, TaskState.SUCCESS, Reason.EXIT)
        results.append(ResultRow(ti.id, attempt.id, "null", 4, NOW))
    yield Batch(ended, results=results)


def _move(changes: Changes, ti: TaskInstance, state: TaskState, reason: Reason) -> None:
    attempt = ti.current.id if ti.current is not None else None
    changes.transitions.append(Transition("task", NOW, "d", ti.run, ti.id, attempt, ti.state, state, reason))
    ti.state, ti.reason = state, reason

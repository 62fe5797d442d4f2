"""A home whose store is filled through the engine's own lifecycle and writer, for consoles to look at."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

from engine.home import Home
from engine.lifecycle.changes import Changes
from engine.lifecycle.core import apply
from engine.lifecycle.events import Claimed, Ended, Event, Granted, RetryDue, Start
from engine.lifecycle.memory import RunMemory, new_run
from engine.lifecycle.plan import DagPlan, compile_plan
from engine.model.attempt_files import AttemptStatus
from engine.model.dag import DagSpec, RetryPolicy, TaskSpec
from engine.model.ids import scheduled_run_id, ulid
from engine.model.moments import HOUR, SECOND, Micros, from_iso
from engine.model.rows import Run, TaskInstance, Transition
from engine.model.states import RunState, RunType, TaskState
from engine.store.batch import Batch, CommandRow
from engine.store.migrations import open_store
from engine.store.writer import Writer

NOW: Micros = from_iso("2026-11-22T02:14:07Z")


def task(task_id: str, *upstream: str, retries: int = 0, delay: float = 30.0) -> TaskSpec:
    """A shell task below `upstream`, with exponential retries."""
    policy = RetryPolicy(retries=retries, delay=delay, exponential=True)
    return TaskSpec(task_id, "shell", upstream=list(upstream), retry=policy, command="true")


def trades(dag_id: str = "trades_us") -> DagSpec:
    """Eight tasks with a fork and a join."""
    spec = DagSpec(
        dag_id,
        "trades.py",
        [
            task("extract"),
            task("clean_orders", "extract"),
            task("clean_users", "extract", retries=2),
            task("quality", "clean_orders"),
            task("join", "clean_users", "quality"),
            task("load", "join", retries=5),
            task("report", "load"),
            task("notify", "report"),
        ],
        tags=["trades"],
    )
    spec.schedule.expression = "10 * * * *"
    return spec


class FilledHome:
    """A home under `root` whose rows are made by really moving runs. `now` is the moment of the next step."""

    def __init__(self, root: Path, name: str = "etl-01") -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.home = Home(root)
        self.home.config.write_text(f'name = "{name}"\ntimezone = "Europe/Berlin"\nslots = 16\n')
        self.now = NOW
        self.plans: dict[str, DagPlan] = {}
        self.runs: dict[str, RunMemory] = {}
        self._numbers = {
            name: itertools.count(1) for name in ("run", "task", "version", "attempt", "command", "session")
        }
        self._writer: Writer | None = None

    @property
    def task_ids(self) -> Iterator[int]:
        """The ids of the next task instances."""
        return self._numbers["task"]

    async def open(self) -> None:
        """Makes the store and opens its writer."""
        open_store(self.home.database)
        self._writer = Writer(self.home.database, clock=lambda: self.now)
        await self._writer.open()
        batch = Batch(transitions=[Transition("engine", self.now, to_state="started")])
        batch.add(
            "engine.start", id=next(self._numbers["session"]), at=self.now, boot_id="boot", pid=1, version="0.1.0"
        )
        await self.commit(batch)

    async def close(self) -> None:
        """Closes the writer, as an engine's end does."""
        if self._writer is not None:
            await self._writer.close()
            self._writer = None

    async def commit(self, batch: Batch) -> int:
        """Commits a batch; gives the number of its last event."""
        assert self._writer is not None
        return await self._writer.submit(batch)

    async def put_dag(self, spec: DagSpec, *, paused: bool = False, due_in: Micros | None = HOUR) -> DagPlan:
        """Adds a DAG with its first version."""
        version = next(self._numbers["version"])
        plan = self.plans[spec.dag_id] = compile_plan(spec, version)
        batch = Batch(transitions=[Transition("dag", self.now, dag_id=spec.dag_id, to_state="active")])
        batch.add(
            "dag.put", dag_id=spec.dag_id, file=spec.file, state="active", current_version=version, broken_since=None,
            at=self.now, schedule=spec.schedule.expression, timezone=spec.schedule.timezone, owner=spec.owner,
            tags=json.dumps(spec.tags),
        )  # fmt: skip
        batch.add(
            "dag_version.add", id=version, dag_id=spec.dag_id, number=1, bundle="0" * 16, spec_hash="0" * 16,
            spec=json.dumps(asdict(spec)), at=self.now,
        )  # fmt: skip
        due = None if due_in is None else self.now + due_in
        batch.add(
            "schedule.put", dag_id=spec.dag_id, next_start=None if due is None else due - HOUR, next_run_after=due,
            enabled_at=self.now,
            paused_at=self.now if paused else None, paused_by="ops2" if paused else None, pause_reason=None,
            last_start=None, last_end=None, catchup_until=None, catchup=None,
            spec_hash="0" * 16,
        )  # fmt: skip
        await self.commit(batch)
        return plan

    async def start(self, dag_id: str, logical: Micros, run_type: RunType = RunType.SCHEDULED) -> RunMemory:
        """Makes a run of an interval of one hour, and starts it."""
        plan = self.plans[dag_id]
        run = Run(
            next(self._numbers["run"]), scheduled_run_id(dag_id, logical), dag_id, plan.version_id, run_type,
            RunState.QUEUED, logical, logical, logical + HOUR, logical + HOUR, self.now,
        )  # fmt: skip
        changes = Changes()
        memory = self.runs[run.run_id] = new_run(plan, run, self._numbers["task"], changes)
        await self.commit(Batch(changes=changes))
        await self.do(memory, Start())
        return memory

    async def do(self, memory: RunMemory, event: Event, after: Micros = 0, command: CommandRow | None = None) -> int:
        """Applies one event `after` later, and commits what it did."""
        self.now += after
        changes = Changes()
        apply(memory, event, self.now, changes)
        return await self.commit(Batch(changes=changes, command=command))

    def instance(self, memory: RunMemory, task_id: str, map_index: int = -1) -> TaskInstance:
        """A task's instance in a run."""
        return memory.instances[task_id, map_index]

    async def claim(self, memory: RunMemory, task_id: str, map_index: int = -1) -> str:
        """Starts an attempt; gives its id."""
        found = self.instance(memory, task_id, map_index)
        if found.state is TaskState.UP_FOR_RETRY:
            await self.do(memory, RetryDue(found.id))
        attempt = ulid(self.now, next(self._numbers["attempt"]).to_bytes(10, "big"))
        await self.do(memory, Granted(found.id, attempt))
        await self.do(memory, Claimed(attempt, 4711, 99, "boot", self.now), after=50_000)
        return attempt

    async def end(
        self, memory: RunMemory, task_id: str, map_index: int = -1, *, took: Micros = 8 * SECOND, code: int = 0,
        error: str | None = None,
    ) -> None:  # fmt: skip
        """Ends the running attempt of a task."""
        found = self.instance(memory, task_id, map_index)
        assert found.current is not None
        started = found.current.started_at or self.now
        status = AttemptStatus(
            code, "child", started=started, ended=started + took, duration=took, cpu_seconds=took / 3e6,
            peak_bytes=88_000_000, outcome="success" if code == 0 else "failed", error=error,
        )  # fmt: skip
        self.now = max(self.now, started + took)
        await self.do(memory, Ended(found.current.id, status))

    async def play(self, memory: RunMemory, took: Mapping[str, Micros] | Micros = 8 * SECOND) -> None:
        """Runs every task of a run to success, one after another."""
        for task_id in memory.plan.order:
            await self.claim(memory, task_id)
            await self.end(memory, task_id, took=took if isinstance(took, int) else took.get(task_id, 8 * SECOND))

    def write_log(self, attempt: str, text: str | bytes) -> Path:
        """Writes the log of an attempt where its process would have."""
        from console.backends.attempt_log import log_path

        path = log_path(self.home.attempts, attempt)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path


async def story(filled: FilledHome) -> None:
    """The moment that the screens' pictures show: a retry with a countdown, a failure, a running task, history."""
    error = "ConnectionError: db-1:5432 refused"
    for spec in (trades(), trades("trades_eu"), trades("fx_daily"), trades("weather_daily"), trades("legacy_export")):
        spec.tags = [spec.dag_id.split("_")[0]]
        await filled.put_dag(spec, paused=spec.dag_id == "legacy_export", due_in=56 * 60 * SECOND)
    for hour in range(16, 2, -1):
        for number, dag_id in enumerate(filled.plans):
            filled.now = NOW - hour * HOUR
            memory = await filled.start(dag_id, NOW - (hour + 1) * HOUR - 247 * SECOND)
            await filled.play(memory, took=(4 + (hour * 7 + number * 3) % 5) * SECOND)
    filled.now = NOW - 247 * SECOND
    for dag_id in ("trades_us", "trades_eu", "fx_daily", "weather_daily"):
        filled.now = NOW - 247 * SECOND
        memory = await filled.start(dag_id, NOW - HOUR - 247 * SECOND)
        upto = memory.plan.order.index("load")
        for task_id in memory.plan.order[:upto]:
            await filled.claim(memory, task_id)
            await filled.end(memory, task_id, took=9 * SECOND)
        if dag_id == "weather_daily":
            await filled.claim(memory, "load")
            continue
        for _ in range(3 if dag_id == "trades_us" else 6):
            attempt = await filled.claim(memory, "load")
            filled.write_log(attempt, f"connecting host=db-1\n{error}\n")
            await filled.end(memory, "load", took=10 * SECOND, code=1, error=error)
            found = filled.instance(memory, "load")
            if found.retry_at is not None and dag_id != "trades_us":
                filled.now = found.retry_at
    filled.now = NOW

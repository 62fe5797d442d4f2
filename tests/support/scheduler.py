"""A scheduler on fakes: a clock that is set, a writer that commits when told, an executor that only takes notes."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import structlog

from engine.config import Settings
from engine.control import protocol as p
from engine.control.actors import Actor
from engine.control.commands import Commands
from engine.dagfiles.updates import FileUpdate, Loaded
from engine.execution import port
from engine.home import Home
from engine.lifecycle.changes import Changes
from engine.lifecycle.memory import RunMemory
from engine.model.attempt_files import AttemptStatus
from engine.model.dag import DagSpec, TaskSpec
from engine.model.ids import ulid
from engine.model.moments import SECOND, Micros
from engine.model.terms import Terms
from engine.scheduler import due
from engine.scheduler.core import Scheduler
from engine.scheduler.dags import post_updates
from engine.scheduler.dispatch import Dispatcher, Places
from engine.scheduler.ledger import UNLIMITED, Ledger
from engine.scheduler.state import DagEntry, State
from engine.store.batch import Batch
from engine.store.errors import CommitFailed
from engine.store.reads_inbox import Cause, Dragged, FailedTask
from engine.store.reads_trash import Trashed
from engine.store.reads_why import Answer
from engine.store.selecting import Chosen, Kind
from engine.store.stored import StoredBackfill, StoredCommand, StoredSlot
from engine.store.writer import Writer
from tests.support.lifecycle import T0, task

OK = AttemptStatus(0, "child", outcome="success")
FAILED = AttemptStatus(1, "child", outcome="failed", error="ValueError: no")
OPERATOR = Actor(1000, 1000)


class SetClock:
    """Says what it is told."""

    def __init__(self, now: Micros = T0) -> None:
        self.at = now
        self.stepped = 0
        self._drawn = itertools.count(1)

    def now(self) -> Micros:
        return self.at

    def monotonic(self) -> Micros:
        return self.at

    def drift(self) -> Micros:
        return self.stepped

    def entropy(self, count: int) -> bytes:
        return next(self._drawn).to_bytes(count, "big")

    def from_system(self, moment: Micros) -> Micros:
        return moment


class HeldWriter:
    """Numbers batches as the real writer does; commits or fails them when told."""

    def __init__(self) -> None:
        self.committed_seq = 0
        self.committed: list[Batch] = []
        self.waiting: list[tuple[Batch, int, asyncio.Future[int]]] = []
        self._seq = 0

    def submit(self, batch: Batch) -> asyncio.Future[int]:
        """Takes a batch and numbers it."""
        changes = batch.changes
        moved = len(changes.transitions) if changes else 0
        self._seq += moved + len(batch.transitions) + (batch.command is not None)
        if changes is not None:
            for row in (
                *changes.new_runs, *changes.new_tasks,
                *(run for run, _ in changes.runs.values()), *(task for task, _ in changes.tasks.values()),
            ):  # fmt: skip
                row.changed_seq = self._seq
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.waiting.append((batch, self._seq, future))
        return future

    def commit(self) -> None:
        """Makes everything handed over durable."""
        waiting, self.waiting = self.waiting, []
        for batch, seq, future in waiting:
            self.committed_seq = seq
            self.committed.append(batch)
            future.set_result(seq)

    def fail(self, why: str = "disk I/O error") -> None:
        """Fails everything handed over."""
        waiting, self.waiting = self.waiting, []
        for _, _, future in waiting:
            future.set_exception(CommitFailed(why))


class NotingExecutor:
    """Notes what it is told to do; what it would see on disk is set by the test."""

    def __init__(self) -> None:
        self.launched: list[port.LaunchOrder] = []
        self.killed: list[tuple[str, float]] = []
        self.stacked: list[str] = []
        self.adopted: list[str] = []
        self.warmed: list[port.Bundle] = []
        self.on_disk: dict[str, port.Finding] = {}

    async def open(self, deliver: port.Deliver) -> None:
        """Nothing to open."""

    def launch(self, orders: Iterable[port.LaunchOrder]) -> None:
        self.launched += orders

    def warm(self, bundles: Iterable[port.Bundle]) -> None:
        self.warmed += bundles

    def kill(self, attempt_id: str, grace: float) -> None:
        self.killed.append((attempt_id, grace))

    def stack(self, attempt_id: str) -> None:
        self.stacked.append(attempt_id)

    def survey(self, attempt_id: str) -> port.Finding:
        return self.on_disk.get(attempt_id, port.NeverStarted())

    def adopt(self, attempt_ids: Iterable[str]) -> None:
        self.adopted += attempt_ids

    async def close(self) -> None:
        """Nothing to close."""

    @property
    def tasks(self) -> list[str]:
        """The tasks that were launched, in order."""
        return [order.spec.task_id for order in self.launched]


@dataclass
class NoArchive:
    """Knows no run that is over, and of commands those that the test puts here."""

    commands: dict[str, StoredCommand] = field(default_factory=dict)

    slots: dict[Micros, StoredSlot] = field(default_factory=dict)
    backfills: dict[int, StoredBackfill] = field(default_factory=dict)
    usual: tuple[Micros, Micros] | None = None
    times: dict[str, Micros] = field(default_factory=dict)
    """Of tasks."""
    failures: list[Cause] = field(default_factory=list)
    trash: list[Trashed] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)
    chosen: Chosen = field(default_factory=Chosen)

    async def load_run(self, run_id: str) -> None:
        """There is none."""

    async def runs_in_slots(self, dag_id: str, low: Micros, high: Micros) -> dict[Micros, StoredSlot]:
        """Those that the test put here."""
        return {date: slot for date, slot in self.slots.items() if low <= date <= high}

    async def usual_run_time(self, dag_id: str, now: Micros) -> tuple[Micros, Micros] | None:
        """One that the test put here."""
        return self.usual

    async def usual_task_times(self, dag_id: str, task_ids: Collection[str], now: Micros) -> dict[str, Micros]:
        """Those that the test put here."""
        return {task: self.times[task] for task in task_ids if task in self.times}

    async def choose(self, terms: Terms, kind: Kind) -> Chosen:
        """Those that the test put here, whatever the expression says."""
        return self.chosen

    async def trashed(self) -> list[Trashed]:
        """Those that the test put here."""
        return self.trash

    async def causes(self, since: Micros, *, retrying: bool = False) -> list[Cause]:
        """Those that the test put here."""
        return self.failures

    async def dragged_down(self, runs: Iterable[int]) -> list[Dragged]:
        """None."""
        return []

    async def stopped_backfills(self, runs: Iterable[int]) -> list[StoredBackfill]:
        """None."""
        return []

    async def runs_beside(self, run_id: str, *, past: bool, future: bool) -> list[str]:
        """Those that the test put here."""
        return list(self.beside)

    async def command_by_number(self, number: int) -> str | None:
        """The number is the place among the test's commands."""
        return list(self.commands)[number - 1] if 0 < number <= len(self.commands) else None

    async def last_answer(self, task_instance: int) -> Answer | None:
        """None."""
        return None

    async def load_backfill(self, backfill: int) -> StoredBackfill | None:
        """One that the test put here."""
        return self.backfills.get(backfill)

    async def find_command(self, command_id: str) -> StoredCommand | None:
        await asyncio.sleep(0)
        return self.commands.get(command_id)


class Rig:
    """A scheduler with its fakes, and short ways to make things happen."""

    def __init__(self, root: Path, slots: int = 16, **pools: int) -> None:
        self.clock = SetClock()
        self.writer = HeldWriter()
        self.executor = NotingExecutor()
        self.archive = NoArchive()
        self.logged: list[str] = []
        self.broken: list[str] = []
        self.stops: list[bool] = []
        home, settings = Home(root), Settings("test")
        places = Places(home, "/usr/bin/python3")
        self.scheduler = Scheduler(
            clock=self.clock,
            writer=cast(Writer, self.writer),
            executor=self.executor,
            places=places,
            dispatcher=Dispatcher(places, settings),
            log=structlog.wrap_logger(
                _Lines(self.logged), processors=[_words], wrapper_class=structlog.make_filtering_bound_logger(20)
            ),
            on_broken=self.broken.append,
            on_stop=self.stops.append,
        )
        due.install(self.scheduler)
        self.commands = Commands(self.scheduler, self.archive)
        self.scheduler.replace(State(), Ledger(slots, {"default": UNLIMITED, **pools}))

    # --- making things happen -------------------------------------------------------------------------------------

    async def turn(self) -> None:
        """Lets the loop take the turns that are due, and commits what they did, until nothing moves."""
        for _ in range(200):
            for _ in range(4):
                await asyncio.sleep(0)
            if not self.writer.waiting and self.scheduler.is_idle:
                return
            self.writer.commit()
        raise AssertionError("the scheduler does not come to rest")

    async def until(self, condition: Callable[[], object], what: str, seconds: float = 10.0) -> None:
        """Takes turns until the condition holds, for what a thread beside the loop brings."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
            await asyncio.sleep(0.005)
            await self.turn()

    async def later(self, seconds: float) -> None:
        """Moves the clock on, and takes the turns that are due then."""
        self.clock.at += round(seconds * SECOND)
        self.scheduler.wake()
        await self.turn()

    async def step_clock(self, seconds: float) -> None:
        """Sets the wall clock forward or back, as a person or a sleeping host does; no time passes."""
        self.clock.stepped += round(seconds * SECOND)
        await self.later(seconds)

    async def load(self, *updates: FileUpdate) -> None:
        """What a scan of the DAG files has found, and kept."""
        for update in updates:
            if isinstance(update, Loaded):
                self.scheduler.places.bundle(update.bundle_hash).mkdir(parents=True, exist_ok=True)
        post_updates(self.scheduler, list(updates))
        await self.turn()

    async def dag(self, *tasks: TaskSpec, dag_id: str = "etl", bundle: str = "b1", **spec: Any) -> DagEntry:
        """A DAG, loaded from a file of its own."""
        await self.load(Loaded(f"{dag_id}.py", bundle, (DagSpec(dag_id, f"{dag_id}.py", list(tasks), **spec),)))
        return self.scheduler.state.dags[dag_id]

    async def command(
        self, verb: str, *, dags: tuple[str, ...] = (), runs: tuple[str, ...] = (), **more: Any
    ) -> p.Done:
        """One command, committed. `tasks`, `args`, `seen_seq`, `note` and `command_id` as in the protocol;
        `select` is an expression, `actor` who gives it.
        """
        select = p.Selector(list(dags), list(runs), list(more.pop("tasks", ())), more.pop("select", ""))
        actor = more.pop("actor", OPERATOR)
        name = more.pop("command_id", ulid(self.clock.now(), self.clock.entropy(10)).encode().hex()[:32])
        command = p.Command(1, name, verb, select, more.pop("args", {}), **more)
        asked = asyncio.ensure_future(self.commands.carry_out(command, actor, "cli"))
        await self.turn()
        return await asyncio.wait_for(asked, 5)

    async def preview(
        self, verb: str, *, dags: tuple[str, ...] = (), runs: tuple[str, ...] = (), **more: Any
    ) -> p.Preview:
        """One preview."""
        select = p.Selector(list(dags), list(runs), list(more.pop("tasks", ())), more.pop("select", ""))
        return await self.commands.preview(p.AskPreview(1, verb, select, more.pop("args", {})), OPERATOR)

    async def trigger(self, dag_id: str = "etl", **args: Any) -> RunMemory:
        """A new run, in memory."""
        done = await self.command("trigger", dags=(dag_id,), args=args)
        return self.run(str(done.result["run_id"]))

    async def see(self, *evidence: port.Evidence) -> None:
        """The executor has seen something."""
        self.scheduler.deliver(evidence)
        self.scheduler.wake()
        await self.turn()

    async def begin(self, memory: RunMemory, task_id: str) -> str:
        """A launched task's process begins; gives the attempt's id."""
        attempt_id = self.attempt(memory, task_id)
        await self.see(port.Claimed(attempt_id, 4711, 99, "boot", self.clock.now()))
        return attempt_id

    async def finish(self, memory: RunMemory, task_id: str, status: AttemptStatus | None = OK) -> str:
        """A launched task's process begins and ends."""
        attempt_id = await self.begin(memory, task_id)
        await self.see(port.Ended(attempt_id, status))
        return attempt_id

    async def failed_run(self) -> RunMemory:
        """A run of a → b → c that failed in b, looked at so that it stays in memory."""
        await self.dag(task("a"), task("b", "a"), task("c", "b"))
        memory = await self.trigger()
        self.scheduler.state.pin(memory.run.id)
        await self.finish(memory, "a")
        await self.finish(memory, "b", FAILED)
        assert self.states(memory) == {"a": "success", "b": "failed", "c": "upstream_failed"}
        return memory

    def put_in_inbox(self, memory: RunMemory, task_id: str) -> None:
        """The failure of a task, under the cause `exit #`."""
        ti, run = memory.instances[task_id, -1], memory.run
        row = FailedTask(ti.id, run.dag_id, run.id, run.run_id, task_id, -1, "failed", 1, self.clock.now(), "exit 1",
                         ti.changed_seq, run.logical_date)  # fmt: skip
        self.archive.failures = [Cause("exit #", [row])]

    # --- looking --------------------------------------------------------------------------------------------------

    def run(self, run_id: str) -> RunMemory:
        """A run that is in memory."""
        return self.scheduler.state.runs[self.scheduler.state.names[run_id]]

    def attempt(self, memory: RunMemory, task_id: str) -> str:
        """The id of a task's current attempt."""
        current = memory.instances[task_id, -1].current
        assert current is not None, f"{task_id} is {memory.instances[task_id, -1].state}"
        return current.id

    def states(self, memory: RunMemory) -> dict[str, str]:
        """State by task."""
        return {ti.task_id: ti.state.value for ti in memory.by_id.values()}

    def changes(self) -> list[Changes]:
        """The changes of all committed batches."""
        return [batch.changes for batch in self.writer.committed if batch.changes is not None]

    def stored(self, name: str) -> list[dict[str, Any]]:
        """The parameters of all committed writes of one named statement."""
        return [dict(cast(Any, values)) for batch in self.writer.committed for row, values in batch.rows if row == name]

    def notes(self, kind: str) -> list[tuple[str | None, str | None, str | None]]:
        """(to, reason, detail) of all committed entries of the feed of one kind."""
        return [
            (entry.to_state, entry.reason, entry.detail)
            for batch in self.writer.committed
            for entry in batch.transitions
            if entry.kind == kind
        ]


def _words(logger: object, method: str, event: Any) -> str:
    return f"{event.pop('event')} {dict(event)}"


class _Lines:
    """Keeps log lines."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    def msg(self, message: str) -> None:
        """Keeps one."""
        self._lines.append(message)

    log = debug = info = warning = error = critical = exception = msg

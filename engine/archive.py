"""Reading the store off the loop: one thread with one reader of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from engine.lifecycle.memory import restore
from engine.model.moments import Micros
from engine.model.terms import Terms
from engine.scheduler import loading
from engine.scheduler.core import Scheduler
from engine.scheduler.past import RunBefore
from engine.store.errors import NotFound
from engine.store.reader import Reader
from engine.store.reads_inbox import Cause, Dragged, causes, dragged_down, stopped_backfills
from engine.store.reads_overview import run_time
from engine.store.reads_run import task_stats
from engine.store.reads_trash import Trashed, trashed
from engine.store.reads_why import Answer, answers
from engine.store.recovery import load_backfill, load_command, run_before, run_key, runs_in_slots
from engine.store.selecting import Chosen, Kind, choose, command_by_number, runs_beside
from engine.store.stored import StoredBackfill, StoredCommand, StoredSlot

T = TypeVar("T")


class ReadLane:
    """Runs reads one after another on a thread of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reader: Reader | None = None
        self._thread = ThreadPoolExecutor(1, "store-reader")

    async def __call__(self, read: Callable[[Reader], T]) -> T:
        """What `read` makes of the store. Raises StoreError."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._read, read)

    def _read(self, read: Callable[[Reader], T]) -> T:
        if self._reader is None:
            self._reader = Reader(self._path)
        return read(self._reader)

    def close(self) -> None:
        """Ends the thread and closes its reader."""
        if self._reader is not None:
            self._thread.submit(self._reader.close)
        self._thread.shutdown(wait=True)


class StoreArchive:
    """What commands need of the store, and what the scheduler looks up in it."""

    def __init__(self, lane: ReadLane, scheduler: Scheduler) -> None:
        self._lane = lane
        self._scheduler = scheduler
        scheduler.past.look_up = self.run_before
        scheduler.fetch_run = self.load_run
        scheduler.fetch_backfill = self.load_backfill

    async def find_command(self, command_id: str) -> StoredCommand | None:
        """A command that was applied or refused before."""
        return await self._lane(lambda reader: load_command(reader, command_id))

    async def run_before(self, dag_id: str, logical_date: Micros, run: int) -> RunBefore | None:
        """The automated run of a DAG before a place among its runs."""
        row = await self._lane(lambda reader: run_before(reader, dag_id, logical_date, run))
        return None if row is None else RunBefore(*row)

    async def runs_in_slots(self, dag_id: str, low: Micros, high: Micros) -> dict[Micros, StoredSlot]:
        """The scheduled and backfill runs of a DAG with logical dates in [low, high], by date."""
        return await self._lane(lambda reader: runs_in_slots(reader, dag_id, low, high))

    async def usual_run_time(self, dag_id: str, now: Micros) -> tuple[Micros, Micros] | None:
        """How long runs of a DAG take, median and 95th percentile; None where none is known."""
        usual = await self._lane(lambda reader: run_time(reader, dag_id, now))
        return None if usual.p50 is None or usual.p95 is None else (usual.p50, usual.p95)

    async def usual_task_times(self, dag_id: str, task_ids: Collection[str], now: Micros) -> dict[str, Micros]:
        """The median duration of tasks of a DAG, of those that have run."""
        wanted = sorted(task_ids)
        found = await self._lane(lambda reader: task_stats(reader, dag_id, wanted, now))
        return {task: usual.p50 for task, usual in found.items() if usual.p50 is not None}

    async def choose(self, terms: Terms, kind: Kind) -> Chosen:
        """What an expression means."""
        return await self._lane(lambda reader: choose(reader, terms, kind))

    async def trashed(self) -> list[Trashed]:
        """Deleted runs."""
        return await self._lane(trashed)

    async def causes(self, since: Micros, *, retrying: bool = False) -> list[Cause]:
        """What has failed since then and nobody has resolved, by cause; with `retrying` what waits for its next try."""
        return await self._lane(lambda reader: causes(reader, since, retrying=retrying))

    async def dragged_down(self, runs: Iterable[int]) -> list[Dragged]:
        """What of these runs did not run because something before it had failed."""
        wanted = tuple(runs)
        return await self._lane(lambda reader: dragged_down(reader, wanted))

    async def stopped_backfills(self, runs: Iterable[int]) -> list[StoredBackfill]:
        """The backfills of these runs that failures have stopped, with their dates."""
        found = [await self.load_backfill(number) for number in await self._lane(lambda r: stopped_backfills(r, runs))]
        return [each for each in found if each is not None]

    async def runs_beside(self, run_id: str, *, past: bool, future: bool) -> list[str]:
        """Runs of the same DAG with earlier or later logical dates, oldest first."""
        return await self._lane(lambda reader: runs_beside(reader, run_id, past=past, future=future))

    async def command_by_number(self, number: int) -> str | None:
        """The id of a command of the audit."""
        return await self._lane(lambda reader: command_by_number(reader, number))

    async def last_answer(self, task_instance: int) -> Answer | None:
        """The newest answer that an approval has been given."""
        found = await self._lane(lambda reader: answers(reader, task_instance))
        return found[-1] if found else None

    async def load_backfill(self, backfill: int) -> StoredBackfill | None:
        """A backfill with its dates, if there is one of that number."""
        try:
            return await self._lane(lambda reader: load_backfill(reader, backfill))
        except NotFound:
            return None

    async def load_run(self, run_id: str) -> None:
        """Brings a run that is over into memory, if there is one of that id."""
        state = self._scheduler.state
        read = await self._lane(lambda reader: _read_run(reader, run_id))
        if read is None:
            return
        active, results, stored = read
        if self._scheduler.state is not state or active.run.id in state.runs:
            return
        version = state.versions.get(stored.id) or state.versions.setdefault(stored.id, loading.make_version(stored))
        memory = restore(version.plan, active.run, active.instances)
        state.put_run(memory, loading.result_refs(self._scheduler, results))


def _read_run(reader: Reader, run_id: str) -> loading.ReadRun | None:
    key = run_key(reader, run_id)
    return None if key is None else loading.read_run(reader, key)

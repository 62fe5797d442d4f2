"""Pruning what is older than the home keeps it: every night, and when an operator asks. Rows go in small steps."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from structlog.typing import FilteringBoundLogger

from engine.care import Retention
from engine.clock import Clock
from engine.home import Home
from engine.model.moments import DAY, SECOND, Micros, from_datetime, to_datetime
from engine.model.states import TERMINAL_RUN
from engine.scheduler.core import Scheduler
from engine.scheduler.turn import Turn
from engine.store.errors import StoreError
from engine.store.reader import Reader
from engine.store.reads_trash import trashed
from engine.store.recovery import load_meta
from engine.store.trash import KEPT
from engine.upkeep.children import ChildFailed, prune_files
from engine.upkeep.history import LastAttempts, OldRuns, dag_ids

T = TypeVar("T")

EVENTS = 5_000
RUNS = 20
"""Rows in one step: each is a commit that others hardly notice."""
_PAUSE_SECONDS = 0.05
_LOOK_SECONDS = 60.0
_PRUNED_AT = "pruned_at"


def next_night(after: Micros, at: int, zone: str) -> Micros:
    """The first moment after `after` at which it is `at` minutes past midnight in the zone."""
    local = to_datetime(after, zone)
    for day in range(3):
        date = (local + timedelta(days=day)).date()
        then = from_datetime(datetime(date.year, date.month, date.day, at // 60, at % 60, tzinfo=local.tzinfo))
        if then > after:
            return then
    raise AssertionError("a zone without nights")


class Night:
    """Prunes the home of a running engine."""

    def __init__(
        self,
        home: Home,
        retention: Retention,
        zone: str,
        scheduler: Scheduler,
        lane: Callable[[Callable[[Reader], Any]], Awaitable[Any]],
        clock: Clock,
        log: FilteringBoundLogger,
        pruned: Callable[[], None],
        prune: Callable[..., Awaitable[dict[str, Any]]] = prune_files,
    ) -> None:
        self._home = home
        self._retention = retention
        self._zone = zone
        self._scheduler = scheduler
        self._lane = lane
        self._clock = clock
        self._log = log
        self._pruned = pruned
        self._prune_files = prune
        self._wanted = asyncio.Event()

    def ask(self) -> None:
        """Has it done now."""
        self._wanted.set()

    async def run(self) -> None:
        """Every night, and when it was asked for, until cancelled. What fails is told, and tried the next night."""
        due = next_night(self._clock.now(), self._retention.at, self._zone)
        if await self._missed():
            self._wanted.set()
        while True:
            try:
                left = max(0.0, (due - self._clock.now()) / SECOND)
                async with asyncio.timeout(min(_LOOK_SECONDS, left)):
                    await self._wanted.wait()
            except TimeoutError:
                if self._clock.now() < due:
                    continue
            self._wanted.clear()
            due = next_night(self._clock.now(), self._retention.at, self._zone)
            try:
                await self.prune()
            except (ChildFailed, StoreError) as error:
                self._log.warning("not_pruned", error=str(error))

    async def _missed(self) -> bool:
        """Whether the engine was away at night, and more than once."""
        try:
            last = await self._read(lambda reader: load_meta(reader, _PRUNED_AT))
        except StoreError as error:
            self._log.warning("last_pruning_unknown", error=str(error))
            return False
        return last is not None and self._clock.now() - int(last) > 2 * DAY

    async def prune(self) -> None:
        """Files by a process of its own, then rows. Raises ChildFailed, StoreError."""
        told = await self._prune_files(self._home.root, dry_run=False)
        runs = await self._prune_runs()
        await self._prune_gaps()
        await self._prune_backfills()
        events = await self._prune_events()
        await self._prune_audit()
        await self._empty_trash()
        now = self._clock.now()
        text = (
            f"{told['removed']} attempt directories, {told.get('removed_bundles', 0)} bundles, {told['freed']} bytes, "
            f"{runs} runs, {events} events"
        )

        def done(turn: Turn) -> None:
            turn.batch.add("meta.put", key=_PRUNED_AT, value=str(now))
            turn.note("engine", reason="pruned", detail=text)

        await self._commit(done)
        self._pruned()
        self._log.info("pruned", what=text)

    async def _prune_runs(self) -> int:
        if not self._retention.run_days:
            return 0
        before = self._clock.now() - round(self._retention.run_days * DAY)
        count = 0
        spared: set[int] | None = None
        for dag_id in await self._read(dag_ids):
            for state in TERMINAL_RUN:
                runs = OldRuns(dag_id, state.value, before)
                while old := await self._read(partial(runs.page, count=RUNS)):
                    if spared is None:
                        spared = await self._spared()
                    count += await self._remove_runs([run for run in old if run not in spared], dag_id)
        return count

    async def _spared(self) -> set[int]:
        """Runs that hold the last good or failed attempt of a task."""
        last = LastAttempts()
        while await self._read(last.page):
            pass
        return last.runs

    async def _remove_runs(self, old: list[int], dag_id: str) -> int:
        """Runs that somebody is looking at, or that have been reopened since, stay."""
        gone = 0

        def work(turn: Turn) -> None:
            nonlocal gone
            for run in old:
                if run not in self._scheduler.state.runs:
                    turn.batch.add("run.prune", id=run)
                    turn.note("prune", dag_id=dag_id, run=run, reason="retention")
                    gone += 1

        if old:
            await self._commit(work)
        return gone

    async def _prune_gaps(self) -> None:
        """Gaps that were noted, and ended, as long ago as the runs that have gone: runs that filled one are gone, too,
        and it would open again.
        """
        before = self._clock.now() - self._retention.run_days * DAY
        dag_ids = await self._read(lambda reader: reader.all("prune", "old_gaps", {"before": before}))

        def work(turn: Turn) -> None:
            for (dag_id,) in dag_ids:
                turn.batch.add("gap.prune", dag_id=dag_id, before=before)
                turn.note("prune", dag_id=dag_id, reason="retention")

        if dag_ids and self._retention.run_days:
            await self._commit(work)

    async def _prune_backfills(self) -> None:
        """Backfills that ended as long ago and of which no run is left, with their dates."""
        before = self._clock.now() - self._retention.run_days * DAY
        values = {"before": before, "count": RUNS}

        def work(turn: Turn) -> None:
            for key, dag_id in old:
                turn.batch.add("backfill.prune", id=key)
                turn.note("prune", dag_id=dag_id, reason="retention", detail=f"backfill {key}")

        while self._retention.run_days:
            old = await self._read(lambda reader: reader.all("prune", "old_backfills", values))
            old = [row for row in old if row[0] not in self._scheduler.state.backfills]
            if not old:
                return
            await self._commit(work)

    async def _prune_events(self) -> int:
        if not self._retention.event_days:
            return 0
        before = self._clock.now() - round(self._retention.event_days * DAY)
        count = 0
        while True:
            oldest = await self._read(lambda reader: reader.one("prune", "oldest_event"))
            if oldest is None or oldest[1] >= before:
                return count
            await self._commit(lambda turn: turn.batch.add("event.prune", before=before, most=EVENTS))
            after = await self._read(lambda reader: reader.one("prune", "oldest_event"))
            if after is None or after[0] == oldest[0]:
                return count
            count += after[0] - oldest[0]

    async def _prune_audit(self) -> None:
        if not self._retention.audit_days:
            return
        before = self._clock.now() - round(self._retention.audit_days * DAY)
        oldest = await self._read(lambda reader: reader.one("prune", "oldest_command"))
        if oldest is None or oldest[0] >= before:
            return

        def work(turn: Turn) -> None:
            turn.batch.add("command.prune_mark", before=before)
            turn.batch.add("command.prune", before=before)

        await self._commit(work)

    async def _empty_trash(self) -> None:
        """Deleted runs whose week is over."""
        before = self._clock.now() - KEPT
        if any(row.at < before for row in await self._read(trashed)):
            await self._commit(lambda turn: turn.batch.add("trash.prune", before=before))

    async def _read(self, read: Callable[[Reader], T]) -> T:
        found: T = await self._lane(read)
        return found

    async def _commit(self, work: Callable[[Turn], None]) -> None:
        """One step: handed to a turn, and waited for, with a pause after it for everybody else."""
        await self._scheduler.commit(work)
        await asyncio.sleep(_PAUSE_SECONDS)

"""What a running engine tells of itself to whoever asks: how much there is to do, how it does, what is in its way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from engine.clock import Clock
from engine.control import protocol as p
from engine.execution.local import LocalExecutor
from engine.home import Home
from engine.model.states import TaskState
from engine.observe.gauges import HostMeter, SelfMeter
from engine.scheduler.core import Scheduler
from engine.upkeep.memory import MemoryWatch
from engine.upkeep.outside import Outside
from engine.upkeep.readers import LogWatch
from engine.upkeep.watch import DiskWatch

_BEAT_SECONDS = 1.0


class Instruments:
    """The gauges of one engine, read when somebody wants them."""

    def __init__(
        self,
        home: Home,
        scheduler: Scheduler,
        executor: LocalExecutor,
        clock: Clock,
        disk: DiskWatch,
        memory: MemoryWatch,
        log: LogWatch,
        outside: Outside,
    ) -> None:
        self._meter, self._host = SelfMeter(), HostMeter(home.root, home.database)
        self._scheduler = scheduler
        self._executor = executor
        self._clock = clock
        self._disk = disk
        self._memory = memory
        self._log = log
        self._outside = outside

    async def beat(self, followed: Callable[[], int]) -> None:
        """Measures how late the loop is while somebody follows; one that nobody watches sleeps. Until cancelled."""
        while True:
            await asyncio.sleep(_BEAT_SECONDS)
            if followed():
                await self._meter.beat()

    def gauges(self, attached: list[str]) -> p.Gauges:
        """How the engine does; `attached` are those who look at it."""
        scheduler = self._scheduler
        self._disk.glance()  # whoever asks is told of the disk as it is, not as it was at the last look
        warnings = self._disk.warning or self._disk_low_too(), self._log.warning, self._outside.warning
        lag, processor, resident = self._meter.take()
        tally: dict[TaskState, int] = dict.fromkeys(TaskState, 0)
        for memory in scheduler.state.runs.values():
            for state, count in memory.tally.items():
                tally[state] += count
            tally[TaskState.DEFERRED] -= memory.open_groups  # summary rows: it is their indexes that wait, or run
        return p.Gauges(
            at=self._clock.now(),
            slots_used=scheduler.ledger.used,
            slots=scheduler.ledger.slots,
            queued=tally[TaskState.SCHEDULED] + tally[TaskState.QUEUED],
            running=tally[TaskState.RUNNING] + tally[TaskState.KILLING],
            retrying=tally[TaskState.UP_FOR_RETRY],
            waiting=tally[TaskState.DEFERRED] + tally[TaskState.UP_FOR_RESCHEDULE] + tally[TaskState.AWAITING_INPUT],
            loop_lag_ms=lag,
            cpu_percent=processor,
            rss_bytes=resident,
            attached=attached,
            degraded=scheduler.degraded or scheduler.disk_low or scheduler.memory_low,
            memory=self._memory.gauge(),
            warning="; ".join(filter(None, warnings)) or None,
            draining=scheduler.draining,
            quiet=self.quiet(),
            host=self._host.take(),
        )

    def _disk_low_too(self) -> str | None:
        """Who has filled the disk, where the reason why nothing starts is what came of it."""
        return self._scheduler.disk_low if self._scheduler.degraded is not None else None

    def quiet(self) -> dict[str, tuple[int, float | None]]:
        """Attempts that have long written nothing, by id: since when, and per cent of a core meanwhile."""
        found = sorted(self._executor.activity.quiet.items(), key=lambda item: item[1].since)
        return {attempt_id: (since, cpu) for attempt_id, (since, cpu) in found[: p.MOST_QUIET]}

"""What a running engine tells the world: that it lives, and what has failed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from structlog.typing import FilteringBoundLogger

from engine.clock import Clock
from engine.config import Settings, task_environment
from engine.home import Home
from engine.observe.failures import TOLD, Teller
from engine.observe.heartbeat import Pulse
from engine.scheduler.core import Scheduler
from engine.store.reader import Reader
from engine.store.recovery import load_meta
from engine.upkeep.lasting import lasting


class Outside:
    """Heartbeat and messages of one engine; neither where the home asks for none."""

    def __init__(
        self,
        home: Home,
        settings: Settings,
        scheduler: Scheduler,
        read: Callable[[Callable[[Reader], Any]], Awaitable[Any]],
        clock: Clock,
        log: FilteringBoundLogger,
    ) -> None:
        self._scheduler = scheduler
        self._log = log
        self._read = read
        self._pulse = None
        self._teller = None
        if settings.heartbeat is not None:
            self._pulse = Pulse(settings.heartbeat, self._is_well, log)
        if settings.telling.default is not None or settings.telling.dags:
            self._teller = Teller(
                settings.telling,
                settings.name,
                task_environment(home, settings),
                read,
                self._note,
                lambda: scheduler.committed_seq,
                clock.now,
                log,
            )

    def work(self) -> list[Coroutine[Any, Any, None]]:
        """What goes on until it is cancelled."""
        parts = [part for part in (self._pulse, self._teller) if part is not None]
        work = [lasting(type(part).__name__.lower(), part.run, self._log) for part in parts]
        if self._teller is None:
            work.append(lasting("silence", self._forget, self._log))
        return work

    async def _forget(self) -> None:
        """Where nobody is to hear of failures, those of this time are no news to whoever is asked for later."""
        if await self._read(lambda reader: load_meta(reader, TOLD)):
            await self._note(TOLD, "")
        await asyncio.Event().wait()

    def _is_well(self) -> bool:
        return self._scheduler.degraded is None and self._scheduler.disk_low is None

    @property
    def warning(self) -> str | None:
        """What an operator should know: somebody who should hear of failures does not."""
        said = []
        if self._teller is not None and self._teller.failing:
            said.append(f"a failure could not be told: {self._teller.failing}")
        if self._pulse is not None and self._pulse.failing:
            said.append(f"the heartbeat does not arrive: {self._pulse.failing}")
        return "; ".join(said) or None

    async def _note(self, key: str, value: str) -> None:
        await self._scheduler.commit(lambda turn: turn.batch.add("meta.put", key=key, value=value))

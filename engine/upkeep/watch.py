"""Watching the disk of a running engine's home: starting stops before it is full, and begins again by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from structlog.typing import FilteringBoundLogger

from engine.clock import Clock
from engine.home import Home
from engine.model.moments import MINUTE, Micros
from engine.scheduler.core import Scheduler
from engine.upkeep.children import ChildFailed, prune_files
from engine.upkeep.disk import Look, Trend, judge, room_at, writers
from engine.upkeep.enginelog import trim

_ASK_AGAIN: Micros = 10 * MINUTE


class DiskWatch:
    """Looks when it is told to. `warning` is what consoles show; `scheduler.disk_low` is why nothing starts."""

    def __init__(
        self,
        home: Home,
        min_free: int,
        scheduler: Scheduler,
        clock: Clock,
        log: FilteringBoundLogger,
        look: Look = room_at,
        ask: Callable[..., Any] = prune_files,
    ) -> None:
        self.warning: str | None = None
        self._home = home
        self._min_free = min_free
        self._scheduler = scheduler
        self._clock = clock
        self._log = log
        self._look = look
        self._ask = ask
        self._trend = Trend()
        self._told: dict[str, Any] | None = None
        self._asked_at: Micros | None = None
        self._unknown = ""
        self._asking: asyncio.Task[None] | None = None

    def look(self) -> None:
        """Has nothing new started while less than the configured space is free; says who takes it. Keeps the engine's
        own log short.
        """
        try:
            trim(self._home.log)
        except OSError as error:
            self._say_unknown(error)
            return
        self.glance()

    def glance(self) -> None:
        """The room alone: cheap enough for everybody who asks how the engine does."""
        try:
            room = self._look(self._home.root)
        except OSError as error:
            self._say_unknown(error)
            return
        self._unknown = ""
        at = self._clock.monotonic()
        self._trend.add(at, room.free)
        found = judge(room, self._min_free, self._trend.full_in(at, room.free))
        if not found.text:
            self._told = self._asked_at = None
        elif self._asked_at is None or at - self._asked_at > _ASK_AGAIN:
            self._asked_at = at
            self._asking = asyncio.create_task(self._ask_who())
        text = found.text + writers(self._told) if found.text else ""
        self.warning = text or None if not found.low else None
        if found.low != (self._scheduler.disk_low is not None):
            self._scheduler.limit(disk_low=text if found.low else "")
            self._log.warning("disk_low", low=found.low, text=text)
        elif found.low:
            self._scheduler.disk_low = text

    def _say_unknown(self, error: OSError) -> None:
        if str(error) != self._unknown:
            self._log.warning("disk_unknown", error=str(error))
        self._unknown = str(error)

    async def _ask_who(self) -> None:
        try:
            self._told = await self._ask(self._home.root, dry_run=True)
        except ChildFailed as error:
            self._log.warning("largest_writers_unknown", error=str(error))

    def pruned(self) -> None:
        """The figures are old: the next look asks anew."""
        self._asked_at = None

    async def close(self) -> None:
        """Waits for nothing that it had asked."""
        if self._asking is not None:
            self._asking.cancel()

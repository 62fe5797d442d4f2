"""What becomes of an engine whose store fails: it says why, starts nothing, and goes on when the store does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from structlog.typing import FilteringBoundLogger

from engine.scheduler.core import Scheduler
from engine.store.errors import CommitFailed, StoreDamaged, is_busy
from engine.store.writer import Writer

LOOK_SECONDS = 2.0
"""Between two looks whether somebody has removed or overwritten the store."""
PROBE_SECONDS = 1.0
PROBE_SECONDS_AT_MOST = 60.0
"""Between two tries on a store that is damaged: each reads all of it, and it does not heal by itself."""


class Mender:
    """Watches the store of a running engine, and mends the engine's memory after a failed commit."""

    def __init__(
        self, writer: Writer, scheduler: Scheduler, load: Callable[[], Awaitable[None]], log: FilteringBoundLogger
    ) -> None:
        self._writer = writer
        self._scheduler = scheduler
        self._load = load
        self._log = log
        self._broken = asyncio.Event()

    def broken(self) -> None:
        """Something has failed: memory is not to be trusted any more."""
        self._broken.set()

    def commit_failed(self, error: CommitFailed) -> None:
        """The writer takes no changes: everybody is told why."""
        if self._scheduler.degraded is None:
            self._scheduler.degrade(str(error))
            self._log.error("degraded", reason=str(error))
        self.broken()

    async def watch(self) -> None:
        """Looks at the store's files from outside, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self._writer.inspect()

    async def mend(self) -> None:
        """After a failed commit: probes the store until it works again, then loads memory anew. Until cancelled."""
        while True:
            await self._broken.wait()
            self._broken.clear()
            told, pause = "", PROBE_SECONDS
            while True:
                try:
                    await self._writer.probe()
                    self._writer.reset()
                    await self._load()
                    self._log.info("mended")
                    break
                except Exception as error:  # looks at attempts belong to it, which may lack descriptors or threads
                    reason = str(error) or type(error).__name__
                    if is_busy(error) and self._scheduler.degraded is not None:
                        reason = self._scheduler.degraded  # what was found before says more
                    self._scheduler.degrade(reason)
                    if reason != told:
                        self._log.warning("still_degraded", reason=reason)
                        told = reason
                    is_damage = isinstance(error, StoreDamaged) or isinstance(error.__cause__, StoreDamaged)
                    pause = min(2 * pause, PROBE_SECONDS_AT_MOST) if is_damage else PROBE_SECONDS
                    await asyncio.sleep(pause)

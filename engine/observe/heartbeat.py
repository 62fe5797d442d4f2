"""Asking an address again and again while the engine is well: a dead engine cannot say that it is dead."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from structlog.typing import FilteringBoundLogger

from engine.care import Heartbeat
from engine.observe.channels import Undelivered, call_address


class Pulse:
    """Asks the address every so many seconds, until cancelled. While the engine is not well it holds its breath."""

    def __init__(self, heartbeat: Heartbeat, is_well: Callable[[], bool], log: FilteringBoundLogger) -> None:
        self._heartbeat = heartbeat
        self._is_well = is_well
        self._log = log
        self.failing: str | None = None
        """Why the last call came to nothing."""

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            if self._is_well():
                await self.beat()
            await asyncio.sleep(self._heartbeat.every)

    async def beat(self) -> None:
        """One call. What goes wrong is told once, until it goes well again."""
        try:
            await call_address("GET", self._heartbeat.url)
        except Undelivered as error:
            if self.failing is None:
                self._log.warning("heartbeat_failed", error=str(error))
            self.failing = str(error)
        else:
            if self.failing is not None:
                self._log.info("heartbeat_again")
            self.failing = None

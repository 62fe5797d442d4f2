"""Parts of an engine that are not its work: what goes wrong in one of them is told, and takes nothing else along."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from structlog.typing import FilteringBoundLogger

AGAIN_SECONDS = 60.0


async def lasting(name: str, run: Callable[[], Awaitable[None]], log: FilteringBoundLogger) -> None:
    """Runs a part until it is cancelled. After an error that it did not expect it begins anew, a minute later."""
    while True:
        try:
            await run()
        except Exception as error:
            log.exception("part_failed", part=name, error=str(error))
        await asyncio.sleep(AGAIN_SECONDS)

"""What is looked into beside the scheduler's turns; whoever looks posts what was found."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine


class Beside:
    """Keeps hold of coroutines until they end, or until the engine stops: then they are forgotten."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, coroutine: Coroutine[None, None, None]) -> None:
        """Has a coroutine run by itself."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        """Lets go of all of them."""
        for task in self._tasks:
            task.cancel()

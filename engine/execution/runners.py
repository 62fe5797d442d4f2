"""One runner after another: when one is lost the next one follows, after a while where several were lost at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from engine.execution.link import RunnerLink

_CRASH_LOOP = 3
_CRASH_WINDOW = 10.0
_RETRY_SECONDS = 1.0


class Runners:
    """Keeps a runner there. `hear` gets each report; `lost` is called after one is gone, with or without a next one."""

    def __init__(
        self,
        root: str,
        log: str | None,
        hosts: dict[str, Any],
        hear: Callable[[dict[str, Any]], None],
        lost: Callable[[], None],
    ) -> None:
        """`root`, `log` and `hosts` as for `RunnerLink.start`."""
        self.link: RunnerLink | None = None
        """The runner that there is just now."""
        self._start_with = root, log, hosts
        self._hear = hear
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._deaths: list[float] = []
        self._ending = False

    def start(self) -> None:
        """Starts a runner where there is none; where that fails, a moment later."""
        if self._ending or self.link is not None:
            return
        link = RunnerLink(self._hear, self._follow)
        try:
            link.start(*self._start_with)
        except OSError:
            self._loop.call_later(_RETRY_SECONDS, self.start)
            return
        self.link = link

    def _follow(self) -> None:
        self.link = None
        if self._ending:
            return
        now = time.monotonic()
        self._deaths = [at for at in self._deaths if now - at < _CRASH_WINDOW] + [now]
        if len(self._deaths) >= _CRASH_LOOP:
            self._loop.call_later(_RETRY_SECONDS, self.start)
        else:
            self.start()
        self._lost()

    def end(self) -> None:
        """From now on no other runner follows."""
        self._ending = True

    async def close(self, patience: float) -> None:
        """Lets the runner go, as `RunnerLink.close` does, and starts no other."""
        self.end()
        if self.link is not None:
            await self.link.close(patience)
            self.link = None

"""Which running attempts have been silent for a while, and whether they use the processor meanwhile.

Silence is told by the time of the log: one system call for each attempt and pass. Processor time is asked of the kernel
only for those that are silent, a few calls for each of their processes.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from engine.clock import Clock
from engine.execution.process import proc
from engine.model.attempt_files import LOG
from engine.model.moments import SECOND, Micros

QUIET_SECONDS = 60.0
"""How long an attempt may write nothing before that is worth telling."""
_PASS_SECONDS = 10.0
_CHUNK = 50
_MOST_PROCESSES = 32
"""Of one attempt; what more of them do is not counted."""
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class Quiet(NamedTuple):
    """An attempt that has written nothing for a while."""

    since: Micros
    cpu: float | None
    """Per cent of one core over the last seconds; None until two looks have been taken."""


class Running(NamedTuple):
    """A running attempt as the sampler needs it."""

    attempt_id: str
    path: str
    pid: int
    started: int
    at: Micros
    """When it began, by the system's wall clock."""


class Activity:
    """Looks at running attempts every few seconds. `quiet` is what was found last."""

    def __init__(self, clock: Clock, quiet_seconds: float = QUIET_SECONDS) -> None:
        self._clock = clock
        self._quiet_micros = round(quiet_seconds * SECOND)
        self._ticks: dict[str, tuple[int, float]] = {}
        self.quiet: dict[str, Quiet] = {}

    async def run(self, running: Callable[[], Iterable[Running]], pause: float = _PASS_SECONDS) -> None:
        """Runs until cancelled; `running` gives the attempts of the moment."""
        while True:
            await asyncio.sleep(pause)
            await self.look(running())

    async def look(self, running: Iterable[Running]) -> None:
        """One pass."""
        found: dict[str, Quiet] = {}
        ticks: dict[str, tuple[int, float]] = {}
        now = time.time_ns() // 1000
        for index, each in enumerate(list(running)):
            since = max(_written(each.path), each.at)
            if now - since >= self._quiet_micros:
                used = tree_ticks(each.pid, each.started)
                ticks[each.attempt_id] = (used, time.monotonic())
                cpu = _share(self._ticks.get(each.attempt_id), ticks[each.attempt_id])
                found[each.attempt_id] = Quiet(self._clock.from_system(since), cpu)
            if index % _CHUNK == _CHUNK - 1:
                await asyncio.sleep(0)
        self.quiet, self._ticks = found, ticks


def _written(path: str) -> Micros:
    try:
        return os.lstat(f"{path}/{LOG}").st_mtime_ns // 1000
    except OSError:
        return 0


def _share(before: tuple[int, float] | None, now: tuple[int, float]) -> float | None:
    if before is None or now[1] <= before[1]:
        return None
    return max(0.0, (now[0] - before[0]) / _TICKS_PER_SECOND / (now[1] - before[1]) * 100)


def tree_ticks(pid: int, started: int) -> int:
    """Clock ticks that a process, its descendants, and what they have waited for, have used; 0 when it is gone."""
    if not proc.is_alive(pid, started):
        return 0
    total, waiting = 0, [pid]
    for _ in range(_MOST_PROCESSES):
        if not waiting:
            break
        one = waiting.pop()
        total += proc.ticks_used(one)
        waiting += proc.children(one)
    return total

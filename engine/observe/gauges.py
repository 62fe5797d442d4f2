"""Figures of the engine's own process and of its host, for the header of every console."""

from __future__ import annotations

import asyncio

import psutil

_BEAT = 0.25


def host_memory() -> tuple[int, int]:
    """Bytes of memory that new processes could have on this host, and all that it has."""
    found = psutil.virtual_memory()
    return found.available, found.total


class SelfMeter:
    """Measures this process: loop lag, processor time, resident memory."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._process.cpu_percent(None)
        self._worst = 0.0

    async def beat(self) -> None:
        """Measures the loop's lag once, by how late a short sleep ends."""
        loop = asyncio.get_running_loop()
        before = loop.time()
        await asyncio.sleep(_BEAT)
        self._worst = max(self._worst, loop.time() - before - _BEAT)

    def take(self) -> tuple[float, float, int]:
        """Worst loop lag (ms), processor use (per cent of one core) and resident bytes since the last call."""
        lag, self._worst = self._worst * 1000, 0.0
        return round(lag, 1), self._process.cpu_percent(None), self._process.memory_info().rss

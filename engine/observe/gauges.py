"""Figures of the engine's own process and of its host, for the header of every console."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
from pathlib import Path

import psutil

from engine.model.host import HostFigures

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


class HostMeter:
    """Measures the host, what the engine has open and how large its store is, whenever it is asked; the processor's use
    is that since it was asked last."""

    def __init__(self, root: Path, database: Path) -> None:
        self._root, self._database = root, database
        self._wal = database.with_name(f"{database.name}-wal")
        self._process = psutil.Process()
        psutil.cpu_percent(None)

    def take(self) -> HostFigures | None:
        """The figures of this moment; None where the home cannot be looked at."""
        try:
            disk, sizes = shutil.disk_usage(self._root), (_size(self._database), _size(self._wal))
        except OSError:
            return None
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return HostFigures(
            cpu_percent=psutil.cpu_percent(None),
            cores=os.cpu_count() or 1,
            load=round(os.getloadavg()[0], 2),
            disk_free=disk.free,
            disk_total=disk.total,
            descriptors=self._process.num_fds(),
            most_descriptors=None if most == resource.RLIM_INFINITY else most,
            store_bytes=sizes[0],
            wal_bytes=sizes[1],
        )


def _size(path: Path) -> int:
    """Only the file's size is asked for: nothing but SQLite opens these files."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0

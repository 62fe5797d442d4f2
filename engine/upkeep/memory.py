"""The memory guard: nothing starts while the host has too little memory left for another task.

What counts is what a new process could have: of the host, and of each control group that the engine is in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from engine.execution.groups import counted, places
from engine.observe.gauges import host_memory
from engine.scheduler.core import Scheduler

_VERSIONS = (
    ("memory.max", "memory.current", ("inactive_file", "active_file", "slab_reclaimable")),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", ("total_inactive_file", "total_active_file")),
)
"""Files of the two versions of control groups: limit, use, and what of the use are caches that the kernel gives up."""
_MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Left:
    """Memory that a new process could have, and all of it, in bytes."""

    free: int
    total: int


def memory_left() -> Left:
    """The least of what the host and the engine's control groups have left. Raises OSError."""
    return least(Left(*host_memory()), in_groups(_own_groups()))


def least(host: Left, groups: Iterable[Left]) -> Left:
    """Whoever has the least left decides."""
    return min((host, *groups), key=lambda left: left.free)


def in_groups(folders: Iterable[Path]) -> Iterator[Left]:
    """What is left in each group that has a limit."""
    for folder in folders:
        for limit_name, use_name, caches in _VERSIONS:
            try:
                limit = int((folder / limit_name).read_text())
                use = int((folder / use_name).read_text())
                stat = (folder / "memory.stat").read_text()
                spare = sum(counted(stat, name) or 0 for name in caches)
            except (OSError, ValueError):
                continue  # no such file in this version, or the word "max": no limit
            yield Left(min(limit, max(0, limit - use + spare)), limit)


def _own_groups(proc: Path = Path("/proc")) -> Iterator[Path]:
    try:
        own = (proc / "self/cgroup").read_text()
        mounts = (proc / "self/mountinfo").read_text()
    except OSError:
        return
    for place in places(own, mounts):
        yield from (folder for folder in (place, *place.parents) if folder.is_relative_to("/sys/fs/cgroup"))


class MemoryWatch:
    """Looks when it is told to; `scheduler.memory_low` is why nothing starts. `left` is what was seen last."""

    def __init__(
        self,
        least_free: int,
        scheduler: Scheduler,
        log: FilteringBoundLogger,
        look: Callable[[], Left] = memory_left,
    ) -> None:
        """`least_free` in bytes; 0: there is no guard."""
        self.least_free = least_free
        self.left: Left | None = None
        self._scheduler = scheduler
        self._log = log
        self._look = look

    def gauge(self) -> tuple[int, int, int] | None:
        """What was seen last: bytes left, all that there are, and below how many nothing starts."""
        return None if self.left is None else (self.left.free, self.left.total, self.least_free)

    def look(self) -> None:
        """Has nothing new started below the configured figure, and again once there is a quarter more than that."""
        try:
            self.left = found = self._look()
        except OSError as error:
            self._log.warning("memory_unknown", error=str(error))
            return
        was = self._scheduler.memory_low is not None
        enough = self.least_free + (self.least_free // 4 if was else 0)
        low = found.free < enough
        if low:
            text = self._words(found)
            if was:
                self._scheduler.memory_low = text
            else:
                self._scheduler.limit(memory_low=text)
        elif was:
            self._scheduler.limit(memory_low="")
        if low != was:
            self._log.warning("memory_low", low=low, free=found.free, total=found.total)

    def _words(self, found: Left) -> str:
        again = self.least_free + self.least_free // 4
        return (
            f"memory: {found.free // _MB} MB left, nothing starts below {self.least_free // _MB} MB, "
            f"and again from {again // _MB} MB"
        )

"""Room on the disk of a home: how much is left, when it will be gone, and who takes it."""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.model.moments import HOUR, MINUTE, Micros

_SAMPLE: Micros = 5 * MINUTE
_WINDOW: Micros = 3 * HOUR
_SHORTEST: Micros = 30 * MINUTE
_SOON: Micros = 24 * HOUR
_WARN_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Room:
    """What the file system says, in bytes."""

    free: int
    total: int


def room_at(path: Path) -> Room:
    """Room on the file system of a path, as an ordinary user has it."""
    found = shutil.disk_usage(path)
    return Room(found.free, found.total)


@dataclass(slots=True)
class Trend:
    """Free space over the last hours, by the monotonic clock."""

    samples: deque[tuple[Micros, int]] = field(default_factory=deque)

    def add(self, at: Micros, free: int) -> None:
        """Takes one figure; a few in the hour are enough."""
        if self.samples and at - self.samples[-1][0] < _SAMPLE:
            return
        self.samples.append((at, free))
        while at - self.samples[0][0] > _WINDOW:
            self.samples.popleft()

    def full_in(self, at: Micros, free: int) -> Micros | None:
        """When the disk is full if it goes on like this; None if it does not fill, or nobody can say yet."""
        if not self.samples or at - self.samples[0][0] < _SHORTEST:
            return None
        since, before = self.samples[0]
        used = before - free
        return round(free * (at - since) / used) if used > 0 else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """`low`: nothing may start. `text` is empty when all is well."""

    low: bool
    text: str


def judge(room: Room, min_free: int, full_in: Micros | None) -> Verdict:
    """What is to be said of the room that is left: the shortest words first, as a narrow screen shows no more."""
    free = f"disk: {room.free // 2**20} MB free"
    if room.free < min_free:
        return Verdict(True, f"{free}, nothing starts below {min_free // 2**20} MB")
    if full_in is not None and full_in < _SOON:
        return Verdict(False, f"{free}, full in {max(1, full_in // HOUR)} h at this rate")
    if room.free < room.total * _WARN_SHARE:
        return Verdict(False, f"{free}, {100 * room.free / room.total:.0f} %")
    return Verdict(False, "")


def writers(told: dict[str, Any] | None) -> str:
    """What pruning would free, and the largest writers, as a further part of the sentence."""
    if not told or not told["largest"]:
        return ""
    named = ", ".join(f"{dag_id or 'of no known run'} {_size(size)}" for dag_id, size in told["largest"])
    return f"; D (`dagdeck prune`) frees {_size(told['prunable_bytes'])}; most is of {named}"


def _size(count: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"


Look = Callable[[Path], Room]

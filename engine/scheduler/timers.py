"""Everything that becomes due at a known moment, in one heap."""

from __future__ import annotations

import heapq
from collections.abc import Collection
from typing import NamedTuple

from engine.model.moments import SECOND, Micros

LONGEST_WAIT: Micros = 15 * SECOND
"""The wall clock is read again at least this often: a clock that was set, or a host that slept, is noticed."""


class Timer(NamedTuple):
    """A moment and what is due then: `retry`, `task_timeout`, `run_timeout` (with ids), `plan`, `warm` (with a DAG),
    `hold` (with its id), `callback` (with its id)."""

    at: Micros
    kind: str
    key: int
    tag: str = ""


class Timers:
    """A heap of timers. Timers are never taken back: whoever handles one checks whether it still means anything."""

    def __init__(self) -> None:
        self._heap: list[Timer] = []
        self._known: set[Timer] = set()

    def add(self, timer: Timer) -> None:
        """Adds a timer once; the same timer again changes nothing."""
        if timer not in self._known:
            self._known.add(timer)
            heapq.heappush(self._heap, timer)

    def due(self, now: Micros) -> list[Timer]:
        """Takes out all timers whose moment has come."""
        taken = []
        while self._heap and self._heap[0].at <= now:
            timer = heapq.heappop(self._heap)
            self._known.discard(timer)
            taken.append(timer)
        return taken

    def wait(self, now: Micros) -> Micros:
        """How long until the next timer is due, at most LONGEST_WAIT."""
        if not self._heap:
            return LONGEST_WAIT
        return max(0, min(self._heap[0].at - now, LONGEST_WAIT))

    def shift(self, kinds: Collection[str], by: Micros) -> None:
        """Moves all timers of some kinds to a later or, with a negative time, an earlier moment."""
        moved = [timer._replace(at=timer.at + by) if timer.kind in kinds else timer for timer in self._heap]
        self._known = set(moved)
        self._heap = list(self._known)
        heapq.heapify(self._heap)

    def clear(self) -> None:
        """Forgets all timers, before they are derived anew from the store."""
        self._heap.clear()
        self._known.clear()

"""Notices that the wall clock was set: everything that is told as \"ago\" or \"in\" is off from then on by as much."""

from __future__ import annotations

from collections.abc import Callable

from console.figures import clock, duration
from engine.model.moments import SECOND, Micros

JUMP: Micros = 5 * SECOND
"""Less is the drift that time services put right all the time."""


class ClockWatch:
    """Compares the wall clock with one that nobody sets; both in microseconds."""

    def __init__(self, steady: Callable[[], Micros]) -> None:
        self._steady = steady
        self._last: tuple[Micros, Micros] | None = None

    def look(self, wall: Micros) -> str | None:
        """What to tell when the wall clock has jumped since the last look; None when it has not."""
        steady = self._steady()
        last, self._last = self._last, (wall, steady)
        if last is None:
            return None
        jump = (wall - last[0]) - (steady - last[1])
        if abs(jump) < JUMP:
            return None
        way = "forward" if jump > 0 else "back"
        return f"the clock of this machine jumped {way} by {duration(abs(jump), tenths=False)}, to {clock(wall)} UTC"

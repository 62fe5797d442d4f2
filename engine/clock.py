"""The clocks of the engine: the one module that reads the time and draws randomness outside the pure rooms."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Protocol

from engine.model.moments import SECOND, Micros

OFFSET_VARIABLE = "DAGDECK_CLOCK_OFFSET"
LONGEST_SLEEP: Micros = 15 * SECOND
"""The wall clock is read again at least this often, so that a step of the clock is noticed."""


class Clock(Protocol):
    """Wall and monotonic time, and randomness. Times in integer microseconds."""

    def now(self) -> Micros:
        """The moment."""

    def monotonic(self) -> Micros:
        """A time that never goes back, for durations: its zero means nothing."""

    def drift(self) -> Micros:
        """How far the wall clock is ahead of the monotonic one: a step in it means that the wall clock was set, or that
        the host slept.
        """

    def entropy(self, count: int) -> bytes:
        """Random bytes, for ids."""

    def from_system(self, moment: Micros) -> Micros:
        """This clock's moment for a moment of the system's wall clock, such as another process wrote down."""

    async def sleep_until(self, moment: Micros) -> None:
        """Returns once `now()` has reached `moment`."""


async def _doze(left: Micros) -> None:
    await asyncio.sleep(max(1000, min(left, LONGEST_SLEEP)) / SECOND)


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> Micros:
        return time.time_ns() // 1000

    def monotonic(self) -> Micros:
        return time.monotonic_ns() // 1000

    def drift(self) -> Micros:
        return (time.time_ns() - time.monotonic_ns()) // 1000

    def entropy(self, count: int) -> bytes:
        return os.urandom(count)

    def from_system(self, moment: Micros) -> Micros:
        return moment

    async def sleep_until(self, moment: Micros) -> None:
        while (left := moment - self.now()) > 0:
            await _doze(left)


class ShiftedClock(SystemClock):
    """The system's clock moved by `offset` microseconds, running `rate` times as fast from its making on.

    A demo lives in the past for a while to make real history. Monotonic time keeps its real pace.
    """

    def __init__(self, offset: Micros, rate: float = 1.0) -> None:
        if rate <= 0:
            raise ValueError(f"the rate of a clock must be above 0, not {rate}")
        self._made = time.time_ns() // 1000
        self._offset = offset
        self._rate = rate

    def now(self) -> Micros:
        return self.from_system(time.time_ns() // 1000)

    def from_system(self, moment: Micros) -> Micros:
        if self._rate == 1.0:
            return moment + self._offset
        return self._made + self._offset + round((moment - self._made) * self._rate)

    async def sleep_until(self, moment: Micros) -> None:
        while (left := moment - self.now()) > 0:
            await _doze(round(left / self._rate))


def clock_from_environment() -> Clock:
    """The system's clock, shifted by DAGDECK_CLOCK_OFFSET seconds where that is set.

    Raises ValueError when the variable is not a number.
    """
    text = os.environ.get(OFFSET_VARIABLE)
    if not text:
        return SystemClock()
    try:
        seconds = float(text)
    except ValueError:
        raise ValueError(f"{OFFSET_VARIABLE}={text!r} is not a number of seconds") from None
    return ShiftedClock(round(seconds * SECOND))

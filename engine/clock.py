"""The clocks of the engine: the one module that reads the time and draws randomness outside the pure rooms."""

from __future__ import annotations

import os
import time
from typing import Protocol

from engine.model.moments import SECOND, Micros

OFFSET_VARIABLE = "DAGDECK_CLOCK_OFFSET"


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


class ShiftedClock(SystemClock):
    """The system's clock moved by `offset` microseconds: a demo lives in the past for a while, to make real history."""

    def __init__(self, offset: Micros) -> None:
        self._offset = offset

    def now(self) -> Micros:
        return self.from_system(time.time_ns() // 1000)

    def from_system(self, moment: Micros) -> Micros:
        return moment + self._offset


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

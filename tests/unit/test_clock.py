"""Clocks."""

from __future__ import annotations

import time

import pytest

from engine.clock import ShiftedClock, SystemClock, clock_from_environment
from engine.model.moments import DAY, HOUR, SECOND
from tests.support.clock import FakeClock


def test_the_systems_clock_counts_microseconds() -> None:
    """`now` is the system's wall clock, and monotonic time does not go back."""
    clock = SystemClock()
    before = time.time_ns() // 1000
    assert before <= clock.now() <= time.time_ns() // 1000
    assert clock.monotonic() <= clock.monotonic()
    assert len(clock.entropy(10)) == 10


def test_a_shifted_clock_lives_in_its_own_time() -> None:
    """The offset moves `now` and every moment of the system's clock alike."""
    clock = ShiftedClock(-3 * DAY)
    assert abs(clock.now() - (time.time_ns() // 1000 - 3 * DAY)) < SECOND
    assert clock.from_system(10 * DAY) == 7 * DAY


def test_the_environment_can_shift_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """DAGDECK_CLOCK_OFFSET is a number of seconds; anything else is refused by name."""
    assert type(clock_from_environment()) is SystemClock
    monkeypatch.setenv("DAGDECK_CLOCK_OFFSET", "-86400")
    assert clock_from_environment().from_system(DAY) == 0
    monkeypatch.setenv("DAGDECK_CLOCK_OFFSET", "yesterday")
    with pytest.raises(ValueError, match="DAGDECK_CLOCK_OFFSET='yesterday' is not a number"):
        clock_from_environment()


def test_the_fake_clock_moves_only_by_hand() -> None:
    """The clock of tests stands still until it is moved; stepping it leaves monotonic time alone."""
    clock = FakeClock(0)
    clock.advance(5 * SECOND)
    assert (clock.now(), clock.monotonic()) == (5 * SECOND, 5 * SECOND)
    clock.set(HOUR)
    assert (clock.now(), clock.monotonic()) == (HOUR, 5 * SECOND)
    assert FakeClock().entropy(10) == FakeClock().entropy(10)

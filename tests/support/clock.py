"""A clock that stands still until a test moves it."""

from __future__ import annotations

from hashlib import sha256

from engine.model.moments import Micros

START: Micros = 1_767_225_600_000_000
"""2026-01-01T00:00Z."""


class FakeClock:
    """Implements `engine.clock.Clock`."""

    def __init__(self, now: Micros = START) -> None:
        self._now = now
        self._monotonic: Micros = 0
        self._drawn = 0

    def now(self) -> Micros:
        """The moment."""
        return self._now

    def monotonic(self) -> Micros:
        """Time advanced so far: stepping the wall clock with `set` does not show here."""
        return self._monotonic

    def drift(self) -> Micros:
        """How far the wall clock was stepped."""
        return self._now - self._monotonic

    def entropy(self, count: int) -> bytes:
        """Bytes that look random, and are the same in every run of a test."""
        self._drawn += 1
        return sha256(str(self._drawn).encode()).digest()[:count]

    def from_system(self, moment: Micros) -> Micros:
        """Moments that real processes wrote down are left as they are."""
        return moment

    def advance(self, by: Micros) -> None:
        """Lets time pass."""
        self._monotonic += by
        self.set(self._now + by)

    def set(self, now: Micros) -> None:
        """Sets the wall clock, forwards or back."""
        self._now = now

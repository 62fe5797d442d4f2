"""Circuit breakers: when calls to something that fails are stopped for a while, and how they begin again. Pure rules.

Closed: calls pass, failures in a row are counted. Open: nothing passes until the cooldown after the last failure is
over. Half open: one probe passes; its success closes the breaker, its failure opens it again for twice as long.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from engine.model.moments import SECOND, Micros
from engine.model.states import FailureClass

BreakerState: TypeAlias = Literal["closed", "open", "half_open"]
OnOpen: TypeAlias = Literal["wait", "fail", "skip"]

COUNTED = frozenset({FailureClass.TRANSIENT, FailureClass.TIMEOUT, FailureClass.INFRASTRUCTURE})
"""Failures that say something of the system that was called; all others say something of the task."""
OF_DAG = "dag:"
"""Beginning of the name of a DAG's own breaker, which counts its failed runs."""


@dataclass(slots=True)
class BreakerSpec:
    """How a task uses a breaker. Durations in seconds. The numbers of whoever fails are those that count."""

    name: str
    failures: int = 5
    """Failures in a row that open it."""
    cooldown: float = 300.0
    max_cooldown: float = 3600.0
    on_open: OnOpen = "wait"
    probe: Literal["one", "all"] = "one"


@dataclass(slots=True)
class Breaker:
    """One breaker as it stands. Shared by everything that uses its name."""

    name: str
    state: BreakerState = "closed"
    failures: int = 0
    """In a row."""
    cooldown: Micros = 0
    """The present one; 0 while it is closed."""
    until: Micros | None = None
    """When it becomes half open; None while it is not open, or is held open."""
    opened_at: Micros | None = None
    last_failure_at: Micros | None = None
    last_error: str | None = None
    probe: str | None = None
    """What has been let through while it is half open: an attempt's or a run's id."""
    by: str | None = None
    """Who tripped it by hand."""
    note: str | None = None
    victims: list[str] = field(default_factory=list)
    """DAGs whose failures opened it, the last ones."""

    @property
    def is_held(self) -> bool:
        """Whether it stays open until somebody resets it."""
        return self.state == "open" and self.until is None

    def admits(self, probing: str = "one") -> bool:
        """Whether another call may pass now."""
        if self.state == "half_open":
            return probing == "all" or self.probe is None
        return self.state == "closed"

    def failed(self, spec: BreakerSpec, now: Micros, error: str | None, victim: str | None) -> None:
        """A call failed in a way that counts."""
        self.failures += 1
        self.last_failure_at, self.last_error = now, error
        if victim is not None:
            self.victims = [*(each for each in self.victims if each != victim), victim][-5:]
        if self.state == "half_open":
            self._open(now, min(self.cooldown * 2, round(spec.max_cooldown * SECOND)))
        elif self.state == "open":
            if self.until is not None:
                self.until = now + self.cooldown  # counted from the last failure: those under way go on failing
        elif self.failures >= spec.failures:
            self._open(now, round(spec.cooldown * SECOND))

    def succeeded(self, who: str | None = None) -> None:
        """A call succeeded. Closes it, unless it is open: then only a probe counts."""
        if self.state == "open":
            self.failures = 0
        elif self.state == "closed" or who is None or who == self.probe or self.probe is None:
            self.reset()

    def said_nothing(self, who: str) -> None:
        """A probe ended in a way that says nothing of the system: another one may pass."""
        if self.probe == who:
            self.probe = None

    def cooled(self, now: Micros) -> bool:
        """Becomes half open once its cooldown is over; returns whether it did."""
        if self.state != "open" or self.until is None or self.until > now:
            return False
        self.state, self.until, self.probe = "half_open", None, None
        return True

    def trip(self, now: Micros, by: str, note: str | None, cooldown: Micros | None) -> None:
        """Opened by hand; None holds it open until it is reset."""
        self._open(now, cooldown or self.cooldown)
        self.by, self.note = by, note
        if cooldown is None:
            self.until = None

    def probe_now(self) -> None:
        """Half open before its cooldown is over, which counts again if the probe fails."""
        if self.state == "open":
            self.state, self.until, self.probe = "half_open", None, None

    def reset(self) -> None:
        """Closed, with nothing to its account."""
        self.state, self.failures, self.cooldown, self.probe = "closed", 0, 0, None
        self.until = self.opened_at = self.by = self.note = None
        self.victims = []

    def _open(self, now: Micros, cooldown: Micros) -> None:
        self.opened_at = now if self.state != "open" else self.opened_at
        self.state, self.cooldown, self.until, self.probe = "open", cooldown, now + cooldown, None

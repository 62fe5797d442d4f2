"""The home itself: its name, the engine's sessions, and what an unclean start left to be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from engine.model.moments import Micros


@dataclass(frozen=True, slots=True)
class HomeCard:
    """What `dagdeck.toml` and the place say of a home."""

    name: str
    path: str
    timezone: str = "UTC"
    production: bool = False
    slots: int = 16
    environment: str | None = None
    """Which `[env.NAME]` of `dagdeck.toml` it uses."""


class SessionCard(NamedTuple):
    """The engine's last session. Without `ended_at` it runs, or was killed soon after `last_seen_at`."""

    started_at: Micros
    last_seen_at: Micros
    ended_at: Micros | None
    reason: str | None


class ProgressCard(NamedTuple):
    """A recovery: how many runs of it are left, and how many failed again; once it is over, which."""

    id: int
    cause: str
    since: Micros
    total: int
    left: int
    failed: int
    succeeded: int = 0
    again: tuple[str, ...] | None = None
    """The runs that failed again; None while it is under way."""


class HoldCard(NamedTuple):
    """What an operator keeps from starting; `until` is None while nobody has released it."""

    id: int
    scope: str
    """`all`, `pool` or `dag`."""
    pattern: str
    who: str
    note: str | None
    since: Micros
    until: Micros | None

    @property
    def what(self) -> str:
        """In words."""
        return "everything" if self.scope == "all" else f"{self.scope} {self.pattern}"


class RecoveryCard(NamedTuple):
    """The open report of an unclean start: a title, and lines to read."""

    id: int
    created_at: Micros
    title: str
    lines: tuple[str, ...]

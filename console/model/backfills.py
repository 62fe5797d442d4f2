"""Backfills as cards: how far each is, and how long what is left will take; and the gaps that they could fill."""

from __future__ import annotations

from dataclasses import dataclass

from engine.model.backfill import time_left
from engine.model.moments import Micros


@dataclass(frozen=True, slots=True)
class BackfillCard:
    """One backfill. Counts are of its dates."""

    id: int
    dag_id: str
    state: str
    start: Micros
    stop: Micros
    order: str
    max_active: int
    reprocess: str
    created_at: Micros
    created_by: str
    total: int
    waits_for: str | None
    ended_at: Micros | None
    pending: int = 0
    running: int = 0
    success: int = 0
    failed: int = 0
    cancelled: int = 0
    skipped: int = 0
    p50: Micros | None = None
    """How long one of its runs takes."""
    p95: Micros | None = None

    @property
    def left(self) -> int:
        """Dates that are not over."""
        return self.pending + self.running

    @property
    def done(self) -> int:
        """Dates that are over and were not cancelled."""
        return self.total - self.left - self.cancelled

    @property
    def active(self) -> bool:
        """Whether it may still start or wait for runs."""
        return self.state in ("running", "paused", "stopping")

    @property
    def time_left(self) -> tuple[Micros, Micros] | None:
        """How long what is left takes if runs take as long as they did, from median to 95th percentile."""
        return time_left(self.left, self.max_active, self.p50, self.p95) if self.active else None


@dataclass(frozen=True, slots=True)
class GapCard:
    """Neighbouring intervals that no run was made for."""

    dag_id: str
    first: Micros
    until: Micros
    runs: int
    why: str


@dataclass(frozen=True, slots=True)
class Backfills:
    """All that are kept, newest first, and the open gaps of all DAGs."""

    cards: tuple[BackfillCard, ...] = ()
    gaps: tuple[GapCard, ...] = ()

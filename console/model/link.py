"""The link to the engine: whether it stands, since when not, and the gauges it carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from engine.model.host import HostFigures
from engine.model.moments import SECOND, Micros

STALE_AFTER: Micros = 3 * SECOND
"""Without a sign of life for this long, the header says how old the picture is."""


class LinkState(Enum):
    """Where the link stands."""

    CONNECTING = "connecting"
    UP = "up"
    DOWN = "down"
    REFUSED = "refused"
    """The engine will not speak to this console: upgraded, or served by somebody else."""


@dataclass(frozen=True, slots=True)
class Gauges:
    """Figures of one moment; gone when the link is."""

    at: Micros
    slots_used: int
    slots: int
    queued: int
    running: int
    retrying: int
    waiting: int
    loop_lag_ms: float = 0.0
    cpu_percent: float = 0.0
    rss_bytes: int = 0
    attached: tuple[str, ...] = ()
    degraded: str | None = None
    draining: bool = False
    quiet: Mapping[str, tuple[Micros, float | None]] = field(default_factory=dict)
    """Running attempts that have written nothing for a while, by id: since when, and per cent of a core meanwhile."""
    warning: str | None = None
    """What an operator should see to before it stops anything."""
    memory: tuple[int, int, int] | None = None
    """Bytes of memory that are left, all that there are, and below how many nothing starts."""
    host: HostFigures | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """The link as of now. `since` is when `state` began; `heard_at` the last sign of life, by this console's clock."""

    state: LinkState = LinkState.CONNECTING
    since: Micros | None = None
    heard_at: Micros | None = None
    gauges: Gauges | None = None
    started_at: Micros | None = None
    version: str | None = None
    actor: str | None = None
    message: str = ""
    barred: str = ""
    """Why this console may change nothing; empty when it may."""

    @property
    def up(self) -> bool:
        """Whether commands can be sent."""
        return self.state is LinkState.UP

    def stale_for(self, now: Micros) -> Micros | None:
        """How old the last sign of life is, once that is worth saying; None while it is fresh or the link is down."""
        if self.state is not LinkState.UP or self.heard_at is None or now - self.heard_at < STALE_AFTER:
            return None
        return now - self.heard_at

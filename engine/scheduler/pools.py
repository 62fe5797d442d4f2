"""The pools of a home: what `dagdeck.toml` says of them, what operators said since, and how they are kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.model.dag import DEFAULT_POOL
from engine.scheduler.ledger import UNLIMITED
from engine.scheduler.turn import Turn
from engine.store.stored import StoredPool

if TYPE_CHECKING:
    from engine.scheduler.core import Scheduler


@dataclass(frozen=True, slots=True)
class Pools:
    """Slots by pool, and the pools in which tasks that wait without a process keep theirs."""

    sizes: dict[str, int] = field(default_factory=lambda: {DEFAULT_POOL: UNLIMITED})
    including: frozenset[str] = frozenset()

    @classmethod
    def of(cls, configured: Mapping[str, int], including: Iterable[str]) -> Pools:
        """What is configured, and the default pool, which always exists."""
        return cls({DEFAULT_POOL: UNLIMITED, **configured}, frozenset(including))

    def with_stored(self, stored: Iterable[StoredPool]) -> Pools:
        """As they stand: what an operator has set stays until `dagdeck.toml` says something else than before."""
        sizes, including = dict(self.sizes), set(self.including)
        for pool in stored:
            said = (self.sizes.get(pool.name), int(pool.name in self.including))
            if pool.configured is None or said == (pool.configured, pool.configured_deferred):
                sizes[pool.name] = pool.slots
                including.discard(pool.name)
                if pool.include_deferred:
                    including.add(pool.name)
        return Pools(sizes, frozenset(including))


def resize(
    scheduler: Scheduler, turn: Turn, name: str, slots: int, description: str | None, include: bool | None = None
) -> None:
    """Makes a pool, or changes it for good; whoever holds slots keeps them. `include` None leaves that as it is."""
    ledger = scheduler.ledger
    ledger.resize(name, slots)
    if include is not None:
        ledger.include_deferred(name, include, scheduler.state.runs.values())
    scheduler.admission.reconsider()
    put(scheduler, turn, name, description)


def put(scheduler: Scheduler, turn: Turn, name: str, description: str | None = None) -> None:
    """Keeps a pool as the ledger has it."""
    ledger, configured = scheduler.ledger, scheduler.configured_pools
    turn.batch.add(
        "pool.put",
        name=name,
        slots=ledger.pools[name],
        description=description,
        configured=configured.sizes.get(name),
        include_deferred=int(name in ledger.including),
        configured_deferred=int(name in configured.including),
    )


def keep(scheduler: Scheduler, turn: Turn, stored: Iterable[StoredPool]) -> None:
    """At the engine's start: has the store say what the pools are now."""
    rows, ledger, configured = {pool.name: pool for pool in stored}, scheduler.ledger, scheduler.configured_pools
    for name, slots in ledger.pools.items():
        row = rows.get(name)
        now = (slots, configured.sizes.get(name), int(name in ledger.including), int(name in configured.including))
        if row is None or (row.slots, row.configured, row.include_deferred, row.configured_deferred) != now:
            put(scheduler, turn, name)
    for name in rows.keys() - ledger.pools.keys():
        turn.batch.add("pool.remove", name=name)

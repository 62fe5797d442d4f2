"""Pools with who holds them, circuit breakers, and what waits for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from console.backends.waiting import question_card
from console.model.limits import BreakerCard, HolderCard, LimitsCard, PoolCard
from console.model.reading import maybe, one_line, safe
from engine.store import reads_home, reads_why
from engine.store.reader import Reader

if TYPE_CHECKING:
    from console.backends.pages import Reading

_HOLDERS = 5


def read(reading: Reading) -> LimitsCard:
    """Everything at once: there are few of each."""
    reader = cast(Reader, reading.rows)
    holding = reads_why.holders_by_pool(reader)
    pools = tuple(
        PoolCard(
            safe(row.name), row.slots, row.used, row.wanted, maybe(row.description),
            tuple(_holder(*each) for each in holding.get(row.name, ())[:_HOLDERS]), row.include_deferred,
        )
        for row in reads_home.pools(reader)
    )  # fmt: skip
    breakers = tuple(
        BreakerCard(
            safe(row.name), row.state, row.failures, row.until, row.opened_at,
            None if row.last_error is None else one_line(row.last_error), row.probe is not None, maybe(row.by),
            None if row.note is None else one_line(row.note), tuple(map(safe, row.victims)),
        )
        for row in reads_home.breakers(reader)
    )  # fmt: skip
    return LimitsCard(pools, breakers, tuple(map(question_card, reads_why.questions(reader))))


def _holder(holder: reads_why.Holder, slots: int) -> HolderCard:
    name = holder.task_id if holder.map_index < 0 else f"{holder.task_id}[{holder.map_index}]"
    if holder.is_waiting:
        return HolderCard(safe(holder.run_id), safe(name), slots, None, holder.started_at)
    return HolderCard(safe(holder.run_id), safe(name), slots, holder.started_at)

"""How reliable a DAG is: how long incidents lasted, attempts that failed by their kind, the slots it takes. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from engine.model.moments import DAY, Micros


class Ended(NamedTuple):
    """A run's end, or that of an earlier episode of it. `automated`: made by a schedule or an event."""

    logical_date: Micros
    at: Micros
    succeeded: bool
    automated: bool


@dataclass(frozen=True)
class Incidents:
    """From the end of an automated run that failed, the first after a success, to the success that made it good."""

    lasted: tuple[Micros, ...] = ()
    """Those that are over, shortest first."""
    open_since: Micros | None = None

    @property
    def mean(self) -> Micros:
        """The mean of those that are over; there has to be one."""
        return sum(self.lasted) // len(self.lasted)

    @property
    def median(self) -> Micros:
        """Their median."""
        half = len(self.lasted) // 2
        return (self.lasted[half] + self.lasted[-half - 1]) // 2


def incidents(ends: Iterable[Ended]) -> Incidents:
    """Of ends in the order of time. A success of an older logical date, such as one run again, closes nothing."""
    lasted: list[Micros] = []
    open_at: Ended | None = None
    for end in ends:
        if open_at is None:
            if end.automated and not end.succeeded:
                open_at = end
        elif end.succeeded and end.logical_date >= open_at.logical_date:
            lasted.append(end.at - open_at.at)
            open_at = None
    return Incidents(tuple(sorted(lasted)), None if open_at is None else open_at.at)


CANCELLED, UPSTREAM = "cancelled", "upstream failed"


@dataclass(frozen=True)
class Failures:
    """Attempts of the newest runs that ended: how many there are, and how many failed, by kind."""

    runs: int = 0
    attempts: int = 0
    failed: Mapping[str, int] = field(default_factory=dict)
    """By kind, most first; those that people cancelled are apart."""
    cancelled: int = 0
    final: int = 0
    """Task instances that stayed failed."""
    upstream: int = 0
    """Task instances that never started because of these."""


_OUTCOMES = {"timeout": "timeout", "lost": "lost"}
_REASONS = {"exception": "exception", "exit": "exit code"}


def _kind(outcome: str, failure_class: str | None, reason: str | None) -> str:
    """What people call it: how it ended where that says all, else its class, else what it ended by."""
    if failure_class == CANCELLED or outcome in _OUTCOMES:
        return _OUTCOMES.get(outcome, CANCELLED)
    if failure_class in (None, "unknown"):
        return _REASONS.get(reason or "", "other")
    return str(failure_class)


def failures(rows: Iterable[tuple[str, str | None, str | None, int, int]]) -> Failures:
    """From rows of outcome, class of failure, reason, attempts, and task instances that stayed failed by them."""
    runs = attempts = final = upstream = 0
    kinds: Counter[str] = Counter()
    for outcome, failure_class, reason, count, last in rows:
        if outcome == "runs":
            runs = count
        elif outcome == "upstream_failed":
            upstream = last
        else:
            attempts += count
            final += last
            if outcome not in ("success", "skipped"):
                kinds[_kind(outcome, failure_class, reason)] += count
    cancelled = kinds.pop(CANCELLED, 0)
    return Failures(runs, attempts, dict(kinds.most_common()), cancelled, final, upstream)


class PoolUse(NamedTuple):
    """What a DAG takes of a pool: slots on average, and how many the pool has; −1: without limit."""

    pool: str
    average: float
    slots: int


@dataclass(frozen=True)
class Use:
    """What the DAG's attempts took within the last day. `cpu` is a share of one core; memory is in bytes."""

    pools: tuple[PoolUse, ...] = ()
    cpu: float | None = None
    memory: int | None = None
    """The mean of the attempts' peaks."""
    most_memory: int | None = None


Taken = tuple[str, int, float | None, int | None, int | None, int, int | None]


def use(rows: Iterable[Taken], pools: Mapping[str, tuple[str, int]], slots: Mapping[str, int]) -> Use:
    """From rows of task, time with a slot, processor seconds, the time they are known of, peaks of memory added up, how
    many, and the highest; `pools` gives the pool of each task and the slots it takes there."""
    held: Counter[str] = Counter()
    cpu = measured = memory = peaks = most = 0.0
    for task_id, time, seconds, of, peak, count, highest in rows:
        pool, taken = pools.get(task_id, ("default", 1))
        held[pool] += max(time, 0) * taken
        cpu, measured = cpu + (seconds or 0.0), measured + (of or 0)
        memory, peaks, most = memory + (peak or 0), peaks + count, max(most, highest or 0)
    return Use(
        tuple(PoolUse(pool, time / DAY, slots.get(pool, -1)) for pool, time in held.most_common()),
        cpu * 1_000_000 / measured if measured else None,
        int(memory / peaks) if peaks else None,
        int(most) if peaks else None,
    )

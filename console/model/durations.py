"""How long the runs and tasks of a DAG take: series of durations, their percentiles and where they are going. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from console.model.figures import percentile, trend
from console.model.reliability import Failures, Incidents, Use
from engine.model.moments import Micros

SURE_P99 = 100
"""With fewer samples a p99 is little more than the longest."""


@dataclass(frozen=True)
class Series:
    """Durations of the successes of one thing, oldest first; what it waited for slots, where that is known."""

    name: str
    took: tuple[Micros, ...] = ()
    waits: tuple[Micros, ...] = ()

    @cached_property
    def _ordered(self) -> list[Micros]:
        return sorted(self.took)

    def at(self, share: float) -> Micros | None:
        """A percentile of the durations, `share` from 0 to 1; None when there are too few to say."""
        return percentile(self._ordered, share)

    def waited(self, share: float) -> Micros | None:
        """The same of the time that it waited for a slot."""
        return percentile(sorted(self.waits), share)

    @property
    def trend(self) -> float | None:
        """How the newest stand to those before."""
        return trend(self.took)


@dataclass(frozen=True)
class Durations:
    """One DAG: its runs, from start to end, from due to end, from due to start; and its tasks as they are declared."""

    dag_id: str
    runs: Series = field(default_factory=lambda: Series("run"))
    whole: Series = field(default_factory=lambda: Series("due to end"))
    delay: Series = field(default_factory=lambda: Series("due to start"))
    tasks: tuple[Series, ...] = ()
    backfilled: int = 0
    """Runs of backfills that succeeded within the window."""
    incidents: Incidents = field(default_factory=Incidents)
    failures: Failures = field(default_factory=Failures)
    use: Use | None = None
    """What the last day took; None where that would be too much to add up."""


def task_series(name: str, told: str | None) -> Series:
    """From the store's `ended:took:waited` with commas between; `waited` may be empty."""
    parts = sorted(tuple(each.split(":")) for each in told.split(",")) if told else []
    parts.sort(key=lambda part: int(part[0]))
    return Series(
        name,
        tuple(int(took) for _, took, _ in parts),
        tuple(int(waited) for _, _, waited in parts if waited),
    )


def of_runs(
    dag_id: str, rows: Iterable[tuple[int, int, int | None, int | None]], tasks: tuple[Series, ...]
) -> Durations:
    """From rows of ended, start to end, due to end, due to start, newest first."""
    found = list(rows)[::-1]
    return Durations(
        dag_id,
        Series("run", tuple(row[1] for row in found)),
        Series("due to end", tuple(row[2] for row in found if row[2] is not None)),
        Series("due to start", tuple(row[3] for row in found if row[3] is not None)),
        tasks,
    )


def slowest_first(tasks: Iterable[Series]) -> tuple[Series, ...]:
    """The tasks by their medians; those of which too little is known last."""
    return tuple(sorted(tasks, key=lambda each: -(each.at(0.5) or -1)))

"""What a DAG's schedule means: in words, as the runs that come next, and what becomes of those that were missed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from console.model.backfills import GapCard
from engine.model.moments import Micros


class ComingRun(NamedTuple):
    """One run that the schedule will make."""

    start: Micros
    end: Micros
    due: Micros


@dataclass(frozen=True, slots=True)
class SchedulePage:
    """The schedule of a DAG's current version. Without `words` it has none."""

    dag_id: str
    timezone: str = "UTC"
    words: str = ""
    kind: str = "interval"
    runs: tuple[ComingRun, ...] = ()
    catchup: str = "none"
    on_missed: str = ""
    overlap: str = "queue"
    gaps: tuple[GapCard, ...] = ()
    first: Micros | None = None
    """The start date: no interval begins before it."""
    last: Micros | None = None
    """The end date."""

"""The grid of a DAG: its latest runs, and the state of every task in each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from console.model.backfills import GapCard
from console.model.dags import RunMark
from console.model.runs import TaskPlan, Usual

WORST_FIRST = (
    "failed", "killing", "upstream_failed", "up_for_retry", "awaiting_input", "running", "queued", "scheduled",
    "deferred", "up_for_reschedule", "none", "cancelled", "success", "skipped", "removed",
)  # fmt: skip
"""Of a mapped task's instances the first of these states is shown."""
_RANK = {state: at for at, state in enumerate(WORST_FIRST)}


@dataclass(frozen=True)
class Grid:
    """Runs oldest first, tasks in declaration order of the newest run's version, cells by run key and task id."""

    dag_id: str
    runs: tuple[RunMark, ...]
    plan: tuple[TaskPlan, ...]
    cells: Mapping[int, Mapping[str, str]]
    usual: Mapping[str, Usual]
    gaps: tuple[GapCard, ...] = ()
    """Intervals that were left out."""

    def gap_before(self, at: int) -> GapCard | None:
        """What was left out between the run of a column and the one to its left; of the first, what is older."""
        later = self.runs[at].logical_date
        earlier = self.runs[at - 1].logical_date if at else None
        for gap in self.gaps:
            if gap.runs and gap.first < later and (earlier is None or gap.until > earlier):
                return gap
        return None

    def state(self, run: RunMark, task_id: str) -> str | None:
        """The state of a task in a run; None where that run had no such task."""
        return self.cells.get(run.id, {}).get(task_id)


def worse(one: str | None, other: str) -> str:
    """Which of two states says more about a mapped task."""
    if one is None:
        return other
    return one if _RANK.get(one, -1) <= _RANK.get(other, -1) else other

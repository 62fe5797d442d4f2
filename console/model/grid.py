"""The grid of a DAG: its latest runs, and the state of every task in each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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

    def state(self, run: RunMark, task_id: str) -> str | None:
        """The state of a task in a run; None where that run had no such task."""
        return self.cells.get(run.id, {}).get(task_id)


def worse(one: str | None, other: str) -> str:
    """Which of two states says more about a mapped task."""
    if one is None:
        return other
    return one if _RANK.get(one, -1) <= _RANK.get(other, -1) else other

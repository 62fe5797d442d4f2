"""How long the runs and tasks of a DAG took: the last hundred successes of thirty days, without backfills."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from console.model.durations import Durations, of_runs, task_series
from console.model.reading import safe
from engine.model.moments import DAY

if TYPE_CHECKING:
    from console.backends.pages import Reading


def read(reading: Reading) -> Durations:
    """For (DAG): its durations."""
    dag_id = str(reading.args[0])
    before = reading.before if isinstance(reading.before, Durations) else None
    if before is not None and reading.dirty is not None and dag_id not in reading.dirty.dag_ids:
        return before
    latest = reading.rows.one("run", "current_version", {"dag_id": dag_id})
    version = None if latest is None else reading.specs.version(latest[0])
    names = [] if version is None else [task.task_id for task in version.tasks]
    values = {"dag_id": dag_id, "since": reading.now - 30 * DAY}
    told = reading.rows.all("run", "task_times", {**values, "task_ids": json.dumps(names)})
    tasks = tuple(task_series(safe(name), times) for name, times in told)
    return of_runs(safe(dag_id), reading.rows.all("run", "run_times", values), tasks)

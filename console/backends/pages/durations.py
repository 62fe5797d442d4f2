"""How long the runs and tasks of a DAG took: the last hundred successes of thirty days; and how reliable it was."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from console.backends.specs import Version
from console.model.durations import Durations, of_runs, task_series
from console.model.reading import safe
from console.model.reliability import Ended, Incidents, Use, failures, incidents, use
from engine.model.moments import DAY

if TYPE_CHECKING:
    from console.backends.pages import Reading


_WINDOW = 30 * DAY
_MOST_RUNS, _MOST_INSTANCES = 100, 20_000
"""Of attempts that failed: in how many runs, and how many task instances these may have together."""
_MOST_OF_A_DAY = 100_000
"""Task instances of a day whose attempts are added up."""


def read(reading: Reading) -> Durations:
    """For (DAG, whether backfills count): its durations."""
    dag_id, backfills = str(reading.args[0]), bool(reading.args[1:] and reading.args[1])
    before = reading.before if isinstance(reading.before, Durations) else None
    if before is not None and reading.dirty is not None and dag_id not in reading.dirty.dag_ids:
        return before
    latest = reading.rows.one("run", "current_version", {"dag_id": dag_id})
    version = None if latest is None else reading.specs.version(latest[0])
    names = [] if version is None else [task.task_id for task in version.tasks]
    values = {"dag_id": dag_id, "since": reading.now - _WINDOW, "backfills": int(backfills)}
    told = reading.rows.all("run", "task_times", {**values, "task_ids": json.dumps(names)})
    tasks = tuple(task_series(safe(name), times) for name, times in told)
    runs = max(min(_MOST_RUNS, _MOST_INSTANCES // max(len(names), 1)), 5)
    return replace(
        of_runs(safe(dag_id), reading.rows.all("run", "run_times", values), tasks),
        backfilled=_first(reading, "backfilled", values),
        incidents=_incidents(reading, values),
        failures=failures(_rows(reading, "ends", {**values, "runs": runs})),
        use=None if version is None else _use(reading, version, dag_id),
    )


def _rows(reading: Reading, name: str, values: dict[str, Any]) -> list[Any]:
    return reading.rows.all("reliability", name, values)


def _first(reading: Reading, name: str, values: dict[str, Any]) -> int:
    return int(_rows(reading, name, values)[0][0])


def _incidents(reading: Reading, values: dict[str, Any]) -> Incidents:
    """Those of the window; one that began before it began when it did."""
    ends = [Ended(logical, at, bool(good), bool(own)) for logical, at, good, own in _rows(reading, "outcomes", values)]
    at, logical = _rows(reading, "failing_before", values)[0]
    return incidents(ends if at is None else [Ended(logical, at, False, True), *ends])


def _use(reading: Reading, version: Version, dag_id: str) -> Use | None:
    values = {"dag_id": dag_id, "since": reading.now - DAY}
    if _first(reading, "runs_since", values) * len(version.tasks) > _MOST_OF_A_DAY:
        return None
    pools = {task.task_id: (task.pool, task.pool_slots) for task in version.tasks}
    slots = {safe(row[0]): row[1] for row in reading.rows.all("home", "pools")}
    found = [(safe(row[0]), *row[1:]) for row in _rows(reading, "slot_time", {**values, "now": reading.now})]
    return use(found, pools, slots)

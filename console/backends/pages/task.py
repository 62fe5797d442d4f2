"""One task instance: its result, and the durations of the task's last successes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.model.reading import one_line
from console.model.task_page import TaskPage, Took
from engine.model.moments import DAY

if TYPE_CHECKING:
    from console.backends.pages import Reading

_LAST = 100
_MOST = 4000
"""Characters of a result that are shown."""


def read(reading: Reading) -> TaskPage:
    """For (run id, task id, map index)."""
    run_id, task_id, map_index = reading.args
    run = reading.rows.one("run", "run_by_run_id", {"run_id": run_id})
    if run is None:
        return TaskPage()
    values = {"run": run[0], "task_id": task_id, "map_index": map_index}
    found = reading.rows.one("run", "instance_key", values)
    if found is None:
        return TaskPage()
    key, dag_id = found
    rows = reading.rows.all(
        "run", "task_history", {**values, "dag_id": dag_id, "count": _LAST, "since": reading.now - 30 * DAY}
    )
    took = tuple(Took(row[0], row[1]) for row in reversed(rows))
    result = reading.rows.one("run", "result", {"task_instance": key})
    if result is None:
        return TaskPage(took)
    text = None if result[1] is None else one_line(str(result[1])[:_MOST])
    return TaskPage(took, text, result[2])

"""The attempt of a task that ended well last, before another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.model.reading import safe
from console.model.runs import GoodAttempt

if TYPE_CHECKING:
    from console.backends.pages import Reading


def read(reading: Reading) -> GoodAttempt | None:
    """For (DAG, task, map index, attempt id): the newest success that began before that attempt."""
    if isinstance(reading.before, GoodAttempt):
        return reading.before
    dag_id, task_id, map_index, attempt = reading.args
    values = {"dag_id": dag_id, "task_id": task_id, "map_index": map_index, "attempt": attempt}
    row = reading.rows.one("run", "last_good", values)
    return None if row is None else GoodAttempt(safe(row[0]), row[1], safe(row[2]), row[3])

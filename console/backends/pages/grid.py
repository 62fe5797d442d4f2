"""The grid of one DAG: states of all tasks in its latest runs; only runs that moved are read again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from console.model import reading as cards
from console.model.backfills import GapCard
from console.model.dags import RunMark
from console.model.grid import Grid, worse

if TYPE_CHECKING:
    from console.backends.pages import Reading

MOST_RUNS = 365
MOST_CELLS = 150_000
_MOST_GAPS = 100
_FAR = 2**62


def read(reading: Reading) -> Grid:
    """For (DAG): its grid. Of a very large DAG fewer runs are shown."""
    (dag_id,) = reading.args
    before = reading.before if isinstance(reading.before, Grid) else None
    if before is not None and reading.dirty is not None and dag_id not in reading.dirty.dag_ids:
        return before
    values = {"dag_id": dag_id, "logical_date": _FAR, "id": _FAR, "count": MOST_RUNS}
    runs = [cards.run_mark(row) for row in reading.rows.all("run", "runs_of_dag", values)]
    version = reading.specs.version(runs[0].version_id) if runs else None
    plan = () if version is None else version.tasks
    runs = runs[: max(10, MOST_CELLS // max(len(plan), 1))]
    moved = set() if reading.dirty is None else reading.dirty.runs | reading.dirty.task_runs
    known = {} if before is None else {run: cells for run, cells in before.cells.items() if run not in moved}
    cells = {run.id: known[run.id] for run in runs if run.id in known}
    cells |= _cells(reading, [run for run in runs if run.id not in known])
    usual = before.usual if before is not None else {}
    missing = [task.task_id for task in plan if task.task_id not in usual]
    if missing or (moved & {run.id for run in runs if not run.active}):
        usual = reading.specs.usual(str(dag_id), [task.task_id for task in plan], reading.now)
    gaps = reading.rows.all("schedule", "gaps", {"dag_id": dag_id, "count": _MOST_GAPS})
    left_out = tuple(GapCard(cards.safe(row[0]), row[1], row[2], row[3], cards.safe(row[4])) for row in gaps)
    return Grid(str(dag_id), tuple(reversed(runs)), plan, cells, usual, left_out)


def _cells(reading: Reading, runs: list[RunMark]) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = {run.id: {} for run in runs}
    rows = reading.rows.all("run", "grid_states", {"runs": json.dumps(list(found))}) if runs else ()
    words: dict[str, str] = {}
    for run, task_id, state in rows:
        task = words.get(task_id) or words.setdefault(task_id, cards.safe(task_id))
        cell = found[run]
        cell[task] = worse(cell.get(task), words.get(state) or words.setdefault(state, cards.safe(state)))
    return found

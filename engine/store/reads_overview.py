"""Reads for the overview of all DAGs. Each is short and bounded; those over many DAGs take the ids that are wanted,
so a console can ask for what it shows first.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from engine.model.moments import DAY, Micros
from engine.store.percentiles import usual
from engine.store.reader import Reader, Row
from engine.store.rows_out import DagLine, DagStats, LiveTask, RunLine, Totals, Usual

SHOWN_STATES = (
    "failed",
    "awaiting_input",
    "killing",
    "running",
    "up_for_retry",
    "queued",
    "deferred",
    "up_for_reschedule",
    "scheduled",
)
"""States of `live_tasks`, the most pressing first."""
WINDOW = 30 * DAY
WEEK = 7 * DAY


def dags(reader: Reader) -> list[DagLine]:
    """All DAGs by id, with their schedules and pauses."""
    return [_dag(row) for row in reader.all("overview", "dags")]


def recent_runs(reader: Reader, dag_ids: Iterable[str], count: int = 14) -> dict[str, list[RunLine]]:
    """The last runs of each DAG by logical date, oldest first. DAGs without runs are left out."""
    found: dict[str, list[RunLine]] = {}
    for row in reader.all("overview", "recent_runs", {"dag_ids": json.dumps(list(dag_ids)), "count": count}):
        found.setdefault(row[2], []).append(RunLine._make(row))
    for lines in found.values():
        lines.sort(key=_by_logical_date)
    return found


def active_runs(reader: Reader) -> list[RunLine]:
    """All runs that have not ended, by DAG and logical date."""
    return [RunLine._make(row) for row in reader.all("overview", "active_runs")]


def state_counts(reader: Reader, runs: Iterable[int]) -> dict[int, dict[str, int]]:
    """How many task instances of each run are in which state."""
    found: dict[int, dict[str, int]] = {}
    for run, state, count in reader.all("overview", "state_counts", {"runs": json.dumps(list(runs))}):
        found.setdefault(run, {})[state] = count
    return found


def live_tasks(
    reader: Reader, runs: Iterable[int], states: Sequence[str] = SHOWN_STATES, count: int = 8
) -> dict[int, list[LiveTask]]:
    """What the runs are doing: up to `count` task instances of each state, in the order of `states`."""
    values = {"runs": json.dumps(list(runs)), "states": json.dumps(list(states)), "count": count}
    found: dict[int, list[LiveTask]] = {}
    for row in reader.all("overview", "live_tasks", values):
        found.setdefault(row[1], []).append(LiveTask._make((*row[:13], blockers(row[13]), row[14])))
    return found


def totals(reader: Reader) -> Totals:
    """The home's figures for a header."""
    row = reader.one("overview", "totals")
    assert row is not None
    return Totals._make((*row, dict(reader.all("overview", "live_counts"))))


def dag_stats(reader: Reader, dag_ids: Iterable[str], now: Micros) -> dict[str, DagStats]:
    """Run times and outcomes of each DAG as of `now`."""
    values = {"dag_ids": json.dumps(list(dag_ids)), "since": now - WINDOW, "week": now - WEEK}
    return {
        dag_id: DagStats(usual(durations), succeeded, failed)
        for dag_id, durations, succeeded, failed in reader.all("overview", "run_durations", values)
    }


def run_time(reader: Reader, dag_id: str, now: Micros) -> Usual:
    """How long runs of a DAG take: those that its schedule made, else, where these are too few to say, all of them."""
    found = dag_stats(reader, [dag_id], now)[dag_id].usual
    if found.p50 is not None:
        return found
    row = reader.one("backfill", "run_times_of_dag", {"dag_id": dag_id, "since": now - WINDOW})
    return usual(None if row is None else row[0])


def blockers(text: str | None) -> tuple[str, ...]:
    """The codes of the `blockers` column."""
    return tuple(json.loads(text)) if text else ()


def _by_logical_date(line: RunLine) -> tuple[int, int]:
    return line.logical_date, line.id


def _dag(row: Row) -> DagLine:
    return DagLine._make((*row[:7], tuple(json.loads(row[7])), *row[8:]))

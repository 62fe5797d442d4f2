"""Reads about runs: one run with its task instances and attempts, lists of runs, versions, usual durations."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from engine.model.moments import Micros
from engine.store.errors import NotFound
from engine.store.percentiles import usual
from engine.store.reader import Reader, Row
from engine.store.reads_overview import WINDOW, blockers
from engine.store.rows_out import (
    AttemptLine,
    CallbackLine,
    EpisodeLine,
    GridCell,
    InstanceLine,
    Mention,
    ResultLine,
    RunDetail,
    RunLine,
    Usual,
    VersionDetail,
    VersionLine,
)

_END = 2**63 - 1


def run(reader: Reader, run: int) -> RunDetail:
    """A run by its key. Raises NotFound."""
    row = reader.one("run", "run", {"run": run})
    if row is None:
        raise NotFound(f"there is no run with the key {run}")
    return RunDetail._make((*row[:15], json.loads(row[15]), *row[16:18], bool(row[18]), row[19], row[20]))


def run_config(reader: Reader, run: int) -> dict[str, Any]:
    """A run's effective configuration: its environment, where params came from, `[config]`. Empty if there is none."""
    row = reader.one("run", "run_config", {"run": run})
    found: dict[str, Any] = json.loads(row[0]) if row is not None else {}
    return found


def runs(
    reader: Reader,
    *,
    dag_id: str | None = None,
    state: str | None = None,
    before: RunLine | None = None,
    count: int = 50,
) -> list[RunLine]:
    """A page of runs, newest first (of one DAG: by logical date; else by creation), going on after `before`."""
    values = {
        "dag_id": dag_id,
        "state": state,
        "count": count,
        "id": before.id if before else _END,
        "logical_date": before.logical_date if before else _END,
    }
    name = "latest_runs" if dag_id is None else "runs_of_dag"
    if state is not None:
        name += "_in_state"
    return [RunLine._make(row) for row in reader.all("run", name, values)]


def instances(reader: Reader, run: int) -> list[InstanceLine]:
    """All task instances of a run, in the order of their making (topological)."""
    return [_instance(row) for row in reader.all("run", "instances", {"run": run})]


def instances_by_id(reader: Reader, ids: Iterable[int]) -> list[InstanceLine]:
    """Task instances by their keys; those that are gone are left out."""
    return [_instance(row) for row in reader.all("run", "instances_by_id", {"ids": json.dumps(list(ids))})]


def instances_of_task(reader: Reader, run: int, task_id: str) -> list[InstanceLine]:
    """The instances of one task in a run: one, or one per map index."""
    return [_instance(row) for row in reader.all("run", "instances_of_task", {"run": run, "task_id": task_id})]


def attempts(reader: Reader, task_instance: int) -> list[AttemptLine]:
    """All attempts of a task instance, oldest first."""
    values = {"task_instance": task_instance}
    return [AttemptLine._make(row) for row in reader.all("run", "attempts", values)]


def newest_attempts(reader: Reader, run: int) -> dict[int, AttemptLine]:
    """The newest attempt of each task instance of a run, by task instance."""
    return {row[1]: AttemptLine._make(row) for row in reader.all("run", "newest_attempts", {"run": run})}


def attempts_by_id(reader: Reader, ids: Iterable[str]) -> list[AttemptLine]:
    """Attempts by their ids; those that are gone are left out."""
    return [AttemptLine._make(row) for row in reader.all("run", "attempts_by_id", {"ids": json.dumps(list(ids))})]


def episodes(reader: Reader, run: int) -> list[EpisodeLine]:
    """The episodes of a run, the first one first."""
    return [EpisodeLine._make(row) for row in reader.all("run", "episodes", {"run": run})]


def callbacks(reader: Reader, run: int) -> list[CallbackLine]:
    """The callbacks of a run, oldest first."""
    return [CallbackLine._make(row) for row in reader.all("run", "callbacks", {"run": run})]


def grid(reader: Reader, runs: Iterable[int]) -> list[GridCell]:
    """The states of all task instances of some runs, run by run in the order given."""
    return [GridCell._make(row) for row in reader.all("run", "grid", {"runs": json.dumps(list(runs))})]


def task_stats(reader: Reader, dag_id: str, task_ids: Iterable[str], now: Micros) -> dict[str, Usual]:
    """How long the tasks of a DAG usually take, by the attempts that succeeded."""
    values = {"dag_id": dag_id, "task_ids": json.dumps(list(task_ids)), "since": now - WINDOW}
    return {task_id: usual(durations) for task_id, durations in reader.all("run", "task_durations", values)}


def task_times(reader: Reader, dag_id: str, task_ids: Iterable[str], now: Micros) -> dict[str, str | None]:
    """By task, its last successes as `ended:took:waited` with commas between, in microseconds; None without any."""
    values = {"dag_id": dag_id, "task_ids": json.dumps(list(task_ids)), "since": now - WINDOW, "backfills": 0}
    return {row[0]: row[1] for row in reader.all("run", "task_times", values)}


def mentions(reader: Reader, run: int, since: Micros) -> list[Mention]:
    """Who changed the run and its task instances by a command since then: for each row the last one."""
    return [Mention._make(row) for row in reader.all("run", "mentions", {"run": run, "since": since})]


def version(reader: Reader, version_id: int) -> VersionDetail:
    """A DAG version by its key. Raises NotFound."""
    row = reader.one("run", "version", {"id": version_id})
    if row is None:
        raise NotFound(f"there is no DAG version with the key {version_id}")
    return VersionDetail._make(row)


def versions(reader: Reader, dag_id: str, count: int = 50) -> list[VersionLine]:
    """The versions of a DAG, newest first."""
    return [VersionLine._make(row) for row in reader.all("run", "versions_of_dag", {"dag_id": dag_id, "count": count})]


def result(reader: Reader, task_instance: int) -> ResultLine | None:
    """The newest result of a task instance, if it has one."""
    row = reader.one("run", "result", {"task_instance": task_instance})
    return ResultLine._make(row) if row else None


def _instance(row: Row) -> InstanceLine:
    return InstanceLine._make((*row[:17], blockers(row[17]), *row[18:]))

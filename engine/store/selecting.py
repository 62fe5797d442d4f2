"""Which DAGs, runs or task instances an expression means, as the store has them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from engine.model.moments import Micros
from engine.model.selection import Row, Selection
from engine.store.reader import Reader

Kind: TypeAlias = Literal["tasks", "runs", "dags"]

MOST_READ = 200_000
"""Rows that are looked at for one expression; narrower ones by state, DAG and age read less."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was found: ids of DAGs, or of runs, or of task instances by run."""

    dag_ids: list[str] = field(default_factory=list)
    run_ids: list[str] = field(default_factory=list)
    tasks: dict[str, list[int]] = field(default_factory=dict)
    cut: bool = False
    """There was more to look at than is looked at."""

    @property
    def count(self) -> int:
        """How many."""
        return len(self.dag_ids) + len(self.run_ids) + sum(map(len, self.tasks.values()))


@dataclass(frozen=True, slots=True)
class _Dag:
    state: str
    owner: str
    tags: tuple[str, ...]
    at: Micros


def choose(reader: Reader, selection: Selection, kind: Kind, now: Micros) -> Chosen:
    """What an expression means now."""
    with reader.snapshot():
        dags = {
            row[0]: _Dag(row[1], row[2] or "", tuple(json.loads(row[3])), row[4])
            for row in reader.all("select", "dags")
        }
        if kind == "dags":
            return Chosen(dag_ids=[name for name, dag in dags.items() if selection.takes(_dag_row(name, dag), now)])
        values = {**_narrowed(selection, dags, now), "most": MOST_READ}
        return _runs(reader, selection, dags, values, now) if kind == "runs" else _tasks(
            reader, selection, dags, values, now
        )  # fmt: skip


def _dag_row(name: str, dag: _Dag) -> Row:
    return Row(name, state=dag.state, at=dag.at, owner=dag.owner, tags=dag.tags)


def _narrowed(selection: Selection, dags: dict[str, _Dag], now: Micros) -> dict[str, str | int | None]:
    """What the store can leave out by itself."""
    about = Selection(tuple(term for term in selection.terms if term.key in ("dag", "tag", "owner")))
    fitting = [name for name, dag in dags.items() if about.takes(_dag_row(name, dag), now)]
    states = selection.wanted("state")
    return {
        "dags": json.dumps(fitting),
        "states": json.dumps(states) if states else None,
        "since": selection.since(now),
    }


def _runs(
    reader: Reader, selection: Selection, dags: dict[str, _Dag], values: dict[str, str | int | None], now: Micros
) -> Chosen:
    rows = reader.all("select", "runs", values)
    found = []
    for run_id, dag_id, state, reason, at, run_type in rows:
        dag = dags[dag_id]
        row = Row(dag_id, run_id, "", state, reason or "", "", at, run_type, "", dag.owner, dag.tags)
        if selection.takes(row, now):
            found.append(run_id)
    return Chosen(run_ids=found, cut=len(rows) == MOST_READ)


def _tasks(
    reader: Reader, selection: Selection, dags: dict[str, _Dag], values: dict[str, str | int | None], now: Micros
) -> Chosen:
    rows = reader.all("select", "tasks", values)
    pools: dict[tuple[int, str], str] = {}
    if any(term.key == "pool" for term in selection.terms):
        versions = json.dumps(sorted({row[9] for row in rows}))
        pools = {(row[0], row[1]): row[2] for row in reader.all("select", "pools", {"versions": versions})}
    found: dict[str, list[int]] = {}
    for key, run_id, dag_id, task_id, state, reason, at, run_type, error, version in rows:
        dag, pool = dags[dag_id], pools.get((version, task_id), "")
        row = Row(dag_id, run_id, task_id, state, reason or "", error or "", at, run_type, pool, dag.owner, dag.tags)
        if selection.takes(row, now):
            found.setdefault(run_id, []).append(key)
    return Chosen(tasks=found, cut=len(rows) == MOST_READ)


def command_by_number(reader: Reader, number: int) -> str | None:
    """The id of a command, by its number in the audit."""
    row = reader.one("select", "command_by_number", {"number": number})
    return None if row is None else str(row[0])


def runs_beside(reader: Reader, run_id: str, *, past: bool, future: bool) -> list[str]:
    """Runs of the same DAG with earlier or later logical dates, oldest first."""
    values = {"run_id": run_id, "past": int(past), "future": int(future)}
    return [row[0] for row in reader.all("select", "runs_beside", values)]

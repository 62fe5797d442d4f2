"""Which DAGs, runs or task instances an expression means, as the store has them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from engine.model.moments import Micros
from engine.model.states import RunState, TaskState
from engine.model.terms import Facts, Terms
from engine.store.reader import Reader

Kind: TypeAlias = Literal["tasks", "runs", "dags"]

STATES = frozenset({state.value for state in (*TaskState, *RunState)} | {"active", "inactive", "broken"})
"""States of DAGs, runs and task instances that an expression can name."""

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


def choose(reader: Reader, terms: Terms, kind: Kind) -> Chosen:
    """What an expression means."""
    with reader.snapshot():
        dags = {
            row[0]: _Dag(row[1], row[2] or "", tuple(json.loads(row[3])), row[4])
            for row in reader.all("select", "dags")
        }
        if kind == "dags":
            return Chosen(dag_ids=[name for name, dag in dags.items() if terms.hold(_dag_facts(name, dag))])
        values = {**_narrowed(terms, dags), "most": MOST_READ}
        return (_runs if kind == "runs" else _tasks)(reader, terms, dags, values)


def _dag_facts(name: str, dag: _Dag) -> Facts:
    fields = {"dag": (name,), "state": (dag.state,), "tag": dag.tags, "owner": (dag.owner,)}
    return Facts((name,), fields, " ".join((*dag.tags, dag.owner)), dag.at)


def _narrowed(terms: Terms, dags: dict[str, _Dag]) -> dict[str, str | int | None]:
    """What the store can leave out by itself."""
    if terms.inverted:
        return {"dags": json.dumps(list(dags)), "states": None, "since": None}
    about = Terms("", tuple(term for term in terms.terms if term.key in ("dag", "tag", "owner")))
    states = [term for term in terms.terms if term.key == "state"]
    since = [term.low for term in terms.terms if term.key == "since" and not term.inverted and term.low is not None]
    fitting = [state for state in STATES if all(term.holds(Facts(fields={"state": (state,)})) for term in states)]
    return {
        "dags": json.dumps([name for name, dag in dags.items() if about.hold(_dag_facts(name, dag))]),
        "states": json.dumps(fitting) if states else None,
        "since": max(since) if since else None,
    }


def _runs(reader: Reader, terms: Terms, dags: dict[str, _Dag], values: dict[str, str | int | None]) -> Chosen:
    rows = reader.all("select", "runs", values)
    found = []
    for run_id, dag_id, state, at, run_type, by, logical in rows:
        facts = _facts(dags[dag_id], dag_id, run_id, state, run_type, by)
        if terms.hold(facts._replace(at=at, logical=logical)):
            found.append(run_id)
    return Chosen(run_ids=found, cut=len(rows) == MOST_READ)


def _tasks(reader: Reader, terms: Terms, dags: dict[str, _Dag], values: dict[str, str | int | None]) -> Chosen:
    rows = reader.all("select", "tasks", values)
    pools: dict[tuple[int, str], str] = {}
    if any(term.key == "pool" for term in terms.terms):
        versions = json.dumps(sorted({row[10] for row in rows}))
        pools = {(row[0], row[1]): row[2] for row in reader.all("select", "pools", {"versions": versions})}
    found: dict[str, list[int]] = {}
    for key, run_id, dag_id, task_id, state, at, run_type, by, logical, error, version in rows:
        facts = _facts(dags[dag_id], dag_id, run_id, state, run_type, by)
        own = {"task": (task_id,), "error": (error,) if error else (), "pool": (pools.get((version, task_id), ""),)}
        whole = Facts((*facts.names, task_id), {**facts.fields, **own}, f"{facts.text} {error or ''}", at, logical)
        if terms.hold(whole):
            found.setdefault(run_id, []).append(key)
    return Chosen(tasks=found, cut=len(rows) == MOST_READ)


def _facts(dag: _Dag, dag_id: str, run_id: str, state: str, run_type: str, by: str | None) -> Facts:
    fields = {
        "dag": (dag_id,),
        "run": (run_id,),
        "state": (state,),
        "type": (run_type,),
        "tag": dag.tags,
        "owner": (dag.owner,),
        "by": (by,) if by else (),
    }
    return Facts((dag_id, run_id), fields, " ".join((*dag.tags, dag.owner)))


def command_by_number(reader: Reader, number: int) -> str | None:
    """The id of a command, by its number in the audit."""
    row = reader.one("select", "command_by_number", {"number": number})
    return None if row is None else str(row[0])


def runs_beside(reader: Reader, run_id: str, *, past: bool, future: bool) -> list[str]:
    """Runs of the same DAG with earlier or later logical dates, oldest first."""
    values = {"run_id": run_id, "past": int(past), "future": int(future)}
    return [row[0] for row in reader.all("select", "runs_beside", values)]

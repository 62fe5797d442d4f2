"""Running a DAG of a file in this process, without an engine: task by task, in order, each with its trigger rule."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.authoring.connections import give
from engine.authoring.dag import DAG
from engine.authoring.exceptions import SkipTask
from engine.authoring.mapping import ELEMENT
from engine.authoring.params import resolve_params
from engine.authoring.references import resolve_item, resolve_text
from engine.authoring.running import call_callback, call_task, followed
from engine.authoring.serialize import serialize
from engine.authoring.templates import to_text
from engine.graph import Graph
from engine.model.attempt_files import AttemptSpec
from engine.model.dag import TaskSpec
from tests.support.dag_files import attempt
from tests.support.lifecycle_oracle import Shape

_ENDS = {"skip": "skipped", "fail": "upstream_failed"}


@dataclass
class Outcome:
    """What came of a run."""

    states: dict[str, str] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)
    decisions: dict[str, list[str] | None] = field(default_factory=dict)
    """What deciders chose; None where nothing is left out."""
    printed: dict[str, str] = field(default_factory=dict)
    """Standard output of shell tasks."""


def run(dag: DAG, *, params: Mapping[str, Any] | None = None, first_try: int = 1, **about: Any) -> Outcome:
    """Runs every task whose rule is met. A task that fails is tried again at once, as often as it says."""
    spec = serialize(dag, "f.py")
    values = resolve_params(spec.params, params or {})
    tasks = {task.task_id: task for task in spec.tasks}
    give({name: {"uri": "https://x.example", "token": "t0ken"} for task in spec.tasks for name in task.connections})
    outcome = Outcome()
    for task_id in Graph({task.task_id: task.upstream for task in spec.tasks}).topological():
        task = tasks[task_id]
        verdict = Shape(spec).expected(task_id, outcome.states, outcome.decisions, forced=False, indexes={})
        if verdict in _ENDS:
            outcome.states[task_id], outcome.decisions[task_id] = _ENDS[verdict], None
            continue
        if task.mapped:
            _map(dag, task, outcome, {"params": values, **about}, first_try)
        else:
            _try(dag, task, outcome, {"params": values, **about}, first_try)
    return outcome


def _map(dag: DAG, task: TaskSpec, outcome: Outcome, about: dict[str, Any], first_try: int) -> None:
    """Every index of a task that is mapped over one whole result, one after the other."""
    [source] = task.mapped
    results, printed = [], ""
    for map_index, item in enumerate(outcome.results[source.ref["$result"]]):
        item_of = {ELEMENT + source.name: item}
        _try(dag, task, outcome, {**about, "map_index": map_index}, first_try, item_of)
        results.append(outcome.results.pop(task.task_id, None))
        printed += outcome.printed.pop(task.task_id, "")
    outcome.results[task.task_id], outcome.printed[task.task_id] = results, printed


def _try(
    dag: DAG,
    task: TaskSpec,
    outcome: Outcome,
    about: dict[str, Any],
    first_try: int,
    items: Mapping[str, Any] | None = None,
) -> None:
    inputs = {**{name: outcome.results.get(name) for name in task.inputs}, **(items or {})}
    for number in range(first_try, first_try + task.retry.retries + 1):
        spec = attempt(dag.dag_id, task.task_id, number=number, inputs=inputs, **about)
        outcome.attempts[task.task_id] = number
        state, error = _attempt(dag, task, spec, outcome)
        outcome.states[task.task_id] = state
        again = state == "failed" and number < first_try + task.retry.retries and "PermanentError" not in (error or "")
        _call_back(dag, task, spec, "on_retry" if again else {"success": "on_success"}.get(state, "on_failure"), error)
        if not again:
            return


def _attempt(dag: DAG, task: TaskSpec, spec: AttemptSpec, outcome: Outcome) -> tuple[str, str | None]:
    try:
        if task.approval is not None:
            filled = {name: param.default for name, param in task.approval.params.items()}
            outcome.results[task.task_id] = {"option": task.approval.options[0], "params": filled, "by": "x", "at": "y"}
        elif task.kind == "shell":
            outcome.printed[task.task_id] = _shell(task, spec)
        else:
            inputs = {name: ref.value for name, ref in spec.inputs.items()}
            value = call_task(dag, spec, inputs)
            assert json.loads(json.dumps(value, allow_nan=False)) == value, f"{task.task_id} returns no JSON value"
            outcome.results[task.task_id] = value
            outcome.decisions[task.task_id] = followed(dag, task.task_id, value)
    except SkipTask:
        return "skipped", None
    except AssertionError:
        raise
    except Exception as problem:
        return "failed", f"{type(problem).__name__}: {problem}"
    return "success", None


def _shell(task: TaskSpec, spec: AttemptSpec) -> str:
    about = spec.context
    env = {
        "PATH": os.defpath,
        "DAGDECK_DS": about.logical_date[:10],
        **{f"DAGDECK_PARAM_{name.upper()}": to_text(value) for name, value in about.params.items()},
        **{name: resolve_text(value, spec) for name, value in task.env.items()},
        **{source.name: resolve_item(source, spec.inputs[ELEMENT + source.name], spec) for source in task.mapped},
        "DAGDECK_MAP_INDEX": str(spec.map_index),
    }
    command = ["/bin/sh", "-c", task.command] if isinstance(task.command, str) else list(task.command or [])
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True)
    return done.stdout


def _call_back(dag: DAG, task: TaskSpec, spec: AttemptSpec, name: str, error: str | None) -> None:
    if getattr(task.callbacks, name):
        spec.callback, spec.error = name, error
        call_callback(dag, spec)

"""What an attempt is given: its place in time, its inputs, and an environment that holds nothing by accident."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.authoring.exceptions import PermanentError
from engine.config import Settings
from engine.execution.port import LaunchOrder
from engine.home import Home
from engine.lifecycle.plan import compile_plan
from engine.model.attempt_files import InputRef
from engine.model.dag import DagSpec, RetryPolicy, ScheduleSpec, TaskSpec
from engine.model.moments import DAY, from_iso
from engine.model.rows import Attempt, Run, TaskInstance
from engine.model.states import AttemptState, RunState, RunType
from engine.scheduler.dispatch import CallbackCall, Dispatcher, Places, Version

DATE = from_iso("2026-07-01T22:00:00Z")
RUN = Run(
    1, "etl@20260701T220000Z", "etl", 1, RunType.SCHEDULED, RunState.RUNNING, DATE, DATE, DATE + DAY, DATE + DAY, DATE,
    params={"env": "prod", "rows": 3, "deep": {"a": [1]}},
)  # fmt: skip
ATTEMPT = Attempt("01ARZ3NDEKTSV4RRFFQ69G5FAV", 7, 2, AttemptState.QUEUED, DATE)
SETTINGS = Settings("test", env={"A": "home", "B": "home", "C": "home"})


def version(*tasks: TaskSpec, **dag: Any) -> Version:
    """A version of a DAG that runs by Berlin's days."""
    spec = DagSpec("etl", "folder/etl.py", list(tasks), schedule=ScheduleSpec("@daily", "Europe/Berlin"))
    return Version(1, compile_plan(replace(spec, **dag), 1), "b1")


def order(root: Path, task: TaskSpec, results: dict[str, InputRef] | None = None, **dag: Any) -> LaunchOrder:
    """The order for the second attempt of one task."""
    dispatcher = Dispatcher(Places(Home(root), "/usr/bin/python3"), SETTINGS)
    above = [TaskSpec(name, "python") for name in task.upstream]
    instance = TaskInstance(7, 1, task.task_id, -1)
    return dispatcher.order(version(*above, task, **dag), RUN, instance, ATTEMPT, results or {})


def test_the_environment_comes_from_the_home_then_the_dag_then_the_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is nearer wins, and nothing of the engine's own environment gets in."""
    monkeypatch.setenv("SSH_AUTH_SOCK", "/tmp/agent")
    task = TaskSpec("a", "shell", command="true", env={"C": "task"})
    env = order(tmp_path, task, env={"B": "dag", "C": "dag"}).spec.env
    assert (env["A"], env["B"], env["C"], env["TZ"]) == ("home", "dag", "task", "UTC")
    own = {name for name in env if not name.startswith("DAGDECK_")}
    assert own == {"PATH", "HOME", "LANG", "TZ", "A", "B", "C", "TRACEPARENT"}


def test_an_attempt_knows_where_and_when_it_is(tmp_path: Path) -> None:
    """Moments are UTC with Z; beside them stand the local moment and the local day of the DAG's zone."""
    made = order(tmp_path, TaskSpec("a", "python", retry=RetryPolicy(retries=4)))
    env, context = made.spec.env, made.spec.context
    assert env["DAGDECK_LOGICAL_DATE"] == context.logical_date == "2026-07-01T22:00:00Z"
    assert env["DAGDECK_LOGICAL_DATE_LOCAL"] == "2026-07-02T00:00:00+02:00"
    assert env["DAGDECK_DS"] == "2026-07-02"
    assert env["DAGDECK_DATA_INTERVAL_END"] == context.data_interval_end == "2026-07-02T22:00:00Z"
    assert (env["DAGDECK_TRY_NUMBER"], context.max_tries) == ("2", 5)
    assert (env["DAGDECK_RUN_ID"], env["DAGDECK_ATTEMPT_ID"]) == (RUN.run_id, ATTEMPT.id)
    assert made.spec.cwd == str(tmp_path / "dags" / "folder")
    assert made.spec.bundle == str(tmp_path / "versions" / "b1")


def test_params_reach_a_shell_as_texts(tmp_path: Path) -> None:
    """Text as it is, everything else as JSON."""
    env = order(tmp_path, TaskSpec("a", "shell", command="true")).spec.env
    assert (env["DAGDECK_PARAM_ENV"], env["DAGDECK_PARAM_ROWS"]) == ("prod", "3")
    assert env["DAGDECK_PARAM_DEEP"] in ('{"a": [1]}', '{"a":[1]}')


def test_a_script_and_a_program_are_told_apart(tmp_path: Path) -> None:
    """A text is a script for `sh -c`, a list is a program with its arguments, taken as they are."""
    assert order(tmp_path, TaskSpec("a", "shell", command="echo $X; true")).spec.argv == [
        "/bin/sh",
        "-c",
        "echo $X; true",
    ]
    assert order(tmp_path, TaskSpec("a", "shell", command=["echo", "$X; true"])).spec.argv == ["echo", "$X; true"]
    assert order(tmp_path, TaskSpec("a", "python")).spec.argv == []


def test_results_of_upstream_tasks_are_its_inputs(tmp_path: Path) -> None:
    """Only those that it asked for, inline or as a path; an upstream without a result gives none."""
    task = TaskSpec("c", "python", upstream=["a", "b", "x"], inputs=["a", "b"])
    made = order(tmp_path, task, {"a": InputRef(value={"n": 1}), "x": InputRef(value=2)})
    assert made.spec.inputs == {"a": InputRef(value={"n": 1}), "b": InputRef()}


def test_a_result_in_an_environment_is_text(tmp_path: Path) -> None:
    """A reference to an upstream's result is resolved when the attempt starts."""
    task = TaskSpec("c", "shell", upstream=["a"], inputs=["a"], command="true", env={"N": {"$result": "a"}})
    assert order(tmp_path, task, {"a": InputRef(value=14)}).spec.env["N"] == "14"


def test_a_result_that_no_environment_can_hold_is_a_permanent_error(tmp_path: Path) -> None:
    """A result that is kept as a file is too large for a variable: the attempt cannot be ordered, and never will."""
    task = TaskSpec("c", "shell", upstream=["a"], inputs=["a"], command="true", env={"N": {"$result": "a"}})
    with pytest.raises(PermanentError):
        order(tmp_path, task, {"a": InputRef(path="/somewhere/result.json")})


def test_the_interpreter_is_the_dags_or_the_homes(tmp_path: Path) -> None:
    """Isolated tasks start cold; the grace is the task's."""
    assert order(tmp_path, TaskSpec("a", "python")).python == "/usr/bin/python3"
    made = order(tmp_path, TaskSpec("a", "python", isolate=True, grace=3.0), python="/opt/python3.12/bin/python")
    assert (made.python, made.cold, made.grace) == ("/opt/python3.12/bin/python", True, 3.0)


def test_a_callback_runs_in_its_runs_context(tmp_path: Path) -> None:
    """It is told which callback of which task it is, and about which failure."""
    dispatcher = Dispatcher(Places(Home(tmp_path), "/usr/bin/python3"), SETTINGS)
    call = CallbackCall("01ARZ3NDEKTSV4RRFFQ69G5FAW", "on_failure", "a", "ValueError: no")
    spec = dispatcher.callback(version(TaskSpec("a", "python")), RUN, call).spec
    assert (spec.kind, spec.callback, spec.task_id, spec.error) == ("callback", "on_failure", "a", "ValueError: no")
    assert spec.context.logical_date == "2026-07-01T22:00:00Z"


def test_traces_of_a_run_belong_together(tmp_path: Path) -> None:
    """All attempts of a run share a trace id; each has a span of its own."""
    first = order(tmp_path, TaskSpec("a", "python")).spec.env["TRACEPARENT"].split("-")
    again = order(tmp_path, TaskSpec("b", "python")).spec.env["TRACEPARENT"].split("-")
    assert [len(part) for part in first] == [2, 32, 16, 2]
    assert first == again

"""Running one task or callback: context, arguments, results."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from dagdeck import DAG, SkipTask, TaskContext, shell, task
from engine.authoring.context import CONTEXT_FIELDS
from engine.authoring.exceptions import TaskMissing
from engine.authoring.running import call_callback, call_task
from tests.support.dag_files import attempt

BERLIN_DAY = {"logical_date": "2024-03-30T23:00:00Z", "interval_end": "2024-03-31T22:00:00Z", "zone": "Europe/Berlin"}


def returned(function: Any, **about: Any) -> Any:
    """What the function returns as a task of a DAG."""
    with DAG("d") as dag:
        made = task(task_id="t")(function)()
    return call_task(dag, attempt("d", made.task_id, **about), {})


def test_context_fields_come_by_parameter_name() -> None:
    """Each field that a task names is given to it."""

    def body(ds, run_id, dag_id, task_id, try_number, max_tries, map_index, run_type, params):
        return [ds, run_id, dag_id, task_id, try_number, max_tries, map_index, run_type, params]

    assert returned(body, number=2, params={"a": 1}) == [
        "2024-01-15", "d@20240115T000000Z", "d", "t", 2, 3, -1, "scheduled", {"a": 1},
    ]  # fmt: skip


def test_datetimes_are_aware_and_in_the_dags_zone() -> None:
    """A Berlin day's date is the Berlin day, also on the day that has 23 hours."""

    def body(logical_date, execution_date, data_interval_start, data_interval_end, ds):
        assert logical_date == execution_date == data_interval_start
        return [logical_date.isoformat(), data_interval_end.isoformat(), logical_date.date(), ds]

    assert returned(body, **BERLIN_DAY) == [
        "2024-03-31T00:00:00+01:00",
        "2024-04-01T00:00:00+02:00",
        date(2024, 3, 31),
        "2024-03-31",
    ]


def test_the_whole_context_comes_as_ctx_or_as_keywords() -> None:
    """`ctx` holds every field by key and by attribute; `**context` every field that is not named."""

    def by_ctx(ctx: TaskContext) -> Any:
        assert ctx.ds == ctx["ds"]
        return sorted(ctx)

    def by_keywords(execution_date: Any, **context: Any) -> Any:
        return sorted([*context, "execution_date"])

    def optional(ctx: Any = None, ds: Any = None) -> Any:
        return [ctx["ds"], ds]

    assert returned(by_ctx) == returned(by_keywords) == sorted(CONTEXT_FIELDS)
    assert returned(optional) == ["2024-01-15", "2024-01-15"]


def test_an_unknown_field_of_ctx_names_those_there_are() -> None:
    """A misspelt attribute is explained."""
    with pytest.raises(AttributeError, match="the context has no 'date'; it has logical_date, execution_date"):
        returned(lambda ctx: ctx.date)


def test_what_the_call_gives_goes_before_the_context() -> None:
    """An argument named like a context field is the argument."""

    @task
    def body(ds: str, run_id: str) -> list[str]:
        return [ds, run_id]

    with DAG("d") as dag:
        body("mine")
        body(run_id="other")
    assert call_task(dag, attempt("d", "body"), {}) == ["mine", "d@20240115T000000Z"]
    assert call_task(dag, attempt("d", "body__1"), {}) == ["2024-01-15", "other"]


def test_positional_variable_and_keyword_arguments_arrive() -> None:
    """Every form of a call is passed on as it was written."""

    @task
    def body(first: int, *rest: int, named: int = 0, **more: Any) -> Any:
        return [first, list(rest), named, more["extra"], more["ds"]]

    with DAG("d") as dag:
        body(1, 2, 3, named=4, extra="{ds}")
    assert call_task(dag, attempt("d", "body"), {}) == [1, [2, 3], 4, "2024-01-15", "2024-01-15"]


def test_a_coroutine_function_is_a_task_too() -> None:
    """`async def` tasks are run to their end."""

    async def body(ds: str) -> str:
        return ds

    assert returned(body) == "2024-01-15"


def test_what_a_task_raises_passes_through() -> None:
    """The caller sees the task's own exception."""

    def body() -> None:
        raise SkipTask("nothing to do")

    with pytest.raises(SkipTask, match="nothing to do"):
        returned(body)


def test_a_task_that_is_gone_or_has_become_a_command_says_so() -> None:
    """An attempt of a task that the file no longer defines fails for good."""
    with DAG("d") as dag:
        shell("sh", "true")
    with pytest.raises(TaskMissing, match="DAG 'd' has no task 'gone'; it has: sh"):
        call_task(dag, attempt("d", "gone"), {})
    with pytest.raises(TaskMissing, match="task 'sh' of DAG 'd' is not a Python task any more"):
        call_task(dag, attempt("d", "sh"), {})


def test_callbacks_receive_the_context_and_the_error() -> None:
    """Every function of the list is called with the same fields as a task has, and with the error's text."""
    heard: list[Any] = []
    with DAG("d") as dag:
        shell("sh", "true", on_failure_callback=[lambda ctx: heard.append((ctx["ds"], ctx["error"])), heard.append])
    call_callback(dag, attempt("d", "sh", callback="on_failure", error="ValueError: x"))
    assert heard[0] == ("2024-01-15", "ValueError: x")
    assert (heard[1].exception, heard[1].task_id) == ("ValueError: x", "sh")


def test_a_dags_own_callback_has_no_task() -> None:
    """An attempt without a task id runs the callback of the DAG."""
    heard: list[Any] = []
    dag = DAG("d", on_success_callback=lambda context: heard.append(context["dag_id"]))
    call_callback(dag, attempt("d", "", callback="on_success"))
    assert heard == ["d"]


def test_one_failing_callback_does_not_stop_the_others() -> None:
    """All run; the first exception is raised at the end."""
    heard: list[Any] = []

    def broken(context: Any) -> None:
        raise RuntimeError("mail server is down")

    dag = DAG("d", on_failure_callback=[broken, heard.append])
    with pytest.raises(RuntimeError, match="mail server is down"):
        call_callback(dag, attempt("d", "", callback="on_failure"))
    assert len(heard) == 1


def test_a_callback_that_is_gone_says_so() -> None:
    """The DAG may have lost its callback since the attempt was ordered."""
    with pytest.raises(TaskMissing, match="on_failure_callback is not defined any more in DAG 'd'"):
        call_callback(DAG("d"), attempt("d", "", callback="on_failure"))

"""Mapped tasks and task groups as authors write them, and what becomes of them in the serialized DAG."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from dagdeck import shell, task
from engine.authoring.dag import DAG
from engine.authoring.exceptions import DefinitionError, TaskMissing
from engine.authoring.groups import TaskGroup, task_group
from engine.authoring.mapping import ELEMENT, place_in
from engine.authoring.running import call_task
from engine.authoring.serialize import serialize
from engine.model.dag import MapSource, TaskSpec
from tests.support.dag_files import attempt


@task
def numbers() -> list[int]:
    return [1, 2]


@task
def add(number: int, more: int = 0) -> int:
    return number + more


def specs(dag: DAG) -> dict[str, TaskSpec]:
    """The serialized tasks."""
    return {spec.task_id: spec for spec in serialize(dag, "f.py").tasks}


def test_a_result_is_mapped_over_by_an_edge_and_a_reference() -> None:
    """The mapped task waits for its source, and is not handed the whole of it."""
    with DAG("d") as dag:
        add.partial(more=1).expand(number=numbers()["rows"])
    spec = specs(dag)["add"]
    assert (spec.upstream, spec.inputs) == (["numbers"], [])
    assert spec.mapped == [MapSource("number", {"$result": "numbers", "$path": ["rows"]})]


def test_a_list_in_the_file_is_serialized_by_its_length() -> None:
    """A Python task finds its items in its own code; a dict is mapped over by its pairs."""
    with DAG("d") as dag:
        add.expand(number=[1, 2, 3], more={"a": 1})
    assert specs(dag)["add"].mapped == [MapSource("number", length=3), MapSource("more", length=1)]


def test_an_index_runs_with_its_items() -> None:
    """Items come from the inputs for a result, and from the list in the file by their place."""
    with DAG("d") as dag:
        add.expand(number=numbers(), more=[10, 20])
    inputs = {ELEMENT + "number": 5, ELEMENT: {"more": 1}}
    assert call_task(dag, attempt("d", "add", map_index=3), inputs) == 25


def test_an_item_that_is_gone_from_the_file_is_said() -> None:
    """A list that became shorter fails the attempt for good, with words."""
    with DAG("d") as dag:
        add.expand(number=[1])
    with pytest.raises(TaskMissing, match="has no item 4"):
        call_task(dag, attempt("d", "add", map_index=4), {ELEMENT: {"number": 4}})


def test_a_mapped_shell_task_gets_its_item_as_a_variable() -> None:
    """Each name given to expand is an environment variable."""
    with DAG("d") as dag:
        shell("copy", 'cp "$FILE" /backup').expand(FILE=["a", {"deep": [1]}])
    assert specs(dag)["copy"].mapped == [MapSource("FILE", length=2, values=["a", {"deep": [1]}])]


def test_several_lists_make_every_combination() -> None:
    """The last one changes fastest."""
    assert [place_in([2, 3], index) for index in range(6)] == [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: add.expand(), "needs a list"),
        (lambda: add.expand(number="text"), "expand(number='text') is not allowed"),
        (lambda: add.expand(number=3), "use a list, a dict, a param"),
        (lambda: add.partial(number=1).expand(number=[1]), "given to partial() and to expand()"),
        (lambda: add.expand(numbr=[1]), "unexpected keyword argument"),
        (lambda: add.expand(more=[1]), "needs a value for 'number'"),
        (lambda: add(1).expand(more=[1]), "is called already: write add.expand(...)"),
        (lambda: shell("s", "true").expand(**{"no-name": [1]}), "environment variables"),
        (lambda: shell("s", "true").expand(A=[1]).expand(B=[1]), "is mapped already"),
        (lambda: shell("s", "true").expand(A=[object()]), "cannot be given to a command"),
        (lambda: add.expand(number=shell("s", "true")), "has no result to pass on"),
    ],
)
def test_what_cannot_be_mapped_is_refused(make: Callable[[], Any], said: str) -> None:
    """Each mistake is named where it is made."""
    with pytest.raises(DefinitionError, match=re.escape(said)), DAG("d") as dag:
        make()
        serialize(dag, "f.py")


def test_a_mapped_task_plays_no_part_but_work() -> None:
    """A setup, a teardown or a branch is one instance: mapping it is refused."""
    with pytest.raises(DefinitionError, match="cannot be mapped"), DAG("d") as dag:
        numbers() >> add.expand(number=[1]).as_teardown()
        serialize(dag, "f.py")


def test_groups_prefix_ids_and_are_wired_as_one() -> None:
    """An edge to a group leads to its first tasks, one from it comes from its last ones, groups in it included."""
    with DAG("d") as dag:
        start = shell("start", "true")
        with TaskGroup("outer") as outer:
            first = shell("first", "true")
            with TaskGroup("inner") as inner:
                shell("a", "true") >> shell("b", "true")
            first >> inner
        start >> outer >> shell("end", "true")
    made = specs(dag)
    assert list(made) == ["start", "outer.first", "outer.inner.a", "outer.inner.b", "end"]
    assert made["outer.first"].upstream == ["start"]
    assert made["outer.inner.a"].upstream == ["outer.first"]
    assert made["end"].upstream == ["outer.inner.b"]
    assert (made["outer.inner.a"].group, made["outer.first"].group, made["end"].group) == ("outer.inner", "outer", None)


def test_a_group_function_may_be_called_again() -> None:
    """Each call is a group of its own, and gives what the function returns."""

    @task_group
    def steps(number: Any) -> Any:
        return add(number)

    with DAG("d") as dag:
        steps(steps(1))
    made = specs(dag)
    assert list(made) == ["steps.add", "steps__1.add"]
    assert made["steps__1.add"].upstream == ["steps.add"]


def test_a_group_can_leave_ids_alone() -> None:
    """Without the prefix the tasks are in the group under their own ids."""
    with DAG("d") as dag, TaskGroup("g", prefix_group_id=False):
        shell("a", "true")
    assert specs(dag)["a"].group == "g"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: TaskGroup("a.b"), "task group id 'a.b' is not allowed"),
        (lambda: (TaskGroup("g"), TaskGroup("g")), "task group id 'g' is used twice"),
        (lambda: shell("a", "true") >> TaskGroup("g"), "has no tasks"),
        (lambda: add(TaskGroup("g")), "<task group g>"),
    ],
)
def test_impossible_groups_are_refused(make: Callable[[], Any], said: str) -> None:
    """Each mistake is named where it is made."""
    with pytest.raises(DefinitionError, match=re.escape(said)), DAG("d"):
        make()

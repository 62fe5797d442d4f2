"""Whether a DAG that could be imported can also be run."""

from __future__ import annotations

from typing import Any

import pytest

from dagdeck import Param
from engine.dagfiles.validate import advice, validate
from engine.model.dag import DagSpec, RetryPolicy, ScheduleSpec, TaskSpec
from engine.model.states import TriggerRule

POOLS = {"default": 16, "db": 4, "open": -1, "stopped": 0}


def dag(*tasks: TaskSpec, **about: Any) -> DagSpec:
    """A DAG of these tasks, on line 1 of its file."""
    return DagSpec("d", "f.py", list(tasks), line=1, **about)


def shell(task_id: str, *upstream: str, **about: Any) -> TaskSpec:
    """A shell task."""
    return TaskSpec(task_id, "shell", list(upstream), command="true", **about)


def messages(spec: DagSpec) -> list[str]:
    """What is wrong with the DAG."""
    return [failure.message for failure in validate(spec, POOLS)]


def test_a_sound_dag_has_no_failures() -> None:
    """Nothing is said about what is right."""
    assert validate(dag(shell("a"), shell("b", "a", pool="db", pool_slots=4)), POOLS) == []
    assert validate(dag(), POOLS) == []


def test_a_cycle_is_named_by_its_path_on_the_line_of_its_first_task() -> None:
    """The failure names file, DAG, line and the whole path."""
    (failure,) = validate(dag(shell("x"), shell("a", "x", "c", line=7), shell("b", "a"), shell("c", "b")), POOLS)
    assert (failure.file, failure.dag_id, failure.line) == ("f.py", "d", 7)
    assert "a -> b -> c -> a" in failure.message


def test_a_task_before_itself_is_a_cycle() -> None:
    """A self edge is named too."""
    (failure,) = validate(dag(shell("a", "a", line=3)), POOLS)
    assert failure.line == 3
    assert "a -> a" in failure.message


def test_a_duplicate_id_is_an_error() -> None:
    """Two tasks of one id cannot be told apart."""
    assert messages(dag(shell("a"), shell("a"))) == ["task id 'a' is used twice: give each task an id of its own"]


def test_an_unknown_pool_names_those_there_are() -> None:
    """The message says what to do about it."""
    (failure,) = validate(dag(shell("a", pool="dbb", line=4)), POOLS)
    assert failure.line == 4
    assert "there is no pool 'dbb' (there are: db, default, open, stopped)" in failure.message
    assert "[pools] in dagdeck.toml" in failure.message


def test_the_default_pool_is_always_there() -> None:
    """Also where no pools are configured."""
    assert validate(dag(shell("a")), {}) == []


def test_a_task_larger_than_its_pool_could_never_run() -> None:
    """More slots than a pool has are an error; a pool without limit, or one that is stopped, is none."""
    assert messages(dag(shell("a", pool="db", pool_slots=5))) == [
        "task 'a' takes 5 slots of pool 'db', which has 4: it could never run"
    ]
    assert messages(dag(shell("a", pool="open", pool_slots=99), shell("b", pool="stopped"))) == []


@pytest.mark.parametrize(
    ("expression", "says"),
    [("60 * * * *", "60"), ("* * * *", "field"), ("@sometimes", "@sometimes"), ("0 0 30 2 *", "schedule:"), ("x", "x")],
)
def test_a_bad_schedule_is_an_error_of_its_dag(expression: str, says: str) -> None:
    """What the timetable refuses is an import error on the DAG's line."""
    (failure,) = validate(dag(shell("a"), schedule=ScheduleSpec(expression)), POOLS)
    assert failure.message.startswith("schedule: ")
    assert says in failure.message
    assert failure.line == 1


def test_dates_in_the_wrong_order_are_an_error_without_a_schedule_too() -> None:
    """An end before the start is never meant."""
    for expression in (None, "@daily"):
        schedule = ScheduleSpec(
            expression, start_date="2024-02-01T00:00:00+00:00", end_date="2024-01-01T00:00:00+00:00"
        )
        assert messages(dag(shell("a"), schedule=schedule)) == [
            "end_date 2024-01-01T00:00:00+00:00 is before start_date 2024-02-01T00:00:00+00:00"
        ]


def test_a_start_in_the_future_is_allowed() -> None:
    """It begins when it begins."""
    assert messages(dag(shell("a"), schedule=ScheduleSpec("@daily", start_date="2999-01-01T00:00:00+00:00"))) == []


def test_a_default_that_breaks_its_rules_is_an_error() -> None:
    """Also in a DAG that is only triggered."""
    spec = dag(shell("a"), params={"env": Param("qa", enum=["dev", "prod"]).spec()})
    assert messages(spec) == ["default of param 'env': 'qa' is not allowed: it must be one of \"dev\", \"prod\""]


def test_a_scheduled_dag_needs_defaults_for_all_it_requires() -> None:
    """Nobody is there to give a scheduled run its params; a DAG that is only triggered may ask for them."""
    params = {"day": Param(type="string").spec()}
    assert messages(dag(shell("a"), params=params)) == []
    assert messages(dag(shell("a"), params=params, schedule=ScheduleSpec("@daily"))) == [
        "param 'day' is required: give it a value: a scheduled run gets no params but the defaults"
    ]
    optional = {"day": Param(None, type="string").spec()}
    assert messages(dag(shell("a"), params=optional, schedule=ScheduleSpec("@daily"))) == []


def test_several_mistakes_are_all_named() -> None:
    """Each on its own line, so that one edit can cure all."""
    found = validate(dag(shell("a", pool="x", line=2), shell("b", pool="y", line=3), schedule=ScheduleSpec("x")), POOLS)
    assert [failure.line for failure in found] == [2, 3, 1]


def test_what_may_surprise_is_advice() -> None:
    """Rules that do not wait, or skip unexpectedly, and a delay that its cap makes meaningless."""
    found = advice(
        dag(
            shell("a"),
            shell("b", "a", trigger_rule=TriggerRule.ALWAYS),
            shell("c", "a", trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS),
            shell("d", retry=RetryPolicy(retries=1, delay=300, max_delay=60)),
        )
    )
    assert ["task 'b'" in found[0], "task 'c'" in found[1], "task 'd'" in found[2], len(found)] == [True, True, True, 3]


def test_a_task_that_needs_one_which_may_fail_is_advice() -> None:
    """The run would fail through it all the same, unless it takes the failure or may fail itself."""
    found = advice(
        dag(
            shell("a", allow_failure=True),
            shell("b", "a"),
            shell("c", "a", trigger_rule=TriggerRule.ALL_DONE),
            shell("d", "a", allow_failure=True),
        )
    )
    assert len(found) == 1
    assert "task 'b': 'a' before it may fail" in found[0]


def test_large_graphs_are_checked() -> None:
    """A chain of 2,000, a fan of 5,000 and a complete bipartite 100×100 are sound."""
    chain = [shell("c0"), *(shell(f"c{n}", f"c{n - 1}") for n in range(1, 2000))]
    fan = [shell("root"), *(shell(f"f{n}", "root") for n in range(5000))]
    left = [shell(f"l{n}") for n in range(100)]
    right = [shell(f"r{n}", *(each.task_id for each in left)) for n in range(100)]
    for tasks in (chain, fan, left + right):
        assert validate(dag(*tasks), POOLS) == []

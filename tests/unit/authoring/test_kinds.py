"""Branches, short circuits, setups and teardowns, as authors write them."""

from typing import Any

import pytest

from dagdeck import DAG, DefinitionError, PermanentError, TaskGroup, setup, shell, task, teardown
from engine.authoring.running import followed
from engine.authoring.serialize import serialize
from engine.model.dag import TaskSpec
from engine.model.states import TriggerRule


def spec_of(dag: DAG, task_id: str) -> TaskSpec:
    return next(spec for spec in serialize(dag, "x.py").tasks if spec.task_id == task_id)


def test_deciders_are_serialized_as_such() -> None:
    """A branch and the two short circuits, bare and with arguments."""
    with DAG("d") as dag:

        @task.branch(retries=2)
        def way() -> str:
            return "a"

        @task.short_circuit
        def all_below() -> bool:
            return True

        @task.short_circuit(ignore_downstream_trigger_rules=False, task_id="near")
        def near_only() -> bool:
            return True

    specs = {spec.task_id: (spec.decides, spec.skips_all_below) for spec in serialize(dag, "x.py").tasks}
    assert specs == {
        "way": ("branch", False),
        "all_below": ("short_circuit", True),
        "near": ("short_circuit", False),
    }
    assert spec_of(dag, "way").retry.retries == 2


def test_task_options_of_how_a_run_ends_are_serialized() -> None:
    """`depends_on_past` and `allow_failure`, on their own or for a whole DAG."""
    with DAG("d", default_args={"depends_on_past": True}) as dag:
        shell("a", "true", allow_failure=True)
    spec = spec_of(dag, "a")
    assert (spec.depends_on_past, spec.allow_failure) == (True, True)


def test_a_teardown_is_wired_to_its_setups() -> None:
    """`as_teardown(setups=...)` makes edges and roles, also for shell tasks."""
    with DAG("d") as dag:
        make, work = shell("make", "true"), shell("work", "true")
        make >> work >> shell("drop", "true").as_teardown(setups=make, on_failure_fail_dagrun=True)
    spec = spec_of(dag, "drop")
    assert spec_of(dag, "make").role == "setup"
    assert (spec.role, spec.setups, spec.on_failure_fail_run) == ("teardown", ["make"], True)
    assert spec.trigger_rule is TriggerRule.ALL_DONE_SETUP_SUCCESS
    assert sorted(spec.upstream) == ["make", "work"]


def test_decorated_setups_and_teardowns_find_each_other_by_edges() -> None:
    """A setup directly before a teardown is the one that it cleans up after; `@setup` also takes a `@task`."""
    with DAG("d") as dag:

        @setup
        @task(retries=3)
        def make() -> None: ...

        @teardown(on_failure_fail_dagrun=True)
        def drop() -> None: ...

        made, dropped = make(), drop()
        made >> shell("work", "true") >> dropped
        made >> dropped
    assert (spec_of(dag, "make").role, spec_of(dag, "make").retry.retries) == ("setup", 3)
    assert (spec_of(dag, "drop").setups, spec_of(dag, "drop").on_failure_fail_run) == (["make"], True)


def test_tasks_made_in_the_block_of_a_teardown_lie_between() -> None:
    """First ones follow the setups, last ones come before the teardown; blocks may be in blocks."""
    with DAG("d") as dag:
        outer = shell("drop_outer", "true").as_teardown(setups=shell("make_outer", "true"))
        with outer:
            inner = shell("drop_inner", "true").as_teardown(setups=shell("make_inner", "true"))
            with inner:
                shell("a", "true") >> [shell("b", "true"), shell("c", "true")]
    edges = {spec.task_id: sorted(spec.upstream) for spec in serialize(dag, "x.py").tasks}
    assert edges == {
        "make_outer": [],
        "make_inner": ["make_outer"],
        "a": ["make_inner"],
        "b": ["a"],
        "c": ["a"],
        "drop_inner": ["b", "c", "make_inner"],
        "drop_outer": ["drop_inner", "make_outer"],
    }


def test_what_follows_a_group_does_not_wait_for_its_teardown() -> None:
    """The work of the group is what comes before; a group of teardowns alone is wired as it is."""
    with DAG("d") as dag:
        with TaskGroup("g") as group:
            work = shell("work", "true")
            work >> shell("drop", "true").as_teardown(setups=shell("make", "true"))
        group >> shell("after", "true")
    assert "g.drop" not in spec_of(dag, "after").upstream
    assert "g.work" in spec_of(dag, "after").upstream


def test_impossible_kinds_are_refused() -> None:
    """A decider is no setup, a setup no teardown, a teardown takes no trigger rule, and only it opens a block."""
    with DAG("d"):
        with pytest.raises(DefinitionError, match="takes no trigger_rule"):
            shell("a", "true", trigger_rule="all_done").as_teardown()
        with pytest.raises(DefinitionError, match="cannot be a teardown too"):
            shell("b", "true").as_setup().as_teardown()

        @task.branch
        def way() -> str:
            return "a"

        with pytest.raises(DefinitionError, match="cannot be a setup"):
            way().as_setup()
        with pytest.raises(DefinitionError, match="is no teardown"), shell("c", "true"):
            pass
        with pytest.raises(DefinitionError, match="cannot be mapped"):
            task.branch(lambda x="a": x, task_id="mapped").expand(x=[1])
        with pytest.raises(DefinitionError, match="cannot be mapped"):
            shell("e", "true").expand(X=["1"]).as_setup()


@pytest.fixture
def ways() -> DAG:
    with DAG("d") as dag:

        @task.branch
        def way() -> str:
            return "a"

        @task.short_circuit
        def gate() -> bool:
            return True

        way() >> [shell("a", "true"), shell("b", "true")]
        gate() >> shell("c", "true")
        shell("plain", "true")
    return dag


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("way", "a", ["a"]),
        ("way", ["a", "b", "a"], ["a", "b"]),
        ("way", None, []),
        ("gate", 1, None),
        ("gate", [], []),
        ("plain", "a", None),
    ],
)
def test_results_of_deciders_mean_tasks(ways: DAG, name: str, value: Any, wanted: list[str] | None) -> None:
    """A branch names what runs; a short circuit leaves out everything or nothing; other tasks decide nothing."""
    assert followed(ways, name, value) == wanted


@pytest.mark.parametrize("value", ["c", 7, ["a", None], {"a": 1}, True])
def test_a_branch_that_names_no_task_below_it_fails(ways: DAG, value: Any) -> None:
    """Permanently, naming what it could have returned."""
    with pytest.raises(PermanentError, match="there are: a, b"):
        followed(ways, "way", value)

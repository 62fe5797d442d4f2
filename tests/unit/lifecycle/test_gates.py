"""What waiting instances and runs wait for, and how that is said."""

from collections.abc import Callable

import pytest

from engine.lifecycle.events import CancelRun, PauseRun, RetryNow
from engine.lifecycle.explain import explain
from engine.lifecycle.gates import Limits, blockers, may_start, may_start_run
from engine.model.moments import MINUTE
from engine.model.states import Blocker
from tests.support.lifecycle import ERROR, World, task

Gate = Callable[[World, Limits], object]


def fully_limited() -> World:
    """A run with every limit declared; `a` waits for a slot, `b` and `c` run."""
    world = World(
        task("a", pool="db", pool_slots=2, max_active_tis=1),
        task("b"),
        task("c"),
        max_active_tasks=3,
        max_active_tasks_per_run=4,
        max_active_runs=2,
    )
    world.claim("b")
    world.claim("c")
    return world


def free() -> Limits:
    return Limits(engine_slots_free=4, pool_free={"default": 10, "db": 2})


def _per_run(world: World, limits: Limits) -> None:
    world.plan.spec.max_active_tasks_per_run = 2


GATES: list[tuple[str, Gate]] = [
    ("dag_paused", lambda world, limits: setattr(limits, "dag_frozen", {"etl"})),
    ("run_paused", lambda world, limits: world.do(PauseRun())),
    ("hold", lambda world, limits: setattr(limits, "hold_all", True)),
    ("hold", lambda world, limits: setattr(limits, "hold_dags", {"etl"})),
    ("hold", lambda world, limits: setattr(limits, "hold_pools", {"db"})),
    ("degraded", lambda world, limits: setattr(limits, "degraded", True)),
    ("disk", lambda world, limits: setattr(limits, "disk_low", True)),
    ("draining", lambda world, limits: setattr(limits, "draining", True)),
    ("max_active_tasks_per_dag", lambda world, limits: setattr(limits, "dag_active", {"etl": 3})),
    ("max_active_tasks_per_run", _per_run),
    ("max_active_tis_per_task", lambda world, limits: setattr(limits, "task_active", {("etl", "a"): 1})),
    ("pool:db", lambda world, limits: setattr(limits, "pool_free", {"db": 1})),
    ("pool:db", lambda world, limits: setattr(limits, "pool_free", {})),
    ("engine_slots", lambda world, limits: setattr(limits, "engine_slots_free", 0)),
    ("memory_guard", lambda world, limits: setattr(limits, "memory_low", True)),
]


def test_with_all_limits_free_an_instance_may_start() -> None:
    """Exactly enough of everything is enough."""
    world = fully_limited()
    assert blockers(world.ti("a"), world.memory, free(), world.now) == ()
    assert may_start(world.ti("a"), world.memory, free(), world.now)


@pytest.mark.parametrize(("code", "close"), GATES)
def test_every_gate_blocks_alone(code: str, close: Gate) -> None:
    """Each limit gives its own code, and the short answer agrees with the long one."""
    world, limits = fully_limited(), free()
    close(world, limits)
    assert blockers(world.ti("a"), world.memory, limits, world.now) == (code,)
    assert not may_start(world.ti("a"), world.memory, limits, world.now)
    assert explain(code, world.ti("a"), world.memory, limits, world.now).endswith(".")


def test_all_reasons_are_given_in_order() -> None:
    """An instance behind every gate names all of them, operators' decisions first, slots last."""
    world, limits = fully_limited(), free()
    for _, close in GATES:
        close(world, limits)
    codes = list(dict.fromkeys(code for code, _ in GATES))
    assert list(blockers(world.ti("a"), world.memory, limits, world.now)) == codes


def test_a_pool_without_limit_never_blocks() -> None:
    """A pool of unlimited slots always has room."""
    world = fully_limited()
    assert may_start(world.ti("a"), world.memory, Limits(pool_free={"db": None}), world.now)


def test_a_paused_dag_lets_its_started_runs_finish() -> None:
    """Pausing a DAG stops its queued runs alone, unless it is frozen."""
    world = fully_limited()
    limits = free()
    limits.dag_paused = {"etl"}
    assert may_start(world.ti("a"), world.memory, limits, world.now)


def test_waiting_for_upstream_and_for_a_retry_are_told() -> None:
    """Undecided instances wait for their upstream, failed ones for their time; the finished wait for nothing."""
    world = World(task("a", retries=1), task("b", "a"))
    limits = Limits()
    world.finish("a", ERROR)
    assert blockers(world.ti("a"), world.memory, limits, world.now) == ("retry_at",)
    assert blockers(world.ti("b"), world.memory, limits, world.now) == ("upstream",)
    assert not may_start(world.ti("b"), world.memory, limits, world.now)
    world.do(CancelRun())
    assert blockers(world.ti("a"), world.memory, limits, world.now) == ()


def test_a_queued_run_waits_in_order() -> None:
    """A run's own gates are told for each of its instances, behind `run_queued`."""
    world = World(task("a"), start=False, max_active_runs=1)
    run, spec = world.run, world.plan.spec
    assert may_start_run(run, spec, Limits(), world.now)
    assert blockers(world.ti("a"), world.memory, Limits(), world.now) == ("run_queued",)
    run.run_after = world.now + 1
    limits = Limits(
        runs_active={"etl": 1}, dag_paused={"etl"}, hold_all=True, degraded=True, disk_low=True, draining=True
    )
    codes = ("dag_paused", "run_after", "hold", "degraded", "disk", "draining", "max_active_runs")
    assert not may_start_run(run, spec, limits, world.now)
    assert blockers(world.ti("a"), world.memory, limits, world.now) == ("run_queued", *codes)
    assert all(explain(code, world.ti("a"), world.memory, limits, world.now) for code in codes)


def test_a_started_run_is_not_started_again() -> None:
    """A run that is not queued never passes the run's gates."""
    world = World(task("a"))
    assert not may_start_run(world.run, world.plan.spec, Limits(), world.now)


def test_sentences_carry_figures() -> None:
    """An explanation names what is waited for, how much of it there is, and what is needed."""
    world = World(task("a", pool="db", pool_slots=2, retries=1), *(task(f"u{i}") for i in range(7)),
                  task("z", *(f"u{i}" for i in range(7))))  # fmt: skip
    limits = Limits(pool_free={"db": 1}, engine_slots_free=0)

    def say(code: str, task_id: str) -> str:
        return explain(code, world.ti(task_id), world.memory, limits, world.now)

    assert say("pool:db", "a") == "Needs 2 slots of pool db, which has 1 free."
    assert say("pool:gone", "a").startswith("Pool gone does not exist")
    world.finish("u0")
    assert say("upstream", "z") == (
        "Waits for 6 of 7 upstream tasks (u1, u2, u3, u4, u5 and 1 more); its trigger rule is all_success."
    )
    world.finish("a", ERROR)
    assert say("retry_at", "a").startswith("Waits 60 s for its retry at 2023-11-14T")
    world.now += MINUTE
    assert say("retry_at", "a") == "Its retry is due now."
    world.do(RetryNow(world.ti("a").id))
    for code in Blocker:
        assert say(code, "a").endswith(".")


@pytest.mark.parametrize("code", ["", "nonsense", "pools:db"])
def test_an_unknown_code_is_refused(code: str) -> None:
    """Only the codes that gates give can be explained."""
    world = World(task("a"))
    with pytest.raises(ValueError, match="is not a blocker code"):
        explain(code, world.ti("a"), world.memory, Limits(), world.now)


def test_a_move_forgets_what_was_waited_for() -> None:
    """The codes that were stored while an instance waited are gone as soon as it moves."""
    world = World(task("a"))
    world.ti("a").blockers = ("pool:db", "hold")
    world.grant("a")
    assert world.ti("a").blockers == ()

"""Which ready task instances get slots next, and what the ledger books for it."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model.states import RunType, TaskState
from engine.scheduler.ledger import UNLIMITED
from tests.support.admission import World
from tests.support.lifecycle import task


def names(*tasks: str, run: int = 1) -> list[str]:
    """As `grant` names them."""
    return [f"r{run}.{name}" for name in tasks]


def test_no_more_than_the_engine_has_slots_for() -> None:
    """The rest waits in order, and the next gets the slot that comes back."""
    world = World(2)
    memory = world.run(task("a"), task("b"), task("c"), task("d"))
    assert world.grant() == names("a", "b")
    assert world.grant() == []
    world.give_back(memory, "a")
    assert world.grant() == names("c")
    assert len(world.admission) == 1


def test_priority_then_date_then_order() -> None:
    """A manual run goes first; then the higher weight, the older logical date, the task that comes earlier. The fourth
    grant is a backfill's.
    """
    world = World(100)
    world.run(task("late"), date=20)
    world.run(task("early"), task("second"), date=10)
    world.run(task("urgent", priority_weight=5), date=30)
    world.run(task("by_hand"), kind=RunType.MANUAL, date=40)
    world.run(task("backfilled", priority_weight=99), kind=RunType.BACKFILL, date=0)
    order = [name.partition(".")[2] for name in world.grant()]
    assert order == ["by_hand", "urgent", "early", "backfilled", "second", "late"]


def test_a_full_pool_holds_up_no_other_pool() -> None:
    """Instances of a pool with room start although better ones wait for a pool that is full."""
    world = World(10, db=1)
    memory = world.run(
        task("db1", pool="db", priority_weight=9), task("db2", pool="db", priority_weight=9), task("free")
    )
    assert world.grant() == names("db1", "free")
    world.give_back(memory, "db1")
    assert world.grant() == names("db2")


def test_a_big_task_at_the_head_is_not_overtaken_in_its_pool() -> None:
    """Smaller ones behind it wait, so that slots gather for it instead of being taken one by one."""
    world = World(10, db=3)
    memory = world.run(
        task("first", pool="db", priority_weight=9),
        task("big", pool="db", pool_slots=3, priority_weight=5),
        task("small", pool="db"),
    )
    assert world.grant() == names("first")
    world.give_back(memory, "first")
    assert world.grant() == names("big")
    world.give_back(memory, "big")
    assert world.grant() == names("small")


def test_what_a_limit_of_its_dag_holds_back_lies_aside_until_a_slot_of_that_dag_comes_back() -> None:
    """Other DAGs go on meanwhile; each slot that comes back wakes one instance, not thousands."""
    world = World(100)
    held = world.run(task("a"), task("b"), task("c"), dag_id="narrow", max_active_tasks=1)
    world.run(task("x"), dag_id="wide")
    assert world.grant() == [*names("a"), *names("x", run=5)]
    assert world.grant() == []
    world.give_back(held, "a")
    assert world.grant() == names("b")
    assert len(world.admission) == 1


def test_reconsidering_wakes_everything_that_lies_aside() -> None:
    """When limits change in general, each held instance gets its chance again."""
    world = World(100)
    world.run(task("a"), task("b"), task("c"), dag_id="narrow", max_active_tasks=1)
    assert world.grant() == names("a")
    world.ledger.dag_active.clear()
    world.admission.reconsider()
    assert world.grant() == names("b")


def test_an_instance_that_moved_on_gets_no_slot() -> None:
    """Who was cleared or cancelled while it waited is forgotten."""
    world = World(1)
    memory = world.run(task("a"), task("b"))
    assert world.grant() == names("a")
    memory.instances["b", -1].state = TaskState.CANCELLED
    world.give_back(memory, "a")
    assert world.grant() == []
    assert len(world.admission) == 0


def test_a_pool_that_nobody_declared_has_no_slots() -> None:
    """Its tasks wait; they do not run outside every limit."""
    world = World(10)
    world.run(task("a", pool="nowhere"))
    assert world.grant() == []


@pytest.mark.parametrize("size", [0, 1, 5, UNLIMITED])
def test_what_is_booked_comes_back(size: int) -> None:
    """After everything has ended the ledger is as it was."""
    world = World(50, db=size)
    memory = world.run(*(task(f"t{number}", pool="db") for number in range(9)))
    before = dict(world.ledger.pool_free)
    granted = world.grant()
    assert len(granted) == (9 if size == UNLIMITED else min(size, 9))
    assert world.ledger.used == len(granted)
    for name in granted:
        world.give_back(memory, name.partition(".")[2])
    assert world.ledger.used == 0
    assert world.ledger.pool_free == before
    assert not +world.ledger.dag_active


_TASKS = st.lists(st.tuples(st.sampled_from(["db", "api"]), st.integers(1, 3)), min_size=1, max_size=12)


@given(wanted=_TASKS, slots=st.integers(1, 6), pick=st.randoms(use_true_random=False))
def test_limits_are_never_exceeded_and_everybody_has_a_turn(
    wanted: list[tuple[str, int]], slots: int, pick: Random
) -> None:
    """Whatever ends when, used slots stay within engine and pools, and in the end each instance got its slots once."""
    world = World(slots, db=3, api=4)
    specs = [task(f"t{number}", pool=pool, pool_slots=size) for number, (pool, size) in enumerate(wanted)]
    memory = world.run(*specs)
    running: list[str] = []
    finished: list[str] = []
    while len(finished) < len(specs):
        running += [name.partition(".")[2] for name in world.grant()]
        assert running, "nothing runs although something waits"
        assert world.ledger.used == len(running) <= slots
        assert all(free is None or free >= 0 for free in world.ledger.pool_free.values())
        pick.shuffle(running)
        world.give_back(memory, running[-1])
        finished.append(running.pop())
    assert sorted(finished) == sorted(spec.task_id for spec in specs)

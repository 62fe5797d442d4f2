"""Limits under whatever happens: never exceeded, by a crash neither; and every wait is a bounded number of grants."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.model.moments import SECOND
from engine.model.states import RunType
from engine.scheduler.ledger import UNLIMITED
from engine.scheduler.poolqueue import PASSES, SHARE
from tests.support.admission import World
from tests.support.lifecycle import ERROR, OK, task

_SIZES = {"db": 3, "api": 4}


def check(world: World) -> None:
    """Counts who holds slots by the rows alone, and compares with every limit."""
    running = world.running()
    assert len(running) == world.ledger.used <= world.ledger.slots
    for name, size in world.ledger.pools.items():
        holding = running + (world.waiting() if name in world.ledger.including else [])
        taken = [m.task(ti).pool_slots for m, ti in holding if m.task(ti).pool == name]
        free = world.ledger.pool_free[name]
        assert (free is None) if size == UNLIMITED else free == size - sum(taken)
    for memory in world.runs.values():
        spec, dag_id = memory.plan.spec, memory.run.dag_id
        own = [ti for m, ti in running if m.run.dag_id == dag_id]
        assert spec.max_active_tasks is None or len(own) <= spec.max_active_tasks
        mine = sum(m is memory for m, _ in running)
        assert spec.max_active_tasks_per_run is None or mine <= spec.max_active_tasks_per_run
        for name, found in memory.plan.tasks.items():
            same = sum(ti.task_id == name for ti in own)
            assert found.max_active_tis is None or same <= found.max_active_tis


@settings(max_examples=40, deadline=None)
@given(pick=st.randoms(use_true_random=False), slots=st.integers(1, 6), steps=st.integers(5, 40))
def test_no_limit_is_exceeded_whatever_ends_crashes_or_is_resized(pick: Random, slots: int, steps: int) -> None:
    """Runs come, attempts end or fail and are tried again, the engine crashes, pools are resized, and count those that
    wait for a retry or no longer do: what is granted stays within every limit, and whoever holds slots when a pool
    shrinks keeps them."""
    world = World(slots, ("api",), **_SIZES)
    for step in range(steps):
        act = pick.random()
        if act < 0.35:
            specs = [
                task(
                    f"t{n}",
                    pool=pick.choice(["db", "api", "default"]),
                    pool_slots=pick.randint(1, 3),
                    priority_weight=pick.randint(-3, 9),
                    max_active_tis=(1, 2, None, 1)[n],
                    retries=2,
                )
                for n in range(pick.randint(1, 4))
            ]
            number = pick.randint(0, 2)
            world.run(
                *specs,
                dag_id=f"d{number}",
                date=step,
                kind=pick.choice([RunType.MANUAL, RunType.SCHEDULED, RunType.BACKFILL]),
                max_active_tasks=(None, 2, 3)[number],
                max_active_tasks_per_run=(1, None, 2)[number],
            )
        elif act < 0.75 and (running := world.running()):
            world.end(*pick.choice(running), pick.choice([OK, OK, ERROR]))
        elif act < 0.8 and (waiting := world.waiting()):
            world.retry(*pick.choice(waiting))
        elif act < 0.85:
            world.crash()
        elif act < 0.92:
            before = dict(world.ledger.pool_taken)
            world.ledger.resize("db", pick.choice([0, 1, 2, 3, 5, UNLIMITED]))
            world.admission.reconsider()
            assert dict(world.ledger.pool_taken) == before
        else:
            world.ledger.include_deferred("api", pick.random() < 0.5, world.runs.values())
        world.now += pick.randint(0, 200) * SECOND
        before = world.ledger.pool_free["db"]
        if before is not None and before < 0:
            held = [m.task(ti).pool for m, ti in world.running()].count("db")
            world.grant()
            assert [m.task(ti).pool for m, ti in world.running()].count("db") == held
        world.grant()
        check(world)
    world.ledger.resize("db", 5)
    world.admission.reconsider()
    for _ in range(2000):
        for waiting in world.waiting():
            world.retry(*waiting)
        world.grant()
        if not (running := world.running()):
            break
        world.now += 30 * SECOND
        world.end(*pick.choice(running))
    assert len(world.admission) == 0, "something waits although everything is free"


@settings(max_examples=60, deadline=None)
@given(
    pick=st.randoms(use_true_random=False),
    size=st.integers(1, 3),
    weight=st.integers(-100, 10),
    kind=st.sampled_from([RunType.MANUAL, RunType.SCHEDULED, RunType.BACKFILL]),
    ahead=st.integers(0, 6),
)
def test_whoever_nothing_else_holds_starts_within_a_bounded_number_of_grants(
    pick: Random, size: int, weight: int, kind: RunType, ahead: int
) -> None:
    """Against an endless stream of better tasks an instance waits for eight grants for each that came before it, and
    for the passes of those that need many slots."""
    world = World(4, **_SIZES)
    for number in range(ahead):
        world.run(task("before", pool="db", pool_slots=pick.randint(1, 3)), dag_id=f"b{number}")
    target = world.run(task("target", pool="db", pool_slots=size, priority_weight=weight), kind=kind, dag_id="target")
    wanted, granted, bound = f"{target.run.run_id}.target", 0, SHARE * (ahead + 2) + 3 * PASSES * (ahead + 1)
    while True:
        names = world.grant()
        if wanted in names:
            return
        granted += len(names)
        assert granted <= bound
        world.now += pick.randint(5, 90) * SECOND
        for _ in range(2):
            world.run(
                task("better", pool=pick.choice(["db", "api"]), priority_weight=100),
                kind=RunType.MANUAL,
                dag_id="flood",
            )
        if running := world.running():
            world.end(*pick.choice(running))

"""Nobody waits for ever: the ways in which other schedulers have starved their tasks, one by one."""

from __future__ import annotations

from engine.model.moments import MINUTE, SECOND
from engine.model.states import RunType
from engine.scheduler.poolqueue import GATHER, SHARE
from tests.support.admission import World
from tests.support.lifecycle import task


def grants_until(world: World, wanted: str, most: int, feed: bool = True) -> int:
    """How many grants pass until `wanted` (`run.task`) gets its slots, while what runs ends one after another, ten
    seconds apart, and (`feed`) each end brings another manual run of a small task of high priority.
    """
    granted = 0
    for _ in range(20 * most):
        for name in world.grant():
            granted += 1
            if name == wanted:
                return granted
        assert granted <= most, f"{wanted} still waits after {granted} grants"
        world.now += 10 * SECOND
        if feed:
            world.run(task("small", pool="db", priority_weight=50), kind=RunType.MANUAL, dag_id="flood")
        running = world.running()
        if running:
            world.end(*running[0])
    raise AssertionError(f"{wanted} never starts")


def test_big_task_among_small_ones() -> None:
    """A task that needs the whole pool gets it although small ones arrive faster than they end."""
    world = World(10, db=4)
    world.run(*(task(f"s{n}", pool="db") for n in range(4)), dag_id="flood")
    world.grant()
    big = world.run(task("big", pool="db", pool_slots=4), dag_id="large")
    assert grants_until(world, f"{big.run.run_id}.big", 60) <= 60


def test_big_task_holds_free_slots_for_two_minutes_at_most_before_others_pass() -> None:
    """While slots gather nobody overtakes; when that was in vain, eight others pass before they gather again."""
    world = World(20, db=3)
    first = world.run(task("long", pool="db"), dag_id="one")
    assert world.grant() == ["r1.long"]
    world.now += MINUTE
    world.run(task("big", pool="db", pool_slots=3, priority_weight=9), dag_id="two")
    world.run(*(task(f"s{n}", pool="db") for n in range(12)), dag_id="three")
    assert world.grant() == []
    assert world.ledger.pool_reserved["db"][1] == world.now + GATHER
    world.now += GATHER - 1
    assert world.grant() == []
    world.now += 1
    passed = 0
    for _ in range(30):
        granted = world.grant()
        passed += len(granted)
        for memory, instance in world.running():
            if instance.task_id.startswith("s"):
                world.end(memory, instance)
        if not granted:
            break
    assert passed == 8
    assert world.ledger.pool_reserved["db"][1] == world.now + 2 * GATHER
    world.end(first, first.instances["long", -1])
    assert world.grant()[0].endswith(".big")


def test_one_full_pool_with_hundreds_at_its_head() -> None:
    """Hundreds of better tasks that wait for a full pool hide no task of another pool."""
    world = World(8, db=1)
    world.run(*(task(f"d{n}", pool="db", priority_weight=99) for n in range(500)), dag_id="heavy")
    other = world.run(task("free"), dag_id="light")
    assert world.grant() == ["r1.d0", f"{other.run.run_id}.free"]


def test_one_dags_queue_hides_no_other_dag() -> None:
    """At equal priority DAGs take turns: the second DAG's only task waits for one grant, not for a hundred."""
    world = World(1)
    world.run(*(task(f"a{n}") for n in range(100)), dag_id="wide")
    narrow = world.run(task("b"), dag_id="narrow")
    assert grants_until(world, f"{narrow.run.run_id}.b", 2, feed=False) == 2


def test_a_limited_dag_at_the_head_hides_no_other_dag() -> None:
    """Tasks held back by the limit of their own DAG lie aside, and all others go on."""
    world = World(4)
    world.run(*(task(f"a{n}", priority_weight=9) for n in range(200)), dag_id="limited", max_active_tasks=1)
    world.run(task("x"), task("y"), dag_id="other")
    assert [name.partition(".")[2] for name in world.grant()] == ["a0", "x", "y"]


def test_backfill_under_a_stream_of_manual_runs() -> None:
    """One of eight grants goes to a waiting backfill, however many better ones come."""
    world = World(2, db=2)
    back = world.run(*(task(f"d{n}", pool="db") for n in range(6)), kind=RunType.BACKFILL, dag_id="back")
    assert grants_until(world, f"{back.run.run_id}.d5", 6 * SHARE) <= 6 * SHARE


def test_backfill_of_thousands_does_not_hold_up_the_schedule() -> None:
    """A scheduled run that comes while a backfill waits with a thousand tasks gets the next slot but one at latest."""
    world = World(1)
    world.run(*(task(f"d{n}") for n in range(1000)), kind=RunType.BACKFILL, dag_id="back", date=0)
    world.grant()
    due = world.run(task("due"), dag_id="hourly", date=50)
    assert grants_until(world, f"{due.run.run_id}.due", 2, feed=False) <= 2


def test_low_priority_among_high_ones() -> None:
    """Ten minutes of waiting are worth ten of priority, and whoever has waited longest has one of eight grants."""
    world = World(2, db=2)
    world.run(*(task(f"h{n}", pool="db", priority_weight=50) for n in range(3)), dag_id="flood")
    low = world.run(task("low", pool="db", priority_weight=-1000), dag_id="patient")
    assert grants_until(world, f"{low.run.run_id}.low", 6 * SHARE) <= 6 * SHARE


def test_waiting_a_minute_is_worth_one_of_priority_and_ten_at_most() -> None:
    """A task of weight 1 that has waited five minutes goes before one of weight 5 that has just come, and after one of
    weight 12 however long it waits.
    """
    world = World(1)
    world.run(task("now"), dag_id="x")
    assert world.grant() == ["r1.now"]
    waited = world.run(task("waited"), dag_id="a")
    world.now += 5 * MINUTE
    world.run(task("fresh", priority_weight=5), dag_id="b")
    running = world.running()
    world.end(*running[0])
    assert world.grant() == [f"{waited.run.run_id}.waited"]
    world.end(*world.running()[0])
    assert [name.partition(".")[2] for name in world.grant()] == ["fresh"]
    again = world.run(task("old"), dag_id="c")
    world.now += 60 * MINUTE
    strong = world.run(task("strong", priority_weight=12), dag_id="d")
    world.end(*world.running()[0])
    assert world.grant() == [f"{strong.run.run_id}.strong"]
    assert again.instances["old", -1].current is None


def test_a_slot_of_a_dag_is_not_lost_on_one_that_another_limit_holds() -> None:
    """When the instance that a limit lets go is held by another limit, the next one of the same DAG has the chance."""
    world = World(10)
    memory = world.run(
        task("a"), task("twice", max_active_tis=1, priority_weight=9), task("b"), dag_id="etl", max_active_tasks=2
    )
    other = world.run(task("twice", max_active_tis=1, priority_weight=9), dag_id="etl", max_active_tasks=2)
    assert world.grant() == ["r1.twice", "r1.a"]
    world.end(memory, memory.instances["a", -1])
    assert world.grant() == ["r1.b"]
    assert other.instances["twice", -1].current is None

"""What waiting instances wait for stands in the store, and changes there when the answer changes."""

from __future__ import annotations

from pathlib import Path

from engine.execution import port
from tests.support.lifecycle import task
from tests.support.scheduler import OK, Rig


def stored(rig: Rig) -> dict[str, tuple[str, ...]]:
    """The codes by task, as last committed."""
    found = {}
    for changes in rig.changes():
        for instance in (*changes.new_tasks, *(touched for touched, _ in changes.tasks.values())):
            found[instance.task_id] = instance.blockers
    return found


async def test_a_new_run_says_what_each_task_waits_for(rig: Rig) -> None:
    """What runs waits for nothing; what comes after it waits for what is upstream."""
    await rig.dag(task("a"), task("b", "a"), task("n1", pool="narrow"), task("n2", pool="narrow"))
    await rig.trigger()
    assert stored(rig) == {"a": (), "b": ("upstream",), "n1": (), "n2": ("pool:narrow",)}


async def test_codes_follow_when_the_reason_changes(tmp_path: Path) -> None:
    """An instance that waited for its upstream waits for a slot next, and then for nothing."""
    rig = Rig(tmp_path, slots=1)
    await rig.dag(task("a"), task("b", "a"), task("c", "a"))
    memory = await rig.trigger()
    await rig.finish(memory, "a")
    assert stored(rig) == {"a": (), "b": (), "c": ("engine_slots",)}
    await rig.finish(memory, "b")
    assert stored(rig)["c"] == ()


async def test_a_general_limit_reaches_everything_that_waits(tmp_path: Path) -> None:
    """When the disk is nearly full every instance that is ready says so, thousands of them in several turns; and no
    longer when there is room.
    """
    rig = Rig(tmp_path, slots=1)
    await rig.dag(*(task(f"t{number}") for number in range(1300)))
    await rig.trigger()
    waiting = [f"t{number}" for number in range(1, 1300)]
    assert {stored(rig)[name] for name in waiting} == {("engine_slots",)}
    rig.scheduler.limit(disk_low="3 MB free")
    await rig.turn()
    assert {stored(rig)[name] for name in waiting} == {("disk", "engine_slots")}
    rig.scheduler.limit(disk_low="")
    await rig.turn()
    assert {stored(rig)[name] for name in waiting} == {("engine_slots",)}


async def test_limits_of_dag_run_and_task_are_named(rig: Rig) -> None:
    """Each limit has its own code, and its instances start when an instance that counted towards it ends."""
    await rig.dag(task("a"), task("b"), max_active_tasks=1)
    await rig.dag(task("c"), task("d"), dag_id="per_run", max_active_tasks_per_run=1)
    await rig.dag(task("e", max_active_tis=1), dag_id="per_task")
    first, second = await rig.trigger("etl"), await rig.trigger("per_run")
    third, fourth = await rig.trigger("per_task"), await rig.trigger("per_task")
    assert first.instances["b", -1].blockers == ("max_active_tasks_per_dag",)
    assert second.instances["d", -1].blockers == ("max_active_tasks_per_run",)
    assert fourth.instances["e", -1].blockers == ("max_active_tis_per_task",)
    await rig.finish(first, "a")
    await rig.finish(second, "c")
    await rig.finish(third, "e")
    assert rig.executor.tasks == ["a", "c", "e", "b", "d", "e"]


async def test_a_change_of_codes_alone_is_an_entry_of_the_feed(tmp_path: Path) -> None:
    """Whoever follows the feed learns of it: the entry names the instance, whose state stays."""
    rig = Rig(tmp_path, slots=1)
    await rig.dag(task("a"), task("b"))
    memory = await rig.trigger()
    before = len(rig.changes())
    rig.scheduler.limit(draining=True)
    await rig.turn()
    (entry,) = [entry for changes in rig.changes()[before:] for entry in changes.transitions]
    assert (entry.task_instance, entry.from_state, entry.to_state) == (memory.instances["b", -1].id, *["scheduled"] * 2)


async def test_an_unchanged_answer_is_not_written_again(tmp_path: Path) -> None:
    """Ten tasks that end one after the other do not rewrite the rows of a hundred that wait for the same slot."""
    rig = Rig(tmp_path, slots=1)
    await rig.dag(*(task(f"t{number}") for number in range(100)))
    memory = await rig.trigger()
    before = len(rig.changes())
    for number in range(10):
        attempt_id = await rig.begin(memory, f"t{number}")
        await rig.see(port.Ended(attempt_id, OK))
    touched = {instance.task_id for changes in rig.changes()[before:] for instance, _ in changes.tasks.values()}
    assert touched == {f"t{number}" for number in range(11)}


async def test_a_run_that_was_held_waits_for_nothing_but_its_upstreams_once_it_begins(rig: Rig) -> None:
    """Every task of a queued run names the hold; after the release none does."""
    await rig.dag(task("a"), task("b", "a"))
    await rig.command("hold")
    await rig.trigger()
    assert stored(rig) == {"a": ("run_queued", "hold"), "b": ("run_queued", "hold")}
    await rig.command("release")
    await rig.turn()
    assert stored(rig) == {"a": (), "b": ("upstream",)}

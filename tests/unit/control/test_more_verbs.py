"""Clear over earlier and later runs, kill and retry, a run like another, and runs that go first."""

from __future__ import annotations

import click
import pytest

from console.cli.pools import Slots
from engine.control.plans import Refusal
from engine.execution import port
from engine.lifecycle.memory import RunMemory
from engine.lifecycle.validate import problems
from engine.model.dag import MOST_SLOTS
from engine.model.moments import SECOND
from engine.model.states import TaskState
from engine.store.reads_inbox import Cause, FailedTask
from tests.support.lifecycle import task
from tests.support.scheduler import FAILED, OK, Rig


async def over(rig: Rig, **args: str) -> RunMemory:
    """A run of a that is over and stays in memory."""
    memory = await rig.trigger(**args)
    rig.scheduler.state.pin(memory.run.id)
    await rig.finish(memory, "a")
    return memory


async def test_a_clear_reaches_earlier_and_later_runs(rig: Rig) -> None:
    """The same tasks of them; without such runs it is refused."""
    await rig.dag(task("a"), max_active_runs=9)
    runs = [await over(rig, logical_date=f"2023-01-0{day}") for day in (1, 2, 3)]
    names = [memory.run.run_id for memory in runs]
    await rig.command("hold")
    rig.archive.beside = [names[0]]
    shown = await rig.preview("clear", runs=(names[1],), tasks=("a",), args={"past": True})
    assert {row.run_id for row in shown.rows} == set(names[:2])
    await rig.command("clear", runs=(names[1],), tasks=("a",), args={"past": True})
    assert [rig.states(memory)["a"] for memory in runs] == ["scheduled", "scheduled", "success"]
    rig.archive.beside = []
    with pytest.raises(Refusal, match="no later run"):
        await rig.command("clear", runs=(names[2],), tasks=("a",), args={"future": True})


async def test_a_killed_task_is_tried_again_when_that_is_asked_for(rig: Rig) -> None:
    """Only once its process is dead, and without using its budget."""
    await rig.dag(task("a"))
    memory = await rig.trigger()
    attempt = await rig.begin(memory, "a")
    shown = await rig.preview("kill", runs=(memory.run.run_id,), tasks=("a",), args={"again": True})
    assert [(row.becomes, row.kills) for row in shown.rows] == [("up_for_retry", True)]
    await rig.command("kill", runs=(memory.run.run_id,), tasks=("a",), args={"again": True})
    assert rig.states(memory)["a"] == "killing"
    await rig.see(port.Ended(attempt, FAILED))
    await rig.later(0.1)
    instance = memory.instances["a", -1]
    assert (instance.state, instance.attempt, instance.spared) == (TaskState.QUEUED, 2, 1)
    assert problems(memory) == []
    await rig.finish(memory, "a", OK)
    assert instance.state is TaskState.SUCCESS


async def test_a_run_like_another_has_its_params_and_date(rig: Rig) -> None:
    """But for those that are given; the run before keeps its own."""
    await rig.dag(task("a"), extra_params=True, max_active_runs=9)
    memory = await rig.trigger(logical_date="2023-01-01", params={"x": 1, "y": 2})
    rig.scheduler.state.pin(memory.run.id)
    done = await rig.command("trigger", args={"like": memory.run.run_id, "params": {"y": 3}})
    again = rig.run(str(done.result["run_id"]))
    assert again.run.run_id != memory.run.run_id
    assert (again.run.params, again.run.logical_date) == ({"x": 1, "y": 3}, memory.run.logical_date)
    assert memory.run.params == {"x": 1, "y": 2}
    with pytest.raises(Refusal, match="there is no run"):
        await rig.command("trigger", args={"like": "etl@none"})


async def test_a_run_that_goes_first_gets_the_next_slot(rig: Rig) -> None:
    """Its waiting tasks pass those of older runs; undone, they wait behind them again."""
    await rig.command("resize", args={"pool": "default", "slots": 1})
    await rig.dag(task("a"), max_active_runs=9)
    first, second, third = [await rig.trigger(logical_date=f"2023-01-0{day}") for day in (1, 2, 3)]
    for memory in (first, second, third):
        rig.scheduler.state.pin(memory.run.id)
    await rig.begin(first, "a")
    await rig.command("prioritize", runs=(third.run.run_id,))
    assert third.run.priority == 10
    await rig.see(port.Ended(rig.attempt(first, "a"), OK))
    assert (rig.states(second)["a"], rig.states(third)["a"]) == ("scheduled", "queued")
    await rig.command("undo")
    assert third.run.priority == 0
    with pytest.raises(Refusal, match="nothing to prioritize"):
        await rig.command("prioritize", runs=(third.run.run_id,), args={"to": 0})


async def test_a_run_that_timed_out_without_a_failed_task_is_recovered_as_a_whole(rig: Rig) -> None:
    """Everything that its time limit stopped runs again; it is recovered when all of that has succeeded."""
    await rig.dag(task("a"), task("b", "a"), run_timeout=60.0)
    await rig.command("resize", args={"pool": "default", "slots": 0})
    memory = await rig.trigger()
    rig.scheduler.state.pin(memory.run.id)
    await rig.later(61)
    assert (memory.run.state, rig.states(memory)) == ("failed", {"a": "cancelled", "b": "cancelled"})
    first = memory.instances["a", -1]
    row = FailedTask(first.id, "etl", memory.run.id, memory.run.run_id, "", -1, "failed", -1, rig.clock.now(),
                     "run_timeout", first.changed_seq, memory.run.logical_date)  # fmt: skip
    rig.archive.failures = [Cause("run_timeout", [row])]
    shown = await rig.preview("recover", args={"cause": "run_timeout"})
    assert [(each.kind, each.task_id, each.becomes) for each in shown.rows] == [("run", None, "running")]
    await rig.command("resize", args={"pool": "default", "slots": 9})
    await rig.command("recover", args={"cause": "run_timeout"})
    assert rig.states(memory) == {"a": "queued", "b": "none"}
    (made,) = rig.scheduler.state.recoveries.values()
    await rig.finish(memory, "a")
    await rig.finish(memory, "b")
    assert made.items[0].state == "success"
    assert rig.scheduler.state.recoveries == {}


async def test_a_preview_says_how_long_it_will_take(rig: Rig) -> None:
    """The longest chain of what runs again, as long as its tasks usually take; nothing where that is not known."""
    await rig.dag(task("a"), task("b", "a"), task("c", "a"), max_active_runs=9)
    memory = await rig.trigger()
    rig.scheduler.state.pin(memory.run.id)
    for name in "abc":
        await rig.finish(memory, name)
    about = (memory.run.run_id,)
    assert (await rig.preview("rerun", runs=about)).takes is None
    rig.archive.times = {"a": 10 * SECOND, "b": 65 * SECOND, "c": 30 * SECOND}
    shown = await rig.preview("rerun", runs=about)
    assert (shown.takes, shown.sentence.rpartition(", ")[2]) == (75 * SECOND, "about 1m15s")
    assert (await rig.preview("clear", runs=about, tasks=("c",))).takes == 30 * SECOND
    assert (await rig.preview("trigger", dags=("etl",))).takes == 75 * SECOND
    assert (await rig.preview("mark", runs=about, tasks=("c",), args={"state": "skipped"})).takes is None


async def test_what_goes_on_during_a_hold_or_a_stop_is_said_of_one_as_of_many(rig: Rig) -> None:
    """One attempt runs on, two run on."""
    await rig.dag(task("a"), task("b", "a"), task("c", "a"))
    memory = await rig.trigger()
    await rig.begin(memory, "a")
    assert (await rig.preview("hold")).rows[0].detail == "0 waiting tasks kept back; 1 attempt runs on"
    assert (await rig.preview("stop")).sentence == "the engine stops; 1 attempt runs on"
    await rig.finish(memory, "a")
    for name in "bc":
        await rig.begin(memory, name)
    assert (await rig.preview("hold")).rows[0].detail == "0 waiting tasks kept back; 2 attempts run on"
    assert (await rig.preview("stop", args={"kill": True})).sentence == "the engine stops; 2 attempts killed first"


@pytest.mark.parametrize(("lasts", "words"), [("99999999d", "the longest is 366d"), ("soon", "not a duration")])
async def test_a_hold_that_is_too_long_is_told_the_longest(rig: Rig, lasts: str, words: str) -> None:
    """A duration beyond every limit is still a duration."""
    with pytest.raises(Refusal, match=words):
        await rig.command("hold", args={"for": lasts})


@pytest.mark.parametrize("slots", [MOST_SLOTS + 1, -2])
async def test_a_pool_of_a_size_that_cannot_be_is_told_the_largest(rig: Rig, slots: int) -> None:
    """The refusal names the largest number."""
    with pytest.raises(Refusal, match="slots are 0 or more and at most 1000000, or -1 for no limit"):
        await rig.command("resize", args={"pool": "default", "slots": slots})


def test_the_command_line_names_the_largest_pool() -> None:
    """A number that is too large, also to be sent, is refused before the engine is asked."""
    for many in (str(MOST_SLOTS + 1), "9" * 20, "9" * 9000):
        with pytest.raises(click.BadParameter, match="at most 1000000, or 'unlimited'"):
            Slots().convert(many, None, None)
    assert Slots().convert(str(MOST_SLOTS), None, None) == MOST_SLOTS

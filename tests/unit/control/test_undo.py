"""Undo: what a command changed and what has not started since goes back to what it was, for a minute."""

from __future__ import annotations

import msgspec
import pytest

from engine.control.actors import Actor
from engine.control.plans import Refusal
from engine.lifecycle.memory import RunMemory
from engine.lifecycle.validate import problems
from engine.model.states import Reason, RunState
from engine.scheduler import undo
from tests.support.lifecycle import task
from tests.support.scheduler import FAILED, Rig

OTHER = Actor(1, 1)


async def failed_run(rig: Rig) -> RunMemory:
    """A run of a → b → c that ended because b failed; nothing starts any more."""
    await rig.dag(task("a"), task("b", "a"), task("c", "b"))
    memory = await rig.trigger()
    rig.scheduler.state.pin(memory.run.id)
    await rig.finish(memory, "a")
    await rig.finish(memory, "b", FAILED)
    await rig.command("hold")
    await rig.later(61)
    return memory


async def test_a_clear_is_taken_back_with_what_followed_from_it(rig: Rig) -> None:
    """Rows, what the trigger rules had decided below, and the run are as before; the whole is sound."""
    memory = await failed_run(rig)
    before = (rig.states(memory), memory.run.state, memory.run.reason, memory.run.ended_at)
    errors = memory.instances["b", -1].last_error
    await rig.command("clear", runs=(memory.run.run_id,), tasks=("b",))
    assert rig.states(memory) == {"a": "success", "b": "scheduled", "c": "none"}
    shown = await rig.preview("undo")
    assert [(row.kind, row.task_id, row.state, row.becomes) for row in shown.rows] == [
        ("task", "b", "scheduled", "failed"),
        ("task", "c", "none", "upstream_failed"),
        ("run", None, "running", "failed"),
    ]
    await rig.command("undo")
    assert (rig.states(memory), memory.run.state, memory.run.reason, memory.run.ended_at) == before
    assert memory.instances["b", -1].last_error == errors
    assert problems(memory) == []


async def test_a_mark_is_taken_back(rig: Rig) -> None:
    """What it released is taken back with it."""
    memory = await failed_run(rig)
    await rig.command("mark", runs=(memory.run.run_id,), tasks=("b",), args={"state": "success"})
    assert rig.states(memory)["c"] == "scheduled"
    await rig.command("undo")
    assert rig.states(memory) == {"a": "success", "b": "failed", "c": "upstream_failed"}
    assert memory.run.state is RunState.FAILED
    assert problems(memory) == []


async def test_what_has_started_is_not_taken_back(rig: Rig) -> None:
    """The row that runs stays and is named; the others go back; where nothing is left, undo is refused."""
    await rig.dag(task("a"), task("b"))
    memory = await rig.trigger()
    rig.scheduler.state.pin(memory.run.id)
    await rig.finish(memory, "a")
    await rig.finish(memory, "b")
    run = memory.run.run_id
    await rig.command("resize", args={"pool": "default", "slots": 1})
    await rig.command("clear", runs=(run,))
    assert sorted(rig.states(memory).values()) == ["queued", "scheduled"]
    done = await rig.command("undo")
    assert "it has started since" in done.message
    assert sorted(rig.states(memory).values()) == ["queued", "success"]
    assert problems(memory) == []
    await rig.command("clear", runs=(run,), tasks=("a",))
    await rig.later(1)
    with pytest.raises(Refusal, match="nothing of it can be taken back"):
        await rig.command("undo")


async def test_undo_lasts_a_minute(rig: Rig) -> None:
    """Then it is refused, with the reason."""
    memory = await failed_run(rig)
    await rig.command("clear", runs=(memory.run.run_id,), tasks=("b",))
    await rig.later(61)
    with pytest.raises(Refusal, match="too late to take it back"):
        await rig.command("undo")


async def test_nothing_to_undo_is_refused(rig: Rig) -> None:
    """Also what has been undone already."""
    memory = await failed_run(rig)
    rig.scheduler.state.undo.clear()
    with pytest.raises(Refusal, match="nothing to undo"):
        await rig.command("undo")
    await rig.command("clear", runs=(memory.run.run_id,), tasks=("b",))
    await rig.command("undo")
    with pytest.raises(Refusal, match="nothing to undo"):
        await rig.command("undo")


async def test_another_persons_command_is_undone_only_by_name(rig: Rig) -> None:
    """Without a name one's own is meant; the refusal says whose the last one is."""
    memory = await failed_run(rig)
    rig.scheduler.state.undo.clear()
    name = "a" * 32
    await rig.command("clear", runs=(memory.run.run_id,), tasks=("b",), command_id=name)
    with pytest.raises(Refusal, match="to be named from the audit"):
        await rig.command("undo", actor=OTHER)
    await rig.command("undo", actor=OTHER, args={"command": name})
    assert rig.states(memory)["b"] == "failed"


async def test_what_somebody_changed_after_it_stays(rig: Rig) -> None:
    """The later change is named, and undone first if that is wanted."""
    memory = await failed_run(rig)
    run, first = memory.run.run_id, "a" * 32
    await rig.command("clear", runs=(run,), tasks=("b",), command_id=first)
    await rig.command("mark", runs=(run,), tasks=("b",), args={"state": "skipped"}, actor=OTHER)
    with pytest.raises(Refusal, match=r"mark by .* came after"):
        await rig.command("undo")
    assert rig.states(memory)["b"] == "skipped"


async def test_an_unstarted_run_is_taken_back_by_cancelling_it(rig: Rig) -> None:
    """One of which anything has started is not."""
    await rig.dag(task("a"))
    await rig.command("hold")
    memory = await rig.trigger()
    rig.scheduler.state.pin(memory.run.id)
    await rig.command("undo")
    assert memory.run.state is RunState.CANCELLED
    await rig.command("release")
    await rig.trigger()
    with pytest.raises(Refusal, match="has started: cancel it"):
        await rig.command("undo")


async def test_pauses_and_holds_are_taken_back_by_their_opposites(rig: Rig) -> None:
    """Each once."""
    entry = await rig.dag(task("a"))
    await rig.command("pause", dags=("etl",))
    await rig.command("undo")
    assert entry.paused_at is None
    await rig.command("hold")
    await rig.command("undo")
    assert rig.scheduler.state.holds == {}


async def test_a_cancelled_run_goes_on_when_nothing_of_it_was_killed(rig: Rig) -> None:
    """Its waiting tasks wait again."""
    await rig.dag(task("a"))
    await rig.command("hold")
    memory = await rig.trigger()
    rig.scheduler.state.pin(memory.run.id)
    await rig.command("cancel", runs=(memory.run.run_id,))
    await rig.command("undo")
    assert (memory.run.state, rig.states(memory)) == (RunState.RUNNING, {"a": "scheduled"})
    assert memory.instances["a", -1].reason is Reason.TRIGGER_RULE
    await rig.command("release")
    assert rig.states(memory) == {"a": "queued"}
    assert problems(memory) == []


async def test_a_retry_that_was_started_early_waits_again(rig: Rig) -> None:
    """At the same moment as before."""
    await rig.dag(task("a", retries=2, delay=300))
    memory = await rig.trigger()
    await rig.finish(memory, "a", FAILED)
    instance = memory.instances["a", -1]
    due = instance.retry_at
    await rig.command("hold")
    await rig.command("retry", runs=(memory.run.run_id,), tasks=("a",))
    await rig.command("undo")
    assert (instance.state.value, instance.retry_at) == ("up_for_retry", due)
    await rig.command("release")
    await rig.later(301)
    assert instance.state.value == "queued"


async def test_what_can_be_undone_survives_the_engine(rig: Rig) -> None:
    """It is stored with the command, and read back as it was."""
    memory = await failed_run(rig)
    await rig.command("clear", runs=(memory.run.run_id,), tasks=("b",))
    row = rig.stored("undo.put")[-1]
    kept = rig.scheduler.state.undo[row["command"]]
    assert msgspec.to_builtins(undo.restored([row["former"]])[row["command"]]) == msgspec.to_builtins(kept)

"""Undo: what a command changed and what has not started since goes back to what it was, for a minute."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from engine.control.actors import Actor
from engine.control.plans import Refusal
from engine.lifecycle.memory import RunMemory
from engine.lifecycle.validate import problems
from engine.model.attempt_files import AttemptStatus
from engine.model.breaker import BreakerSpec
from engine.model.dag import ApprovalSpec, ScheduleSpec, TaskSpec
from engine.model.states import Reason, RunState
from engine.scheduler import undo
from engine.store.stored import StoredCommand
from tests.support.lifecycle import task
from tests.support.scheduler import FAILED, Rig

OTHER = Actor(1, 1)
DOWN = AttemptStatus(1, "child", outcome="failed", failure_class="transient", error="ConnectionError: db-1 refused")


async def failed_run(rig: Rig) -> RunMemory:
    """A run of a → b → c that ended because b failed; nothing starts any more."""
    memory = await rig.failed_run()
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


@pytest.mark.parametrize("name", ["zzz", "99999", 99999, "9" * 30])
async def test_a_command_that_never_was_is_not_found(rig: Rig, name: str | int) -> None:
    """Neither by a number nor by anything else that the audit does not have."""
    with pytest.raises(Refusal, match=f"the audit has no command '?{name}") as refused:
        await rig.command("undo", args={"command": name})
    assert refused.value.code == "not_found"


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        ("done", "cannot be taken back: it changed nothing, was undone, or is over a minute ago"),
        ("refused", "was refused: there is nothing to take back"),
    ],
)
async def test_a_command_that_cannot_be_taken_back_is_called_by_number_and_verb(
    rig: Rig, outcome: str, reason: str
) -> None:
    """Nobody knows a command by its id."""
    name = "d" * 32
    rig.archive.commands[name] = StoredCommand(name, "mark", outcome, "", {}, 1, 1000, "ops", 1)
    for said in (name, 1):
        with pytest.raises(Refusal, match=f"command 1, mark of ops, {reason}"):
            await rig.command("undo", args={"command": said})


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


async def test_a_pool_gets_its_former_size_back(rig: Rig) -> None:
    """A new one goes; what somebody else has changed after it stays, and is named."""
    first = "a" * 32
    await rig.command("resize", args={"pool": "db", "slots": 4})
    await rig.command("resize", args={"pool": "db", "slots": 8}, command_id=first)
    await rig.command("undo")
    assert rig.scheduler.ledger.pools["db"] == 4
    await rig.command("undo")
    assert "db" not in rig.scheduler.ledger.pools
    await rig.command("resize", args={"pool": "db", "slots": 4}, command_id=first)
    await rig.command("resize", args={"pool": "db", "slots": 2}, actor=OTHER)
    with pytest.raises(Refusal, match=r"resize by .* came after"):
        await rig.command("undo")
    await rig.command("undo", actor=OTHER)
    await rig.command("remove", args={"pool": "db"})
    await rig.command("undo")
    assert rig.scheduler.ledger.pools["db"] == 4


async def test_what_admins_do_is_taken_back_by_themselves_alone(rig: Rig) -> None:
    """Undo asks for less than resizing does, and would be a way round."""
    await rig.command("resize", args={"pool": "db", "slots": 4}, command_id="a" * 32)
    with pytest.raises(Refusal, match="taken back by whoever did it") as refused:
        await rig.command("undo", actor=OTHER, args={"command": "a" * 32})
    assert refused.value.code == "role"


async def test_a_breaker_stands_again_as_before_it_was_tripped_or_reset(rig: Rig) -> None:
    """With its failures and its cooldown; once it has moved by itself, undo is refused."""
    await rig.dag(task("a", breaker=BreakerSpec("db-1", failures=2, cooldown=60.0)), max_active_runs=9)
    memory = await rig.trigger()
    await rig.finish(memory, "a", DOWN)
    found = rig.scheduler.breakers.by_name["db-1"]
    before = replace(found)
    await rig.command("trip", args={"breaker": "db-1"}, note="no more")
    assert found.is_held
    await rig.command("undo")
    assert found == before and rig.stored("breaker.put")[-1]["failures"] == 1
    await rig.command("trip", args={"breaker": "db-1", "for": "60s"})
    opened = replace(found)
    await rig.command("reset", args={"breaker": "db-1"})
    await rig.later(5)
    await rig.command("undo")
    assert found == opened
    await rig.command("reset", args={"breaker": "db-1"}, command_id="a" * 32)
    await rig.finish(await rig.trigger(), "a", DOWN)
    with pytest.raises(Refusal, match="db-1 has moved since: it is closed now"):
        await rig.command("undo", args={"command": "a" * 32})


async def test_an_answer_is_taken_back_while_nothing_has_followed(rig: Rig) -> None:
    """The approval asks again, nobody is said to have answered it; once a task below has started it is too late."""
    ask = TaskSpec("ok", "approval", approval=ApprovalSpec(rejects=["reject"]))
    await rig.dag(ask, task("b", "ok", inputs=["ok"]), max_active_runs=9)
    memory = await rig.trigger()
    rig.scheduler.state.pin(memory.run.id)
    about: Any = {"runs": (memory.run.run_id,), "tasks": ("ok",)}
    await rig.command("hold")
    await rig.command("answer", **about, args={"option": "approve"})
    assert rig.states(memory) == {"ok": "success", "b": "scheduled"}
    await rig.command("undo")
    assert rig.states(memory) == {"ok": "awaiting_input", "b": "none"}
    assert ("ok", -1) not in rig.scheduler.state.results[memory.run.id]
    assert rig.stored("answer.withdraw")[0]["at"] == rig.stored("answer.add")[0]["answered_at"]
    await rig.command("answer", **about, args={"option": "reject"})
    assert memory.run.state is RunState.FAILED
    await rig.command("undo")
    assert (rig.states(memory), memory.run.state) == ({"ok": "awaiting_input", "b": "none"}, RunState.RUNNING)
    assert problems(memory) == []
    await rig.command("answer", **about, args={"option": "approve"})
    rig.scheduler.state.undo = {name: made for name, made in rig.scheduler.state.undo.items() if made.verb != "hold"}
    await rig.command("release", command_id="b" * 32)
    rig.scheduler.state.undo.pop("b" * 32)
    with pytest.raises(Refusal, match=r"it cannot be taken back: b of .*: it has started since"):
        await rig.command("undo")
    assert rig.states(memory)["ok"] == "success"


async def test_a_new_backfill_is_taken_back_while_nothing_of_it_runs(rig: Rig) -> None:
    """What has begun is not."""
    await rig.dag(task("a"), schedule=ScheduleSpec("0 0 * * *"))
    await rig.command("hold")
    about: Any = {"dags": ("etl",), "args": {"start": "2023-11-01..2023-11-05"}}
    await rig.command("backfill_create", **about)
    assert len(rig.scheduler.state.backfills) == 1
    await rig.command("undo")
    assert rig.scheduler.state.backfills == {}
    assert rig.stored("backfill.put")[-1]["state"] == "cancelled"
    await rig.command("release")
    await rig.command("backfill_create", **about)
    with pytest.raises(Refusal, match="has begun to run: cancel the backfill instead"):
        await rig.command("undo")


async def test_a_cancelled_backfill_goes_on_again(rig: Rig) -> None:
    """With the dates that had been dropped; those of a paused one wait."""
    await rig.dag(task("a"), schedule=ScheduleSpec("0 0 * * *"))
    await rig.command("backfill_create", dags=("etl",), args={"start": "2023-11-01..2023-11-03", "max_active": 1})
    (live,) = rig.scheduler.state.backfills.values()
    await rig.command("backfill_cancel", args={"id": 1})
    assert [item.state.value for item in live.items] == ["running", "cancelled", "cancelled"]
    await rig.command("undo")
    assert [item.state.value for item in live.items] == ["running", "pending", "pending"]
    assert live.row.state == "running"
    await rig.command("backfill_pause", args={"id": 1})
    await rig.command("backfill_cancel", args={"id": 1})
    await rig.command("undo")
    assert live.row.state == "paused"


async def test_a_recovery_is_taken_back_with_its_first_run(rig: Rig) -> None:
    """What it had cleared and what has not started is failed again."""
    memory = await failed_run(rig)
    rig.put_in_inbox(memory, "b")
    await rig.command("recover", args={"cause": "exit #"})
    assert rig.states(memory)["b"] == "scheduled"
    await rig.command("undo")
    assert (rig.states(memory)["b"], memory.run.state) == ("failed", RunState.FAILED)
    assert rig.scheduler.state.recoveries == {}


async def test_released_holds_stand_again_as_they_were_made(rig: Rig) -> None:
    """All of them, each with who made it, why and until when."""
    await rig.command("hold", note="db-1 is down")
    await rig.command("hold", args={"scope": "dag", "pattern": "etl", "for": "30m"}, actor=OTHER)
    before = [replace(hold, id=0) for hold in rig.scheduler.state.holds.values()]
    await rig.command("release")
    assert rig.scheduler.state.holds == {}
    await rig.command("undo")
    assert [replace(hold, id=0) for hold in rig.scheduler.state.holds.values()] == before

"""What stands around every verb: applied once, guarded by what the operator saw, recorded, previews that expire."""

from __future__ import annotations

import asyncio

import pytest

from engine.control import protocol as p
from engine.control.plans import Plan, Refusal
from engine.store.errors import StoreBusy
from engine.store.stored import StoredCommand
from tests.support.lifecycle import task
from tests.support.scheduler import OPERATOR, Rig

NAME = "ab" * 16


def audit(rig: Rig) -> list[tuple[str, str, str]]:
    """Verb, outcome and message of all committed commands."""
    rows = [batch.command for batch in rig.writer.committed if batch.command is not None]
    return [(row.verb, row.outcome, row.message) for row in rows]


async def test_the_same_id_at_the_same_time_is_one_command(rig: Rig) -> None:
    """Whoever asks while it is under way waits for the same answer; so does whoever is refused."""
    await rig.dag(task("a"))
    command = p.Command(1, NAME, "trigger", p.Selector(dag_ids=["etl"]))
    asked = [asyncio.ensure_future(rig.commands.carry_out(command, OPERATOR, "cli")) for _ in range(5)]
    await rig.turn()
    answers = await asyncio.wait_for(asyncio.gather(*asked), 5)
    assert len({answer.result["run_id"] for answer in answers}) == 1
    made = answers[0].result["run_id"]
    assert audit(rig) == [("trigger", "done", f"triggered {made}")]

    refused = p.Command(1, "cd" * 16, "resume", p.Selector(dag_ids=["etl"]))
    asked = [asyncio.ensure_future(rig.commands.carry_out(refused, OPERATOR, "cli")) for _ in range(5)]
    await rig.turn()
    outcomes = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 5)
    assert [str(outcome) for outcome in outcomes] == ["nothing to resume: etl is not paused"] * 5


async def test_a_command_of_an_earlier_engine_is_answered_from_the_audit(rig: Rig) -> None:
    """Its row says what was done and what came of it; nothing is done again."""
    await rig.dag(task("a"))
    rig.archive.commands[NAME] = StoredCommand(
        NAME, "trigger", "done", "triggered etl", {"run_id": "etl@x", "changed": 1}, 42, 1000, "ops"
    )
    done = await rig.command("trigger", dags=("etl",), command_id=NAME)
    assert (done.seq, done.result, done.changed) == (42, {"run_id": "etl@x"}, 1)
    assert rig.scheduler.state.runs == {}
    rig.archive.commands[NAME] = StoredCommand(NAME, "resume", "refused", "not paused", {}, 43, 1000, "ops")
    with pytest.raises(Refusal, match="not paused"):
        await rig.command("resume", dags=("etl",), command_id=NAME)


async def test_a_command_after_a_failure_may_be_sent_again(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that could not be read leaves nothing behind: the same id is taken the next time."""
    await rig.dag(task("a"))

    async def busy(command_id: str) -> None:
        raise StoreBusy("the store is busy; try again")

    with monkeypatch.context() as broken:
        broken.setattr(rig.archive, "find_command", busy)
        with pytest.raises(StoreBusy):
            await rig.command("trigger", dags=("etl",), command_id=NAME)
    assert (await rig.command("trigger", dags=("etl",), command_id=NAME)).changed == 1


@pytest.mark.parametrize("name", ["", "abc", "AB" * 16, "g" * 32, "ab" * 17, "'; --" + "a" * 27])
async def test_an_id_that_is_none_is_refused(rig: Rig, name: str) -> None:
    """Ids are 32 hex digits in lower case, made by the client."""
    with pytest.raises(Refusal, match="32 hex digits"):
        await rig.command("drain", command_id=name)


@pytest.mark.parametrize("seen", [-1, 1 << 63, 10**30])
async def test_a_seen_number_that_no_event_has_is_refused(rig: Rig, seen: int) -> None:
    """It could not even be stored beside the command."""
    with pytest.raises(Refusal, match="the number of an event"):
        await rig.command("drain", seen_seq=seen)


async def test_rows_that_moved_since_they_were_seen_are_left_alone(rig: Rig) -> None:
    """The rest is done and counted; who moved the others, and when, is said."""
    await rig.dag(task("a"), task("b"))
    memory = await rig.trigger()
    seen = rig.writer.committed_seq
    run_id = memory.run.run_id
    await rig.command("mark", runs=(run_id,), tasks=("a",), args={"state": "failed"}, seen_seq=seen)
    rig.clock.at += 3_000_000
    done = await rig.command("mark", runs=(run_id,), args={"state": "skipped"}, tasks=("a", "b"), seen_seq=seen)
    assert (done.changed, done.message) == (1, "marked 1 task instance skipped")
    assert done.skipped == [f"a of {run_id}: mark by {OPERATOR.name} 3 s ago, killing now"]
    with pytest.raises(Refusal, match="it changed since you looked") as refusal:
        await rig.command("mark", runs=(run_id,), args={"state": "success"}, tasks=("a",), seen_seq=seen)
    assert refusal.value.code == "stale"
    assert [outcome for _, outcome, _ in audit(rig)] == ["done", "done", "done", "refused"]


async def test_a_change_that_is_not_committed_yet_is_stale_already(rig: Rig) -> None:
    """Of two opposite commands sent at once, the second sees that the first has moved the row."""
    await rig.dag(task("a"), task("b"))
    memory = await rig.trigger()
    seen, run_id = rig.writer.committed_seq, memory.run.run_id
    asked = [
        asyncio.ensure_future(
            rig.commands.carry_out(
                p.Command(1, f"{number:032x}", "mark", p.Selector([], [run_id], ["a"]), {"state": state}, seen),
                OPERATOR,
                "console",
            )
        )
        for number, state in enumerate(("success", "failed"))
    ]
    await rig.turn()
    first, second = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 5)
    assert isinstance(first, p.Done)
    assert isinstance(second, Refusal) and second.code == "stale"


async def test_a_cancelled_run_is_guarded_as_a_whole(rig: Rig) -> None:
    """Tasks that moved since do not hold up a cancel of their run; a run that moved is not cancelled by halves."""
    await rig.dag(task("a"), task("b"))
    memory = await rig.trigger()
    seen = rig.writer.committed_seq
    await rig.begin(memory, "a")
    done = await rig.command("cancel", runs=(memory.run.run_id,), seen_seq=seen)
    assert (done.changed, done.skipped) == (3, [])
    other = await rig.trigger()
    with pytest.raises(Refusal) as refusal:
        await rig.command("cancel", runs=(other.run.run_id,), seen_seq=seen)
    assert refusal.value.code == "stale"
    assert set(rig.states(other).values()) == {"queued"}


async def test_a_plan_that_fails_is_a_refusal_not_a_failure(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planning changes nothing: a mistake in it is logged and refused, and the engine goes on."""
    await rig.dag(task("a"))

    def mistaken(*args: object) -> Plan:
        raise KeyError("a mistake")

    monkeypatch.setattr("engine.control.verbs.engine.Drain.plan", mistaken)
    with pytest.raises(Refusal, match="drain cannot be planned"):
        await rig.command("drain")
    with pytest.raises(Refusal, match="drain cannot be planned"):
        await rig.preview("drain")
    assert (rig.broken, audit(rig)[-1][1]) == ([], "refused")
    assert (await rig.command("trigger", dags=("etl",))).changed == 1


async def test_a_preview_expires_after_five_minutes(rig: Rig) -> None:
    """Its further pages are given until then, and refused after."""
    await rig.dag(*(task(f"t{number:03}") for number in range(450)))
    memory = await rig.trigger()
    shown = await rig.preview("clear", runs=(memory.run.run_id,))
    assert (shown.total, len(shown.rows), shown.more) == (450, 200, "200")
    rig.clock.at += p.PREVIEW_SECONDS * 1_000_000
    page = rig.commands.more(p.AskMore(2, shown.preview_id, "200"))
    assert (page.id, len(page.rows), page.more, page.total) == (2, 200, "400", 450)
    assert len(rig.commands.more(p.AskMore(3, shown.preview_id, "400")).rows) == 50
    rig.clock.at += 1
    with pytest.raises(Refusal, match="expired"):
        rig.commands.more(p.AskMore(4, shown.preview_id, "200"))


async def test_pages_show_what_was_there_when_it_was_asked_for(rig: Rig) -> None:
    """Rows that change meanwhile do not change in later pages: the preview is one picture."""
    await rig.dag(*(task(f"t{number:03}") for number in range(250)))
    memory = await rig.trigger()
    shown = await rig.preview("clear", runs=(memory.run.run_id,))
    await rig.command("cancel", runs=(memory.run.run_id,))
    page = rig.commands.more(p.AskMore(2, shown.preview_id, shown.more or ""))
    assert {row.state for row in page.rows} == {"scheduled"}

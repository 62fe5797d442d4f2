"""Whoever waits for the scheduler is answered, whatever else fails at that moment; nothing is forgotten for good."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from engine.authoring.breakers import REPORTS
from engine.execution.port import Ended
from engine.model.dag import RetryPolicy, RetryRule
from engine.scheduler.breakers import Inbox
from engine.scheduler.ledger import UNLIMITED, Ledger
from engine.scheduler.state import State
from engine.store.batch import Batch
from engine.store.errors import CommitFailed
from tests.support.lifecycle import task
from tests.support.scheduler import FAILED, Rig


async def test_a_file_that_cannot_be_written_keeps_nobody_from_being_answered(rig: Rig) -> None:
    """What is told after a commit is told to all: also to who tripped a breaker whose file a full disk refuses."""
    rig.scheduler.places.home.root.joinpath("breakers").write_text("in the folder's place")
    done = await rig.command("trip", args={"breaker": "db-1"})
    assert done.changed == 1
    assert rig.broken == []
    assert any(line.startswith("telling_failed") for line in rig.logged)


async def test_a_batch_that_the_writer_does_not_take_is_not_waited_for(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine whose writer once refused a batch is at rest again: it could not drain otherwise."""
    await rig.dag(task("a"))

    def refuse(batch: Batch) -> None:
        raise CommitFailed("the store takes no changes")

    with monkeypatch.context() as patched:
        patched.setattr(rig.writer, "submit", refuse)
        with pytest.raises(CommitFailed, match="takes no changes"):
            await asyncio.wait_for(rig.scheduler.commit(lambda turn: turn.note("engine")), 5)
    rig.scheduler.replace(State(), Ledger(16, {"default": UNLIMITED}))
    rig.scheduler.degraded = None
    await rig.turn()
    assert rig.scheduler.runs_nothing


async def test_a_word_of_a_task_that_a_failed_commit_forgot_is_taken_in_later(rig: Rig) -> None:
    """What a task's code said of a breaker stays until it is committed: it is read again if its turn did not come."""
    breakers = rig.scheduler.breakers
    reports = breakers.folder / REPORTS
    reports.mkdir(parents=True)
    word = {"v": 1, "name": "db-1", "failures": 1, "cooldown": 60, "max_cooldown": 60, "error": "refused"}
    (reports / "1").write_text(json.dumps(word))
    inbox = Inbox(breakers.folder, rig.scheduler.post, breakers)
    inbox.look()
    rig.scheduler.degrade("disk I/O error")
    rig.scheduler.replace(State(), Ledger(16, {"default": UNLIMITED}))
    rig.scheduler.degraded = None
    inbox.look()
    await rig.turn()
    assert breakers.by_name["db-1"].state == "open"
    assert list(reports.iterdir()) == []


@pytest.mark.parametrize("word", ["{", "[]", '{"v": 1}', '{"v": 1, "name": "x", "failures": "many", "error": null}'])
async def test_rubbish_in_place_of_a_word_of_a_task_breaks_no_turn(rig: Rig, word: str) -> None:
    """A turn that breaks refuses everybody in it; what is no word about a breaker is taken away."""
    breakers = rig.scheduler.breakers
    reports = breakers.folder / REPORTS
    reports.mkdir(parents=True)
    (reports / "1").write_text(word)
    Inbox(breakers.folder, rig.scheduler.post, breakers).look()
    await rig.turn()
    assert rig.broken == []
    assert breakers.by_name == {}
    assert list(reports.iterdir()) == []


async def test_the_end_of_a_task_is_taken_in_although_no_thread_can_be_started(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where its retry rules cannot be searched because the host lets nobody start a thread, they say nothing."""
    await rig.dag(task("a", retry=RetryPolicy(rules=[RetryRule(match="down")])))
    memory = await rig.trigger()

    async def refused(*args: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(asyncio, "to_thread", refused)
    attempt_id = await rig.begin(memory, "a")
    await rig.see(Ended(attempt_id, replace(FAILED, exceptions=["ConnectionError"])))
    for _ in range(10):
        await asyncio.sleep(0)
    await rig.turn()
    assert memory.run.state.value == "failed"
    assert any("can't start new thread" in line for line in rig.logged)

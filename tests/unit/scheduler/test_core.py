"""One turn after the other: decided in memory, committed, and only then acted upon and told."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from engine.control import protocol as p
from engine.control.plans import Refusal
from engine.execution import port
from engine.model.attempt_files import AttemptStatus
from engine.model.dag import CallbackFlags
from engine.model.states import RunState, TaskState
from engine.scheduler import evidence
from engine.scheduler.acting import CALLBACK_SECONDS
from engine.scheduler.ledger import UNLIMITED, Ledger
from engine.scheduler.state import State
from engine.scheduler.turn import Turn
from engine.store.errors import CommitFailed
from tests.support.lifecycle import task
from tests.support.scheduler import FAILED, OK, OPERATOR, Rig


async def spin() -> None:
    """Lets the loop run what is ready."""
    for _ in range(10):
        await asyncio.sleep(0)


def asking(rig: Rig, verb: str = "trigger", number: int = 1) -> asyncio.Future[p.Done]:
    """A command about the DAG, on its way."""
    command = p.Command(number, f"{number:032x}", verb, p.Selector(dag_ids=["etl"]))
    return asyncio.ensure_future(rig.commands.carry_out(command, OPERATOR, "cli"))


async def test_nothing_is_launched_and_nobody_told_before_the_commit(rig: Rig) -> None:
    """A triggered run's first task is launched, and the command answered, once both stand in the store."""
    await rig.dag(task("a"), task("b", "a"))
    asked = asking(rig)
    await spin()
    assert rig.writer.waiting and rig.executor.tasks == [] and not asked.done()
    rig.writer.commit()
    assert (await asyncio.wait_for(asked, 5)).seq == rig.writer.committed_seq
    assert rig.executor.tasks == ["a"]


async def test_a_failed_commit_starts_nothing_and_says_so(rig: Rig) -> None:
    """Its command is refused, nothing of it is launched, and no turn is taken until memory has been loaded again."""
    await rig.dag(task("a"))
    asked = asking(rig)
    await spin()
    rig.writer.fail()
    with pytest.raises(Refusal, match="nothing was changed: disk I/O error"):
        await asyncio.wait_for(asked, 5)
    assert (rig.executor.launched, rig.broken, rig.scheduler.degraded) == ([], ["disk I/O error"], "disk I/O error")
    with pytest.raises(Refusal, match="takes no changes now: disk I/O error"):
        await asking(rig, number=2)
    turns: list[Turn] = []
    rig.scheduler.post(turns.append)
    await spin()
    assert turns == []


async def test_what_was_decided_on_top_of_a_failed_commit_is_not_acted_upon(rig: Rig) -> None:
    """Two commands whose commits fail together are both refused, and the engine is told once."""
    await rig.dag(task("a"))
    both = [asking(rig, number=number) for number in (1, 2)]
    await spin()
    rig.writer.fail()
    answers = await asyncio.wait_for(asyncio.gather(*both, return_exceptions=True), 5)
    assert [type(answer) for answer in answers] == [Refusal, Refusal]
    assert (rig.executor.launched, len(rig.broken)) == ([], 1)


async def test_a_mistake_in_a_turn_drops_memory_and_answers_whoever_waits(rig: Rig) -> None:
    """An exception while a turn decides is never half committed: nothing of that turn is written."""
    await rig.dag(task("a"))
    before = len(rig.writer.committed)

    def mistaken(turn: Turn) -> None:
        raise ZeroDivisionError("a mistake")

    rig.scheduler.post(mistaken)
    await spin()
    assert (rig.broken, rig.writer.waiting, len(rig.writer.committed)) == (["a mistake"], [], before)
    assert any(line.startswith("turn_failed") for line in rig.logged)


async def test_a_mistake_while_acting_leaves_the_commit_true(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is committed is answered as done; memory is loaded again, and what has to be done is derived from it."""
    await rig.dag(task("a"))

    def broken(orders: object) -> None:
        raise OSError("out of descriptors")

    monkeypatch.setattr(rig.executor, "launch", broken)
    done = await rig.command("trigger", dags=("etl",))
    assert done.result["run_id"]
    assert rig.broken == ["out of descriptors"]


async def test_a_task_that_cannot_be_ordered_fails_for_good(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """An attempt for which no order can be made has failed, with the reason, and is not tried again."""
    await rig.dag(task("a", retries=3), task("b", "a"))

    def impossible(*args: object) -> None:
        raise OverflowError("date value out of range")

    monkeypatch.setattr(rig.scheduler._actor._dispatcher, "order", impossible)
    await rig.command("trigger", dags=("etl",))
    final = {ti.task_id: ti for changes in rig.changes() for ti, _ in changes.tasks.values()}
    assert {name: ti.state.value for name, ti in final.items()} == {"a": "failed", "b": "upstream_failed"}
    assert final["a"].last_error == "cannot be started: OverflowError('date value out of range')"
    assert rig.broken == []


async def test_a_command_whose_turn_does_not_come_is_answered_at_once(rig: Rig) -> None:
    """A command that waits for its turn when a commit fails is refused then, not when the store works again: that may
    take hours.
    """
    await rig.dag(task("a"))
    asked = asking(rig)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    rig.scheduler.degrade("disk I/O error")
    with pytest.raises(Refusal, match="nothing was changed: disk I/O error"):
        await asyncio.wait_for(asked, 5)
    assert rig.writer.waiting == []


async def test_who_waits_for_a_commit_hears_at_once_that_none_is_to_be_had(rig: Rig) -> None:
    """Also when the engine degrades before the turn, or is degraded when it is asked."""
    waits = asyncio.ensure_future(rig.scheduler.commit(lambda turn: turn.note("engine")))
    await asyncio.sleep(0)
    rig.scheduler.degrade("disk I/O error")
    with pytest.raises(CommitFailed, match="disk I/O error"):
        await asyncio.wait_for(waits, 5)
    with pytest.raises(CommitFailed, match="disk I/O error"):
        await asyncio.wait_for(rig.scheduler.commit(lambda turn: turn.note("engine")), 5)


async def test_commands_that_dropped_memory_forgot_are_answered(rig: Rig) -> None:
    """A command that was waiting for its turn when memory was loaded anew is refused, not left waiting."""
    await rig.dag(task("a"))
    asked = asking(rig)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    rig.scheduler.replace(State(), Ledger(16, {"default": UNLIMITED}))
    with pytest.raises(Refusal, match="nothing was changed: the engine loaded its state anew"):
        await asyncio.wait_for(asked, 5)


async def test_a_command_is_committed_by_itself(rig: Rig) -> None:
    """Two commands posted together make two batches, each with its own row of the audit and its own effects."""
    await rig.dag(task("a"))
    asked = [asking(rig, number=number) for number in (1, 2)]
    await rig.turn()
    await asyncio.wait_for(asyncio.gather(*asked), 5)
    batches = [batch for batch in rig.writer.committed if batch.command is not None]
    assert [batch.command.id[-1] for batch in batches if batch.command] == ["1", "2"]
    assert [len(batch.changes.new_runs) for batch in batches if batch.changes] == [1, 1]


async def test_a_stopping_or_draining_engine_launches_nothing(rig: Rig) -> None:
    """While it drains, what is ready waits with its reason; it starts as soon as the drain is over."""
    await rig.dag(task("a"), task("b", "a"))
    memory = await rig.trigger()
    await rig.begin(memory, "a")
    rig.scheduler.limit(draining=True)
    await rig.see(port.Ended(rig.attempt(memory, "a"), OK))
    assert rig.states(memory)["b"] == "scheduled"
    assert memory.instances["b", -1].blockers == ("draining",)
    rig.scheduler.limit(draining=False)
    await rig.turn()
    assert rig.executor.tasks == ["a", "b"]


async def test_runs_that_waited_for_room_on_the_disk_start_when_there_is_some(rig: Rig) -> None:
    """Runs that were triggered or due while the disk was nearly full start by themselves once it is not."""
    await rig.dag(task("a"))
    rig.scheduler.limit(disk_low="3 MB free")
    memory = await rig.trigger()
    assert (memory.run.state, memory.instances["a", -1].blockers) == (RunState.QUEUED, ("run_queued", "disk"))
    rig.scheduler.limit(disk_low="")
    await rig.turn()
    assert (memory.run.state, rig.executor.tasks) == (RunState.RUNNING, ["a"])


async def test_slots_and_pools_hold_back_what_does_not_fit(tmp_path: Path) -> None:
    """Two slots run two tasks; the pool of one runs one; what waits says for what, and each end lets the next in."""
    rig = Rig(tmp_path, slots=2, narrow=1)
    await rig.dag(*(task(name, pool="narrow") for name in ("n1", "n2")), task("a"), task("b"))
    memory = await rig.trigger()
    assert rig.executor.tasks == ["n1", "a"]
    assert memory.instances["n2", -1].blockers == ("pool:narrow", "engine_slots")
    assert memory.instances["b", -1].blockers == ("engine_slots",)
    await rig.finish(memory, "a")
    assert rig.executor.tasks == ["n1", "a", "b"]
    await rig.finish(memory, "n1")
    assert rig.executor.tasks == ["n1", "a", "b", "n2"]


async def test_a_start_that_failed_is_tried_again_with_the_same_attempt(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The attempt keeps its id and is not spent; after three failed starts the task fails, and its slot is free."""
    monkeypatch.setattr(evidence, "START_AGAIN_SECONDS", 0)
    await rig.dag(task("a"))
    memory = await rig.trigger()
    attempt_id = rig.attempt(memory, "a")
    for _ in range(2):
        await rig.see(port.SpawnFailed(attempt_id, "out of memory"))
        assert rig.attempt(memory, "a") == attempt_id
    await rig.see(port.SpawnFailed(attempt_id, "out of memory"))
    assert [order.spec.attempt_id for order in rig.executor.launched] == [attempt_id] * 3
    assert rig.states(memory) == {"a": "failed"}
    assert memory.run.state is RunState.FAILED
    assert (rig.scheduler.ledger.used, rig.scheduler.state.attempts) == (0, {})


async def test_retries_and_timeouts_happen_at_their_moment(rig: Rig) -> None:
    """A retry is granted when its delay has passed and not before; an attempt that runs too long is killed then."""
    await rig.dag(task("a", retries=1, delay=60.0, execution_timeout=30.0, grace=5.0))
    memory = await rig.trigger()
    await rig.finish(memory, "a", FAILED)
    await rig.later(59)
    assert rig.states(memory) == {"a": "up_for_retry"}
    await rig.later(1)
    attempt_id = await rig.begin(memory, "a")
    await rig.later(29)
    assert rig.executor.killed == []
    await rig.later(1)
    assert (rig.states(memory), rig.executor.killed) == ({"a": "killing"}, [(attempt_id, 5.0)])
    await rig.see(port.Ended(attempt_id, None))
    assert memory.instances["a", -1].state is TaskState.FAILED


async def test_timers_of_what_is_over_mean_nothing(rig: Rig) -> None:
    """A retry that an operator brought forward, and the timeout of an attempt that has ended, pass without effect."""
    await rig.dag(task("a", retries=1, delay=60.0, execution_timeout=30.0))
    memory = await rig.trigger()
    await rig.finish(memory, "a", FAILED)
    await rig.command("retry", runs=(memory.run.run_id,))
    attempt_id = await rig.begin(memory, "a")
    await rig.later(20)
    await rig.see(port.Ended(attempt_id, OK))
    await rig.later(3600)
    assert (rig.states(memory), rig.executor.killed, len(rig.executor.launched)) == ({"a": "success"}, [], 2)


async def test_a_run_timeout_ends_the_run(rig: Rig) -> None:
    """Its live tasks are killed, the others are cancelled, and it fails once the processes are gone."""
    await rig.dag(task("a"), task("b", "a"), run_timeout=100.0)
    memory = await rig.trigger()
    attempt_id = await rig.begin(memory, "a")
    await rig.later(100)
    assert rig.states(memory) == {"a": "killing", "b": "cancelled"}
    await rig.see(port.Ended(attempt_id, None))
    assert (memory.run.state, memory.run.reason) == (RunState.FAILED, "run_timeout")


async def test_runs_beyond_max_active_runs_wait_for_their_turn(rig: Rig) -> None:
    """The next run starts when one ends, the oldest logical date first, whatever the order of their making."""
    await rig.dag(task("a"), max_active_runs=1)
    first = await rig.trigger()
    late = await rig.trigger(logical_date="2024-02-02")
    early = await rig.trigger(logical_date="2024-01-01")
    assert [memory.run.state for memory in (first, late, early)] == ["running", "queued", "queued"]
    assert late.instances["a", -1].blockers == ("run_queued", "max_active_runs")
    await rig.finish(first, "a")
    assert [memory.run.state for memory in (first, late, early)] == ["success", "queued", "running"]


async def test_a_run_that_is_over_is_forgotten_unless_somebody_looks_at_it(rig: Rig) -> None:
    """The store has it; while a command holds it, it stays."""
    await rig.dag(task("a"))
    memory, other = await rig.trigger(), await rig.trigger()
    rig.scheduler.state.pin(other.run.id)
    await rig.finish(memory, "a")
    await rig.finish(other, "a")
    assert list(rig.scheduler.state.runs) == [other.run.id]
    assert rig.scheduler.state.names == {other.run.run_id: other.run.id}
    rig.scheduler.state.unpin(other.run.id)
    rig.scheduler.release(other.run.id)
    assert rig.scheduler.state.runs == {} and rig.scheduler.state.attempts == {}


async def test_callbacks_are_launched_after_the_commit_and_keep_their_run(rig: Rig) -> None:
    """A run with a callback stays in memory until the callback has ended; its end is booked, whatever it is."""
    await rig.dag(task("a"), callbacks=CallbackFlags(on_failure=True))
    memory = await rig.trigger()
    await rig.finish(memory, "a", FAILED)
    order = rig.executor.launched[-1].spec
    assert (order.kind, order.callback, order.task_id) == ("callback", "on_failure", "")
    assert memory.run.id in rig.scheduler.state.runs
    await rig.see(port.Claimed(order.attempt_id, 4712, 99, "boot", rig.clock.now()))
    await rig.see(port.Ended(order.attempt_id, None))
    assert memory.run.id not in rig.scheduler.state.runs
    rows = [row for batch in rig.writer.committed for row in batch.callbacks]
    assert (rows[-1].state, rows[-1].outcome) == ("ended", "lost")
    assert rig.scheduler.state.callbacks == {}


@pytest.mark.parametrize("begun", [True, False])
async def test_a_callback_that_does_not_end_is_killed(rig: Rig, begun: bool) -> None:
    """Nothing else ends one that hangs: its run would stay in memory, and an engine that drains would never stop."""
    await rig.dag(task("a"), callbacks=CallbackFlags(on_failure=True))
    memory = await rig.trigger()
    await rig.finish(memory, "a", FAILED)
    callback = rig.executor.launched[-1].spec.attempt_id
    if begun:
        await rig.see(port.Claimed(callback, 4712, 99, "boot", rig.clock.now()))
    await rig.later(CALLBACK_SECONDS - 1)
    assert rig.executor.killed == []
    await rig.later(1)
    assert [attempt_id for attempt_id, _ in rig.executor.killed] == [callback]
    await rig.see(port.Ended(callback, AttemptStatus(143, "engine", signal=15, outcome="failed", error="by signal 15")))
    rows = [row for batch in rig.writer.committed for row in batch.callbacks]
    assert (rows[-1].state, rows[-1].outcome) == ("ended", "failed")
    assert rows[-1].error == "killed: it had not ended after 30 min"
    assert rig.scheduler.state.callbacks == {}


async def test_evidence_of_nobodys_attempt_changes_nothing(rig: Rig) -> None:
    """It is logged; no row is written and nothing breaks."""
    await rig.dag(task("a"))
    before = len(rig.writer.committed)
    await rig.see(port.Ended("01ARZ3NDEKTSV4RRFFQ69G5FAV", OK))
    assert (len(rig.writer.committed), rig.broken) == (before, [])
    assert any(line.startswith("evidence_of_unknown_attempt") for line in rig.logged)


async def test_killing_everything_costs_no_retry_and_starts_nothing(rig: Rig) -> None:
    """A stop that takes tasks along kills each with its grace; they are due again, and wait for the next engine."""
    await rig.dag(task("a", grace=3.0), task("b"))
    memory = await rig.trigger()
    first = await rig.begin(memory, "a")
    second = rig.attempt(memory, "b")
    rig.scheduler.limit(draining=True)
    rig.scheduler.kill_all()
    await rig.turn()
    assert sorted(rig.executor.killed) == sorted([(first, 3.0), (second, 10.0)])
    await rig.see(port.Ended(first, None), port.SpawnFailed(second, "stopped before it began"))
    await rig.later(0)
    assert set(rig.states(memory).values()) == {"scheduled"}
    assert (rig.scheduler.ledger.used, len(rig.executor.launched)) == (0, 2)

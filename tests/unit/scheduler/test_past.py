"""Tasks that depend on the past wait for the run before, whether it is in memory or over."""

from __future__ import annotations

import asyncio

from engine.lifecycle.memory import RunMemory, restore
from engine.model.moments import SECOND, Micros
from engine.model.states import RunType
from engine.scheduler.creating import create_run
from engine.scheduler.ledger import UNLIMITED, Ledger
from engine.scheduler.past import RunBefore
from engine.scheduler.state import State
from engine.scheduler.turn import Turn
from engine.timetable import Slot
from tests.support.lifecycle import T0, task
from tests.support.scheduler import FAILED, OK, Rig

DAY: Micros = 86_400 * SECOND


async def scheduled(rig: Rig, day: int, run_type: RunType = RunType.SCHEDULED) -> RunMemory:
    """A run of the DAG for a day, started; kept in memory when it is over."""
    made: list[RunMemory] = []
    entry = rig.scheduler.state.dags["etl"]
    at = T0 + day * DAY

    def work(turn: Turn) -> None:
        slot = Slot(at, at, at + DAY, turn.now)
        made.append(create_run(rig.scheduler, turn, entry, run_type, slot, f"etl@{day}~{run_type}", {}))
        rig.scheduler.state.pin(made[0].run.id)
        rig.scheduler.starting.start_runs(turn, entry)

    rig.scheduler.post(work)
    await rig.turn()
    return made[0]


async def test_the_first_run_waits_for_nothing(rig: Rig) -> None:
    """There is no run before it."""
    await rig.dag(task("a", depends_on_past=True))
    assert rig.states(await scheduled(rig, 1)) == {"a": "queued"}


async def test_a_task_waits_for_itself_in_the_run_before(rig: Rig) -> None:
    """It starts when that succeeds, and says meanwhile for which run it waits; other tasks do not wait."""
    await rig.dag(task("a", depends_on_past=True), task("b"))
    first, second = await scheduled(rig, 1), await scheduled(rig, 2)
    assert rig.states(second) == {"a": "scheduled", "b": "queued"}
    assert second.instances["a", -1].blockers == (f"depends_on_past:{first.run.run_id}",)
    await rig.finish(first, "a")
    assert rig.states(second)["a"] == "queued"


async def test_a_failure_holds_the_next_run_until_it_is_dealt_with(rig: Rig) -> None:
    """A mark as skipped lets it go, also when the run before is over."""
    await rig.dag(task("a", depends_on_past=True))
    first, second = await scheduled(rig, 1), await scheduled(rig, 2)
    await rig.finish(first, "a", FAILED)
    assert rig.states(second)["a"] == "scheduled"
    await rig.command("mark", runs=(first.run.run_id,), tasks=("a",), args={"state": "skipped"})
    assert rig.states(second)["a"] == "queued"


async def test_clearing_the_run_before_holds_what_has_not_started(rig: Rig) -> None:
    """A task that waits for something else waits for the run before again."""
    await rig.dag(task("a", depends_on_past=True))
    first, second = await scheduled(rig, 1), await scheduled(rig, 2)
    await rig.command("pause", runs=(second.run.run_id,))
    await rig.finish(first, "a")
    assert second.instances["a", -1].blockers == ("run_paused",)
    await rig.command("clear", runs=(first.run.run_id,))
    assert second.instances["a", -1].blockers == ("run_paused", f"depends_on_past:{first.run.run_id}")


async def test_a_forced_clear_goes_before_the_past(rig: Rig) -> None:
    """An operator may have it run all the same."""
    await rig.dag(task("a", depends_on_past=True))
    first, second = await scheduled(rig, 1), await scheduled(rig, 2)
    await rig.finish(first, "a", FAILED)
    await rig.command("clear", runs=(second.run.run_id,), args={"force": True})
    assert rig.states(second)["a"] == "queued"


async def test_runs_by_hand_neither_wait_nor_are_waited_for(rig: Rig) -> None:
    """They stand beside the row of automated runs."""
    await rig.dag(task("a", depends_on_past=True))
    first = await scheduled(rig, 1)
    by_hand = await scheduled(rig, 2, RunType.MANUAL)
    third = await scheduled(rig, 3)
    assert rig.states(by_hand)["a"] == "queued"
    assert third.instances["a", -1].blockers == (f"depends_on_past:{first.run.run_id}",)


async def test_a_run_that_comes_between_is_waited_for(rig: Rig) -> None:
    """The run before is the nearest one, also if it was made later."""
    await rig.dag(task("a", depends_on_past=True))
    first, third = await scheduled(rig, 1), await scheduled(rig, 3)
    second = await scheduled(rig, 2, RunType.BACKFILL)
    assert third.instances["a", -1].blockers == (f"depends_on_past:{second.run.run_id}",)
    await rig.finish(first, "a")
    assert (rig.states(second)["a"], rig.states(third)["a"]) == ("queued", "scheduled")


async def test_the_run_before_is_found_in_the_store(rig: Rig) -> None:
    """Until it is known the task waits; then its state there decides."""
    asked: list[tuple[str, Micros, int]] = []
    answer = asyncio.Event()
    states = {"a": "failed"}

    async def look_up(dag_id: str, logical_date: Micros, run: int) -> RunBefore:
        asked.append((dag_id, logical_date, run))
        await answer.wait()
        return RunBefore(0, "etl@old", T0 - DAY, dict(states))

    rig.scheduler.past.look_up = look_up
    await rig.dag(task("a", depends_on_past=True))
    memory = await scheduled(rig, 1)
    assert memory.instances["a", -1].blockers == ("depends_on_past",)
    answer.set()
    await rig.turn()
    assert asked == [("etl", memory.run.logical_date, memory.run.id)]
    assert memory.instances["a", -1].blockers == ("depends_on_past:etl@old",)


async def test_a_task_that_is_new_in_the_dag_does_not_wait(rig: Rig) -> None:
    """The run before does not have it."""

    async def look_up(dag_id: str, logical_date: Micros, run: int) -> RunBefore:
        return RunBefore(0, "etl@old", T0 - DAY, {"other": "failed"})

    rig.scheduler.past.look_up = look_up
    await rig.dag(task("a", depends_on_past=True))
    memory = await scheduled(rig, 1)
    assert rig.states(memory)["a"] == "queued"
    await rig.finish(memory, "a", OK)


async def test_after_a_restart_the_run_before_is_looked_up_again(rig: Rig) -> None:
    """What waited when the engine ended waits on, and goes on by what the store says then."""
    await rig.dag(task("a", depends_on_past=True))
    first, second = await scheduled(rig, 1), await scheduled(rig, 2)
    await rig.finish(first, "a", FAILED)

    async def look_up(dag_id: str, logical_date: Micros, run: int) -> RunBefore:
        return RunBefore(first.run.id, first.run.run_id, first.run.logical_date, {"a": "skipped"})

    rig.scheduler.past.look_up = look_up
    again = restore(second.plan, second.run, list(second.by_id.values()))
    assert again.past.keys() == {"a"}
    state = State()
    state.dags = rig.scheduler.state.dags
    state.versions = rig.scheduler.state.versions
    state.put_run(again)
    rig.scheduler.replace(state, Ledger(16, {"default": UNLIMITED}))
    rig.scheduler.admission.offer(again, again.instances["a", -1], rig.clock.now())
    await rig.turn()
    assert rig.states(again)["a"] == "queued"

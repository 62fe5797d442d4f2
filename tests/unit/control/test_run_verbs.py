"""Verbs about whole runs: pause and resume them, cancel them around their teardowns, and force what was left out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.control.plans import Refusal
from engine.execution import port
from engine.lifecycle.memory import RunMemory
from engine.model.dag import TaskSpec
from engine.model.states import RunState, TriggerRule
from engine.store.selecting import Chosen
from tests.support.lifecycle import task
from tests.support.scheduler import FAILED, OK, Rig


def cluster() -> tuple[TaskSpec, ...]:
    rule = TriggerRule.ALL_DONE_SETUP_SUCCESS
    return (
        task("s", role="setup"),
        task("a", "s"),
        task("t", "s", "a", role="teardown", setups=["s"], trigger_rule=rule),
    )


async def paused(rig: Rig) -> RunMemory:
    """A run of a → b, paused while a runs."""
    await rig.dag(task("a"), task("b", "a"))
    memory = await rig.trigger()
    await rig.begin(memory, "a")
    await rig.command("pause", runs=(memory.run.run_id,))
    return memory


async def test_a_paused_run_starts_nothing_and_says_so(rig: Rig) -> None:
    """What runs goes on and is booked; what it releases waits for the run to be resumed."""
    memory = await paused(rig)
    assert memory.run.state is RunState.PAUSED
    await rig.see(port.Ended(rig.attempt(memory, "a"), OK))
    assert rig.states(memory) == {"a": "success", "b": "scheduled"}
    assert memory.instances["b", -1].blockers == ("run_paused",)
    done = await rig.command("resume", runs=(memory.run.run_id,))
    assert done.message == "resumed 1 run"
    assert rig.states(memory)["b"] == "queued"


async def test_what_waited_for_a_limit_says_that_its_run_is_paused(rig: Rig) -> None:
    """The codes of everything that is ready change with the run."""
    await rig.dag(task("a"), task("b"), max_active_tasks=1)
    memory = await rig.trigger()
    await rig.begin(memory, "a")
    await rig.command("pause", runs=(memory.run.run_id,))
    assert memory.instances["b", -1].blockers == ("run_paused", "max_active_tasks_per_dag")
    await rig.command("resume", runs=(memory.run.run_id,))
    assert memory.instances["b", -1].blockers == ("max_active_tasks_per_dag",)


async def test_a_pause_is_previewed(rig: Rig) -> None:
    """One row for the run, and how many tasks go on."""
    await rig.dag(task("a"), task("b", "a"))
    memory = await rig.trigger()
    await rig.begin(memory, "a")
    shown = await rig.preview("pause", runs=(memory.run.run_id,))
    assert [(row.kind, row.state, row.becomes) for row in shown.rows] == [("run", "running", "paused")]
    assert (shown.sentence, shown.kills) == ("1 run paused, 1 running task goes on", 0)


async def test_only_what_runs_can_be_paused_and_only_what_is_paused_resumed(rig: Rig) -> None:
    """Anything else is refused, with the state that it is in."""
    memory = await paused(rig)
    run_id = memory.run.run_id
    with pytest.raises(Refusal, match="is paused"):
        await rig.command("pause", runs=(run_id,))
    await rig.command("resume", runs=(run_id,))
    with pytest.raises(Refusal, match="is running"):
        await rig.command("resume", runs=(run_id,))
    with pytest.raises(Refusal, match="not both"):
        await rig.command("pause", runs=(run_id,), dags=("etl",))


async def test_a_cancelled_run_still_cleans_up(rig: Rig) -> None:
    """The preview names the teardown, which runs once the work is dead; the run ends after it."""
    await rig.dag(*cluster())
    memory = await rig.trigger()
    await rig.finish(memory, "s")
    work = await rig.begin(memory, "a")
    shown = await rig.preview("cancel", runs=(memory.run.run_id,))
    assert [row.task_id for row in shown.rows] == [None, "a"]
    assert shown.warnings == ["still run, to clean up: t (force stops these, too)"]
    await rig.command("cancel", runs=(memory.run.run_id,))
    rig.scheduler.state.pin(memory.run.id)
    await rig.see(port.Ended(work, FAILED))
    assert (rig.states(memory)["t"], memory.run.state) == ("queued", RunState.CANCELLING)
    await rig.finish(memory, "t")
    assert memory.run.state is RunState.CANCELLED


async def test_a_teardown_of_a_paused_run_starts_when_the_run_is_cancelled(rig: Rig) -> None:
    """It was held back by the pause alone."""
    await rig.dag(*cluster())
    memory = await rig.trigger()
    rig.scheduler.state.pin(memory.run.id)
    await rig.finish(memory, "s")
    await rig.begin(memory, "a")
    await rig.command("pause", runs=(memory.run.run_id,))
    await rig.see(port.Ended(rig.attempt(memory, "a"), OK))
    assert rig.states(memory)["t"] == "scheduled"
    await rig.command("cancel", runs=(memory.run.run_id,))
    assert rig.states(memory)["t"] == "queued"


async def test_a_forced_cancel_stops_teardowns_too(rig: Rig) -> None:
    """Also in a run that is being cancelled already, where a second polite one is refused."""
    await rig.dag(*cluster())
    memory = await rig.trigger()
    run_id = memory.run.run_id
    await rig.finish(memory, "s")
    await rig.finish(memory, "a")
    await rig.begin(memory, "t")
    await rig.command("cancel", runs=(run_id,))
    with pytest.raises(Refusal, match="being cancelled"):
        await rig.command("cancel", runs=(run_id,))
    await rig.command("cancel", runs=(run_id,), args={"force": True})
    assert rig.states(memory)["t"] == "killing"


async def test_a_forced_clear_runs_what_a_branch_left_out(rig: Rig) -> None:
    """Its preview says so."""
    await rig.dag(task("b", decides="branch"), task("x", "b"), task("y", "b"))
    memory = await rig.trigger()
    rig.scheduler.state.pin(memory.run.id)
    await rig.finish(memory, "b", replace(OK, follow=["x"]))
    await rig.finish(memory, "x")
    shown = await rig.preview("clear", runs=(memory.run.run_id,), tasks=("y",), args={"force": True})
    assert shown.rows[0].detail == "runs in any case, new budget"
    await rig.command("clear", runs=(memory.run.run_id,), tasks=("y",))
    assert rig.states(memory)["y"] == "skipped"
    await rig.command("clear", runs=(memory.run.run_id,), tasks=("y",), args={"force": True})
    assert rig.states(memory)["y"] == "queued"


async def test_the_history_of_a_dag_is_deleted_as_one(rig: Rig) -> None:
    """All of its runs that are over, and none of a DAG whose id differs in case alone; runs under way stay."""
    await rig.dag(task("a"), max_active_runs=9)
    over, alive = await rig.trigger(), await rig.trigger()
    for memory in (over, alive):
        rig.scheduler.state.pin(memory.run.id)
    await rig.finish(over, "a")
    rig.archive.chosen = Chosen(run_ids=[over.run.run_id, "ETL@1"])
    shown = await rig.preview("delete", dags=("etl",))
    assert [row.run_id for row in shown.rows] == [over.run.run_id]
    await rig.command("delete", dags=("etl",))
    assert alive.run.id in rig.scheduler.state.runs and over.run.id not in rig.scheduler.state.runs
    rig.archive.chosen = Chosen(run_ids=[])
    with pytest.raises(Refusal, match="no run of etl is over"):
        await rig.command("delete", dags=("etl",))
    with pytest.raises(Refusal, match="there is no DAG nosuch"):
        await rig.command("delete", dags=("nosuch",))

"""Each verb: what its preview lists, what it then does, and when it refuses."""

from __future__ import annotations

import pytest

from engine.control import protocol as p
from engine.control.plans import Refusal
from engine.dagfiles.updates import Broken
from engine.execution import port
from engine.model.dag import ImportFailure
from engine.model.states import RunState
from tests.support.lifecycle import task
from tests.support.scheduler import FAILED, OK, Rig

FOLLOWS = "follows from it"


def rows(preview: p.Preview) -> list[tuple[str | None, str, str, bool]]:
    """Task, state now, state then, killed: of each row that the command is about, without what follows from it."""
    named = [row for row in preview.rows if row.detail != FOLLOWS]
    return [(row.task_id, row.state, row.becomes, row.kills) for row in named]


async def test_clear_takes_a_task_and_what_hung_on_it(rig: Rig) -> None:
    """Its preview lists the task that was named, and apart what was only dragged down by it and is decided anew."""
    memory = await rig.failed_run()
    run_id = memory.run.run_id
    shown = await rig.preview("clear", runs=(run_id,), tasks=("b",))
    assert rows(shown) == [("b", "failed", "none", False)]
    assert [(row.task_id, row.becomes) for row in shown.rows if row.detail == FOLLOWS] == [("c", "none")]
    sentence = f"1 task instance of {run_id}, 0 processes killed, 1 run reopened, 1 more task follows"
    assert (shown.reopens, shown.sentence) == (1, sentence)
    done = await rig.command("clear", runs=(run_id,), tasks=("b",))
    assert (done.changed, done.message) == (1, "cleared 1 task instance")
    assert (rig.states(memory), memory.run.state, memory.run.episode) == (
        {"a": "success", "b": "queued", "c": "none"},
        RunState.RUNNING,
        2,
    )


async def test_a_clear_says_of_what_it_would_not_run(rig: Rig) -> None:
    """Below a failure that stays, or left out by a branch that does, a task is decided at once as it was before."""
    memory = await rig.failed_run()
    run_id = memory.run.run_id
    shown = await rig.preview("clear", runs=(run_id,), tasks=("c",))
    assert [(row.task_id, row.becomes, row.detail) for row in shown.rows] == [
        ("c", "upstream_failed", "does not run: b failed")
    ]
    assert len(shown.warnings) == 1 and "1 task instance would not run" in shown.warnings[0]
    await rig.command("clear", runs=(run_id,), tasks=("c",))
    assert rig.states(memory)["c"] == "upstream_failed", "as it was said"
    await rig.dag(task("a"), task("b", "a"), task("c", "b"), task("d", "c"), dag_id="long")
    longer = await rig.trigger("long")
    rig.scheduler.state.pin(longer.run.id)
    await rig.finish(longer, "a", FAILED)
    both = await rig.preview("clear", runs=(longer.run.run_id,), tasks=("b",), args={"downstream": True})
    said = ["a failed", "nor does what stands above it", "nor does what stands above it"]
    assert [row.detail for row in both.rows] == [f"does not run: {why}" for why in said]
    for flags in ({"upstream": True}, {"force": True}):
        sure = await rig.preview("clear", runs=(run_id,), tasks=("c",), args=flags)
        assert not sure.warnings and not [row for row in sure.rows if "does not run" in row.detail]


async def test_clear_with_upstream_and_downstream(rig: Rig) -> None:
    """The flags widen the choice along the graph; `only_failed` narrows it to what did not end well."""
    memory = await rig.failed_run()
    run_id = memory.run.run_id

    async def chosen(*tasks: str, **flags: bool) -> list[str | None]:
        shown = await rig.preview("clear", runs=(run_id,), tasks=tasks, args=flags)
        return [row.task_id for row in shown.rows if row.detail != FOLLOWS]

    assert await chosen("b", upstream=True) == ["a", "b"]
    assert await chosen("b", downstream=True) == ["b", "c"]
    assert await chosen("a", downstream=True, only_failed=True) == ["b", "c"]
    assert await chosen() == ["a", "b", "c"]
    with pytest.raises(Refusal, match="nothing failed in it"):
        await chosen("a", only_failed=True)
    with pytest.raises(Refusal, match="has no task d"):
        await chosen("d")


async def test_clear_of_a_running_task_kills_it_first(rig: Rig) -> None:
    """It is killed with its grace; only the confirmed death makes way for the next attempt."""
    await rig.dag(task("a", grace=4.0))
    memory = await rig.trigger()
    first = await rig.begin(memory, "a")
    shown = await rig.preview("clear", runs=(memory.run.run_id,))
    assert (rows(shown), shown.kills) == ([("a", "running", "none", True)], 1)
    await rig.command("clear", runs=(memory.run.run_id,))
    assert (rig.states(memory), rig.executor.killed) == ({"a": "killing"}, [(first, 4.0)])
    assert len(rig.executor.launched) == 1
    await rig.see(port.Ended(first, None))
    assert rig.states(memory) == {"a": "queued"}
    assert rig.attempt(memory, "a") != first


async def test_clear_says_when_the_code_has_changed(rig: Rig) -> None:
    """A run that is over is reopened with the DAG's present version, and the preview warns of it."""
    memory = await rig.failed_run()
    await rig.dag(task("a"), task("b", "a"), task("d", "b"), bundle="b2")
    shown = await rig.preview("rerun", runs=(memory.run.run_id,), args={"failed": True})
    (code,) = shown.code
    assert (code.dag_id, code.before_number, code.after_number, code.current_number) == ("etl", 1, 2, 2)
    done = await rig.command("rerun", runs=(memory.run.run_id,), args={"failed": True})
    assert done.message == "cleared 2 task instances, with version 2 of etl (was 1)"
    assert done.result["code"] == [{"dag_id": "etl", "before": 1, "after": 2, "runs": 1}]
    assert rig.states(memory) == {"a": "success", "b": "queued", "c": "removed", "d": "none"}
    assert rig.executor.launched[-1].spec.bundle == str(rig.scheduler.places.bundle("b2"))


async def test_clear_within_an_episode_keeps_its_version_and_says_so(rig: Rig) -> None:
    """A run that is not over goes on with the code that it began with, whatever is current by now."""
    await rig.dag(task("a"), task("b"))
    memory = await rig.trigger()
    await rig.finish(memory, "a", FAILED)
    await rig.dag(task("a"), task("b"), bundle="b2")
    (code,) = (await rig.preview("clear", runs=(memory.run.run_id,), tasks=("a",))).code
    assert (code.before_number, code.after_number, code.current_number) == (1, 1, 2)
    done = await rig.command("clear", runs=(memory.run.run_id,), tasks=("a",))
    assert done.message == "cleared 1 task instance, still with version 1 of etl (current: 2)"
    assert rig.executor.launched[-1].spec.bundle == str(rig.scheduler.places.bundle("b1"))


async def test_clear_says_when_the_current_version_is_the_last_good_one(rig: Rig) -> None:
    """The file is broken now: what runs again does so with what could be loaded last."""
    memory = await rig.failed_run()
    await rig.load(Broken("etl.py", (ImportFailure("etl.py", "SyntaxError: no", 3),)))
    (code,) = (await rig.preview("rerun", runs=(memory.run.run_id,))).code
    assert (code.after_number, code.broken) == (1, True)
    shown = await rig.preview("trigger", dags=("etl",))
    assert "etl.py cannot be loaded since" in shown.warnings[0]


async def test_rerun_is_about_whole_runs(rig: Rig) -> None:
    """Everything, or what failed; for single tasks there is clear."""
    memory = await rig.failed_run()
    run_id = memory.run.run_id
    assert (await rig.preview("rerun", runs=(run_id,))).total == 3
    assert (await rig.preview("rerun", runs=(run_id,), args={"failed": True})).total == 2
    with pytest.raises(Refusal, match="for single tasks use clear"):
        await rig.preview("rerun", runs=(run_id,), tasks=("a",))


async def test_mark_decides_by_hand(rig: Rig) -> None:
    """A task marked a success lets the rest go on; what it is already is left alone."""
    memory = await rig.failed_run()
    run_id = memory.run.run_id
    shown = await rig.preview("mark", runs=(run_id,), tasks=("a", "b"), args={"state": "success"})
    assert rows(shown) == [("b", "failed", "success", False)]
    await rig.command("mark", runs=(run_id,), tasks=("b",), args={"state": "success"})
    assert rig.states(memory) == {"a": "success", "b": "success", "c": "queued"}
    for bad in ({"state": "running"}, {"state": ["success"]}, {}):
        with pytest.raises(Refusal, match="one of failed, skipped, success"):
            await rig.preview("mark", runs=(run_id,), tasks=("b",), args=bad)
    with pytest.raises(Refusal, match="all of it is success already"):
        await rig.preview("mark", runs=(run_id,), tasks=("a",), args={"state": "success"})
    with pytest.raises(Refusal, match="needs the tasks"):
        await rig.preview("mark", runs=(run_id,), args={"state": "success"})


async def test_a_success_that_comes_after_a_mark_is_only_noted(rig: Rig) -> None:
    """A task marked failed while it ran has failed, although its process ended well before it could be killed."""
    await rig.dag(task("a"))
    memory = await rig.trigger()
    rig.scheduler.state.pin(memory.run.id)
    attempt_id = await rig.begin(memory, "a")
    await rig.command("mark", runs=(memory.run.run_id,), tasks=("a",), args={"state": "failed"})
    await rig.see(port.Ended(attempt_id, OK))
    assert rig.states(memory) == {"a": "failed"}
    ended = [attempt for changes in rig.changes() for attempt in changes.attempts.values()][-1]
    assert (ended.outcome, ended.late_result) == ("killed", "success")


async def test_kill_ends_a_process_politely_or_at_once(rig: Rig) -> None:
    """SIGTERM with the task's grace; a forced one, also while the other is under way, has none."""
    await rig.dag(task("a", retries=5, grace=600.0))
    memory = await rig.trigger()
    rig.scheduler.state.pin(memory.run.id)
    attempt_id = await rig.begin(memory, "a")
    run_id = memory.run.run_id
    await rig.command("kill", runs=(run_id,), tasks=("a",))
    with pytest.raises(Refusal, match="nothing to kill"):
        await rig.command("kill", runs=(run_id,), tasks=("a",))
    await rig.command("kill", runs=(run_id,), tasks=("a",), args={"force": True})
    assert rig.executor.killed == [(attempt_id, 600.0), (attempt_id, 0.0)]
    await rig.see(port.Ended(attempt_id, None))
    assert (rig.states(memory), memory.run.state) == ({"a": "failed"}, RunState.FAILED)


async def test_cancel_ends_everything_of_a_run(rig: Rig) -> None:
    """The preview lists the run and all that is unfinished in it; it is cancelled when the last process is dead."""
    await rig.dag(task("a"), task("b"), task("c", "b"))
    memory = await rig.trigger()
    await rig.finish(memory, "a")
    attempt_id = await rig.begin(memory, "b")
    shown = await rig.preview("cancel", runs=(memory.run.run_id,))
    assert rows(shown) == [
        (None, "running", "cancelled", False),
        ("b", "running", "cancelled", True),
        ("c", "none", "cancelled", False),
    ]
    assert shown.sentence == "1 run with 2 unfinished task instances, 1 process killed"
    done = await rig.command("cancel", runs=(memory.run.run_id,))
    assert done.message == "cancel of 1 run requested"
    assert memory.run.state is RunState.CANCELLING
    await rig.see(port.Ended(attempt_id, None))
    assert (memory.run.state, rig.states(memory)["c"]) == (RunState.CANCELLED, "cancelled")


async def test_retry_does_not_wait(rig: Rig) -> None:
    """Only tasks that wait for their retry are retried; the budget is as before."""
    await rig.dag(task("a", retries=1, delay=3600.0), task("b"))
    memory = await rig.trigger()
    await rig.finish(memory, "a", FAILED)
    run_id = memory.run.run_id
    shown = await rig.preview("retry", runs=(run_id,))
    assert [(row.task_id, row.detail) for row in shown.rows] == [("a", "try 2 starts now")]
    await rig.command("retry", runs=(run_id,))
    assert rig.states(memory) == {"a": "queued", "b": "queued"}
    await rig.finish(memory, "a", FAILED)
    assert rig.states(memory)["a"] == "failed"


async def test_pause_and_resume_say_who_and_why(rig: Rig) -> None:
    """They name the DAG, the actor and the note; what is as wanted already is refused."""
    entry = await rig.dag(task("a"))
    await rig.command("pause", dags=("etl",), note="database moves")
    assert (entry.paused_by is not None, entry.pause_reason) == (True, "database moves")
    with pytest.raises(Refusal, match="etl is paused already"):
        await rig.command("pause", dags=("etl",))
    shown = await rig.preview("trigger", dags=("etl",))
    assert shown.warnings == ["etl is paused: the run waits until it is resumed"]
    await rig.command("resume", dags=("etl",))
    assert entry.paused_by is None
    with pytest.raises(Refusal, match="etl is not paused"):
        await rig.command("resume", dags=("etl",))


async def test_stop_and_drain_act_once_they_are_committed(rig: Rig) -> None:
    """Both say how many attempts there are; the engine is told after the commit."""
    await rig.dag(task("a"))
    memory = await rig.trigger()
    await rig.begin(memory, "a")
    assert (await rig.preview("stop", args={"kill": True})).sentence == "the engine stops; 1 attempt killed first"
    assert (await rig.preview("stop")).kills == 0
    await rig.command("stop", args={"kill": True})
    assert rig.stops == [True]
    await rig.command("drain")
    assert rig.scheduler.draining
    assert ("draining", None, None) in rig.notes("engine")


async def test_acknowledge_puts_the_report_away(rig: Rig) -> None:
    """The report is acknowledged in the actor's name."""
    rig.scheduler.report_open = True
    await rig.command("acknowledge")
    (row,) = rig.stored("recovery.acknowledge")
    assert row["at"] == rig.clock.now() and row["who"]


@pytest.mark.parametrize(
    ("verb", "more", "code"),
    [
        ("clear", {}, "invalid"),
        ("kill", {"runs": ("nothing",)}, "not_found"),
        ("pause", {}, "invalid"),
        ("pause", {"dags": ("nothing",)}, "not_found"),
        ("trigger", {"dags": ("etl", "etl")}, "invalid"),
        ("trigger", {"dags": ("etl",), "args": {"params": {"x": 1}}}, "invalid"),
        ("trigger", {"dags": ("etl",), "args": {"params": 7}}, "invalid"),
        ("trigger", {"dags": ("etl",), "args": {"logical_date": "soon"}}, "invalid"),
        ("trigger", {"dags": ("etl",), "args": {"logical_date": "9999-12-31"}}, "invalid"),
        ("nothing", {}, "invalid"),
    ],
)
async def test_what_makes_no_sense_is_refused_by_preview_and_command_alike(
    rig: Rig, verb: str, more: dict[str, object], code: str
) -> None:
    """The same plan stands behind both: what one refuses the other does."""
    await rig.dag(task("a"))
    for ask in (rig.preview, rig.command):
        with pytest.raises(Refusal) as refusal:
            await ask(verb, **more)  # type: ignore[operator]
        assert refusal.value.code == code


async def test_stack_asks_what_runs_and_changes_nothing(rig: Rig) -> None:
    """A running task is asked, its state stays, and the answer says where to look; what does not run is refused."""
    await rig.dag(task("a"), task("b", "a"))
    memory = await rig.trigger()
    run_id = memory.run.run_id
    with pytest.raises(Refusal, match="no task that was named is running"):
        await rig.command("stack", runs=(run_id,), tasks=("b",))
    attempt = await rig.begin(memory, "a")
    done = await rig.command("stack", runs=(run_id,), tasks=("a",))
    assert rig.executor.stacked == [attempt]
    (log,) = done.result["logs"]
    assert (log["task_id"], log["offset"]) == ("a", 0) and log["path"].endswith(f"{attempt}/log")
    assert rig.states(memory) == {"a": "running", "b": "none"}


async def test_a_clear_may_give_another_number_of_retries(rig: Rig) -> None:
    """The preview says how many; anything but a sensible number is refused."""
    memory = await rig.failed_run()
    run_id = memory.run.run_id
    shown = await rig.preview("clear", runs=(run_id,), tasks=("b",), args={"retries": 2})
    assert shown.rows[0].detail == "runs again, 2 retries"
    shown = await rig.preview("rerun", runs=(run_id,), args={"failed": True, "no_retries": True})
    assert shown.rows[0].detail == "runs again, 0 retries"
    for wrong in (-1, "two", True, 1.5):
        with pytest.raises(Refusal, match="a whole number"):
            await rig.preview("clear", runs=(run_id,), args={"retries": wrong})
    await rig.command("clear", runs=(run_id,), tasks=("b",), args={"retries": 2})
    assert memory.instances["b", -1].retries == 2


async def test_acknowledging_nothing_is_refused(rig: Rig) -> None:
    """Where no report stands there is nothing to put away, and the answer says so."""
    with pytest.raises(Refusal, match="no report"):
        await rig.command("acknowledge")
    rig.scheduler.report_open = True
    await rig.command("acknowledge")
    with pytest.raises(Refusal, match="no report"):
        await rig.command("acknowledge")


async def test_prune_asks_for_it_once_it_is_committed(rig: Rig) -> None:
    """The command is in the audit; the work itself is the engine's, in its own time."""
    asked: list[str] = []
    rig.scheduler.request_prune = lambda: asked.append("now")
    done = await rig.command("prune")
    assert done.message == "pruning has begun"
    assert asked == ["now"]

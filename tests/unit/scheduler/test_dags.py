"""What a scan of the DAG files means for DAGs, their versions and their import errors."""

from __future__ import annotations

from engine.dagfiles.updates import Broken, Gone, Loaded
from engine.execution import port
from engine.lifecycle.memory import RunMemory
from engine.lifecycle.validate import problems
from engine.model.dag import Commit, DagSpec, ImportFailure, ScheduleSpec, TaskSpec
from engine.model.states import RunType
from engine.scheduler.creating import create_run
from engine.scheduler.planner import manual_slot
from engine.scheduler.turn import Turn
from tests.support.lifecycle import task
from tests.support.scheduler import FAILED, OK, Rig


def versions(rig: Rig) -> list[tuple[str, int, str]]:
    """DAG, number and bundle of all versions, in order."""
    return [(row["dag_id"], row["number"], row["bundle"]) for row in rig.stored("dag_version.add")]


def spec(dag_id: str, *tasks: TaskSpec, file: str = "both.py") -> DagSpec:
    """A DAG of a file."""
    return DagSpec(dag_id, file, list(tasks) or [task("a")])


async def test_a_change_of_code_or_definition_is_a_version(rig: Rig) -> None:
    """The same definition from the same code is no new version; other code or another definition is."""
    await rig.dag(task("a"))
    await rig.dag(task("a"))
    await rig.dag(task("a"), bundle="b2")
    entry = await rig.dag(task("a"), task("b"), bundle="b2")
    assert versions(rig) == [("etl", 1, "b1"), ("etl", 2, "b2"), ("etl", 3, "b2")]
    assert (entry.version_number, list(entry.version.plan.tasks)) == (3, ["a", "b"])


async def test_a_run_in_flight_keeps_its_version(rig: Rig) -> None:
    """The new version is for the runs that come."""
    await rig.dag(task("a"), task("b", "a"))
    memory = await rig.trigger()
    await rig.dag(task("a"), task("c", "a"), bundle="b2")
    await rig.finish(memory, "a")
    assert rig.executor.tasks == ["a", "b"]
    assert [order.spec.bundle.rsplit("/", 1)[1] for order in rig.executor.launched if order.spec.bundle] == ["b1", "b1"]
    other = await rig.trigger()
    assert set(rig.states(other)) == {"a", "c"}


async def test_one_wrong_dag_of_a_file_leaves_the_others_alone(rig: Rig) -> None:
    """The sound one is loaded, the wrong one keeps its last good version, and the error names it."""
    await rig.load(Loaded("both.py", "b1", (spec("good"), spec("bad"))))
    failure = ImportFailure("both.py", "cycle: a → b → a", 7, None, "bad")
    await rig.load(Loaded("both.py", "b2", (spec("good"),), failures=(failure,)))
    dags = rig.scheduler.state.dags
    assert (dags["good"].version.bundle, dags["bad"].version.bundle) == ("b2", "b1")
    assert (dags["bad"].state, dags["bad"].broken_since) == ("broken", rig.clock.now())
    assert dags["good"].broken_since is None
    (row,) = rig.stored("import_error.add")
    assert (row["file"], row["dag_id"], row["line"], row["message"]) == ("both.py", "bad", 7, "cycle: a → b → a")


async def test_a_dag_that_its_file_no_longer_defines_is_inactive(rig: Rig) -> None:
    """The file is still there and loads, without this DAG."""
    await rig.load(Loaded("both.py", "b1", (spec("kept"), spec("dropped"))))
    await rig.load(Loaded("both.py", "b2", (spec("kept"),)))
    states = {name: entry.state for name, entry in rig.scheduler.state.dags.items()}
    assert states == {"kept": "active", "dropped": "inactive"}


async def test_a_dag_may_move_to_another_file(rig: Rig) -> None:
    """The same id in a new file is the same DAG; the old file's going takes nothing away."""
    await rig.load(Loaded("old.py", "b1", (spec("etl", file="old.py"),)))
    await rig.load(Loaded("new.py", "b2", (spec("etl", file="new.py"),)), Gone("old.py"))
    entry = rig.scheduler.state.dags["etl"]
    assert (entry.file, entry.state, entry.version_number) == ("new.py", "active", 2)


async def test_a_broken_file_is_reported_and_cleared_when_mended(rig: Rig) -> None:
    """Each look at the file replaces what was said of it before."""
    await rig.dag(task("a"))
    await rig.load(Broken("etl.py", (ImportFailure("etl.py", "SyntaxError: no", 3, "Traceback…"),)))
    entry = rig.scheduler.state.dags["etl"]
    assert (entry.state, entry.broken_since) == ("broken", rig.clock.now())
    assert await rig.trigger()
    await rig.dag(task("a"))
    assert (entry.state, entry.broken_since) == ("active", None)
    assert [row["file"] for row in rig.stored("import_error.sweep")] == ["etl.py"] * 3
    assert len(rig.stored("import_error.add")) == 1


async def test_a_new_dag_comes_paused_in_a_production_home(rig: Rig) -> None:
    """With the reason; a new version of one that was resumed goes on."""
    rig.scheduler.production = True
    entry = await rig.dag(task("a"))
    assert entry.paused_by == "engine" and "production" in (entry.pause_reason or "")
    await rig.command("resume", dags=("etl",))
    await rig.dag(task("a"), task("b"), bundle="b2")
    assert (entry.version_number, entry.paused_at) == (2, None)


async def test_a_dag_made_paused_waits_for_its_first_resume(rig: Rig) -> None:
    """It is paused by its own file; its runs are taken and wait."""
    entry = await rig.dag(task("a"), paused_upon_creation=True)
    assert (entry.paused_by, entry.pause_reason) == ("dag file", "paused upon creation")
    memory = await rig.trigger()
    assert memory.run.state == "queued"
    await rig.command("resume", dags=("etl",))
    assert memory.run.state == "running"
    await rig.dag(task("a"), paused_upon_creation=True, bundle="b2")
    assert entry.paused_at is None


async def test_a_dag_that_holds_when_broken_keeps_its_queued_runs_waiting_and_says_why(rig: Rig) -> None:
    """What was made before the file broke waits for its repair; a run that a person wants starts all the same."""
    entry = await rig.dag(task("a"), on_broken="hold", max_active_runs=1, schedule=ScheduleSpec("@hourly"))
    first = await rig.trigger()
    slot, _ = manual_slot(entry, None, rig.clock.now())
    made: list[RunMemory] = []

    def make(turn: Turn) -> None:
        made.append(create_run(rig.scheduler, turn, entry, RunType.SCHEDULED, slot, "etl@1", {}))

    rig.scheduler.post(make)
    await rig.turn()
    (waiting,) = made
    await rig.load(Broken("etl.py", (ImportFailure("etl.py", "SyntaxError: no", 3),)))
    await rig.finish(first, "a")
    assert first.run.state == "success"
    assert waiting.run.state == "queued"
    assert waiting.instances["a", -1].blockers == ("run_queued", "dag_broken")
    by_hand = await rig.trigger(parallel=True)
    assert by_hand.run.state == "running"
    await rig.finish(by_hand, "a")
    await rig.dag(task("a"), on_broken="hold", max_active_runs=1, schedule=ScheduleSpec("@hourly"))
    assert waiting.run.state == "running"


async def test_a_version_notes_its_commit_and_is_put_right_once_that_holds_it(rig: Rig) -> None:
    """Loaded before it was committed, and the same content found in a commit later: no new version, but its commit."""
    await rig.load(Loaded("both.py", "b1", (spec("good"),), commit=Commit("a1", "Ann", 5, True)))
    await rig.load(Loaded("both.py", "b1", (spec("good"),), commit=Commit("a1", "Ann", 5, True)))
    await rig.load(Loaded("both.py", "b1", (spec("good"),), commit=Commit("b2", "Bob", 6, False)))
    assert len(versions(rig)) == 1
    found = [(row["commit_id"], row["author"], row["dirty"]) for row in rig.stored("dag_version.commit")]
    assert found == [("a1", "Ann", 1), ("b2", "Bob", 0)]


async def test_a_run_whose_code_is_gone_fails_and_says_so(rig: Rig) -> None:
    """Its file is gone, and so is the version that was kept: what runs ends, the rest is removed, the run fails.

    With the file put back the same run can be run again.
    """
    await rig.dag(task("a"), task("b", "a"), task("c", "b"), task("d"))
    memory = await rig.trigger()
    await rig.begin(memory, "a")
    rig.scheduler.state.pin(memory.run.id)
    await rig.load(Gone("etl.py"))
    rig.scheduler.places.bundle("b1").rmdir()
    await rig.finish(memory, "d")
    assert memory.run.state == "running"
    await rig.see(port.Ended(rig.attempt(memory, "a"), OK))
    assert rig.states(memory) == {"a": "success", "b": "removed", "c": "removed", "d": "success"}
    assert (memory.run.state, memory.run.reason) == ("failed", "dag_removed")
    assert problems(memory) == []
    await rig.dag(task("a"), task("b", "a"), task("c", "b"), task("d"))
    await rig.command("rerun", runs=(memory.run.run_id,), args={"failed": True})
    await rig.finish(memory, "b")
    await rig.finish(memory, "c")
    assert memory.run.state == "success"


async def test_what_fails_after_its_code_is_gone_is_not_tried_again(rig: Rig) -> None:
    """A retry that comes due finds no code: its task is removed, and nothing waits for ever."""
    await rig.dag(task("a", retries=1, delay=1.0), task("b"))
    memory = await rig.trigger()
    await rig.finish(memory, "b", FAILED)
    await rig.load(Gone("etl.py"))
    rig.scheduler.places.bundle("b1").rmdir()
    await rig.finish(memory, "a", FAILED)
    assert rig.states(memory)["a"] == "up_for_retry"
    await rig.later(2)
    assert rig.states(memory) == {"a": "removed", "b": "failed"}
    assert (memory.run.state, memory.run.reason) == ("failed", "dag_removed")

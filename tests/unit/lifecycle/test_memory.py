"""Memory, instructions, changes and the validator."""

import itertools
from collections.abc import Callable

import pytest

from engine.graph import GraphError
from engine.lifecycle.changes import Changes
from engine.lifecycle.core import apply
from engine.lifecycle.events import CancelRun, Claimed, Ended, Granted, Kill, PauseRun, RetryDue, SpawnFailed, Start
from engine.lifecycle.instructions import Kill as KillOrder
from engine.lifecycle.instructions import Launch, Timeout, WakeAt, derive, run_timeout_at
from engine.lifecycle.memory import RunMemory, new_run, restore
from engine.lifecycle.outcome import run_outcome
from engine.lifecycle.plan import compile_plan
from engine.lifecycle.validate import problems
from engine.model.moments import SECOND
from engine.model.rows import TaskInstance
from engine.model.states import AttemptState, Outcome, RunState, TaskState
from tests.support.lifecycle import ERROR, OK, T0, World, dag, queued_run, task


def test_a_plan_is_in_topological_order() -> None:
    """Every task comes after its upstreams, with its neighbours and its place."""
    plan = compile_plan(dag(task("c", "b"), task("a"), task("b", "a")), 7)
    assert plan.order == ("a", "b", "c")
    assert (plan.upstream["c"], plan.downstream["a"], plan.leaves) == (("b",), ("b",), ("c",))
    assert (plan.index["c"], plan.version_id, plan.tasks["a"].task_id) == (2, 7, "a")


def test_a_cycle_is_no_plan() -> None:
    """Tasks that wait for each other are refused."""
    with pytest.raises(GraphError):
        compile_plan(dag(task("a", "b"), task("b", "a")), 1)


def test_a_new_run_is_inserted_whole() -> None:
    """Run, episode and one undecided instance per task, with ids as given; later moves need no update."""
    changes = Changes()
    plan = compile_plan(dag(task("a"), task("b", "a")), 1)
    memory = new_run(plan, queued_run(), itertools.count(40), changes)
    assert [(ti.id, ti.task_id, ti.state) for ti in changes.new_tasks] == [(40, "a", "none"), (41, "b", "none")]
    assert [(t.kind, t.from_state, t.to_state) for t in changes.transitions] == [("run", None, "queued")]
    apply(memory, Start(), T0, changes)
    assert (changes.runs, changes.tasks, len(changes.episodes)) == ({}, {}, 1)
    assert changes.new_runs[0].state is RunState.RUNNING


def test_only_queued_runs_are_new() -> None:
    """A run's row in another state is refused."""
    run = queued_run()
    run.state = RunState.RUNNING
    with pytest.raises(ValueError, match="a new run is queued"):
        new_run(compile_plan(dag(task("a")), 1), run, itertools.count(1), Changes())


def test_rows_and_plan_must_belong_together() -> None:
    """Restoring with a task too many or too few is refused by name."""
    plan = compile_plan(dag(task("a")), 3)
    with pytest.raises(ValueError, match="task x is not in DAG version 3"):
        restore(plan, queued_run(), [TaskInstance(1, 1, "x")])
    with pytest.raises(ValueError, match="no task instance for a"):
        restore(plan, queued_run(), [])


def test_steps_merge_into_one_commit() -> None:
    """Several steps committed together keep the state before the first one as guard."""
    world = World(task("a"))
    first, second = Changes(), Changes()
    apply(world.memory, Granted(1, "A"), T0, first)
    apply(world.memory, Claimed("A", 1, 1, "boot", T0), T0, second)
    apply(world.memory, Ended("A", OK), T0, second)
    first.merge(second)
    world.check(first)
    assert first.tasks[1][1] is TaskState.SCHEDULED
    assert [attempt.id for attempt in first.new_attempts] == ["A"]
    assert first.attempts == {}
    assert first.runs[1][1] is RunState.RUNNING
    assert [t.to_state for t in first.transitions] == ["queued", "running", "success", "success"]
    assert len(first.episodes) == 1


def test_a_new_run_merges_with_what_follows() -> None:
    """A run that is created, started and run in several steps is inserts alone."""
    first, second = Changes(), Changes()
    memory = new_run(compile_plan(dag(task("a")), 1), queued_run(), itertools.count(1), first)
    apply(memory, Start(), T0, second)
    third = Changes()
    apply(memory, Granted(1, "A"), T0, third)
    apply(memory, Claimed("A", 1, 1, "boot", T0), T0, third)
    second.merge(third)
    first.merge(second)
    fourth = Changes()
    apply(memory, Ended("A", OK), T0, fourth)
    first.merge(fourth)
    assert (first.runs, first.tasks, first.attempts, len(first.episodes)) == ({}, {}, {}, 1)
    assert first.new_attempts[0].outcome is Outcome.SUCCESS


def test_no_change_is_falsy() -> None:
    """Changes are true as soon as there is something to commit."""
    assert not Changes()
    assert not Changes(ignored=["late"])
    assert World(task("a")).last


def test_instructions_follow_from_the_state() -> None:
    """Queued is launched, running watched, killing killed, a retry awaited; nothing else needs anything."""
    world = World(task("a", retries=1, delay=60, execution_timeout=2.5, grace=3.0), task("b", "a"))

    def what(task_id: str) -> tuple[object, ...]:
        return derive(world.ti(task_id), world.memory)

    key = world.ti("a").id
    assert what("a") == what("b") == ()
    attempt = world.grant("a")
    assert what("a") == (Launch(key, attempt),)
    world.do(Claimed(attempt, 1, 1, "boot", T0))
    assert what("a") == (Timeout(key, attempt, T0 + 2_500_000),)
    world.do(Ended(attempt, ERROR))
    assert what("a") == (WakeAt(key, world.now + 60 * SECOND),)
    world.do(RetryDue(key))
    attempt = world.grant("a")
    world.do(Kill(key))
    assert what("a") == (KillOrder(key, attempt, 3.0),)
    world.do(Ended(attempt, None))
    assert what("a") == what("b") == ()


def test_a_requeued_attempt_needs_no_instruction() -> None:
    """An instance that waits for its slots again has an attempt, and nothing to be done about it."""
    world = World(task("a"))
    world.do(SpawnFailed(world.grant("a"), "no memory"))
    assert derive(world.ti("a"), world.memory) == ()


def test_a_task_without_timeout_is_not_watched() -> None:
    """No limit, no timer."""
    world = World(task("a"))
    world.claim("a")
    assert derive(world.ti("a"), world.memory) == ()


def test_the_run_timeout_counts_from_the_episodes_start() -> None:
    """The moment follows from the run's row; a run that is queued, over or without limit has none."""
    world = World(task("a"), run_timeout=60, start=False)
    assert run_timeout_at(world.memory) is None
    world.do(Start())
    assert run_timeout_at(world.memory) == world.now + 60 * SECOND
    started = world.now
    world.do(PauseRun())
    assert run_timeout_at(world.memory) == started + 60 * SECOND
    world.do(CancelRun())
    assert run_timeout_at(world.memory) is None
    assert run_timeout_at(World(task("a")).memory) is None


def test_a_restart_forgets_nothing() -> None:
    """Memory rebuilt from rows waits, counts and knows its attempts as before."""
    world = World(task("a"), task("b"), task("c", "a", "b"), task("d"), task("e", retries=1))
    world.finish("a")
    attempt = world.claim("b")
    world.finish("e", ERROR)
    before = world.memory
    world.restart()
    after = world.memory
    assert after.by_id == before.by_id
    assert (after.tally, after.unfinished) == (before.tally, before.unfinished)
    assert list(after.scheduled) == [world.ti("d").id]
    assert {key: node.counts for key, node in after.nodes.items()} == {
        key: node.counts for key, node in before.nodes.items()
    }
    world.do(Ended(attempt, OK))
    assert world.states()["c"] == "scheduled"


def test_the_queue_keeps_its_order_over_a_restart() -> None:
    """Instances wait in the order in which they became scheduled."""
    world = World(task("a"), task("b"), task("c", "b"), task("d", "a"))
    world.finish("a")
    world.finish("b")
    before = list(world.memory.scheduled)
    world.restart()
    assert list(world.memory.scheduled) == before == list(world.tis("d", "c"))


def _lose_scheduled(memory: RunMemory) -> None:
    memory.scheduled.clear()


def _forget_attempt(memory: RunMemory) -> None:
    memory.by_attempt.clear()


def _set(path: str, value: object) -> Callable[[RunMemory], None]:
    """Sets an attribute of the run (`run.x`), the episode, the memory or the instance of a task (`a.x`)."""

    def break_it(memory: RunMemory) -> None:
        owner, name = path.split(".")
        target = {"run": memory.run, "episode": memory.episode, "memory": memory}.get(owner)
        setattr(memory.instances[owner, -1] if target is None else target, name, value)

    return break_it


def _attempt(name: str, value: object) -> Callable[[RunMemory], None]:
    def break_it(memory: RunMemory) -> None:
        setattr(memory.instances["a", -1].current, name, value)

    return break_it


@pytest.mark.parametrize(
    ("break_it", "problem"),
    [
        (_set("run.state", RunState.SUCCESS), "instances are not terminal"),
        (_set("run.ended_at", 5), "with ended_at 5"),
        (_set("run.started_at", None), "has no start"),
        (_set("run.episode", 2), "does not match the run's 2"),
        (_set("run.version_id", 9), "its plan is 1"),
        (_set("episode.outcome", RunState.FAILED), "episode's outcome is failed"),
        (_set("memory.unfinished", 0), "number of unfinished"),
        (_set("a.state", TaskState.SCHEDULED), "tally of states is wrong"),
        (_set("a.current", None), "alive without an attempt"),
        (_set("b.retry_at", 5), "retry_at is 5"),
        (_set("a.then", TaskState.FAILED), "then is failed"),
        (_set("b.ended_at", 5), "ended_at is 5"),
        (_set("a.reason", None), "has no reason"),
        (_set("a.epoch_start", 2), "epoch starts at attempt 2 of 1"),
        (_set("a.lost_count", 2), "2 lost and 0 spared of 1 attempts"),
        (_set("a.blockers", ("hold",)), "is blocked by"),
        (_set("c.state", TaskState.SKIPPED), "tally of states is wrong"),
        (_attempt("number", 3), "current attempt is number 3"),
        (_attempt("state", AttemptState.ENDED), "current attempt is ended"),
        (_attempt("state", AttemptState.QUEUED), "current attempt is queued"),
        (_lose_scheduled, "queue of scheduled instances is wrong"),
        (_forget_attempt, "index of current attempts is wrong"),
        (lambda memory: memory.instances.pop(("b", -1)) and None, "index of instances is wrong"),
        (lambda memory: memory.nodes[1].children.clear(), "its children are []"),
        (lambda memory: memory.nodes[2].counts.shift(TaskState.NONE, TaskState.FAILED), "its trigger rule says fail"),
        (lambda memory: memory.nodes[3].counts.include(TaskState.NONE), "counts are UpstreamCounts("),
    ],
)
def test_the_validator_sees(break_it: Callable[[RunMemory], None], problem: str) -> None:
    """Each kind of damage is named; the same run undamaged has no problems."""
    world = World(task("a"), task("b", "a"), task("c"))
    world.claim("a")
    assert problems(world.memory) == []
    break_it(world.memory)
    assert any(problem in found for found in problems(world.memory)), problems(world.memory)


def test_the_validator_sees_a_run_that_should_be_over() -> None:
    """A running run whose instances are all terminal is a problem."""
    world = World(task("a"))
    world.finish("a")
    run = world.run
    run.state, run.ended_at = RunState.RUNNING, None
    assert "run is running, but all instances are terminal" in problems(world.memory)


def test_the_validator_sees_a_wrong_outcome() -> None:
    """A run whose outcome is not what its instances say is a problem."""
    world = World(task("a"))
    world.finish("a")
    world.run.state = world.memory.episode.outcome = RunState.FAILED
    assert problems(world.memory) == [f"run is failed (tasks_succeeded), its instances say {run_outcome(world.memory)}"]


def test_the_validator_sees_what_nobody_decided() -> None:
    """An instance that could have been decided and was not is a problem."""
    world = World(task("a"), task("b", "a"))
    world.claim("a")
    world.memory.nodes[world.ti("b").id].counts.shift(TaskState.NONE, TaskState.SUCCESS)
    assert any("undecided, though its trigger rule says run" in found for found in problems(world.memory))

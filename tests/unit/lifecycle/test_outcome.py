"""How runs end, and what is called back when they do."""

from dataclasses import replace

from engine.lifecycle.events import CancelRun, Clear, Kill, RetryNow, Review, Start
from engine.lifecycle.outcome import deadlocked, run_outcome
from engine.model.dag import CallbackFlags
from engine.model.states import Reason, RunState, TaskState, TriggerRule
from tests.support.lifecycle import ERROR, SIGTERM, SKIP, World, task

ALL = CallbackFlags(on_success=True, on_failure=True, on_retry=True)


def test_a_green_leaf_hides_no_failure() -> None:
    """A failed task fails the run though the last task, which always runs, succeeded."""
    world = World(task("a"), task("b", "a", trigger_rule=TriggerRule.ALL_DONE))
    world.finish("a", ERROR)
    world.finish("b")
    assert (world.run.state, world.run.reason) == (RunState.FAILED, Reason.TASKS_FAILED)


def test_leaves_may_decide_alone() -> None:
    """With `outcome=leaves` only the state of the leaves counts."""
    world = World(task("a"), task("b", "a", trigger_rule=TriggerRule.ALL_DONE), outcome="leaves")
    world.finish("a", ERROR)
    world.finish("b")
    assert (world.run.state, world.run.reason) == (RunState.SUCCESS, Reason.FAILURES_ALLOWED)
    world = World(task("a"), task("b", "a"), outcome="leaves")
    world.finish("a", ERROR)
    assert world.run.state is RunState.FAILED


def test_a_dag_without_tasks_succeeds_at_its_start() -> None:
    """Nothing to do is done."""
    world = World(start=False)
    assert run_outcome(world.memory) == (RunState.SUCCESS, Reason.NO_TASKS_RAN)
    world.do(Start())
    assert (world.run.state, world.run.reason) == (RunState.SUCCESS, Reason.NO_TASKS_RAN)


def test_an_unfinished_run_has_no_outcome() -> None:
    """While an instance is not terminal nothing is said."""
    assert run_outcome(World(task("a")).memory) is None


def circular() -> World:
    """A run whose rows wait for each other, as no DAG that was accepted can make them."""
    world = World(task("a"), task("b", "a"), task("c", "a"), start=False)
    plan = world.memory.plan
    upstream = {"a": ("b",), "b": ("a",), "c": ("a",)}
    downstream = {"a": ("b", "c"), "b": ("a",), "c": ()}
    forged = replace(plan, upstream=upstream, downstream=downstream)
    world.memory = world.rows.restore(forged, world.run.id)
    return world


def test_a_deadlocked_run_fails_and_names_what_is_blocked() -> None:
    """Where nothing lives or waits for time or limits, but instances are undecided, the run fails."""
    world = circular()
    changes = world.do(Start())
    assert (world.run.state, world.run.reason) == (RunState.FAILED, Reason.DEADLOCK)
    assert world.states() == {"a": "cancelled", "b": "cancelled", "c": "cancelled"}
    assert {ti.reason for ti in world.memory.by_id.values()} == {Reason.DEADLOCK}
    assert changes.transitions[-1].detail == "blocked: a, b, c"


def test_waiting_for_time_or_limits_is_no_deadlock() -> None:
    """A run with an instance that is scheduled, alive or up for retry goes on."""
    world = World(task("a", retries=1), task("b", "a"))
    assert not deadlocked(world.memory)
    world.claim("a")
    assert not deadlocked(world.memory)
    world.end("a", ERROR)
    assert not deadlocked(world.memory)
    world.do(Review())
    assert world.run.state is RunState.RUNNING


def test_a_review_of_a_sound_run_finds_nothing() -> None:
    """Looking at everything anew changes nothing where nothing was missed."""
    world = World(task("a"), task("b", "a"), task("c"))
    world.finish("a", ERROR)
    assert not world.do(Review())
    world.finish("c")
    assert not world.do(Review())


def test_callbacks_of_tasks_follow_their_attempts() -> None:
    """One order per retry, failure and success, with the attempt and its error."""
    world = World(task("a", retries=1, callbacks=ALL), task("b", callbacks=ALL), task("c", callbacks=ALL))
    attempt = world.finish("a", ERROR)
    order = world.last.callbacks[0]
    assert (order.name, order.task_id, order.attempt_id, order.error) == ("on_retry", "a", attempt, "ValueError: no")
    assert (order.run, order.task_instance, order.id) == (1, world.ti("a").id, "")
    world.do(RetryNow(world.ti("a").id))
    assert world.last.callbacks == []
    world.finish("a", ERROR)
    assert [order.name for order in world.last.callbacks] == ["on_failure"]
    world.finish("b")
    assert [order.name for order in world.last.callbacks] == ["on_success"]
    world.finish("c", SKIP)
    assert world.last.callbacks == []


def test_a_killed_task_calls_back_its_failure() -> None:
    """An operator's kill fails the task, and the task's own callback learns of it."""
    world = World(task("a", retries=3, callbacks=ALL))
    world.claim("a")
    world.do(Kill(world.ti("a").id))
    world.end("a", SIGTERM)
    assert [(order.name, order.error) for order in world.last.callbacks] == [("on_failure", "killed by an operator")]


def test_callbacks_of_the_dag_follow_its_runs() -> None:
    """The end of a run orders the DAG's own callback; a task without callbacks orders none."""
    for status, name in ((None, "on_failure"), (SKIP, "on_success")):
        world = World(task("a"), callbacks=ALL)
        world.finish("a", status)
        assert [(order.name, order.task_id) for order in world.last.callbacks] == [(name, None)]
    world = World(task("a"))
    world.finish("a")
    assert world.last.callbacks == []


def test_cancelled_counts_as_failed_in_the_next_episode() -> None:
    """A run of which only a part is cleared after a cancel fails, because the rest never ran."""
    world = World(task("a"), task("b"))
    world.do(CancelRun())
    world.do(Clear(world.tis("a")))
    world.finish("a")
    assert world.states() == {"a": "success", "b": "cancelled"}
    assert world.run.state is RunState.FAILED
    assert world.ti("b").state is TaskState.CANCELLED

"""Branches and short circuits: what they leave out, and for how long."""

import itertools
from dataclasses import replace

import pytest

from engine.lifecycle.clearing import select
from engine.lifecycle.events import Clear, Ended, Mark
from engine.lifecycle.gates import Limits, blockers
from engine.model.attempt_files import AttemptStatus
from engine.model.dag import TaskSpec
from engine.model.states import Reason, RunState, TaskState, TriggerRule
from tests.support.lifecycle import ERROR, OK, SKIP, World, task


def choose(*names: str) -> AttemptStatus:
    return replace(OK, follow=list(names))


def branch(task_id: str, *upstream: str) -> TaskSpec:
    return task(task_id, *upstream, decides="branch")


def circuit(task_id: str, *upstream: str, wide: bool = True) -> TaskSpec:
    return task(task_id, *upstream, decides="short_circuit", skips_all_below=wide)


def test_a_branch_skips_what_it_did_not_choose() -> None:
    """The chosen task is ready, the others are skipped by name and reason."""
    world = World(branch("b"), task("x", "b"), task("y", "b"), task("z", "y"))
    world.finish("b", choose("x"))
    assert world.states() == {"b": "success", "x": "scheduled", "y": "skipped", "z": "skipped"}
    assert (world.ti("y").reason, world.ti("z").reason) == (Reason.BRANCH, Reason.UPSTREAM)
    assert any(t.detail == "left out by b" for t in world.last.transitions)


def test_a_branch_that_chooses_nothing_skips_all() -> None:
    """An empty choice leaves out everything directly below; the run succeeds."""
    world = World(branch("b"), task("x", "b"), task("y", "b"))
    world.finish("b", choose())
    assert world.states() == {"b": "success", "x": "skipped", "y": "skipped"}
    assert world.run.state is RunState.SUCCESS


def test_what_lies_below_a_chosen_task_is_not_left_out() -> None:
    """A task that joins the ways directly below the branch is reached through the chosen one."""
    join = task("join", "b", "x", "y", trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS)
    world = World(branch("b"), task("x", "b"), task("y", "b"), join)
    world.finish("b", choose("x"))
    assert world.states()["join"] == "none"
    world.finish("x")
    assert world.states()["join"] == "scheduled"


@pytest.mark.parametrize("end", [ERROR, SKIP])
def test_a_branch_that_did_not_succeed_leaves_nothing_out(end: AttemptStatus) -> None:
    """Trigger rules decide as if it were any task."""
    world = World(branch("b"), task("x", "b"), task("y", "b", trigger_rule=TriggerRule.ALL_DONE))
    world.finish("b", end)
    assert world.states()["x"] == ("upstream_failed" if end is ERROR else "skipped")
    assert world.ti("x").reason is Reason.UPSTREAM
    assert world.states()["y"] == "scheduled"


def test_what_a_branch_may_leave_out_waits_for_it() -> None:
    """No early trigger rule starts a task that a branch has not yet decided about, so the order does not matter."""
    specs = [branch("b"), task("a"), task("x", "a", "b", trigger_rule=TriggerRule.ONE_SUCCESS), task("y", "b")]
    ends = {"a": OK, "b": choose("y")}
    found = []
    for order in itertools.permutations(ends):
        world = World(*specs)
        for name in order:
            world.finish(name, ends[name])
        found.append({name: (ti.state, ti.reason) for (name, _), ti in world.memory.instances.items()})
    assert found[0] == found[1]
    assert found[0]["x"] == (TaskState.SKIPPED, Reason.BRANCH)


def test_always_waits_for_a_branch_above_it() -> None:
    """The rule that waits for nothing waits for who may leave the task out."""
    world = World(branch("b"), task("x", "b", trigger_rule=TriggerRule.ALWAYS))
    assert world.states()["x"] == "none"
    assert blockers(world.ti("x"), world.memory, Limits(), world.now) == ("upstream",)
    world.finish("b", choose("x"))
    assert world.states()["x"] == "scheduled"


def test_a_short_circuit_skips_everything_below() -> None:
    """Whatever the trigger rules below say, but for teardowns."""
    world = World(circuit("c"), task("x", "c"), task("y", "x", trigger_rule=TriggerRule.ALL_DONE), task("z"))
    world.finish("c", choose())
    assert world.states() == {"c": "success", "x": "skipped", "y": "skipped", "z": "scheduled"}
    assert {world.ti("x").reason, world.ti("y").reason} == {Reason.SHORT_CIRCUIT}


def test_a_short_circuit_may_leave_the_rest_to_trigger_rules() -> None:
    """Only what is directly below is skipped."""
    world = World(circuit("c", wide=False), task("x", "c"), task("y", "x", trigger_rule=TriggerRule.ALL_DONE))
    world.finish("c", choose())
    assert world.states() == {"c": "success", "x": "skipped", "y": "scheduled"}


def test_a_closed_circuit_leaves_nothing_out() -> None:
    """A true value decides nothing."""
    world = World(circuit("c"), task("x", "c"))
    world.finish("c")
    assert world.states()["x"] == "scheduled"


def test_a_task_that_was_left_out_and_is_cleared_is_left_out_again() -> None:
    """The decision is remembered, also over a restart."""
    world = World(branch("b"), task("x", "b"), task("y", "b"))
    world.finish("b", choose("x"))
    world.restart()
    world.do(Clear(world.tis("y")))
    assert (world.ti("y").state, world.ti("y").reason) == (TaskState.SKIPPED, Reason.BRANCH)


def test_a_forced_clear_runs_what_was_left_out() -> None:
    """The operator's word goes before the branch's, until the next clear."""
    world = World(branch("b"), task("x", "b"), task("y", "b"))
    world.finish("b", choose("x"))
    world.finish("x")
    world.do(Clear(world.tis("y"), force=True))
    assert (world.ti("y").state, world.ti("y").reason) == (TaskState.SCHEDULED, Reason.FORCED)
    assert world.run.state is RunState.RUNNING
    world.restart()
    world.finish("y")
    assert world.run.state is RunState.SUCCESS
    world.do(Clear(world.tis("y")))
    assert world.ti("y").state is TaskState.SKIPPED


def test_a_forced_clear_runs_below_what_failed() -> None:
    """Neither a failed upstream nor a trigger rule holds it."""
    world = World(task("a"), task("b", "a"))
    world.finish("a", ERROR)
    world.do(Clear(world.tis("b"), force=True))
    world.finish("b")
    assert world.states() == {"a": "failed", "b": "success"}


def test_clearing_the_branch_takes_its_decision_back() -> None:
    """What it had left out is undecided again, and another choice counts."""
    world = World(branch("b"), task("x", "b"), task("y", "b"))
    world.finish("b", choose("x"))
    world.finish("x")
    world.do(Clear(tuple(ti.id for ti in select(world.memory, world.tis("b")))))
    assert world.states() == {"b": "scheduled", "x": "success", "y": "none"}
    world.finish("b", choose("y"))
    assert world.states() == {"b": "success", "x": "success", "y": "scheduled"}


def test_a_branch_marked_otherwise_has_decided_nothing() -> None:
    """A mark replaces the decision: what was left out by it follows trigger rules."""
    world = World(branch("b"), task("x", "b"), task("y", "b"))
    world.finish("b", choose("x"))
    world.do(Mark(world.tis("b"), TaskState.SKIPPED))
    assert world.ti("b").decision is None
    assert (world.ti("y").state, world.ti("y").reason) == (TaskState.SKIPPED, Reason.UPSTREAM)
    world.do(Mark(world.tis("b"), TaskState.SUCCESS))
    assert world.states()["y"] == "scheduled"


def test_a_choice_that_comes_late_is_not_applied() -> None:
    """What a killed branch still reports decides nothing."""
    world = World(branch("b"), task("x", "b"))
    attempt = world.claim("b")
    world.do(Mark(world.tis("b"), TaskState.SUCCESS))
    world.do(Ended(attempt, choose()))
    assert world.ti("b").decision is None
    assert world.states() == {"b": "success", "x": "scheduled"}
    assert world.rows.attempts[attempt].late_result == "success"

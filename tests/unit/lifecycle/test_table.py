"""The transition tables."""

import pytest

from engine.lifecycle.changes import Changes
from engine.lifecycle.events import Granted, Start
from engine.lifecycle.moves import Step, move_run, move_task
from engine.lifecycle.table import (
    RUN_TARGETS,
    RUN_TRANSITIONS,
    TASK_TARGETS,
    TASK_TRANSITIONS,
    IllegalTransition,
    render_markdown,
)
from engine.model.states import ALIVE_TASK, TERMINAL_RUN, TERMINAL_TASK, Reason, RunState, TaskState
from tests.support.lifecycle import T0, World, task


def test_every_state_can_be_reached_and_left() -> None:
    """No state is a dead end, and all but the first can be reached."""
    for state in TaskState:
        assert TASK_TARGETS[state]
        assert any(target is state for _, target in TASK_TRANSITIONS)
    for run_state in RunState:
        assert RUN_TARGETS[run_state]
    assert {target for _, target in RUN_TRANSITIONS} == set(RunState) - {RunState.QUEUED}


def test_a_process_is_never_forgotten() -> None:
    """From a state with a process, only an end that was reported, a wait or a kill leads away."""
    away = {target for source, target in TASK_TRANSITIONS if source is TaskState.RUNNING}
    assert TaskState.CANCELLED not in away
    assert TaskState.NONE not in away
    assert TaskState.CANCELLED not in TASK_TARGETS[TaskState.QUEUED]
    assert TASK_TARGETS[TaskState.KILLING] & ALIVE_TASK == frozenset()


def test_terminal_states_are_left_by_clear_mark_and_removal_alone() -> None:
    """Nothing that happens by itself moves a terminal instance."""
    for (source, target), triggers in TASK_TRANSITIONS.items():
        if source in TERMINAL_TASK:
            assert {trigger.split(":")[0].split(",")[0] for trigger in triggers} <= {
                "clear",
                "mark",
                "the task is gone from the DAG version of the new episode",
                "a mapped task has indexes that are not over",
            }, (source, target)


def test_terminal_runs_are_left_by_operators_alone() -> None:
    """A run that is over moves only when it is reopened, or when a mark changes its outcome."""
    for (source, target), triggers in RUN_TRANSITIONS.items():
        if source in TERMINAL_RUN:
            assert all("mark" in trigger or "clear" in trigger for trigger in triggers), (source, target)


def test_an_illegal_move_is_refused_by_name() -> None:
    """The refusal says which instance, from where, to where, and what would have been legal."""
    world = World(task("a"))
    step = Step(world.memory, T0, Changes())
    with pytest.raises(IllegalTransition, match="task instance a of etl@1 cannot move from scheduled to running"):
        move_task(step, world.memory.nodes[world.ti("a").id], TaskState.RUNNING, Reason.CLAIMED)
    with pytest.raises(IllegalTransition, match="from running it can go to: cancelling, failed, paused, success"):
        move_run(step, RunState.QUEUED, Reason.CREATED)


def test_a_run_is_started_once() -> None:
    """Starting a run that is not queued is refused."""
    world = World(task("a"))
    with pytest.raises(IllegalTransition):
        world.do(Start())


def test_an_instance_is_granted_once() -> None:
    """Granting an instance that is not scheduled is refused."""
    world = World(task("a"))
    world.grant("a")
    with pytest.raises(IllegalTransition):
        world.do(Granted(world.ti("a").id, "again"))


def test_the_tables_are_rendered_as_markdown() -> None:
    """The documentation's tables name every state and have four columns throughout."""
    text = render_markdown()
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {row.count("|") for row in rows} == {5}
    assert all(f"`{state}`" in text for state in (*TaskState, *RunState))
    assert "| `queued` | `running` | the process claimed its attempt | runner |" in rows

"""How a run ends."""

from __future__ import annotations

from engine.lifecycle.memory import Node, RunMemory
from engine.lifecycle.structure import is_cleanup
from engine.model.dag import TaskSpec
from engine.model.rows import Run
from engine.model.states import FAILED_TASK, Reason, RunState, TaskState

JUDGED = frozenset({Reason.TASKS_SUCCEEDED, Reason.TASKS_FAILED, Reason.FAILURES_ALLOWED, Reason.NO_TASKS_RAN})
"""Reasons of runs that ended as their instances did, and change with them."""

FATAL = frozenset({Reason.RUN_TIMEOUT, Reason.DAG_REMOVED})
"""Reasons of runs that have failed, whatever their instances do, and only wait for these to be over."""


def ending(run: Run) -> bool:
    """Whether the run was cancelled, timed out or lost its code, and only waits for processes and for teardowns."""
    return run.state is RunState.CANCELLING or (
        run.reason in FATAL and run.state in (RunState.RUNNING, RunState.PAUSED)
    )


def lets_start(run: Run, task: TaskSpec) -> bool:
    """Whether the run's own state allows a task to start: of a run that is ending, only what cleans up."""
    if ending(run) and run.reason is not Reason.DAG_REMOVED:
        return task.role == "teardown"
    return run.state is RunState.RUNNING


def run_outcome(memory: RunMemory) -> tuple[RunState, Reason] | None:
    """The run's final state by its instances, or None while one of them is not terminal.

    A run whose cancelling was asked for is cancelled; one that timed out has failed. Otherwise the DAG decides: any
    failed instance fails the run, or (`leaves`) only a failed leaf does; never one that may fail, nor a teardown that
    does not ask for it. A run of which nothing ran is a success.
    """
    if memory.unfinished:
        return None
    run = memory.run
    if run.state is RunState.CANCELLING:
        return RunState.CANCELLED, Reason.CANCEL
    if ending(run):
        return RunState.FAILED, run.reason
    if any(memory.tally[state] for state in FAILED_TASK):
        if any(_fails_run(memory, node) for node in memory.nodes.values() if node.ti.state in FAILED_TASK):
            return RunState.FAILED, Reason.TASKS_FAILED
        return RunState.SUCCESS, Reason.FAILURES_ALLOWED
    if not memory.tally[TaskState.SUCCESS]:
        return RunState.SUCCESS, Reason.NO_TASKS_RAN
    return RunState.SUCCESS, Reason.TASKS_SUCCEEDED


def _fails_run(memory: RunMemory, node: Node) -> bool:
    if node.task.allow_failure or is_cleanup(node.task):
        return False
    return memory.plan.spec.outcome == "any_failed" or node.ti.task_id in memory.plan.leaves


def deadlocked(memory: RunMemory) -> bool:
    """Whether the run can never end: nothing is alive, and nothing waits for time, limits or a person, yet instances
    are undecided."""
    return (
        memory.tally[TaskState.NONE] > 0
        and memory.tally[TaskState.NONE] + memory.open_groups == memory.unfinished
        and memory.run.state in (RunState.RUNNING, RunState.PAUSED)
    )

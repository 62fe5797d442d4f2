"""How a run ends."""

from __future__ import annotations

from engine.lifecycle.memory import RunMemory
from engine.model.rows import UNMAPPED
from engine.model.states import FAILED_TASK, Reason, RunState, TaskState

JUDGED = frozenset({Reason.TASKS_SUCCEEDED, Reason.TASKS_FAILED, Reason.NO_TASKS_RAN})
"""Reasons of runs that ended as their instances did, and change with them."""


def run_outcome(memory: RunMemory) -> tuple[RunState, Reason] | None:
    """The run's final state by its instances, or None while one of them is not terminal.

    A run whose cancelling was asked for is cancelled; one that timed out has failed. Otherwise the DAG decides: any
    failed instance fails the run, or (`leaves`) only a failed leaf does. A run of which nothing ran is a success.
    """
    if memory.unfinished:
        return None
    run = memory.run
    if run.state is RunState.CANCELLING:
        return RunState.CANCELLED, Reason.CANCEL
    tally = memory.tally
    failures = sum(tally[state] for state in FAILED_TASK)
    if run.reason is Reason.RUN_TIMEOUT and run.state in (RunState.RUNNING, RunState.PAUSED):
        return RunState.FAILED, Reason.RUN_TIMEOUT
    if failures and (memory.plan.spec.outcome == "any_failed" or _leaf_failed(memory)):
        return RunState.FAILED, Reason.TASKS_FAILED
    if not failures and not tally[TaskState.SUCCESS]:
        return RunState.SUCCESS, Reason.NO_TASKS_RAN
    return RunState.SUCCESS, Reason.TASKS_SUCCEEDED


def _leaf_failed(memory: RunMemory) -> bool:
    return any(memory.instances[leaf, UNMAPPED].state in FAILED_TASK for leaf in memory.plan.leaves)


def deadlocked(memory: RunMemory) -> bool:
    """Whether the run can never end: nothing is alive, and nothing waits for time, limits or a person, yet instances
    are undecided."""
    return (
        memory.tally[TaskState.NONE] > 0
        and memory.tally[TaskState.NONE] + memory.open_groups == memory.unfinished
        and memory.run.state in (RunState.RUNNING, RunState.PAUSED)
    )

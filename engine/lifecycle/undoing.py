"""Taking back what a command did to rows that have not started since: they get the states that they had before it."""

from __future__ import annotations

from engine.lifecycle.events import Restore
from engine.lifecycle.memory import Node
from engine.lifecycle.moves import Step, move_run, move_task, note_run, note_task
from engine.model.rows import Run, TaskInstance
from engine.model.states import ALIVE_TASK, TERMINAL_RUN, Reason, RunState, TaskState

_KEPT = (
    "reason",
    "epoch_start",
    "lost_count",
    "spared",
    "requeues",
    "retry_at",
    "scheduled_at",
    "started_at",
    "ended_at",
    "last_error",
    "decision",
    "forced",
    "retries",
    "failed_keys",
)
"""What a row gets back beside its state; its attempts are history and stay."""


def why_not(now: TaskInstance, before: TaskInstance) -> str | None:
    """Why a row cannot get its former state back, in words; None when it can."""
    if before.state in ALIVE_TASK:
        return "its process was stopped, which nothing brings back"
    if now.state in ALIVE_TASK or now.attempt != before.attempt:
        return "it has started since"
    if TaskState.REMOVED in (now.state, before.state):
        return "its task has come or gone with another version of the DAG"
    return None


def restore_rows(step: Step, event: Restore) -> None:
    """Rows go back to their former states, then the run: it ends as it had ended, or goes on as it did."""
    step.ordered = True
    former = event.run
    if former is not None and former.state not in TERMINAL_RUN and step.memory.run.state in TERMINAL_RUN:
        move_run(step, RunState.RUNNING, Reason.REOPENED)
    for before in event.tasks:
        node = step.memory.nodes.get(before.id)
        if node is None or why_not(node.ti, before) is not None or _sums_up(node):
            step.changes.ignored.append(f"task instance {before.id}: it cannot get its former state back")
        else:
            _put_back(step, node, before)
    if former is not None:
        _put_run_back(step, former)


def _sums_up(node: Node) -> bool:
    return node.group is not None and node.group.is_summary(node)


def _put_back(step: Step, node: Node, before: TaskInstance) -> None:
    ti = node.ti
    if ti.state is before.state:
        step.changes.touch_task(ti)
        note_task(step, ti, Reason.UNDONE)
    else:
        if ti.state is not TaskState.NONE:
            move_task(step, node, TaskState.NONE, Reason.UNDONE)
        if before.state is not TaskState.NONE:
            move_task(step, node, before.state, Reason.UNDONE)
    for name in _KEPT:
        setattr(ti, name, getattr(before, name))
    if before.decision is not None:
        step.memory.note_decision(node)
    step.work.append(node)


def _put_run_back(step: Step, before: Run) -> None:
    memory, run = step.memory, step.memory.run
    if run.priority != before.priority:
        step.changes.touch_run(run)
        run.priority = before.priority
        note_run(step, run.reason, f"priority {run.priority:+d}")
    if run.state is before.state or run.state is RunState.QUEUED or before.state is RunState.QUEUED:
        return
    if before.state in TERMINAL_RUN:
        if memory.unfinished or run.state in TERMINAL_RUN:
            return
        if before.state is RunState.CANCELLED:
            move_run(step, RunState.CANCELLING, Reason.UNDONE)
        move_run(step, before.state, before.reason, "undone")
        run.started_at, run.ended_at = before.started_at, before.ended_at
        memory.episode.started_at, memory.episode.ended_at = before.started_at, before.ended_at
    elif run.state in (RunState.RUNNING, RunState.PAUSED):
        move_run(step, before.state, before.reason, "undone")

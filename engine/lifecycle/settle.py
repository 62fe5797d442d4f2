"""After a move: what it means for the instances below, and for the run."""

from __future__ import annotations

import heapq

from engine.lifecycle.mapping import BY_ITEMS, look_at_indexes, run_mapped, sum_up
from engine.lifecycle.memory import Node
from engine.lifecycle.moves import Step, move_run, move_task, note_run, order_callback
from engine.lifecycle.outcome import JUDGED, deadlocked, ending, run_outcome
from engine.lifecycle.rules import Verdict
from engine.model.states import TERMINAL_RUN, Reason, RunState, TaskState

_RUN, _WAIT, _FAIL = Verdict.RUN, Verdict.WAIT, Verdict.FAIL
_NONE, _SCHEDULED, _SKIPPED = TaskState.NONE, TaskState.SCHEDULED, TaskState.SKIPPED
_UPSTREAM_FAILED = TaskState.UPSTREAM_FAILED
_NAMED_IN_DEADLOCK = 10

BY_RULE = frozenset({Reason.UPSTREAM, Reason.BRANCH, Reason.SHORT_CIRCUIT})
"""Reasons of instances that were skipped by what they wait for, not by themselves or by an operator."""
_VERDICTS = {
    TaskState.AWAITING_INPUT: Verdict.RUN,
    _SCHEDULED: Verdict.RUN,
    _UPSTREAM_FAILED: Verdict.FAIL,
    _SKIPPED: Verdict.SKIP,
}


def settle(step: Step) -> None:
    """Looks at everything that the event's moves may have decided, then at the run."""
    if step.ordered:
        _look_in_order(step)
    else:
        for node in step.work:  # grows while it is walked
            consider(step, node)
        step.work.clear()
    sum_up(step)
    finish(step)


def _look_in_order(step: Step) -> None:
    """Topologically, so that every verdict is given once, after all verdicts that it rests on."""
    pending: dict[int, Node] = {}
    heap: list[int] = []
    while True:
        for node in step.work:
            if node.position not in pending:
                pending[node.position] = node
                heapq.heappush(heap, node.position)
        step.work.clear()
        if not heap:
            return
        consider(step, pending.pop(heapq.heappop(heap)))


def consider(step: Step, node: Node) -> None:
    """Decides an undecided instance; takes back what its upstreams had decided, where that no longer holds."""
    state, group = node.ti.state, node.group
    if group is not None and group.is_summary(node):
        look_at_indexes(step, group)
        return
    if state is not _NONE:
        if not step.ordered or verdict_holds(node):
            return
        move_task(step, node, _NONE, Reason.RESET)
    run = step.memory.run
    if run.state is RunState.QUEUED:
        return
    over = ending(run)
    cleaning_up = node.task.role == "teardown" and run.reason is not Reason.DAG_REMOVED
    verdict = _FAIL if over and not cleaning_up else node.verdict()
    if verdict is _WAIT:
        return
    if verdict is _RUN and group is not None:
        run_mapped(step, node, group)
    elif verdict is _RUN and node.task.approval is not None:
        move_task(step, node, TaskState.AWAITING_INPUT, Reason.ASKED)
    elif verdict is _RUN:
        move_task(step, node, _SCHEDULED, Reason.FORCED if node.ti.forced else Reason.TRIGGER_RULE)
    elif over:
        move_task(step, node, TaskState.CANCELLED, run.reason)
    elif verdict is _FAIL:
        move_task(step, node, _UPSTREAM_FAILED, Reason.UPSTREAM)
    else:
        _skip(step, node)


def _skip(step: Step, node: Node) -> None:
    leaver = node.leaver()
    detail = f"left out by {leaver.ti.task_id}" if leaver else None
    move_task(step, node, _SKIPPED, why_skipped(node), detail=detail)


def why_skipped(node: Node) -> Reason:
    """The reason of an instance that what it waits for has skipped."""
    leaver = node.leaver()
    if leaver is None:
        return Reason.UPSTREAM
    return Reason.BRANCH if leaver.task.decides == "branch" else Reason.SHORT_CIRCUIT


def verdict_holds(node: Node) -> bool:
    """Whether the state of an instance is what its trigger rule says now, or none of the trigger rule's business."""
    ti, group = node.ti, node.group
    if group is not None and group.is_summary(node):
        return True
    if ti.reason in BY_ITEMS:
        return node.verdict() is _RUN
    wanted = _VERDICTS.get(ti.state)
    if wanted is None:
        return True
    if ti.state is not _SKIPPED:
        return node.verdict() is wanted
    return ti.reason not in BY_RULE or (node.verdict() is wanted and ti.reason is why_skipped(node))


def finish(step: Step) -> None:
    """Ends, reopens or judges the run anew, as its instances demand."""
    memory = step.memory
    state = memory.run.state
    if state is RunState.QUEUED:
        return
    if state in TERMINAL_RUN:
        if not memory.unfinished and memory.plan.version_id == memory.run.version_id:
            if step.ordered and memory.run.reason in JUDGED:
                _judge_again(step)
            return
        move_run(step, RunState.RUNNING, Reason.REOPENED)
    if deadlocked(memory):
        _end_in_deadlock(step)
    elif memory.unfinished == 0:
        _end(step)


def conclude(step: Step) -> None:
    """Ends the present episode of a run that is being cancelled or timed out, though processes may still be alive."""
    if step.memory.run.state is RunState.CANCELLING:
        _close(step, RunState.CANCELLED, Reason.CANCEL)
    else:
        _close(step, RunState.FAILED, step.memory.run.reason)


def _end(step: Step) -> None:
    result = run_outcome(step.memory)
    if result is not None:
        _close(step, *result)


def _close(step: Step, state: RunState, reason: Reason, detail: str | None = None) -> None:
    move_run(step, state, reason, detail)
    flags = step.memory.plan.spec.callbacks
    if state is RunState.SUCCESS:
        order_callback(step, flags, "on_success")
    elif state is RunState.FAILED:
        order_callback(step, flags, "on_failure")


def _judge_again(step: Step) -> None:
    """A cancel or a run timeout is a verdict on the run itself and stands until the run is reopened."""
    run, result = step.memory.run, run_outcome(step.memory)
    if result is None or result == (run.state, run.reason):
        return
    if result[0] is not run.state:
        move_run(step, *result)
        return
    step.changes.touch_run(run)
    run.reason = result[1]
    note_run(step, run.reason)


def _end_in_deadlock(step: Step) -> None:
    blocked = [node for node in step.memory.nodes.values() if node.ti.state is _NONE]
    for node in blocked:
        move_task(step, node, TaskState.CANCELLED, Reason.DEADLOCK)
    step.work.clear()
    sum_up(step)
    names = ", ".join(node.ti.task_id for node in blocked[:_NAMED_IN_DEADLOCK])
    more = f" and {len(blocked) - _NAMED_IN_DEADLOCK} more" if len(blocked) > _NAMED_IN_DEADLOCK else ""
    _close(step, RunState.FAILED, Reason.DEADLOCK, f"blocked: {names}{more}")

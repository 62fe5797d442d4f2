"""What operators and run-wide timers decide: mark, kill, cancel, pause, run timeout."""

from __future__ import annotations

from engine.lifecycle.events import CancelRun, CodeGone, Kill, Mark, PauseRun, ResumeRun, RunTimeout
from engine.lifecycle.killing import begin_kill
from engine.lifecycle.memory import Node
from engine.lifecycle.moves import Step, move_run, move_task, note_run, note_task
from engine.lifecycle.outcome import FATAL
from engine.model.states import ALIVE_TASK, TERMINAL_RUN, TERMINAL_TASK, Reason, RunState, TaskState

MARKS = frozenset({TaskState.SUCCESS, TaskState.FAILED, TaskState.SKIPPED})


def mark(step: Step, event: Mark) -> None:
    """The instances get the state that the operator decided; what their upstreams' ends had decided below follows.

    Raises ValueError for a state that cannot be marked.
    """
    if event.state not in MARKS:
        raise ValueError(f"an instance cannot be marked {event.state}; choose one of: {', '.join(sorted(MARKS))}")
    step.ordered = True
    for key in event.tis:
        node = step.memory.nodes.get(key)
        if node is None or node.ti.state is TaskState.REMOVED:
            step.changes.ignored.append(f"task instance {key}: its task is gone, it cannot be marked")
        elif node.group is not None and node.group.is_summary(node):
            step.changes.ignored.append(f"task instance {key}: it sums up its indexes, mark these")
        else:
            _mark(step, node, event.state)


def _mark(step: Step, node: Node, state: TaskState) -> None:
    ti = node.ti
    if ti.state in ALIVE_TASK:
        begin_kill(step, node, state, Reason.MANUAL)
    elif ti.state is not state:
        move_task(step, node, state, Reason.MANUAL)
    elif ti.reason is Reason.UPSTREAM:
        step.changes.touch_task(ti)
        ti.reason = Reason.MANUAL
        note_task(step, ti, Reason.MANUAL)


def kill(step: Step, event: Kill) -> None:
    """Queued or running → killing, then failed. A kill that is under way ends in failed too, unless decided before.

    With `again` it is up for retry instead.
    """
    node = step.memory.nodes.get(event.ti)
    if node is None or node.ti.state not in ALIVE_TASK:
        step.changes.ignored.append(f"task instance {event.ti}: nothing to kill")
        return
    if not _decided(node):
        begin_kill(step, node, TaskState.UP_FOR_RETRY if event.again else TaskState.FAILED, Reason.KILL_REQUESTED)


def _decided(node: Node) -> bool:
    """Whether the instance is being killed and its final state is known: as good as terminal."""
    return node.ti.then is not None and node.ti.then in TERMINAL_TASK


def cancel_run(step: Step, event: CancelRun) -> None:
    """Everything unfinished is cancelled, live processes are killed first. A run that is over stays as it is."""
    memory = step.memory
    state = memory.run.state
    if state in TERMINAL_RUN or (state is RunState.CANCELLING and not event.force):
        step.changes.ignored.append(f"run {memory.run.run_id} is {state}: nothing to cancel")
        return
    if state is RunState.QUEUED:
        _stop_everything(step, TaskState.CANCELLED, Reason.CANCEL, cleaning_up=False)
        move_run(step, RunState.CANCELLED, Reason.CANCEL)
        return
    if state is not RunState.CANCELLING:
        move_run(step, RunState.CANCELLING, Reason.CANCEL)
    _stop_everything(step, TaskState.CANCELLED, Reason.CANCEL, cleaning_up=not event.force)


def run_timeout(step: Step, event: RunTimeout) -> None:
    """Live instances are killed and fail, the others are cancelled; the run fails once all processes are dead."""
    run = step.memory.run
    if run.state not in (RunState.RUNNING, RunState.PAUSED) or event.episode not in (None, run.episode):
        step.changes.ignored.append(f"run {run.run_id}: timed out, but not running any more")
        return
    if run.reason is not Reason.RUN_TIMEOUT:
        step.changes.touch_run(run)
        run.reason = Reason.RUN_TIMEOUT
        note_run(step, Reason.RUN_TIMEOUT)
    _stop_everything(step, TaskState.FAILED, Reason.RUN_TIMEOUT, cleaning_up=True)


def code_gone(step: Step, event: CodeGone) -> None:
    """What has not begun never will: it is removed, teardowns too. What runs goes on to its end; then the run fails."""
    run = step.memory.run
    if run.state in TERMINAL_RUN or run.state is RunState.QUEUED:
        step.changes.ignored.append(f"run {run.run_id} is {run.state}: it needs no code")
        return
    if run.state is not RunState.CANCELLING and run.reason is not Reason.DAG_REMOVED:
        step.changes.touch_run(run)
        run.reason = Reason.DAG_REMOVED
        note_run(step, Reason.DAG_REMOVED)
    for node in step.memory.nodes.values():
        if node.ti.state in ALIVE_TASK or node.ti.state in TERMINAL_TASK:
            continue
        if node.group is None:
            move_task(step, node, TaskState.REMOVED, Reason.DAG_REMOVED)
        elif not node.group.is_summary(node):
            move_task(step, node, TaskState.CANCELLED, Reason.DAG_REMOVED)


def _stop_everything(step: Step, alive_then: TaskState, why: Reason, cleaning_up: bool) -> None:
    """Stops all instances; with `cleaning_up` teardowns are left to run where their setups have succeeded."""
    for node in step.memory.nodes.values():
        state = node.ti.state
        if node.group is not None and node.group.is_summary(node):
            continue
        if cleaning_up and node.task.role == "teardown":
            step.work.append(node)
        elif state in ALIVE_TASK:
            if not _decided(node):
                begin_kill(step, node, alive_then, why)
        elif state not in TERMINAL_TASK:
            move_task(step, node, TaskState.CANCELLED, why)


def pause_run(step: Step, event: PauseRun) -> None:
    """Running → paused; in any other state there is nothing to pause."""
    _switch(step, RunState.RUNNING, RunState.PAUSED)


def resume_run(step: Step, event: ResumeRun) -> None:
    """Paused → running."""
    _switch(step, RunState.PAUSED, RunState.RUNNING)


def _switch(step: Step, source: RunState, target: RunState) -> None:
    run = step.memory.run
    if run.state is source:
        keep = run.reason if run.reason in FATAL else Reason.MANUAL
        move_run(step, target, keep)
    else:
        step.changes.ignored.append(f"run {run.run_id} is {run.state}, not {source}")

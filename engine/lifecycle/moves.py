"""Moving rows: the only code that writes a state. Keeps tallies, upstream counts, timestamps and the feed in step."""

from __future__ import annotations

from engine.lifecycle.changes import CallbackOrder, Changes, Episode
from engine.lifecycle.memory import Group, Node, RunMemory
from engine.lifecycle.table import RUN_TARGETS, TASK_TARGETS, refusal
from engine.model.dag import CallbackFlags
from engine.model.moments import Micros
from engine.model.rows import Attempt, TaskInstance, Transition
from engine.model.states import TERMINAL_RUN, TERMINAL_TASK, AttemptState, Outcome, Reason, RunState, TaskState

_SCHEDULED, _QUEUED = TaskState.SCHEDULED, TaskState.QUEUED
_UP_FOR_RETRY, _KILLING = TaskState.UP_FOR_RETRY, TaskState.KILLING


class Step:
    """One event being handled: the run's memory, the moment, where changes go, and what is left to look at."""

    __slots__ = ("by", "changes", "command", "groups", "memory", "now", "ordered", "sizes", "work")

    def __init__(
        self, memory: RunMemory, now: Micros, changes: Changes, command: str | None = None, by: str | None = None
    ) -> None:
        self.memory = memory
        self.now = now
        self.changes = changes
        self.command = command
        self.by = by
        self.work: list[Node] = []
        """Nodes one of whose upstream instances became terminal, or ceased to be."""
        self.groups: dict[str, Group] = {}
        """Mapped tasks of which an index moved: their summary rows follow at the end."""
        self.sizes: dict[str, int | str] = {}
        """How many items mapped tasks have, as far as it was asked: it does not change while one event is handled."""
        self.ordered = False
        """Terminal states were left or changed: look at `work` in topological order, at verdicts already given, and at
        the outcome of a run that is over."""


def move_task(
    step: Step, node: Node, to: TaskState, reason: Reason | None, attempt: str | None = None, detail: str | None = None
) -> None:
    """Moves an instance. Raises IllegalTransition when the table does not list the move."""
    ti, memory, now = node.ti, step.memory, step.now
    before = ti.state
    if to not in TASK_TARGETS[before]:
        raise refusal("task instance", f"{ti.task_id} of {memory.run.run_id}", before, to, TASK_TARGETS[before])
    step.changes.touch_task(ti)
    ti.state = to
    ti.reason = reason
    ti.blockers = ()
    if before is TaskState.SUCCESS and ti.decision is not None:
        ti.decision = None
        memory.note_decision(node)
    memory.tally[before] -= 1
    memory.tally[to] += 1
    _leave(step, ti, before, to)
    if to is _SCHEDULED:
        memory.scheduled[ti.id] = ti
        ti.scheduled_at = now
    elif to is TaskState.AWAITING_INPUT:
        ti.scheduled_at = now
    if to in TERMINAL_TASK:
        ti.ended_at = now
        _count_end(step, node, before, to)
    elif before in TERMINAL_TASK:
        ti.ended_at = None
        _count_reopening(step, node, before, to)
    run = memory.run
    step.changes.transitions.append(
        Transition("task", now, run.dag_id, run.id, ti.id, attempt, before, to, reason, step.command, detail)
    )
    if node.group is not None:
        _count_index(step, node.group, node, before, to)


def _count_index(step: Step, group: Group, node: Node, before: TaskState, to: TaskState) -> None:
    if node is group.summary:
        step.memory.open_groups += int(to is TaskState.DEFERRED) - int(before is TaskState.DEFERRED)
        return
    group.tally[before] -= 1
    group.tally[to] += 1
    group.unfinished += int(before in TERMINAL_TASK) - int(to in TERMINAL_TASK)
    step.groups[group.task_id] = group
    if to is TaskState.REMOVED and not group.live:
        _hand_back(step, group)


def _hand_back(step: Step, group: Group) -> None:
    """No index is left: the summary row stands for the task again, and is decided anew."""
    summary = group.summary
    move_task(step, summary, TaskState.NONE, Reason.RESET)
    summary.children = group.below
    for child in group.below:
        child.counts.include(TaskState.NONE)
    step.ordered = True
    step.work += [summary, *group.below]


def take_over(group: Group) -> None:
    """The first indexes are about to come: from now on they are counted downstream, not the summary row."""
    summary = group.summary
    for child in group.below:
        child.counts.shift(summary.ti.state, TaskState.REMOVED)
    summary.children = []


def _leave(step: Step, ti: TaskInstance, before: TaskState, to: TaskState) -> None:
    if before is _SCHEDULED:
        del step.memory.scheduled[ti.id]
        if ti.current is not None and to is not _QUEUED:
            _drop_unspent(step, ti)
    elif before is _UP_FOR_RETRY:
        ti.retry_at = None
    elif before is _KILLING:
        ti.then = ti.then_reason = None


def _drop_unspent(step: Step, ti: TaskInstance) -> None:
    """An instance whose start failed leaves the queue for good: its attempt never ran and uses no budget."""
    attempt = end_attempt(step, ti, Outcome.UNSPENT, ti.reason)
    attempt.counts = False
    ti.spared += 1
    step.memory.overruled[attempt.id] = attempt


def _count_end(step: Step, node: Node, before: TaskState, to: TaskState) -> None:
    work = step.work
    if before in TERMINAL_TASK:
        step.ordered = True
        for child in node.children:
            child.counts.shift(before, to)
            work.append(child)
        work.extend(node.governed)
        return
    step.memory.unfinished -= 1
    for child in node.children:
        child.counts.ended(to)
        work.append(child)
    if node.governed:
        work.extend(node.governed)


def _count_reopening(step: Step, node: Node, before: TaskState, to: TaskState) -> None:
    step.ordered = True
    step.memory.unfinished += 1
    for child in node.children:
        child.counts.shift(before, to)
        step.work.append(child)
    step.work.extend(node.governed)


def note_task(step: Step, ti: TaskInstance, reason: Reason | None, detail: str | None = None) -> None:
    """Records that an instance's row changed while its state stayed. Call after `touch_task`."""
    run = step.memory.run
    attempt = ti.current.id if ti.current else None
    step.changes.transitions.append(
        Transition(
            "task", step.now, run.dag_id, run.id, ti.id, attempt, ti.state, ti.state, reason, step.command, detail
        )
    )


def note_attempt(step: Step, ti: TaskInstance, attempt: Attempt, before: AttemptState, reason: Reason) -> None:
    """Records that an attempt's row changed while its instance's state stayed."""
    run = step.memory.run
    step.changes.touch_attempt(attempt)
    step.changes.transitions.append(
        Transition(
            "attempt", step.now, run.dag_id, run.id, ti.id, attempt.id, before, attempt.state, reason, step.command
        )
    )


def move_run(step: Step, to: RunState, reason: Reason, detail: str | None = None) -> None:
    """Moves the run and writes its episode. Raises IllegalTransition when the table does not list the move."""
    run, now = step.memory.run, step.now
    before = run.state
    if to not in RUN_TARGETS[before]:
        raise refusal("run", run.run_id, before, to, RUN_TARGETS[before])
    step.changes.touch_run(run)
    if before in TERMINAL_RUN and to is RunState.RUNNING:
        _open_episode(step)
    run.state = to
    run.reason = reason
    episode = step.memory.episode
    if before is RunState.QUEUED and to is RunState.RUNNING:
        run.started_at = episode.started_at = now
        step.changes.touch_episode(episode)
    elif to in TERMINAL_RUN:
        if before not in TERMINAL_RUN:
            run.ended_at = episode.ended_at = now
        episode.outcome = to
        step.changes.touch_episode(episode)
    step.changes.transitions.append(
        Transition("run", now, run.dag_id, run.id, None, None, before, to, reason, step.command, detail)
    )


def note_run(step: Step, reason: Reason, detail: str | None = None) -> None:
    """Records that the run's row changed while its state stayed. Call after `touch_run`."""
    run = step.memory.run
    step.changes.transitions.append(
        Transition("run", step.now, run.dag_id, run.id, None, None, run.state, run.state, reason, step.command, detail)
    )


def _open_episode(step: Step) -> None:
    run, plan = step.memory.run, step.memory.plan
    run.episode += 1
    run.version_id = plan.version_id
    run.started_at = step.now
    run.ended_at = None
    step.memory.episode = Episode(
        run.id, run.episode, run.version_id, step.now, opened_by=step.by, reason=Reason.REOPENED
    )
    step.changes.touch_episode(step.memory.episode)


def end_attempt(step: Step, ti: TaskInstance, outcome: Outcome, reason: Reason | None) -> Attempt:
    """Closes the instance's current attempt; what its status says has been filled in before."""
    attempt = ti.current
    if attempt is None:
        raise ValueError(f"task instance {ti.id} has no attempt to end")
    attempt.state = AttemptState.ENDED
    attempt.outcome = outcome
    attempt.reason = reason
    if attempt.ended_at is None:
        attempt.ended_at = step.now
    step.changes.touch_attempt(attempt)
    ti.current = None
    del step.memory.by_attempt[attempt.id]
    return attempt


def order_callback(
    step: Step, flags: CallbackFlags, name: str, ti: TaskInstance | None = None, attempt: Attempt | None = None
) -> None:
    """Orders a callback if the spec declares it."""
    if getattr(flags, name):
        step.changes.callbacks.append(
            CallbackOrder(
                run=step.memory.run.id,
                name=name,
                task_instance=ti.id if ti else None,
                task_id=ti.task_id if ti else None,
                attempt_id=attempt.id if attempt else None,
                error=attempt.error if attempt else None,
            )
        )

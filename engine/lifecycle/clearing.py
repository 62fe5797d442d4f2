"""Clearing: which instances, what happens to them, and a new DAG version for the episode that follows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from engine.lifecycle.changes import Changes
from engine.lifecycle.events import Clear
from engine.lifecycle.killing import begin_epoch, begin_kill
from engine.lifecycle.mapping import sum_up
from engine.lifecycle.memory import Node, RunMemory, has_task
from engine.lifecycle.moves import Step, move_run, move_task, note_task
from engine.lifecycle.outcome import ending
from engine.lifecycle.past import past_waits
from engine.lifecycle.plan import DagPlan
from engine.lifecycle.settle import conclude, verdict_holds
from engine.model.moments import Micros
from engine.model.rows import UNMAPPED, TaskInstance, Transition
from engine.model.states import ALIVE_TASK, FAILED_TASK, TERMINAL_RUN, Reason, RunState, TaskState

_STOPPED = frozenset({Reason.RUN_TIMEOUT, Reason.CANCEL, Reason.DAG_REMOVED})


def select(
    memory: RunMemory,
    targets: Iterable[int] | None = None,
    downstream: bool = False,
    upstream: bool = False,
    only_failed: bool = False,
) -> list[TaskInstance]:
    """The instances that a clear of `targets` (ids; None: the whole run) means, in topological order.

    `only_failed` keeps those that failed, did not run because of that, or were cut off by a cancel or run timeout.
    Raises KeyError for an id that is not of this run.
    """
    if targets is None:
        chosen = {ti.id for ti in memory.by_id.values()}
    else:
        named = [memory.by_id[key] for key in targets]
        chosen = {ti.id for ti in named} | _around(memory, named, downstream, upstream)
    wanted = {
        key
        for key in chosen
        if key in memory.nodes
        and _can_be_cleared(memory.nodes[key])
        and (not only_failed or is_failed(memory.by_id[key]))
    }
    wanted |= _companions(memory, wanted)
    return [node.ti for node in sorted((memory.nodes[key] for key in wanted), key=lambda node: node.position)]


def _can_be_cleared(node: Node) -> bool:
    """Not the summary row of indexes, which follows them, and no index whose item is gone."""
    return node.group is None or not (node.ti.state is TaskState.REMOVED or node.group.is_summary(node))


def _companions(memory: RunMemory, wanted: Iterable[int]) -> set[int]:
    """What is set up before these tasks and torn down after them has to happen again."""
    if not memory.plan.companions:
        return set()
    tasks = {other for key in wanted for other in memory.plan.companions.get(memory.by_id[key].task_id, ())}
    return {key for key, node in memory.nodes.items() if node.ti.task_id in tasks and _can_be_cleared(node)}


def _around(memory: RunMemory, named: Iterable[TaskInstance], downstream: bool, upstream: bool) -> set[int]:
    graph = memory.plan.graph
    tasks = {ti.task_id for ti in named if ti.task_id in memory.plan.tasks}
    wanted: set[str] = set()
    if downstream:
        wanted |= graph.descendants(tasks)
    if upstream:
        wanted |= graph.ancestors(tasks)
    return {ti.id for ti in memory.by_id.values() if ti.task_id in wanted}


def is_failed(ti: TaskInstance) -> bool:
    """Whether "only failed" means this instance."""
    return ti.state in FAILED_TASK or (ti.state in (TaskState.SKIPPED, TaskState.REMOVED) and ti.reason in _STOPPED)


def clear(step: Step, event: Clear) -> None:
    """Each instance gets a new epoch and is decided anew, live ones after their process is dead.

    What trigger rules had decided below is taken back where it no longer holds. A run that is over, being cancelled
    or timed out goes on in a new episode.
    """
    memory = step.memory
    if ending(memory.run) and event.tis:
        conclude(step)
        move_run(step, RunState.RUNNING, Reason.REOPENED)
    elif memory.run.state in TERMINAL_RUN:
        step.work.extend(node for node in memory.nodes.values() if node.ti.state is TaskState.NONE)
    for key in event.tis:
        node = memory.nodes.get(key)
        if node is None:
            step.changes.ignored.append(f"task instance {key}: its task is gone from the DAG, it cannot be cleared")
        elif not _can_be_cleared(node):
            step.changes.ignored.append(f"task instance {key}: only indexes that have an item can be cleared")
        else:
            _clear(step, node, event.retries)
            _force(step, node, event.force)


def _clear(step: Step, node: Node, retries: int | None) -> None:
    ti = node.ti
    if ti.state in ALIVE_TASK:
        if ti.retries != retries:
            step.changes.touch_task(ti)
            ti.retries = retries  # the epoch that ends with this process needs no budget any more
            note_task(step, ti, Reason.CLEARED)
        if ti.then is not TaskState.NONE:  # else it is decided anew already, as where an index lost its item
            begin_kill(step, node, TaskState.NONE, Reason.CLEARED)
            if node.group is not None:
                node.group.measure()  # it may have lost its item while something else was to follow
        return
    fresh = ti.attempt == ti.epoch_start
    if ti.state is TaskState.NONE or (ti.state is TaskState.SCHEDULED and fresh):
        if not fresh or ti.retries != retries:
            step.changes.touch_task(ti)
            begin_epoch(ti, retries)
            note_task(step, ti, Reason.CLEARED)
        return
    move_task(step, node, TaskState.NONE, Reason.CLEARED)
    begin_epoch(ti, retries)
    step.work.append(node)


def _force(step: Step, node: Node, force: bool) -> None:
    if node.ti.forced is force:
        return
    step.changes.touch_task(node.ti)
    node.ti.forced = force
    note_task(step, node.ti, Reason.FORCED if force else Reason.CLEARED)
    step.ordered = True
    step.work.append(node)


def rebase(memory: RunMemory, plan: DagPlan, changes: Changes, ids: Iterator[int], now: Micros) -> None:
    """Puts a run that is over on another DAG version, before the clear that reopens it.

    New tasks get instances, instances of vanished tasks become `removed`, returning ones are decided anew, and what
    trigger rules decided is reconsidered where edges or rules changed. Raises ValueError while the run is not over:
    a version is pinned for a whole episode.
    """
    run = memory.run
    if run.state not in TERMINAL_RUN:
        raise ValueError(f"run {run.run_id} is {run.state}: its DAG version changes only when it is reopened")
    step = Step(memory, now, changes)
    for node in sorted(memory.nodes.values(), key=lambda node: -node.position):
        if not has_task(plan, node.ti) and node.ti.state is not TaskState.REMOVED:
            move_task(step, node, TaskState.REMOVED, Reason.REMOVED)
    memory.plan = plan
    memory.past = past_waits(plan, run)
    for task_id in plan.order:
        if (task_id, UNMAPPED) not in memory.instances:
            _add(memory, TaskInstance(next(ids), run.id, task_id, UNMAPPED), changes, now)
    memory.link()
    step.work.clear()
    step.groups.clear()
    for node in sorted(memory.nodes.values(), key=lambda node: node.position):
        gone = node.ti.state is TaskState.REMOVED
        if (gone and node.ti.map_index == UNMAPPED) or not (gone or verdict_holds(node)):
            move_task(step, node, TaskState.NONE, Reason.RESET)
            begin_epoch(node.ti)
    sum_up(step)


def _add(memory: RunMemory, ti: TaskInstance, changes: Changes, now: Micros) -> None:
    memory.add(ti)
    changes.insert_task(ti)
    run = memory.run
    changes.transitions.append(Transition("task", now, run.dag_id, run.id, ti.id, to_state=ti.state))

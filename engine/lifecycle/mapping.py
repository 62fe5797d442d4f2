"""Mapped tasks: expansion into indexes, fitting the indexes to another number of items, and the summary row."""

from __future__ import annotations

from engine.lifecycle.killing import begin_epoch, begin_kill
from engine.lifecycle.memory import Group, Node, RunMemory
from engine.lifecycle.moves import Step, move_task, order_callback, take_over
from engine.lifecycle.rules import Verdict
from engine.model.rows import TaskInstance
from engine.model.states import ALIVE_TASK, TERMINAL_TASK, Reason, TaskState

_T = TaskState
_BY_VERDICT = (_T.NONE, _T.SCHEDULED, _T.UPSTREAM_FAILED, _T.SKIPPED)
_WORST_FIRST = (_T.FAILED, _T.UPSTREAM_FAILED, _T.CANCELLED, _T.SUCCESS, _T.SKIPPED)
_REMOVABLE = frozenset({_T.NONE, _T.SCHEDULED}) | TERMINAL_TASK

BY_ITEMS = frozenset({Reason.NO_ITEMS, Reason.NOT_MAPPABLE})
"""Reasons of a mapped task that ended because of what it is mapped over."""


def look_at_indexes(step: Step, group: Group) -> None:
    """Something upstream of an expanded task moved: its indexes are looked at, unless that can change nothing."""
    if step.ordered:
        if any(group.tally[state] for state in _BY_VERDICT):
            step.work += [node for node in group.members if node.ti.state in _BY_VERDICT]
    elif group.tally[_T.NONE] and group.summary.verdict() is not Verdict.WAIT:
        step.work += [node for node in group.members if node.ti.state is _T.NONE]


def run_mapped(step: Step, node: Node, group: Group) -> None:
    """The trigger rule lets an undecided row of a mapped task run: the items decide what that means."""
    size = step.sizes.get(group.task_id)
    if size is None:
        size = step.sizes[group.task_id] = step.memory.items.size(group.task_id)
    if node is group.summary and isinstance(size, str):
        move_task(step, node, _T.FAILED, Reason.NOT_MAPPABLE, detail=size)
        node.ti.last_error = size
        order_callback(step, node.task.callbacks, "on_failure", node.ti)
    elif node is group.summary and size == 0:
        move_task(step, node, _T.SKIPPED, Reason.NO_ITEMS)
    else:
        items = 0 if isinstance(size, str) else size
        if items != group.size:
            _fit(step, group, items)
        if node is not group.summary and node.ti.state is _T.NONE:
            fits = node.ti.map_index < items
            move_task(step, node, _T.SCHEDULED if fits else _T.REMOVED, Reason.TRIGGER_RULE if fits else Reason.REMOVED)


def has_item(memory: RunMemory, node: Node) -> bool:
    """Whether an index may start with the items that there are now; true for tasks that are not mapped."""
    group = node.group
    if group is None:
        return True
    return node.ti.map_index < group.size and memory.items.size(group.task_id) == group.size


def _fit(step: Step, group: Group, items: int) -> None:
    """As many indexes as there are items: new ones are made, removed ones come back, the surplus is removed."""
    if not group.live:
        take_over(group)
    group.size = items
    for node in group.members[:items]:
        if node.ti.state is _T.REMOVED:
            move_task(step, node, _T.NONE, Reason.RESET)
            begin_epoch(node.ti)
            step.work.append(node)
    for node in group.members[items:]:
        _remove(step, node)
    _grow(step, group, items)


def _remove(step: Step, node: Node) -> None:
    state = node.ti.state
    if state in ALIVE_TASK:
        if node.ti.then is None or node.ti.then not in TERMINAL_TASK:
            begin_kill(step, node, _T.NONE, Reason.REMOVED)
    elif state is not _T.REMOVED:
        if state not in _REMOVABLE:
            move_task(step, node, _T.NONE, Reason.RESET)
        move_task(step, node, _T.REMOVED, Reason.REMOVED)


def _grow(step: Step, group: Group, items: int) -> None:
    memory = step.memory
    fresh = range(len(group.members), items)
    made: list[Node] = []
    for map_index in fresh:
        ti = TaskInstance(memory.items.new_id(), memory.run.id, group.task_id, map_index)
        ti.forced = group.summary.ti.forced
        memory.add(ti)
        node = memory.node_of(ti)
        memory.nodes[ti.id] = node
        group.add(node)
        step.changes.insert_task(ti)
        made.append(node)
    for child in group.below:
        child.counts.expect(len(fresh))
    for node in made:  # what let the task expand lets each new index run
        move_task(step, node, _T.SCHEDULED, Reason.TRIGGER_RULE)


def sum_up(step: Step) -> None:
    """Brings the summary rows of mapped tasks in line with their indexes."""
    for group in step.groups.values():
        if group.live:
            _sum_up(step, group)
    step.groups.clear()


def _sum_up(step: Step, group: Group) -> None:
    summary = group.summary
    wanted = _T.DEFERRED if group.unfinished else next(state for state in _WORST_FIRST if group.tally[state])
    if summary.ti.state is wanted and summary.ti.reason is Reason.EXPANDED:
        return
    if summary.ti.state is not _T.DEFERRED:
        move_task(step, summary, _T.DEFERRED, Reason.EXPANDED)
        summary.ti.last_error = None
    if wanted is not _T.DEFERRED:
        move_task(step, summary, wanted, Reason.EXPANDED)

"""The whole-state validator: what must hold of one run between any two events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from engine.lifecycle.memory import Group, Node, RunMemory
from engine.lifecycle.outcome import JUDGED, ending, run_outcome
from engine.lifecycle.rules import UpstreamCounts, Verdict
from engine.lifecycle.settle import verdict_holds
from engine.model.rows import UNMAPPED, Attempt, TaskInstance
from engine.model.states import (
    ALIVE_TASK,
    TERMINAL_RUN,
    TERMINAL_TASK,
    AttemptState,
    RunState,
    TaskState,
)

_T = TaskState
_WAITING = (_T.NONE, _T.SCHEDULED, _T.UP_FOR_RETRY)


def problems(memory: RunMemory) -> list[str]:
    """Everything about the run that cannot be, in words; empty when it is sound."""
    found = [*_run(memory), *_tallies(memory)]
    for ti in memory.by_id.values():
        name = _name(ti)
        found += [f"{name}: {problem}" for problem in _instance(ti)]
        if ti.current is not None:
            found += [f"{name}: {problem}" for problem in _attempt(ti, ti.current)]
    for node in memory.nodes.values():
        found += [f"{_name(node.ti)}: {problem}" for problem in _verdict(memory, node)]
    for group in memory.groups.values():
        found += [f"{group.task_id} (mapped): {problem}" for problem in _group(memory, group)]
    return found + _counts(memory)


def _name(ti: TaskInstance) -> str:
    index = "" if ti.map_index == UNMAPPED else f"[{ti.map_index}]"
    return f"{ti.task_id}{index} ({ti.state})"


def _group(memory: RunMemory, group: Group) -> Iterator[str]:
    """What holds of a mapped task: its indexes are whole, and its summary row says what they say."""
    rows = [ti for ti in memory.by_id.values() if ti.task_id == group.task_id and ti.map_index != UNMAPPED]
    if [node.ti for node in group.members] != sorted(rows, key=lambda ti: ti.map_index):
        yield "its indexes are not those of the run"
    if [node.ti.map_index for node in group.members] != list(range(len(group.members))):
        yield "an index is missing"
    states = Counter(node.ti.state for node in group.members)
    unfinished = sum(n for state, n in states.items() if state not in TERMINAL_TASK)
    if any(group.tally[state] != states[state] for state in TaskState) or group.unfinished != unfinished:
        yield "the tally of its indexes is wrong"
    if any(node.ti.state is _T.REMOVED for node in group.members[: group.size]) or group.size > len(group.members):
        yield f"an index below {group.size} is removed or missing"
    summary = group.summary.ti
    if group.live and (summary.state is _T.DEFERRED) != bool(unfinished):
        yield f"its summary row is {summary.state} with {unfinished} unfinished indexes"
    if group.live and (summary.state is _T.FAILED) != bool(states[_T.FAILED] and not unfinished):
        yield f"its summary row is {summary.state} with {states[_T.FAILED]} failed indexes"
    if not group.live and summary.state is _T.DEFERRED:
        yield "its summary row waits for indexes that there are not"


def _run(memory: RunMemory) -> Iterator[str]:
    run = memory.run
    unfinished = sum(ti.state not in TERMINAL_TASK for ti in memory.by_id.values())
    if run.state in TERMINAL_RUN and unfinished:
        yield f"run is {run.state}, but {unfinished} instances are not terminal"
    if run.state not in TERMINAL_RUN and run.state is not RunState.QUEUED and not unfinished:
        yield f"run is {run.state}, but all instances are terminal"
    if (run.ended_at is not None) != (run.state in TERMINAL_RUN):
        yield f"run is {run.state} with ended_at {run.ended_at}"
    if run.state in (RunState.RUNNING, RunState.PAUSED, RunState.CANCELLING) and run.started_at is None:
        yield f"run is {run.state}, but has no start"
    episode = memory.episode
    if (episode.number, episode.ended_at) != (run.episode, run.ended_at):
        yield f"episode {episode.number} (ended {episode.ended_at}) does not match the run's {run.episode}"
    if episode.outcome is not (run.state if run.state in TERMINAL_RUN else None):
        yield f"episode's outcome is {episode.outcome}, the run is {run.state}"
    if run.state in TERMINAL_RUN and run.reason in JUDGED and run_outcome(memory) != (run.state, run.reason):
        yield f"run is {run.state} ({run.reason}), its instances say {run_outcome(memory)}"
    if run.version_id != memory.plan.version_id:
        yield f"run is on DAG version {run.version_id}, its plan is {memory.plan.version_id}"


def _tallies(memory: RunMemory) -> Iterator[str]:
    states = Counter(ti.state for ti in memory.by_id.values())
    if any(memory.tally[state] != states[state] for state in TaskState):
        yield "the tally of states is wrong"
    if memory.unfinished != sum(n for state, n in states.items() if state not in TERMINAL_TASK):
        yield "the number of unfinished instances is wrong"
    if memory.scheduled != {ti.id: ti for ti in memory.by_id.values() if ti.state is _T.SCHEDULED}:
        yield "the queue of scheduled instances is wrong"
    current = {ti.current.id: ti.id for ti in memory.by_id.values() if ti.current is not None}
    if {key: ti.id for key, ti in memory.by_attempt.items()} != current:
        yield "the index of current attempts is wrong"
    if memory.instances != {(ti.task_id, ti.map_index): ti for ti in memory.by_id.values()}:
        yield "the index of instances is wrong"


def _instance(ti: TaskInstance) -> Iterator[str]:
    if ti.state in ALIVE_TASK and ti.current is None:
        yield "alive without an attempt"
    if ti.current is not None and ti.state not in ALIVE_TASK and ti.state is not _T.SCHEDULED:
        yield "has an open attempt"
    if (ti.retry_at is not None) != (ti.state is _T.UP_FOR_RETRY):
        yield f"retry_at is {ti.retry_at}"
    if (ti.then is not None) != (ti.state is _T.KILLING) or (ti.then is None) != (ti.then_reason is None):
        yield f"then is {ti.then} ({ti.then_reason})"
    if (ti.ended_at is not None) != (ti.state in TERMINAL_TASK):
        yield f"ended_at is {ti.ended_at}"
    if ti.state is not _T.NONE and ti.reason is None:
        yield "has no reason"
    if not 0 <= ti.epoch_start <= ti.attempt:
        yield f"epoch starts at attempt {ti.epoch_start} of {ti.attempt}"
    if min(ti.lost_count, ti.spared) < 0 or ti.lost_count + ti.spared > ti.attempt - ti.epoch_start:
        yield f"{ti.lost_count} lost and {ti.spared} spared of {ti.attempt - ti.epoch_start} attempts"
    if ti.blockers and ti.state not in _WAITING:
        yield f"is blocked by {ti.blockers}"


def _attempt(ti: TaskInstance, attempt: Attempt) -> Iterator[str]:
    if attempt.task_instance != ti.id or attempt.number != ti.attempt:
        yield f"current attempt is number {attempt.number} of {attempt.task_instance}, newest is {ti.attempt}"
    if attempt.state is AttemptState.ENDED or attempt.outcome is not None:
        yield f"current attempt is {attempt.state} ({attempt.outcome})"
    if ti.state is _T.RUNNING and (attempt.state is not AttemptState.RUNNING or attempt.started_at is None):
        yield f"current attempt is {attempt.state}, started {attempt.started_at}"
    if ti.state in (_T.QUEUED, _T.SCHEDULED) and attempt.state is not AttemptState.QUEUED:
        yield f"current attempt is {attempt.state}"


def _verdict(memory: RunMemory, node: Node) -> Iterator[str]:
    state = node.ti.state
    if not verdict_holds(node):
        yield f"its trigger rule says {node.verdict()} of {node.counts}"
    if state is _T.NONE and memory.run.state is not RunState.QUEUED:
        if node.verdict() is not Verdict.WAIT:
            yield f"undecided, though its trigger rule says {node.verdict()}"
        if ending(memory.run) and node.task.role != "teardown":
            yield f"undecided in a run that is {memory.run.state} ({memory.run.reason})"


def _counts(memory: RunMemory) -> list[str]:
    wanted = {key: UpstreamCounts() for key in memory.nodes}
    found = []
    for node in memory.nodes.values():
        below = {child.ti.task_id for child in node.children}
        sums_up = node.group is not None and node.group.is_summary(node)
        if below != (set() if sums_up else set(memory.plan.downstream[node.ti.task_id])):
            found.append(f"{node.ti.task_id}: its children are {sorted(below)}")
        for child in node.children:
            wanted[child.ti.id].include(node.ti.state)
    if memory.open_groups != sum(group.summary.ti.state is _T.DEFERRED for group in memory.groups.values()):
        found.append("the number of summary rows that wait for indexes is wrong")
    for node in memory.nodes.values():
        if node.group is not None and node.counts is not node.group.summary.counts:
            found.append(f"{_name(node.ti)}: does not share its task's counts")
        if node.ti.map_index == UNMAPPED and node.counts != wanted[node.ti.id]:
            found.append(f"{node.ti.task_id}: counts are {node.counts}, should be {wanted[node.ti.id]}")
    return found

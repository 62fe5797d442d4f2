"""From what the executor saw of an attempt to what the lifecycle is told, and to the results that are kept."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from engine.execution import port
from engine.execution.searching import SearchFailed, search
from engine.lifecycle import events
from engine.lifecycle.memory import RunMemory
from engine.lifecycle.retry_rules import open_to_rules
from engine.model.attempt_files import INLINE_RESULT_BYTES, AttemptStatus, InputRef
from engine.model.rows import UNMAPPED
from engine.model.states import FailureClass, Reason, TaskState
from engine.scheduler.acting import CALLBACK_SECONDS
from engine.scheduler.items import Keys, Unreadable, read_file
from engine.scheduler.state import LiveCallback
from engine.scheduler.turn import Turn
from engine.store.batch import ResultRow

START_AGAIN_SECONDS = 0.5
"""Pause before an attempt that could not be started is tried again, doubled each time: what lacks may come back."""

if TYPE_CHECKING:
    from engine.scheduler.core import Scheduler


def take_evidence(scheduler: Scheduler, seen: port.Evidence, turn: Turn) -> None:
    """Handles one piece of evidence. What concerns no attempt that is known is logged and changes nothing."""
    live = scheduler.state.callbacks.get(seen.attempt_id)
    if live is not None:
        _callback(scheduler, live, seen, turn)
        return
    memory = scheduler.state.attempts.get(seen.attempt_id)
    if memory is None:
        scheduler.log.info("evidence_of_unknown_attempt", attempt=seen.attempt_id, what=type(seen).__name__)
        return
    match seen:
        case port.Claimed():
            scheduler.apply(
                turn,
                memory,
                events.Claimed(seen.attempt_id, seen.pid, seen.pid_started, seen.boot_id, seen.at),
            )
        case port.Unkillable():
            scheduler.apply(turn, memory, events.Unkillable(seen.attempt_id, seen.why))
        case port.SpawnFailed():
            instance = memory.by_attempt.get(seen.attempt_id)
            if instance is None or instance.state is TaskState.KILLING:
                _spawn_failed(scheduler, seen, turn)
            else:
                pause = START_AGAIN_SECONDS * 2**instance.requeues
                scheduler.post_later(pause, partial(_spawn_failed, scheduler, seen))
        case port.Ended():
            expressions = _expressions(memory, seen)
            if any(expressions):
                scheduler.beside.spawn(_search_first(scheduler, memory, seen, expressions))
            elif missing := _unread(scheduler, memory, seen):
                scheduler.beside.spawn(_read_first(scheduler, memory, seen, missing))
            else:
                _ended(scheduler, memory, seen, turn, ())


def _expressions(memory: RunMemory, seen: port.Ended) -> list[str | None]:
    """The regular expressions that have to be searched before it is known what follows the attempt's end."""
    instance = memory.by_attempt.get(seen.attempt_id)
    if instance is None or instance.task_id not in memory.plan.tasks or instance.state is TaskState.KILLING:
        return []
    if seen.status is None or not open_to_rules(seen.status):
        return []
    return [rule.match for rule in memory.task(instance).retry.rules]


async def _search_first(
    scheduler: Scheduler, memory: RunMemory, seen: port.Ended, expressions: list[str | None]
) -> None:
    assert seen.status is not None
    path = str(scheduler.places.result(seen.attempt_id).parent)
    try:
        found = await search(path, seen.status.error, expressions)
    except SearchFailed as problem:
        scheduler.log.warning("retry_rules_not_searched", attempt=seen.attempt_id, reason=str(problem))
        found = ()
    scheduler.post(lambda turn: _ended(scheduler, memory, seen, turn, found))


def _unread(scheduler: Scheduler, memory: RunMemory, seen: port.Ended) -> list[Keys]:
    """Which parts of a large result tasks are mapped over that has not been read yet."""
    instance = memory.by_attempt.get(seen.attempt_id)
    if instance is None or instance.map_index != UNMAPPED or (seen.result_bytes or 0) <= INLINE_RESULT_BYTES:
        return []
    items, path = scheduler.state.items[memory.run.id], str(scheduler.places.result(seen.attempt_id))
    return [keys for keys in items.wanted_of(instance.task_id) if (path, keys) not in items.files]


async def _read_first(scheduler: Scheduler, memory: RunMemory, seen: port.Ended, missing: list[Keys]) -> None:
    """Has a large result read off the loop before its end is handled: the expansion is then a matter of moments."""
    items, path = scheduler.state.items[memory.run.id], str(scheduler.places.result(seen.attempt_id))
    for keys in missing:
        try:
            items.files[path, keys] = await asyncio.to_thread(read_file, path, keys)
        except (OSError, LookupError, TypeError, ValueError, RuntimeError):  # the last where no thread can be started
            items.files[path, keys] = Unreadable(path, keys)
    scheduler.deliver([seen])


def _spawn_failed(scheduler: Scheduler, seen: port.SpawnFailed, turn: Turn) -> None:
    memory = scheduler.state.attempts.get(seen.attempt_id)
    if memory is None:
        return
    scheduler.apply(turn, memory, events.SpawnFailed(seen.attempt_id, seen.error))
    if seen.attempt_id not in memory.by_attempt:
        scheduler.state.attempts.pop(seen.attempt_id, None)
        turn.ended_runs.append(memory.run.id)


def _ended(scheduler: Scheduler, memory: RunMemory, seen: port.Ended, turn: Turn, matches: tuple[int, ...]) -> None:
    if scheduler.state.attempts.get(seen.attempt_id) is not memory:
        return  # the engine's memory was loaded anew meanwhile; the attempt's files will be read again
    instance = memory.by_attempt.get(seen.attempt_id)
    result: InputRef | None = None
    if instance is not None and seen.status is not None and seen.status.code == 0:
        try:
            result = _result(scheduler, seen)
        except (OSError, ValueError, RecursionError) as error:
            seen = replace(seen, status=_without_result(seen.status, error))
    if instance is not None and result is not None:
        inputs = scheduler.state.results[memory.run.id]
        key = (instance.task_id, instance.map_index)
        before = inputs.get(key)
        inputs[key] = result  # before the event: it may release downstream tasks in this very turn
        scheduler.apply(turn, memory, events.Ended(seen.attempt_id, seen.status))
        if instance.state is not TaskState.SUCCESS:
            if before is None:
                del inputs[key]
            else:
                inputs[key] = before
        elif seen.result_bytes is not None:
            text = None if result.path else json.dumps(result.value, separators=(",", ":"))
            turn.batch.results.append(ResultRow(instance.id, seen.attempt_id, text, seen.result_bytes, turn.now))
    else:
        scheduler.apply(turn, memory, events.Ended(seen.attempt_id, seen.status, None, matches))
    scheduler.state.attempts.pop(seen.attempt_id, None)
    turn.ended_runs.append(memory.run.id)  # a run that only waited for this process may be let go


def _result(scheduler: Scheduler, seen: port.Ended) -> InputRef:
    if seen.result_bytes is None:
        return InputRef()
    path = scheduler.places.result(seen.attempt_id)
    if seen.result_bytes > INLINE_RESULT_BYTES:
        return InputRef(path=str(path))
    return InputRef(value=json.loads(path.read_bytes()))


def _without_result(status: AttemptStatus, error: Exception) -> AttemptStatus:
    """The task ended well, but what it returned is not what its result file holds: it may have another try."""
    return replace(
        status,
        outcome="failed",
        failure_class=FailureClass.INFRASTRUCTURE.value,
        reason=Reason.RESULT_INVALID.value,
        error=f"its result cannot be read: {error}",
    )


def _callback(scheduler: Scheduler, live: LiveCallback, seen: port.Evidence, turn: Turn) -> None:
    row = live.row
    match seen:
        case port.Unkillable():
            return  # it is overdue, and its kill goes on until nothing of it is left
        case port.Claimed():
            row.state = "running"
            row.started_at, row.pid, row.pid_started, row.boot_id = seen.at, seen.pid, seen.pid_started, seen.boot_id
        case port.SpawnFailed():
            row.outcome, row.error = "failed", seen.error
        case port.Ended():
            row.outcome = "lost" if seen.status is None else ("success" if seen.status.code == 0 else "failed")
            row.exit_code = seen.status.code if seen.status else None
            row.error = (seen.status.error if seen.status else None) or row.error
            if live.overdue and row.outcome != "success":
                row.error = f"killed: it had not ended after {CALLBACK_SECONDS // 60} min"
    if not isinstance(seen, port.Claimed):
        row.state, row.ended_at = "ended", turn.now
        del scheduler.state.callbacks[row.id]
        scheduler.state.unpin(row.run)
        turn.ended_runs.append(row.run)
    turn.batch.callbacks.append(row)
    turn.note("callback", run=row.run, after=row.state, reason=row.name, detail=row.outcome)

"""The pure mutator: one event at a time moves one run."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from engine.lifecycle import asking, attempts, clearing, killing, operations, undoing
from engine.lifecycle import events as e
from engine.lifecycle.changes import Changes
from engine.lifecycle.memory import Items, RunMemory, restore
from engine.lifecycle.moves import Step, move_run
from engine.lifecycle.settle import settle
from engine.model.moments import Micros
from engine.model.states import Reason, RunState


def apply(memory: RunMemory, event: e.Event, now: Micros, changes: Changes) -> None:
    """Handles one event: moves rows of the run and writes what was done into `changes`.

    An event that comes too late changes nothing and is named in `changes.ignored`. Raises IllegalTransition or
    ValueError for an event that can only be a mistake of the caller; memory must then be rebuilt.
    """
    step = Step(memory, now, changes, getattr(event, "command", None), getattr(event, "by", None))
    _HANDLERS[type(event)](step, event)
    settle(step)


def rehearse(memory: RunMemory, event: e.OperatorEvent, now: Micros) -> Changes:
    """What the event would do, by doing it to a copy. The rows in the answer are the copy's."""
    copies = [replace(ti, current=replace(ti.current) if ti.current else None) for ti in memory.by_id.values()]
    changes = Changes()
    copy = restore(memory.plan, replace(memory.run), copies)
    copy.items = _SameItems(memory.items)
    apply(copy, event, now, changes)
    return changes


class _SameItems:
    """A run's items, for a copy of it whose new rows are never stored."""

    def __init__(self, items: Items) -> None:
        self.size = items.size
        self._ids = itertools.count(-1, -1)

    def new_id(self) -> int:
        return next(self._ids)


def _start(step: Step, event: e.Start) -> None:
    """Raises IllegalTransition unless the run is queued."""
    move_run(step, RunState.RUNNING, Reason.STARTED)
    _look_at_all(step)


def _review(step: Step, event: e.Review) -> None:
    step.ordered = True
    _look_at_all(step)


def _look_at_all(step: Step) -> None:
    step.work.extend(sorted(step.memory.nodes.values(), key=lambda node: node.position))


_HANDLERS: dict[type, Callable[[Step, Any], None]] = {
    e.Start: _start,
    e.Review: _review,
    e.Granted: attempts.granted,
    e.Claimed: attempts.claimed,
    e.Ended: attempts.ended,
    e.SpawnFailed: attempts.spawn_failed,
    e.RetryDue: attempts.retry_due,
    e.BreakerRefused: attempts.breaker_refused,
    e.Answered: asking.answered,
    e.RetryNow: attempts.retry_due,
    e.TaskTimeout: killing.task_timeout,
    e.RunTimeout: operations.run_timeout,
    e.CodeGone: operations.code_gone,
    e.EngineKill: killing.engine_kill,
    e.Unkillable: killing.unkillable,
    e.Clear: clearing.clear,
    e.Mark: operations.mark,
    e.Kill: operations.kill,
    e.CancelRun: operations.cancel_run,
    e.PauseRun: operations.pause_run,
    e.ResumeRun: operations.resume_run,
    e.Restore: undoing.restore_rows,
}

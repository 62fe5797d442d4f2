"""Answers to approvals: kept with who gave them, and handed on as the task's result in the same turn."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from engine.lifecycle.events import Answered
from engine.lifecycle.memory import RunMemory
from engine.model.attempt_files import InputRef
from engine.model.dag import ApprovalSpec, Json
from engine.model.moments import SECOND, Micros, to_iso
from engine.model.rows import TaskInstance
from engine.model.states import TaskState
from engine.scheduler.timers import Timer
from engine.scheduler.turn import Turn
from engine.store.batch import ResultRow

if TYPE_CHECKING:
    from engine.scheduler.core import Scheduler


def answer(
    scheduler: Scheduler,
    turn: Turn,
    memory: RunMemory,
    instance: TaskInstance,
    option: str | None,
    params: dict[str, Json],
    *,
    by: str | None = None,
    origin: str | None = None,
    command: str | None = None,
) -> None:
    """Books an answer; without `by` it is the default, because nobody answered in time."""
    result = {"option": option, "params": params, "by": by, "at": to_iso(turn.now)}
    turn.batch.add(
        "answer.add",
        task_instance=instance.id,
        asked_at=instance.scheduled_at or turn.now,
        answered_at=turn.now,
        option=option,
        params=json.dumps(params),
        by=by,
        origin=origin,
        command=command,
    )
    # Before the event, which may release tasks below in this very turn.
    scheduler.state.results[memory.run.id][instance.task_id, instance.map_index] = InputRef(value=result)
    scheduler.apply(turn, memory, Answered(instance.id, option, by is not None, command, by))
    if instance.state is TaskState.SUCCESS:
        text = json.dumps(result)
        row = ResultRow(instance.id, scheduler.new_id(turn.now), text, len(text.encode()), turn.now)
        turn.batch.results.append(row)


def withdraw(scheduler: Scheduler, turn: Turn, memory: RunMemory, instance: TaskInstance, at: Micros) -> None:
    """Forgets the answer of that moment, and its result. Who gave it, and who took it back, stands in the audit."""
    turn.batch.add("answer.withdraw", task_instance=instance.id, at=at)
    turn.batch.add("answer.result", task_instance=instance.id, at=at)
    scheduler.state.results.get(memory.run.id, {}).pop((instance.task_id, instance.map_index), None)


def due(scheduler: Scheduler, turn: Turn, timer: Timer) -> None:
    """Nobody has answered in time: the default is taken."""
    memory = scheduler.state.runs.get(int(timer.tag))
    instance = memory.by_id.get(timer.key) if memory is not None else None
    if memory is None or instance is None or instance.state is not TaskState.AWAITING_INPUT:
        return
    spec = memory.task(instance).approval
    if spec is None or spec.timeout is None or instance.scheduled_at is None:
        return
    if instance.scheduled_at + round(spec.timeout * SECOND) <= turn.now:
        answer(scheduler, turn, memory, instance, spec.default, defaults(spec))


def defaults(spec: ApprovalSpec) -> dict[str, Json]:
    """What the form says when nobody fills it in."""
    return {name: param.default for name, param in spec.params.items()}

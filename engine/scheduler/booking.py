"""What follows at once from a move: of slots and pools, of a DAG's run slots, of its backfill, and who may start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.lifecycle.events import EngineKill
from engine.lifecycle.instructions import run_timeout_at
from engine.lifecycle.memory import RunMemory
from engine.lifecycle.outcome import ending
from engine.model.rows import UNMAPPED, Transition
from engine.model.states import ACTIVE_RUN, DEFERRED_TASK, TERMINAL_RUN, RunState, TaskState
from engine.scheduler.backfills import run_moved
from engine.scheduler.recovering import run_ended
from engine.scheduler.timers import Timer
from engine.scheduler.turn import Turn

if TYPE_CHECKING:
    from engine.scheduler.core import Scheduler

_LETS_START_OTHERWISE = (RunState.PAUSED, RunState.CANCELLING)


def book_run(scheduler: Scheduler, turn: Turn, memory: RunMemory, moved: Transition) -> None:
    """Books one move of a run."""
    run = memory.run
    if moved.from_state == RunState.PAUSED or moved.to_state in _LETS_START_OTHERWISE or ending(run):
        scheduler.admission.reconsider()
        scheduler.waiting.recheck(memory)
    entry = scheduler.state.dags.get(run.dag_id)
    if entry is None:
        return
    was, now = moved.from_state in ACTIVE_RUN, moved.to_state in ACTIVE_RUN
    if run.backfill is None:
        scheduler.ledger.runs_active[run.dag_id] += int(now) - int(was)
    if moved.from_state == RunState.PAUSED:
        scheduler.admission.release(("gate", run.dag_id, ""))
    if moved.to_state != RunState.QUEUED:
        if entry.queued.pop(run.id, None) is not None and not turn.changes.is_new(run):
            scheduler.waiting.begun(memory)
        if entry.postponed:
            scheduler.timers.add(Timer(turn.now, "plan", 0, entry.dag_id))
    if run.backfill is not None:
        run_moved(scheduler, turn, memory)
    if moved.to_state in TERMINAL_RUN:
        turn.ended_runs.append(run.id)
        if scheduler.state.recoveries:
            run_ended(scheduler, turn, memory)
        scheduler.breakers.run_ended(turn, memory, entry)
        scheduler.starting.start_runs(turn, entry)
    elif (at := run_timeout_at(memory)) is not None:
        scheduler.timers.add(Timer(at, "run_timeout", run.id, str(run.episode)))


def book_task(scheduler: Scheduler, turn: Turn, memory: RunMemory, moved: Transition) -> None:
    """Books one move of a task instance."""
    assert moved.task_instance is not None
    instance = memory.by_id[moved.task_instance]
    before, after = moved.from_state, moved.to_state
    turn.touched[instance.id] = memory
    if before == after:
        return
    task = memory.plan.tasks.get(instance.task_id)
    summary = task is not None and bool(task.mapped) and instance.map_index == UNMAPPED
    if task is not None and scheduler.ledger.moved(memory, task.task_id, before, after, summary=summary):
        scheduler.admission.freed(memory, task.task_id)
    if after == TaskState.SCHEDULED:
        kept = before in DEFERRED_TASK and task is not None and task.pool in scheduler.ledger.including
        scheduler.starting.ready.append((memory, instance, kept))
    scheduler.breakers.moved(turn, memory, instance, moved)
    if instance.task_id in memory.plan.past_tasks:
        scheduler.past.moved(memory, instance.task_id)


def kill_all(scheduler: Scheduler, turn: Turn) -> None:
    """Has every live attempt killed: the engine stops and takes them along."""
    for memory in list(scheduler.state.runs.values()):
        for instance in list(memory.by_attempt.values()):
            if instance.state in (TaskState.QUEUED, TaskState.RUNNING):
                scheduler.apply(turn, memory, EngineKill(instance.id))

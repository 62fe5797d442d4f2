"""What happens when a timer runs out. Each handler looks whether the timer still means anything."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from engine.lifecycle.events import RetryDue, RunTimeout, TaskTimeout
from engine.model.states import TaskState
from engine.scheduler import approvals
from engine.scheduler.backfills import refill
from engine.scheduler.holds import run_out
from engine.scheduler.planner import plan_runs
from engine.scheduler.timers import Timer
from engine.scheduler.turn import Turn

if TYPE_CHECKING:
    from engine.scheduler.core import Scheduler

_GRACE_SECONDS = 10.0
"""Between the SIGTERM and the SIGKILL of a callback that takes too long."""


def install(scheduler: Scheduler) -> None:
    """Registers the handlers."""
    scheduler.on_timer("retry", partial(_retry, scheduler))
    scheduler.on_timer("task_timeout", partial(_task_timeout, scheduler))
    scheduler.on_timer("run_timeout", partial(_run_timeout, scheduler))
    scheduler.on_timer("plan", partial(_plan, scheduler))
    scheduler.on_timer("warm", partial(_warm, scheduler))
    scheduler.on_timer("hold", partial(run_out, scheduler))
    scheduler.on_timer("backfill", partial(_backfill, scheduler))
    scheduler.on_timer("breaker", scheduler.breakers.due)
    scheduler.on_timer("answer", partial(approvals.due, scheduler))
    scheduler.on_timer("callback", partial(_callback, scheduler))
    scheduler.on_timer("look", lambda _turn, _timer: None)  # the turn itself is what was wanted


def _retry(scheduler: Scheduler, turn: Turn, timer: Timer) -> None:
    memory = scheduler.state.runs.get(int(timer.tag))
    instance = memory.by_id.get(timer.key) if memory else None
    if memory and instance and instance.state is TaskState.UP_FOR_RETRY and instance.retry_at == timer.at:
        scheduler.apply(turn, memory, RetryDue(instance.id))


def _task_timeout(scheduler: Scheduler, turn: Turn, timer: Timer) -> None:
    memory = scheduler.state.runs.get(timer.key)
    instance = memory.by_attempt.get(timer.tag) if memory else None
    if memory and instance and instance.state is TaskState.RUNNING:
        scheduler.apply(turn, memory, TaskTimeout(instance.id, timer.tag))


def _run_timeout(scheduler: Scheduler, turn: Turn, timer: Timer) -> None:
    memory = scheduler.state.runs.get(timer.key)
    if memory and memory.run.episode == int(timer.tag):
        scheduler.apply(turn, memory, RunTimeout(memory.run.episode))


def _callback(scheduler: Scheduler, turn: Turn, timer: Timer) -> None:
    live = scheduler.state.callbacks.get(timer.tag)
    if live is not None:
        live.overdue = True
        turn.committed.append(lambda _seq: scheduler.executor.kill(timer.tag, _GRACE_SECONDS))


def _backfill(scheduler: Scheduler, turn: Turn, timer: Timer) -> None:
    live = scheduler.state.backfills.get(timer.key)
    if live is not None:
        refill(scheduler, turn, live)


def _warm(scheduler: Scheduler, turn: Turn, timer: Timer) -> None:
    entry = scheduler.state.dags.get(timer.tag)
    if entry is not None and entry.takes_automated_runs:
        scheduler.starting.warm(entry)


def _plan(scheduler: Scheduler, turn: Turn, timer: Timer) -> None:
    entry = scheduler.state.dags.get(timer.tag)
    if entry is None:
        return
    plan_runs(scheduler, turn, entry)
    scheduler.starting.start_runs(turn, entry)

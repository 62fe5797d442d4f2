"""Steps of the wall clock: somebody set it, or the host slept. What was to wait for a while waits no longer for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.clock import Clock
from engine.model.moments import SECOND, Micros
from engine.model.states import TaskState
from engine.scheduler.timers import Timer
from engine.scheduler.turn import Turn

if TYPE_CHECKING:
    from engine.scheduler.core import Scheduler

NOTICED: Micros = 2 * SECOND
"""Smaller steps are the usual care of a time service."""


class ClockWatch:
    """Compares the wall clock with the monotonic one, which nobody sets."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._drift = clock.drift()

    def step(self) -> Micros:
        """How far the wall clock was stepped since the last look, 0 for what is not worth a word."""
        drift = self._clock.drift()
        found, self._drift = drift - self._drift, drift
        return found if abs(found) >= NOTICED else 0


def heed_step(scheduler: Scheduler, turn: Turn, step: Micros) -> None:
    """Time limits move with the clock, for the tasks have not run any longer; so do retries when it goes back.

    A retry that a step forward has passed is due: the time may really have passed. Schedules need nothing: what has
    been created stays created, and what has become due is planned.
    """
    if step == 0:
        return
    scheduler.timers.shift(("task_timeout", "run_timeout"), step)
    if step < 0:
        for memory in scheduler.state.runs.values():
            for instance in memory.by_id.values():
                if instance.state is TaskState.UP_FOR_RETRY and instance.retry_at is not None:
                    turn.changes.touch_task(instance)
                    instance.retry_at += step
                    scheduler.timers.add(Timer(instance.retry_at, "retry", instance.id, str(memory.run.id)))
    seconds = f"{abs(step) / SECOND:.0f} s"
    detail = f"the clock went {'forward' if step > 0 else 'back'} by {seconds}"
    turn.note("engine", reason="clock_step", detail=detail)
    scheduler.log.warning("clock_step", seconds=step / SECOND)

"""`retry`: do not wait for the retry timer."""

from __future__ import annotations

from typing import Any

from engine.control.plans import Ask, Plan, Refusal, Target, by_run, describe, plural, task_target, the_runs, the_tasks
from engine.lifecycle.events import RetryNow
from engine.model.moments import Micros
from engine.model.states import TaskState
from engine.scheduler.core import Scheduler
from engine.scheduler.turn import Turn


class Retry:
    """Retries tasks that are up for retry at once; their budget stays as it is."""

    name = "retry"

    def plan(self, scheduler: Scheduler, ask: Ask, now: Micros) -> Plan:
        targets = [
            task_target(memory, instance, "scheduled", f"try {instance.attempt + 1} starts now")
            for memory in the_runs(scheduler, ask)
            for instance in the_tasks(memory, ask)
            if instance.state is TaskState.UP_FOR_RETRY
        ]
        if not targets:
            raise Refusal("state", "nothing to retry: no task that was named is waiting for its retry")

        def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
            for run, instances in by_run(scheduler, kept).items():
                for instance in instances:
                    scheduler.apply(turn, scheduler.state.runs[run], RetryNow(instance.id, ask.command, ask.actor))
            return {}

        return Plan(
            targets, describe(targets), carry, lambda kept: f"retrying {plural(len(kept), 'task instance')} now"
        )

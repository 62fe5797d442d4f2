"""`stack`: have running tasks say in their logs what they are doing right now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.control.plans import Ask, Plan, Refusal, Target, by_run, describe, plural, task_target, the_runs, the_tasks
from engine.lifecycle import instructions
from engine.model.attempt_files import LOG
from engine.model.moments import Micros
from engine.model.rows import TaskInstance
from engine.model.states import AttemptState, TaskState
from engine.scheduler.core import Scheduler
from engine.scheduler.turn import Turn


class Stack:
    """Writes the process trees of running tasks, and the stacks of Python ones, into their logs."""

    name = "stack"

    def plan(self, scheduler: Scheduler, ask: Ask, now: Micros) -> Plan:
        targets = [
            task_target(memory, instance, instance.state.value, "writes its processes and stacks into its log")
            for memory in the_runs(scheduler, ask)
            for instance in the_tasks(memory, ask)
            if _runs(instance)
        ]
        for target in targets:
            target.effect.kills = False
        if not targets:
            raise Refusal("state", "nothing to look into: no task that was named is running")

        def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
            logs = []
            for run, instances in by_run(scheduler, kept).items():
                memory = scheduler.state.runs[run]
                for instance in instances:
                    assert instance.current is not None
                    turn.instructions.append((memory, instructions.Stack(instance.id, instance.current.id)))
                    log = scheduler.places.result(instance.current.id).parent / LOG
                    logs.append({"task_id": instance.task_id, "path": str(log), "offset": _size(log)})
            return {"logs": logs}

        def done(kept: list[Target]) -> str:
            return f"{plural(len(kept), 'task')} asked: processes and stacks are at the end of the log"

        return Plan(targets, describe(targets), carry, done)


def _runs(instance: TaskInstance) -> bool:
    attempt = instance.current
    if attempt is None or attempt.state is not AttemptState.RUNNING:
        return False
    return instance.state in (TaskState.RUNNING, TaskState.KILLING)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0

"""`mark`: decide the state of task instances by hand."""

from __future__ import annotations

from typing import Any

from engine.control.beside import with_runs_beside
from engine.control.plans import (
    Archive,
    Ask,
    Plan,
    Refusal,
    Target,
    by_run,
    describe,
    following,
    is_over,
    plural,
    task_target,
    the_runs,
    the_tasks,
)
from engine.lifecycle.events import Mark as MarkEvent
from engine.lifecycle.operations import MARKS
from engine.model.moments import Micros
from engine.model.states import TaskState
from engine.scheduler.core import Scheduler
from engine.scheduler.turn import Turn


class Mark:
    """Marks tasks of runs. Arguments: `state`, one of success, failed, skipped; `past`, `future`."""

    name = "mark"

    async def resolve(self, scheduler: Scheduler, archive: Archive, ask: Ask) -> Ask:
        """With `past` and `future`, the runs before and after it, too."""
        return await with_runs_beside(archive, ask)

    def plan(self, scheduler: Scheduler, ask: Ask, now: Micros) -> Plan:
        allowed = ", ".join(sorted(MARKS))
        wanted = ask.args.get("state")
        if not isinstance(wanted, str) or wanted not in MARKS:
            raise Refusal("invalid", f"mark needs a state, one of {allowed}; not {wanted!r}")
        if not ask.names_tasks:
            raise Refusal("invalid", "mark needs the tasks to mark")
        state = TaskState(wanted)
        targets: list[Target] = []
        reopens = 0
        for memory in the_runs(scheduler, ask):
            chosen = [instance for instance in the_tasks(memory, ask) if instance.state is not state]
            reopens += bool(chosen) and is_over(memory)
            targets += [task_target(memory, instance, state.value, "decided by hand") for instance in chosen]
        if not targets:
            raise Refusal("state", f"nothing to mark: all of it is {state.value} already")

        def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
            for run, instances in by_run(scheduler, kept).items():
                ids = tuple(instance.id for instance in instances)
                scheduler.apply(turn, scheduler.state.runs[run], MarkEvent(ids, state, ask.command, ask.actor))
            return {}

        def done(kept: list[Target]) -> str:
            return f"marked {plural(len(kept), 'task instance')} {state.value}"

        return Plan(
            targets,
            describe(targets, reopens),
            carry,
            done,
            reopens,
            follows=lambda: following(scheduler, targets, lambda ids: MarkEvent(ids, state)),
        )

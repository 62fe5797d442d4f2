"""`pause` and `resume` of single runs: whether they start anything."""

from __future__ import annotations

from typing import Any

from engine.control.plans import Ask, Plan, Refusal, Target, plural, run_target, the_runs
from engine.lifecycle.events import PauseRun, ResumeRun
from engine.model.states import ALIVE_TASK, RunState
from engine.scheduler.core import Scheduler
from engine.scheduler.turn import Turn


def pause_runs(scheduler: Scheduler, ask: Ask) -> Plan:
    """Runs that start nothing more until they are resumed; what runs of them goes on. Raises Refusal."""
    return _switch(scheduler, ask, RunState.RUNNING, RunState.PAUSED, PauseRun(ask.command, ask.actor))


def resume_runs(scheduler: Scheduler, ask: Ask) -> Plan:
    """Paused runs that go on. Raises Refusal."""
    return _switch(scheduler, ask, RunState.PAUSED, RunState.RUNNING, ResumeRun(ask.command, ask.actor))


def _switch(scheduler: Scheduler, ask: Ask, source: RunState, target: RunState, event: PauseRun | ResumeRun) -> Plan:
    if ask.select.dag_ids or ask.select.task_ids:
        raise Refusal("invalid", f"{ask.verb} takes runs or DAGs, not both, and no tasks")
    named = the_runs(scheduler, ask)
    runs = [memory for memory in named if memory.run.state is source]
    if not runs:
        states = ", ".join(f"{memory.run.run_id} is {memory.run.state}" for memory in named)
        raise Refusal("state", f"nothing to {ask.verb}: {states}")
    live = sum(memory.tally[state] for memory in runs for state in ALIVE_TASK)
    detail = "nothing more of it starts" if target is RunState.PAUSED else "what waits may start"

    def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
        for each in kept:
            scheduler.apply(turn, scheduler.state.runs[int(each.key[1])], event)
        return {}

    past = "paused" if target is RunState.PAUSED else "resumed"
    goes_on = f", {plural(live, 'running task goes', 'running tasks go')} on" if live and past == "paused" else ""
    return Plan(
        [run_target(memory, target.value, detail) for memory in runs],
        f"{plural(len(runs), 'run')} {past}{goes_on}",
        carry,
        lambda kept: f"{past} {plural(len(kept), 'run')}",
    )

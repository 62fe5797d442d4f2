"""`kill` and `cancel`: end processes, or whole runs."""

from __future__ import annotations

from typing import Any

from engine.control.plans import (
    Ask,
    Plan,
    Refusal,
    Target,
    by_run,
    describe,
    plural,
    run_target,
    task_target,
    the_runs,
    the_tasks,
)
from engine.lifecycle import instructions
from engine.lifecycle.events import CancelRun
from engine.lifecycle.events import Kill as KillEvent
from engine.lifecycle.memory import Node
from engine.model.moments import Micros
from engine.model.states import ALIVE_TASK, TERMINAL_TASK, RunState, TaskState
from engine.scheduler.core import Scheduler
from engine.scheduler.turn import Turn


class Kill:
    """Kills the processes of tasks, which then fail and are not retried.

    SIGTERM, the task's grace, SIGKILL; with the argument `force` SIGKILL at once. With `again` they are tried
    once more when they are dead, whatever is left of their budget.
    """

    name = "kill"

    def plan(self, scheduler: Scheduler, ask: Ask, now: Micros) -> Plan:
        force = bool(ask.args.get("force"))
        again = bool(ask.args.get("again"))
        how = "SIGKILL at once" if force else "SIGTERM, then SIGKILL after its grace"
        becomes = "up_for_retry" if again else "failed"
        targets = [
            task_target(memory, instance, becomes, how)
            for memory in the_runs(scheduler, ask)
            for instance in the_tasks(memory, ask)
            if instance.state in ALIVE_TASK and (force or instance.state is not TaskState.KILLING)
        ]
        if not targets:
            raise Refusal("state", "nothing to kill: no task that was named is running")

        def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
            for run, instances in by_run(scheduler, kept).items():
                memory = scheduler.state.runs[run]
                for instance in instances:
                    scheduler.apply(turn, memory, KillEvent(instance.id, ask.command, ask.actor, again))
                    if force and instance.current is not None:
                        turn.instructions.append((memory, instructions.Kill(instance.id, instance.current.id, 0.0)))
            return {}

        return Plan(
            targets, describe(targets), carry, lambda kept: f"kill of {plural(len(kept), 'task instance')} requested"
        )


class Cancel:
    """Cancels runs: processes are killed, everything unfinished is cancelled.

    Teardowns still run where there is something to clean up; with the argument `force` they are stopped, too.
    """

    name = "cancel"

    def plan(self, scheduler: Scheduler, ask: Ask, now: Micros) -> Plan:
        targets: list[Target] = []
        runs = []
        spared: list[str] = []
        force = bool(ask.args.get("force"))
        wanted = (RunState.QUEUED, RunState.RUNNING, RunState.PAUSED, *((RunState.CANCELLING,) if force else ()))
        for memory in the_runs(scheduler, ask):
            if memory.run.state not in wanted:
                continue
            runs.append(memory)
            targets.append(run_target(memory, "cancelled"))
            for instance in the_tasks(memory, ask):
                if instance.state in TERMINAL_TASK:
                    continue
                if not force and _cleans_up(memory.run.state, memory.nodes[instance.id]):
                    spared.append(instance.task_id)
                else:
                    detail = "killed first" if instance.state in ALIVE_TASK else ""
                    target = task_target(memory, instance, "cancelled", detail)
                    target.changed_seq = memory.run.changed_seq  # a run is cancelled as a whole, or not at all
                    targets.append(target)
        if not runs:
            raise Refusal("state", f"nothing to cancel: {', '.join(ask.select.run_ids)} is over or being cancelled")

        def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
            for target in kept:
                if target.key[0] == "run":
                    memory = scheduler.state.runs[int(target.key[1])]
                    scheduler.apply(turn, memory, CancelRun(ask.command, ask.actor, force))
            return {}

        tasks = len(targets) - len(runs)
        kills = sum(target.effect.kills for target in targets)
        sentence = (
            f"{plural(len(runs), 'run')} with {plural(tasks, 'unfinished task instance')}, "
            f"{plural(kills, 'process', 'processes')} killed"
        )

        def done(kept: list[Target]) -> str:
            return f"cancel of {plural(sum(target.key[0] == 'run' for target in kept), 'run')} requested"

        warnings = [f"still run, to clean up: {', '.join(spared)} (force stops these, too)"] if spared else []
        return Plan(targets, sentence, carry, done, warnings=warnings)


def _cleans_up(run: RunState, node: Node) -> bool:
    """Whether a teardown is going to run, or runs, although its run is being cancelled."""
    if node.task.role != "teardown" or run is RunState.QUEUED:
        return False
    succeeded = [setup.ti.state is TaskState.SUCCESS for setup in node.setups]
    return node.ti.state is not TaskState.NONE or not succeeded or any(succeeded)

"""`stop`, `drain`, `acknowledge` and `prune`: about the engine itself."""

from __future__ import annotations

from typing import Any

from engine.control.plans import Ask, Plan, Refusal, Target, plural
from engine.control.protocol import Effect
from engine.lifecycle.memory import RunMemory
from engine.model.moments import Micros
from engine.model.rows import TaskInstance
from engine.model.states import TaskState
from engine.scheduler.core import Scheduler
from engine.scheduler.turn import Turn


class Stop:
    """Stops the engine; attempts run on. With `kill` they are killed first, and run again under the next engine."""

    name = "stop"

    def plan(self, scheduler: Scheduler, ask: Ask, now: Micros) -> Plan:
        kill = bool(ask.args.get("kill"))
        alive = _alive(scheduler)
        running = plural(len(alive), "attempt runs on", "attempts run on")
        sentence = f"the engine stops; {plural(len(alive), 'attempt') + ' killed first' if kill else running}"

        def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
            turn.committed.append(lambda _seq: scheduler.request_stop(kill))
            return {}

        effect = Effect("engine", "", "running", "stopped", detail=f"{len(alive)} attempts", kills=kill and bool(alive))
        return Plan([Target(("engine", 0), effect)], sentence, carry, lambda _: "the engine stops")


class Drain:
    """Starts nothing new, and stops the engine once nothing runs."""

    name = "drain"

    def plan(self, scheduler: Scheduler, ask: Ask, now: Micros) -> Plan:
        def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
            turn.committed.append(lambda _seq: scheduler.limit(draining=True))
            turn.note("engine", after="draining", command=ask.command)
            return {}

        alive = len(_alive(scheduler))
        effect = Effect("engine", "", "running", "draining", detail=f"{alive} attempts still run")
        sentence = f"nothing new starts; the engine stops when {plural(alive, 'attempt')} have ended"
        return Plan([Target(("engine", 0), effect)], sentence, carry, lambda _: "draining")


class Acknowledge:
    """Puts away the report of the last unclean start."""

    name = "acknowledge"

    def plan(self, scheduler: Scheduler, ask: Ask, now: Micros) -> Plan:
        if not scheduler.report_open:
            raise Refusal("state", "there is no report of an unclean start to acknowledge")

        def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
            turn.committed.append(lambda _seq: setattr(scheduler, "report_open", False))
            turn.batch.add("recovery.acknowledge", at=turn.now, who=ask.actor)
            turn.note("engine", reason="acknowledged", command=ask.command)
            return {}

        effect = Effect("engine", "", "report open", "acknowledged")
        return Plan([Target(("engine", 0), effect)], "the recovery report is put away", carry, lambda _: "acknowledged")


class Prune:
    """Removes now what is older than the home keeps it, instead of next night."""

    name = "prune"

    def plan(self, scheduler: Scheduler, ask: Ask, now: Micros) -> Plan:
        def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
            turn.committed.append(lambda _seq: scheduler.request_prune())
            # The disk may be full, and the engine not know yet: then most of all.
            turn.failed.append(lambda _error: scheduler.request_prune())
            return {}

        effect = Effect("engine", "", "kept", "pruned", detail="logs and history that [retention] no longer keeps")
        sentence = "what is older than the home keeps it goes now, in small steps"
        return Plan([Target(("engine", 0), effect)], sentence, carry, lambda _: "pruning has begun")


def _alive(scheduler: Scheduler) -> list[tuple[RunMemory, TaskInstance]]:
    return [
        (memory, instance)
        for memory in scheduler.state.runs.values()
        for instance in memory.by_attempt.values()
        if instance.state in (TaskState.RUNNING, TaskState.KILLING)
    ]

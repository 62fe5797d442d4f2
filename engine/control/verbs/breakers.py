"""`trip` and `reset`: open and close circuit breakers by hand."""

from __future__ import annotations

from typing import Any

from engine.authoring.durations import seconds_of
from engine.control.plans import Ask, Plan, Refusal, Target
from engine.control.protocol import Effect
from engine.model.breaker import OF_DAG, Breaker
from engine.model.ids import check_id
from engine.model.moments import SECOND, Micros, to_iso
from engine.scheduler.core import Scheduler
from engine.scheduler.turn import Turn


class Trip:
    """Opens a breaker. Arguments: `breaker`, and `for` (a duration, after which a probe goes out; without it the
    breaker is held open until it is reset). What runs is not touched.
    """

    name = "trip"

    def plan(self, scheduler: Scheduler, ask: Ask, now: Micros) -> Plan:
        name = _name(ask)
        found = scheduler.breakers.by_name.get(name)
        cooldown = _cooldown(ask.args.get("for"))
        if name.startswith(OF_DAG):
            raise Refusal("invalid", f"{name} is a DAG's own breaker: pause the DAG instead")
        unknown = name not in _used(scheduler) and found is None
        warnings = [f"no task is known to use a breaker {name}: one may do so in its code"] if unknown else []

        def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
            scheduler.breakers.trip(turn, name, ask.actor, ask.note, cooldown)
            return {"breaker": name, "state": "open"}

        becomes = "open" if cooldown is not None else "held open"
        detail = f"a probe at {to_iso(now + cooldown)}" if cooldown is not None else "until somebody resets it"
        effect = Effect("breaker", name, _shown(found), becomes, detail=detail)
        sentence = f"breaker {name} is {becomes}: {detail}"
        return Plan([Target(("breaker", name), effect)], sentence, carry, lambda _: sentence, warnings=warnings)


class Reset:
    """Closes a breaker and forgets its failures; what waits for it starts. Argument: `breaker`."""

    name = "reset"

    def plan(self, scheduler: Scheduler, ask: Ask, now: Micros) -> Plan:
        name = _name(ask)
        found = scheduler.breakers.by_name.get(name)
        if found is None:
            raise Refusal("not_found", f"there is no breaker {name}")
        if found.state == "closed" and not found.failures:
            raise Refusal("state", f"breaker {name} is closed already")
        if name.startswith(OF_DAG):
            raise Refusal("invalid", f"{name} is a DAG's own breaker: resume the DAG instead")

        def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
            scheduler.breakers.reset(turn, name, ask.actor)
            return {"breaker": name, "state": "closed"}

        waiting = sum(
            _uses(memory.plan.tasks[ti.task_id].breaker, name) for memory, ti in scheduler.admission.waiting()
        )
        effect = Effect("breaker", name, _shown(found), "closed", detail=f"{waiting} tasks wait for it")
        sentence = f"breaker {name} closed, {waiting} waiting tasks may start"
        return Plan([Target(("breaker", name), effect)], sentence, carry, lambda _: f"breaker {name} is closed")


def _name(ask: Ask) -> str:
    name = str(ask.args.get("breaker"))
    try:
        check_id("breaker", name.removeprefix(OF_DAG))
    except ValueError as problem:
        raise Refusal("invalid", str(problem)) from problem
    return name


def _cooldown(given: Any) -> Micros | None:
    if given is None:
        return None
    try:
        seconds = seconds_of(given)
    except ValueError as problem:
        raise Refusal("invalid", f"for {given!r}: use {problem}") from problem
    if seconds <= 0:
        raise Refusal("invalid", "for: use more than 0")
    return round(seconds * SECOND)


def _shown(found: Breaker | None) -> str:
    return "closed" if found is None else "held open" if found.is_held else found.state.replace("_", " ")


def _uses(spec: Any, name: str) -> bool:
    return spec is not None and spec.name == name


def _used(scheduler: Scheduler) -> set[str]:
    specs = (entry.version.spec for entry in scheduler.state.dags.values())
    return {task.breaker.name for spec in specs for task in spec.tasks if task.breaker is not None}

"""`trip` and `reset`: open and close circuit breakers by hand."""

from __future__ import annotations

from typing import Any

import msgspec

from engine.authoring.durations import seconds_of
from engine.control.plans import Ask, Plan, Refusal, Target
from engine.control.protocol import Effect
from engine.model.breaker import OF_DAG, Breaker
from engine.model.ids import check_id
from engine.model.moments import SECOND, Micros, to_iso
from engine.scheduler.core import Scheduler
from engine.scheduler.turn import Turn
from engine.scheduler.undo import Inverse

_breaker: msgspec.json.Decoder[Breaker] = msgspec.json.Decoder(Breaker)


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
        before: dict[str, Any] = {}
        unknown = name not in _used(scheduler) and found is None
        warnings = [f"no task is known to use a breaker {name}: one may do so in its code"] if unknown else []

        def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
            before.update(_as_words(found or Breaker(name)))
            scheduler.breakers.trip(turn, name, ask.actor, ask.note, cooldown)
            return {"breaker": name, "state": "open"}

        becomes = "open" if cooldown is not None else "held open"
        detail = f"a probe at {to_iso(now + cooldown)}" if cooldown is not None else "until somebody resets it"
        effect = Effect("breaker", name, _shown(found), becomes, detail=detail)
        sentence = f"breaker {name} is {becomes}: {detail}"
        plan = Plan([Target(("breaker", name), effect)], sentence, carry, lambda _: sentence, warnings=warnings)
        plan.inverse = lambda _: _inverse(scheduler, name, before)
        return plan


class Reset:
    """Closes a breaker and forgets its failures; what waits for it starts. Argument: `breaker`. To take back what
    somebody did to it: `to`, how it is to stand, and `was`, how it has to stand until then.
    """

    name = "reset"

    def plan(self, scheduler: Scheduler, ask: Ask, now: Micros) -> Plan:
        name = _name(ask)
        found = scheduler.breakers.by_name.get(name)
        if found is None:
            raise Refusal("not_found", f"there is no breaker {name}")
        if ask.args.get("to") is not None:
            return _as_before(scheduler, ask, found)
        if found.state == "closed" and not found.failures:
            raise Refusal("state", f"breaker {name} is closed already")
        if name.startswith(OF_DAG):
            raise Refusal("invalid", f"{name} is a DAG's own breaker: resume the DAG instead")

        def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
            before.update(_as_words(found))
            scheduler.breakers.reset(turn, name, ask.actor)
            return {"breaker": name, "state": "closed"}

        before: dict[str, Any] = {}
        waiting = sum(
            _uses(memory.plan.tasks[ti.task_id].breaker, name) for memory, ti in scheduler.admission.waiting()
        )
        effect = Effect("breaker", name, _shown(found), "closed", detail=f"{waiting} tasks wait for it")
        sentence = f"breaker {name} closed, {waiting} waiting tasks may start"
        plan = Plan([Target(("breaker", name), effect)], sentence, carry, lambda _: f"breaker {name} is closed")
        plan.inverse = lambda _: _inverse(scheduler, name, before)
        return plan


def _inverse(scheduler: Scheduler, name: str, before: dict[str, Any]) -> Inverse:
    """What lets it stand as before, as long as it stands as it does now."""
    now = _as_words(scheduler.breakers.by_name[name])
    return Inverse("reset", {"breaker": name, "to": before, "was": now}, about=f"breaker:{name}")


def _as_words(found: Breaker) -> dict[str, Any]:
    words: dict[str, Any] = msgspec.to_builtins(found)
    return words


def _as_before(scheduler: Scheduler, ask: Ask, found: Breaker) -> Plan:
    try:
        before = _breaker.decode(msgspec.json.encode(ask.args["to"]))
    except msgspec.ValidationError as error:
        raise Refusal("invalid", f"to: {error}") from error
    if _as_words(found) != ask.args.get("was"):
        raise Refusal("state", f"breaker {found.name} has moved since: it is {_shown(found)} now")

    def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
        scheduler.breakers.put_back(turn, before, ask.actor)
        return {"breaker": found.name, "state": before.state}

    effect = Effect("breaker", found.name, _shown(found), _shown(before), detail="as before; what has begun goes on")
    sentence = f"breaker {found.name} {_shown(before)}, as before"
    return Plan([Target(("breaker", found.name), effect)], sentence, carry, lambda _: sentence)


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

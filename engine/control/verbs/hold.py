"""`hold` and `release`: nothing new starts, everywhere, in a pool or in some DAGs, for a time or until released."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import msgspec

from engine.authoring.durations import DURATION_RULE, seconds_of
from engine.control.plans import Ask, Plan, Refusal, Target, plural
from engine.control.protocol import Effect
from engine.lifecycle.memory import RunMemory
from engine.model.moments import DAY, SECOND, Micros, to_iso
from engine.model.rows import TaskInstance
from engine.model.states import ALIVE_TASK
from engine.scheduler import holds
from engine.scheduler.core import Scheduler
from engine.scheduler.turn import Turn
from engine.scheduler.undo import Inverse
from engine.store.stored import StoredHold

SCOPES = ("all", "pool", "dag")
LONGEST: Micros = 366 * DAY
_LENGTHS = f"a hold lasts more than nothing, and up to a year: the longest is {LONGEST // DAY}d"
_holds: msgspec.json.Decoder[list[StoredHold]] = msgspec.json.Decoder(list[StoredHold])
OPEN = "open"
"""Until somebody releases it."""


class Hold:
    """Holds back what has not started. Arguments: `scope` (`all`, `pool` or `dag`), `pattern` (a pool's name, or a glob
    of DAG ids), `for` (how long, as `30m`; without it, or with `open`, until it is released); or `again`, holds that
    were released a moment ago.
    """

    name = "hold"

    def plan(self, scheduler: Scheduler, ask: Ask, now: Micros) -> Plan:
        if ask.args.get("again") is not None:
            return _again(scheduler, ask, now)
        wanted = _wanted(scheduler, ask, now)
        what = holds.describe(wanted)
        same = [hold for hold in scheduler.state.holds.values() if _is_same(hold, wanted)]
        for hold in same:
            if hold.until is None or (wanted.until is not None and wanted.until <= hold.until):
                raise Refusal("state", f"{what} is on hold already, for at least as long: {_said(hold)}")
        key = 0

        def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
            nonlocal key
            key = next(scheduler.state.hold_ids)
            fresh = StoredHold(key, wanted.scope, wanted.pattern, ask.actor, ask.note, turn.now, wanted.until)
            holds.put(scheduler, turn, fresh, ask.command)
            return {"hold": key, "until": None if wanted.until is None else to_iso(wanted.until)}

        running, waiting = _alive(scheduler, wanted), _waiting(scheduler, wanted)
        going_on = plural(len(running), "attempt runs on", "attempts run on")
        detail = f"{plural(len(waiting), 'waiting task')} kept back; {going_on}"
        until = "until released" if wanted.until is None else f"until {to_iso(wanted.until)}"
        effect = Effect("hold", what, "held" if same else "open", f"held {until}", detail=detail)
        sentence = f"{what}: nothing new starts {until}"
        plan = Plan([Target(("hold", what), effect)], sentence, carry, lambda _: f"{what} is on hold {until}")
        plan.warnings = [f"it is on hold already, and stays so too: {_said(hold)}" for hold in same]
        plan.inverse = lambda kept: Inverse("release", {"hold": key})
        return plan


class Release:
    """Ends holds. Arguments: `hold` (its number), or `scope` and `pattern` as for `hold`; without them all end."""

    name = "release"

    def plan(self, scheduler: Scheduler, ask: Ask, now: Micros) -> Plan:
        found = list(scheduler.state.holds.values())
        if "hold" in ask.args:
            found = [hold for hold in found if hold.id == ask.args["hold"]]
        elif "scope" in ask.args:
            wanted = _wanted(scheduler, ask, now)
            found = [hold for hold in found if _is_same(hold, wanted)]
        if not found:
            raise Refusal("state", "nothing to release: there is no such hold")

        def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
            ended = [hold for hold in found if ("hold", hold.id) in {target.key for target in kept}]
            for hold in ended:
                holds.release(scheduler, turn, hold, ask.actor, ask.command)
            return {"released": [hold.id for hold in ended]}

        targets = [
            Target(
                ("hold", hold.id),
                Effect("hold", holds.describe(hold), "held", "released",
                       detail=f"by {hold.who} since {to_iso(hold.since)}{f': {hold.note}' if hold.note else ''}"),
            )
            for hold in found
        ]  # fmt: skip
        freed = {instance.id for hold in found for _, instance in _waiting(scheduler, hold)}
        sentence = f"{plural(len(found), 'hold')} released: {plural(len(freed), 'waiting task')} may start"
        plan = Plan(targets, sentence, carry, lambda kept: f"released {plural(len(kept), 'hold')}")
        plan.inverse = lambda kept: Inverse(
            "hold", {"again": [asdict(hold) for hold in found if ("hold", hold.id) in {each.key for each in kept}]}
        )
        return plan


def _again(scheduler: Scheduler, ask: Ask, now: Micros) -> Plan:
    """Holds that were released stand again, as those who made them had made them."""
    try:
        given = _holds.decode(msgspec.json.encode(ask.args["again"]))
    except msgspec.ValidationError as error:
        raise Refusal("invalid", f"again: {error}") from error
    found = [hold for hold in given if hold.until is None or hold.until > now]
    if not found:
        raise Refusal("state", "nothing to hold again: the time of it is over")

    def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
        for hold in found:
            holds.put(scheduler, turn, replace(hold, id=next(scheduler.state.hold_ids)), ask.command)
        return {}

    targets = [
        Target(
            ("hold", hold.id), Effect("hold", holds.describe(hold), "open", "held", detail=f"by {hold.who}, as before")
        )
        for hold in found
    ]
    sentence = f"{', '.join(holds.describe(hold) for hold in found)} on hold again"
    return Plan(targets, sentence, carry, lambda _: sentence)


def _wanted(scheduler: Scheduler, ask: Ask, now: Micros) -> StoredHold:
    scope, pattern, lasts = ask.args.get("scope", "all"), ask.args.get("pattern", ""), ask.args.get("for", OPEN)
    if scope not in SCOPES or not isinstance(pattern, str):
        raise Refusal("invalid", f"{ask.verb}: the scope is one of {', '.join(SCOPES)}, not {scope!r}")
    if (scope == "all") == bool(pattern):
        raise Refusal("invalid", f"{ask.verb}: a pattern belongs to the scopes pool and dag, and they need one")
    if scope == "pool" and pattern not in scheduler.ledger.pools:
        raise Refusal("not_found", f"there is no pool {pattern}")
    if lasts == OPEN:
        return StoredHold(0, scope, pattern, ask.actor, ask.note, now, None)
    try:
        micros = int(seconds_of(lasts) * SECOND)
    except ValueError as problem:
        why = "not a duration such as 30m, 2h or 1d" if str(problem) == DURATION_RULE else _LENGTHS
        raise Refusal("invalid", f"{ask.verb} --for {lasts}: {why}") from problem
    if not 0 < micros <= LONGEST:
        raise Refusal("invalid", f"{ask.verb} --for {lasts}: {_LENGTHS}")
    return StoredHold(0, scope, pattern, ask.actor, ask.note, now, now + micros)


def _said(hold: StoredHold) -> str:
    until = "until released" if hold.until is None else f"until {to_iso(hold.until)}"
    return f"by {hold.who} since {to_iso(hold.since)}, {until}{f': {hold.note}' if hold.note else ''}"


def _is_same(hold: StoredHold, wanted: StoredHold) -> bool:
    return (hold.scope, hold.pattern) == (wanted.scope, wanted.pattern)


def _alive(scheduler: Scheduler, hold: StoredHold) -> list[TaskInstance]:
    return [
        instance
        for memory in scheduler.state.runs.values()
        for instance in memory.by_attempt.values()
        if instance.state in ALIVE_TASK and _concerns(hold, memory, instance)
    ]


def _waiting(scheduler: Scheduler, hold: StoredHold) -> list[tuple[RunMemory, TaskInstance]]:
    """What is ready, and all tasks of runs that have not begun."""
    queued = [
        (memory, instance)
        for entry in scheduler.state.dags.values()
        for memory in entry.queued.values()
        for instance in memory.by_id.values()
    ]
    return [found for found in (*scheduler.admission.waiting(), *queued) if _concerns(hold, *found)]


def _concerns(hold: StoredHold, memory: RunMemory, instance: TaskInstance) -> bool:
    if hold.scope == "dag":
        return memory.run.dag_id in holds.Globs([hold.pattern])
    return hold.scope == "all" or memory.plan.tasks[instance.task_id].pool == hold.pattern

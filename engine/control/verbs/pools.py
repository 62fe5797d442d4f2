"""`resize` and `remove`: how many tasks may use something at the same time."""

from __future__ import annotations

from typing import Any

from engine.control.plans import Ask, Plan, Refusal, Target, plural
from engine.control.protocol import Effect
from engine.model.dag import DEFAULT_POOL, MOST_SLOTS
from engine.model.ids import check_id
from engine.model.moments import Micros
from engine.scheduler import pools
from engine.scheduler.core import Scheduler
from engine.scheduler.ledger import UNLIMITED
from engine.scheduler.turn import Turn
from engine.scheduler.undo import Inverse


class Resize:
    """Makes a pool, or changes its size. Arguments: `pool`, `slots` (-1 for no limit, 0 to start nothing),
    `description`, `include_deferred` (whether tasks of it that have begun and wait without a process, as for a retry,
    keep their slots). Tasks that hold slots keep them, also when the pool becomes smaller than what is taken.
    """

    name = "resize"

    def plan(self, scheduler: Scheduler, ask: Ask, now: Micros) -> Plan:
        name, slots = pool_name(ask), ask.args.get("slots")
        if not isinstance(slots, int) or isinstance(slots, bool) or not UNLIMITED <= slots <= MOST_SLOTS:
            sizes = f"0 or more and at most {MOST_SLOTS}, or -1 for no limit"
            raise Refusal("invalid", f"pool {name}: slots are {sizes}, not {slots!r}")
        ledger = scheduler.ledger
        before, taken = ledger.pools.get(name), ledger.pool_taken[name]
        include = ask.args.get("include_deferred")
        if include is not None and not isinstance(include, bool):
            raise Refusal("invalid", f"pool {name}: include_deferred is true or false, not {include!r}")
        changes_kind = include is not None and include != (name in ledger.including)
        if before == slots and not changes_kind:
            raise Refusal("state", f"pool {name} has {shown(slots)} already")

        def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
            description = str(ask.args["description"]) if _described(ask) else None
            pools.resize(scheduler, turn, name, slots, description, include)
            turn.note("pool", after=str(slots), detail=name, command=ask.command)
            return {"pool": name, "slots": slots}

        detail = f"{plural(taken, 'slot')} taken"
        if changes_kind:
            detail += ", tasks that wait for their retry keep theirs" if include else ", tasks that wait keep none"
        if slots != UNLIMITED and taken > slots:
            detail += f": {taken - slots} more than it then has; nothing is stopped, nothing starts before they end"
        warnings = [
            f"{task} of {dag_id} needs {need} slots: it cannot start while the pool has {slots}"
            for dag_id, task, need in _users(scheduler, name)
            if slots != UNLIMITED and need > slots > 0
        ]
        if slots == 0:
            warnings = [f"nothing of pool {name} starts until it has slots again"]
        effect = Effect("pool", name, "new" if before is None else shown(before), shown(slots), detail=detail)
        sentence = f"pool {name}: {'new, ' if before is None else shown(before) + ' → '}{shown(slots)}"
        plan = Plan([Target(("pool", name), effect)], sentence, carry, lambda _: f"pool {name} has {shown(slots)}")
        plan.warnings = warnings
        included = name in ledger.including
        plan.inverse = lambda _: _as_before(name, before, included)
        return plan


class Remove:
    """Removes a pool that no DAG uses. Argument: `pool`."""

    name = "remove"

    def plan(self, scheduler: Scheduler, ask: Ask, now: Micros) -> Plan:
        name = pool_name(ask)
        if name not in scheduler.ledger.pools:
            raise Refusal("not_found", f"there is no pool {name}")
        users = sorted({dag_id for dag_id, _, _ in _users(scheduler, name)})
        if name == DEFAULT_POOL:
            raise Refusal("state", "the default pool always exists")
        if users or scheduler.ledger.pool_taken[name]:
            raise Refusal("state", f"pool {name} is used by {', '.join(users[:5]) or 'tasks that run'}")
        if name in scheduler.configured_pools.sizes:
            raise Refusal("state", f"pool {name} stands in dagdeck.toml: remove it there and start the engine again")

        def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
            scheduler.ledger.remove(name)
            turn.batch.add("pool.remove", name=name)
            turn.note("pool", after="removed", detail=name, command=ask.command)
            return {"pool": name}

        before = scheduler.ledger.pools[name]
        effect = Effect("pool", name, shown(before), "removed")
        plan = Plan([Target(("pool", name), effect)], f"pool {name} removed", carry, lambda _: f"pool {name} is gone")
        included = name in scheduler.ledger.including
        plan.inverse = lambda _: _as_before(name, before, included)
        return plan


def _as_before(name: str, slots: int | None, included: bool) -> Inverse:
    """What makes a pool again what it was; one that is new goes."""
    about = f"pool:{name}"
    if slots is None:
        return Inverse("remove", {"pool": name}, about=about)
    return Inverse("resize", {"pool": name, "slots": slots, "include_deferred": included}, about=about)


def pool_name(ask: Ask) -> str:
    """The pool that is meant. Raises Refusal for a name that cannot be one."""
    try:
        return check_id("pool", ask.args.get("pool"))
    except ValueError as problem:
        raise Refusal("invalid", str(problem)) from problem


def shown(slots: int) -> str:
    """A size in words."""
    return "no limit" if slots == UNLIMITED else plural(slots, "slot")


def _described(ask: Ask) -> bool:
    return isinstance(ask.args.get("description"), str)


def _users(scheduler: Scheduler, pool: str) -> list[tuple[str, str, int]]:
    """DAG, task and slots of what uses a pool: current versions, and those of runs under way."""
    found = {
        (spec.dag_id, task.task_id, task.pool_slots)
        for spec in (
            *(entry.version.spec for entry in scheduler.state.dags.values() if entry.state != "inactive"),
            *(memory.plan.spec for memory in scheduler.state.runs.values()),
        )
        for task in spec.tasks
        if task.pool == pool
    }
    return sorted(found)

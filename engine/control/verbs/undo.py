"""`undo`: take back what a command changed and what has not started since, for a minute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from engine.control.plans import (
    Archive,
    Ask,
    Plan,
    Refusal,
    Resolver,
    Target,
    Verb,
    by_run,
    following,
    plural,
    run_target,
    task_target,
)
from engine.control.protocol import Selector
from engine.control.roles import ADMIN_VERBS
from engine.lifecycle.events import Restore
from engine.lifecycle.memory import RunMemory
from engine.lifecycle.undoing import why_not
from engine.model.ids import instance_name
from engine.model.moments import SECOND, Micros
from engine.model.rows import Run, TaskInstance
from engine.scheduler import undo
from engine.scheduler.core import Scheduler
from engine.scheduler.turn import Turn
from engine.scheduler.undo import Inverse, Undoable
from engine.store.stored import StoredCommand

_NAMED = 5
_SHOWN = 40
"""Characters of a name that nothing has."""
_WHY_NOT = "it changed nothing, was undone, or is over a minute ago"


class Undo:
    """Takes back a command of the last minute: one's own newest, or the one that the argument `command` names by its
    id or its number in the audit. Another person's only by name. Rows that have started or that somebody has changed
    since stay as they are, and are named.
    """

    name = "undo"

    def __init__(self, verbs: Mapping[str, Verb]) -> None:
        self._verbs = verbs

    async def resolve(self, scheduler: Scheduler, archive: Archive, ask: Ask) -> Ask:
        """The command that is meant, and its runs."""
        wanted = ask.args.get("command")
        if isinstance(wanted, int) or (isinstance(wanted, str) and wanted.isdecimal() and len(wanted) < 18):
            wanted = await archive.command_by_number(int(wanted))
            if wanted is None:
                raise Refusal("not_found", f"the audit has no command {ask.args.get('command')}")
        if wanted is not None and str(wanted) not in scheduler.state.undo:
            raise _over(str(wanted), await archive.find_command(str(wanted)))
        made = _meant(scheduler, ask, wanted)
        if made.inverse is None:
            return replace(ask, select=Selector(run_ids=list(made.names.values())), found=(made.command, None))
        opposite, asked = self._verbs[made.inverse.verb], _asked(ask, made.inverse)
        if isinstance(opposite, Resolver):
            asked = await opposite.resolve(scheduler, archive, asked)
        return replace(ask, select=asked.select, found=(made.command, asked.found))

    def plan(self, scheduler: Scheduler, ask: Ask, now: Micros) -> Plan:
        command, found = ask.found
        made = _meant(scheduler, ask, command)
        if now - made.at > undo.LASTS:
            raise Refusal("state", f"{made.message!r} was {(now - made.at) // SECOND} s ago: too late to take it back")
        if made.inverse is not None:
            plan = self._opposite(scheduler, replace(ask, found=found), made, now)
        else:
            plan = _rows(scheduler, ask, made)
        carry = plan.carry

        def carried(turn: Turn, kept: list[Target]) -> dict[str, Any]:
            undo.forget(scheduler, turn, made.command)
            return {**carry(turn, kept), "undone": made.command}

        plan.carry, plan.inverse = carried, None
        plan.sentence = f"takes back {made.verb} of {made.actor}, {(now - made.at) // SECOND} s ago: {plan.sentence}"
        return plan

    def _opposite(self, scheduler: Scheduler, ask: Ask, made: Undoable, now: Micros) -> Plan:
        inverse = made.inverse
        assert inverse is not None
        if made.verb in ADMIN_VERBS and made.actor != ask.actor:
            raise Refusal("role", f"{made.verb} is taken back by whoever did it: do the opposite by its own name")
        _refuse_overtaken(scheduler, made, inverse)
        if inverse.unstarted:
            for name in inverse.run_ids:
                key = scheduler.state.names.get(name)
                memory = None if key is None else scheduler.state.runs[key]
                if memory is None or any(instance.attempt for instance in memory.by_id.values()):
                    raise Refusal("state", f"{name} has started: cancel it instead")
        asked = replace(_asked(ask, inverse), found=ask.found)
        plan = self._verbs[inverse.verb].plan(scheduler, asked, now)
        done = plan.done
        plan.done = lambda kept: f"took back {made.verb}: {done(kept)}"
        return _with_rows(scheduler, ask, made, plan, whole=inverse.whole) if inverse.rows else plan


def _refuse_overtaken(scheduler: Scheduler, made: Undoable, inverse: Inverse) -> None:
    """What somebody has changed again after it stays as it is now."""
    after = False
    for other in scheduler.state.undo.values():
        if after and inverse.about and other.inverse is not None and other.inverse.about == inverse.about:
            raise Refusal("state", f"{other.verb} by {other.actor} came after")
        after = after or other is made


def _with_rows(scheduler: Scheduler, ask: Ask, made: Undoable, plan: Plan, *, whole: bool) -> Plan:
    """The opposite, and the rows that the command had changed as they were."""
    try:
        rows = _rows(scheduler, ask, made, entire=whole)
    except Refusal:
        if whole:
            raise
        return plan
    mine, opposite = {target.key for target in rows.targets}, plan.carry

    def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
        result = opposite(turn, [target for target in kept if target.key not in mine])
        return {**result, **rows.carry(turn, [target for target in kept if target.key in mine])}

    plan.targets, plan.carry, plan.follows = [*rows.targets, *plan.targets], carry, rows.follows
    plan.sentence, plan.warnings = f"{plan.sentence}, {rows.sentence}", [*plan.warnings, *rows.warnings]
    return plan


def _asked(ask: Ask, inverse: Inverse) -> Ask:
    select = Selector(dag_ids=list(inverse.dag_ids), run_ids=list(inverse.run_ids))
    return replace(ask, verb=inverse.verb, select=select, args=dict(inverse.args), found=None)


def _meant(scheduler: Scheduler, ask: Ask, name: Any) -> Undoable:
    known = scheduler.state.undo
    if name is None:
        own = [made for made in known.values() if made.actor == ask.actor]
        if own:
            return own[-1]
        others = f"; the last of others is {_last(known)}" if known else ""
        raise Refusal("state", f"nothing to undo: no command of yours in the last minute can be taken back{others}")
    made = known.get(str(name))
    if made is None:
        raise Refusal("state", f"the command cannot be taken back: {_WHY_NOT}")
    return made


def _over(name: str, stored: StoredCommand | None) -> Refusal:
    """Why a command that is named cannot be taken back, or that there is none."""
    if stored is None:
        return Refusal("not_found", f"the audit has no command {name[:_SHOWN]!r}: `dagdeck audit` lists them by number")
    said = f"command {stored.number}, {stored.verb} of {stored.user},"
    if stored.outcome == "refused":
        return Refusal("state", f"{said} was refused: there is nothing to take back")
    return Refusal("state", f"{said} cannot be taken back: {_WHY_NOT}")


def _last(known: Mapping[str, Undoable]) -> str:
    last = list(known.values())[-1]
    return f"{last.verb} by {last.actor}, to be named from the audit"


def _rows(scheduler: Scheduler, ask: Ask, made: Undoable, *, entire: bool = False) -> Plan:
    """Task instances and runs, as they were. Raises Refusal when none can be, or with `entire`, when one cannot."""
    later = undo.later(scheduler, made)
    tasks = {before.id: before for before in made.tasks}
    runs = {before.id: before for before in made.runs}
    targets: list[Target] = []
    left: list[str] = []
    for key, name in made.names.items():
        memory = scheduler.state.runs.get(key)
        if memory is None:
            left.append(f"{name}: it is gone")
        else:
            _choose(memory, [row for row in made.tasks if row.run == key], runs.get(key), later, targets, left)
    if not targets or (entire and left):
        what = "it cannot" if targets else "nothing of it can"
        raise Refusal("state", f"{what} be taken back: {_named(left)}")

    def event(instances: list[TaskInstance], run: int, kept: set[int]) -> Restore:
        rows = tuple(tasks[instance.id] for instance in instances)
        return Restore(rows, runs.get(run) if run in kept else None, ask.command, ask.actor)

    def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
        whole = {int(target.key[1]) for target in kept if target.key[0] == "run"}
        grouped = by_run(scheduler, kept)
        for run in whole | grouped.keys():
            memory = scheduler.state.runs[run]
            scheduler.apply(turn, memory, event(grouped.get(run, []), run, whole))
            scheduler.admission.renew(memory, turn.now)
        return {"left": left}

    count = sum(target.key[0] == "task" for target in targets)
    what = plural(count, "task instance") if count else plural(len(targets), "run")
    whole = {int(target.key[1]) for target in targets if target.key[0] == "run"}

    def rehearsed(ids: tuple[int, ...]) -> Restore:
        run = tasks[ids[0]].run
        return Restore(tuple(tasks[key] for key in ids), runs.get(run) if run in whole else None)

    return Plan(
        targets,
        f"{what} as before",
        carry,
        lambda kept: f"took back {made.verb} of {what}" + (f"; left alone: {_named(left)}" if left else ""),
        warnings=[f"stays as it is: {line}" for line in left[:_NAMED]]
        + ([f"and {len(left) - _NAMED} more stay as they are"] if len(left) > _NAMED else []),
        follows=partial(following, scheduler, [target for target in targets if target.key[0] == "task"], rehearsed),
    )


def _choose(
    memory: RunMemory,
    rows: list[TaskInstance],
    run: Run | None,
    later: Mapping[int, Undoable],
    targets: list[Target],
    left: list[str],
) -> None:
    """Adds what can be taken back to `targets`, and what cannot, with the reason, to `left`."""
    group_rows = {group.summary.ti.id for group in memory.groups.values() if group.live}
    other_code = run is not None and run.version_id != memory.run.version_id
    kept = 0
    for before in rows:
        now = memory.by_id.get(before.id)
        if before.id in group_rows:
            continue
        name = f"{instance_name(before.task_id, before.map_index)} of {memory.run.run_id}"
        reason = "it is gone" if now is None else why_not(now, before)
        if other_code:
            reason = "its run goes on with another version of the DAG"
        elif before.id in later:
            reason = f"{later[before.id].verb} by {later[before.id].actor} came after"
        if now is None or reason is not None:
            left.append(f"{name}: {reason}")
        else:
            kept += 1
            targets.append(task_target(memory, now, before.state.value, "as before"))
    whole = run is not None and -run.id not in later and not other_code and (kept or not rows)
    moved = run is not None and (run.state, run.priority) != (memory.run.state, memory.run.priority)
    if run is not None and whole and moved:
        targets.append(run_target(memory, run.state.value, "as before"))


def _named(left: list[str]) -> str:
    more = f" and {len(left) - _NAMED} more" if len(left) > _NAMED else ""
    return "; ".join(left[:_NAMED]) + more

"""`clear` and `rerun`: forget how task instances ended, so that they run again."""

from __future__ import annotations

from dataclasses import replace
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
from engine.control.protocol import Code, Effect
from engine.control.versions import as_result, code_of, said
from engine.lifecycle.clearing import select
from engine.lifecycle.events import Clear as ClearEvent
from engine.lifecycle.memory import RunMemory
from engine.model.moments import Micros
from engine.model.rows import UNMAPPED, TaskInstance
from engine.model.states import ALIVE_TASK, FAILED_TASK, TaskState
from engine.scheduler.core import Scheduler
from engine.scheduler.renewal import renew
from engine.scheduler.turn import Turn

MOST_RETRIES = 100_000


class Clear:
    """Clears tasks of runs. Arguments: `downstream`, `upstream`, `past`, `future`, `only_failed` (booleans, false by
    default).

    With `force` they run whatever the tasks before them and the run before say: left out by a branch, below a failure.
    `retries` gives the new epoch another number of retries than the tasks have; `no_retries` is 0 of them.
    """

    name = "clear"

    async def resolve(self, scheduler: Scheduler, archive: Archive, ask: Ask) -> Ask:
        """With `past` and `future`, the runs before and after it, too."""
        return await with_runs_beside(archive, ask)

    def plan(self, scheduler: Scheduler, ask: Ask, now: Micros) -> Plan:
        flags = {name: bool(ask.args.get(name)) for name in ("downstream", "upstream", "only_failed")}
        return _plan(scheduler, ask, now, flags)


class Rerun:
    """Clears whole runs, or with `failed` what failed in them and was dragged down."""

    name = "rerun"

    def plan(self, scheduler: Scheduler, ask: Ask, now: Micros) -> Plan:
        if ask.names_tasks:
            raise Refusal("invalid", "rerun is about whole runs; for single tasks use clear")
        return _plan(scheduler, ask, now, {"only_failed": bool(ask.args.get("failed"))})


def _retries(ask: Ask) -> int | None:
    """How many retries were asked for; None: as many as the tasks have. Raises Refusal."""
    wanted = 0 if ask.args.get("no_retries") else ask.args.get("retries")
    if wanted is None:
        return None
    if not isinstance(wanted, int) or isinstance(wanted, bool) or not 0 <= wanted <= MOST_RETRIES:
        raise Refusal("invalid", f"retries={wanted!r}: a whole number from 0 to {MOST_RETRIES}")
    return wanted


def _plan(scheduler: Scheduler, ask: Ask, now: Micros, flags: dict[str, bool]) -> Plan:
    targets: list[Target] = []
    again: list[RunMemory] = []
    reopens = 0
    retries = _retries(ask)
    force = bool(ask.args.get("force"))
    budget = "new budget" if retries is None else plural(retries, "retry", "retries")
    for memory in the_runs(scheduler, ask):
        named = [instance.id for instance in the_tasks(memory, ask)] if ask.names_tasks else None
        chosen = select(memory, named, **flags)
        reopens += bool(chosen) and is_over(memory)
        if chosen:
            again.append(memory)
        for instance in chosen:
            again_words = "runs in any case" if force else "runs again"
            detail = "killed first, then runs again" if instance.state in ALIVE_TASK else f"{again_words}, {budget}"
            targets.append(task_target(memory, instance, "none", detail))
    if not targets:
        what = "nothing failed in it" if flags.get("only_failed") else "it has no task instances"
        raise Refusal("state", f"nothing to {ask.verb} in {', '.join(ask.select.run_ids)}: {what}")

    used: list[Code] = []

    def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
        grouped = by_run(scheduler, kept)
        used.extend(code_of(scheduler, (scheduler.state.runs[run] for run in grouped)))
        for run, instances in grouped.items():
            memory = scheduler.state.runs[run]
            renew(scheduler, turn, memory)
            event = ClearEvent(tuple(instance.id for instance in instances), ask.command, ask.actor, retries, force)
            scheduler.apply(turn, memory, event)
        if force:
            scheduler.admission.reconsider()  # what was held back by the run before is not any more
        return {"code": as_result(used)}

    plan = Plan(
        targets,
        describe(targets, reopens),
        carry,
        lambda kept: ", ".join(part for part in (f"cleared {plural(len(kept), 'task instance')}", said(used)) if part),
        reopens,
        code=code_of(scheduler, again),
    )
    plan.follows = lambda: _foreseen(scheduler, plan, force)
    return plan


def _foreseen(scheduler: Scheduler, plan: Plan, force: bool) -> list[Effect]:
    """What follows of a clear. Targets that would not run, for what stands above them, become rows that say so."""
    left: dict[int | str, Effect] = {}
    cleared = {target.key[1] for target in plan.targets}

    def decided(memory: RunMemory, copy: TaskInstance) -> None:
        above = [memory.instances.get((name, UNMAPPED)) for name in memory.plan.upstream.get(copy.task_id, ())]
        failed = [row.task_id for row in above if row and row.state in FAILED_TASK and row.id not in cleared]
        why = f"{', '.join(failed)} failed" if failed else "nor does what stands above it"
        why = why if copy.state is TaskState.UPSTREAM_FAILED else "left out again"
        left[copy.id] = task_target(memory, memory.by_id[copy.id], copy.state.value, f"does not run: {why}").effect

    found = following(scheduler, plan.targets, lambda tis: ClearEvent(tis, force=force), decided)
    if left:
        plan.targets = [replace(each, effect=left.get(each.key[1], each.effect)) for each in plan.targets]
        how = "clear what stands above, too (upstream), or let it run in any case (force)"
        plan.warnings.append(f"{plural(len(left), 'task instance')} would not run: {how}")
    return found

"""`delete` and `restore`: take runs out of sight, for a week with the way back."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from engine.control.plans import Archive, Ask, Plan, Refusal, Target, plural, run_target, the_runs
from engine.control.protocol import Effect, Selector
from engine.control.selecting import MOST
from engine.model.moments import Micros, to_iso
from engine.model.states import TERMINAL_RUN
from engine.model.terms import parse_terms
from engine.scheduler.core import Scheduler
from engine.scheduler.turn import Turn
from engine.scheduler.undo import Inverse
from engine.store.reads_trash import Trashed
from engine.store.selecting import STATES


class Delete:
    """Moves runs that are over into the trash, or the whole history of DAGs, with their tasks, attempts and results;
    logs stay as long as all logs do. A run of which a process lives is refused.
    """

    name = "delete"

    async def resolve(self, scheduler: Scheduler, archive: Archive, ask: Ask) -> Ask:
        """Of DAGs all runs that are over."""
        if not ask.select.dag_ids or ask.select.run_ids or ask.select.expression:
            return ask
        unknown = sorted(set(ask.select.dag_ids) - scheduler.state.dags.keys())
        if unknown:
            raise Refusal("not_found", f"there is no DAG {unknown[0]}")
        named = ",".join(sorted(set(ask.select.dag_ids)))
        terms = parse_terms(f"dag:{named} state:success,failed,cancelled", 0, states=STATES)
        found = await archive.choose(terms, "runs")
        if found.cut or found.count > MOST:
            raise Refusal("invalid", f"{named} has more than {MOST:,} runs: use an expression with dag: and before:")
        runs = [run_id for run_id in found.run_ids if run_id.partition("@")[0] in ask.select.dag_ids]
        if not runs:
            raise Refusal("state", f"nothing to delete: no run of {named} is over")
        return replace(ask, select=Selector(run_ids=runs))

    def plan(self, scheduler: Scheduler, ask: Ask, now: Micros) -> Plan:
        named = the_runs(scheduler, ask)
        busy = [memory.run.run_id for memory in named if memory.run.state not in TERMINAL_RUN or memory.by_attempt]
        runs = [memory for memory in named if memory.run.run_id not in busy]
        if not runs:
            raise Refusal("state", f"nothing to delete: {', '.join(busy[:5])} is not over; cancel it first")

        def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
            for target in kept:
                run = scheduler.state.runs[int(target.key[1])].run
                turn.batch.add("trash.take", run=run.id, at=turn.now, who=ask.actor, note=ask.note)
                turn.note("run", dag_id=run.dag_id, run=run.id, before=run.state, after="deleted", command=ask.command)
                turn.committed.append(partial(_gone, scheduler, run.id))
            return {"run_ids": [target.name for target in kept]}

        targets = [run_target(memory, "deleted", "to the trash, for a week") for memory in runs]
        plan = Plan(targets, f"{plural(len(runs), 'run')} moved to the trash, for a week", carry, _deleted)
        plan.warnings = [f"left alone, not over: {', '.join(busy[:5])}"] if busy else []
        plan.inverse = lambda kept: Inverse("restore", {"run_ids": [target.name for target in kept]})
        return plan


def _deleted(kept: list[Target]) -> str:
    return f"deleted {plural(len(kept), 'run')}; `dagdeck runs restore` brings them back for a week"


def _gone(scheduler: Scheduler, run: int, _seq: int) -> None:
    if run in scheduler.state.runs:
        scheduler.state.drop_run(run)


class Restore:
    """Puts runs back from the trash, as they were. Argument: `run_ids`."""

    name = "restore"

    async def resolve(self, scheduler: Scheduler, archive: Archive, ask: Ask) -> Ask:
        """What is in the trash of these."""
        names = ask.args.get("run_ids") or ask.select.run_ids
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            raise Refusal("invalid", "restore needs the ids of deleted runs")
        found = [row for row in await archive.trashed() if row.run_id in set(names)]
        missing = set(names) - {row.run_id for row in found}
        if missing:
            raise Refusal("not_found", f"not in the trash: {', '.join(sorted(missing)[:5])}")
        return replace(ask, select=Selector(), found=found)

    def plan(self, scheduler: Scheduler, ask: Ask, now: Micros) -> Plan:
        rows: list[Trashed] = ask.found
        taken = [row.run_id for row in rows if row.taken or row.run_id in scheduler.state.names]
        if taken:
            raise Refusal("state", f"{taken[0]} cannot come back: another run has its place, or its code is gone")

        def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
            for row in rows:
                turn.batch.add("trash.put_back", run=row.run)
                turn.note("run", dag_id=row.dag_id, run=row.run, before="deleted", after=row.state, command=ask.command)
            return {"run_ids": [row.run_id for row in rows]}

        targets = [
            Target(
                ("trash", row.run),
                Effect(
                    "run", row.dag_id, "deleted", row.state, row.run_id, detail=f"deleted {to_iso(row.at)} by {row.who}"
                ),
            )
            for row in rows
        ]
        what = plural(len(rows), "run")
        plan = Plan(targets, f"{what} back from the trash", carry, lambda kept: f"restored {what}")
        plan.inverse = lambda kept: Inverse("delete", run_ids=tuple(row.run_id for row in rows))
        return plan

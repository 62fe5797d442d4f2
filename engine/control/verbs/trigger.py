"""`trigger`: a new manual run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.authoring.exceptions import ParamError
from engine.authoring.params import resolve_params
from engine.control.given import given_params, read_params
from engine.control.plans import Archive, Ask, Plan, Refusal, Target
from engine.control.protocol import Effect, Selector
from engine.control.verbs.pause import the_dags
from engine.model.dag import DagSpec, Json
from engine.model.moments import DAY, Micros, from_iso, to_datetime, to_iso
from engine.model.states import RunType
from engine.scheduler.core import Scheduler
from engine.scheduler.creating import create_run
from engine.scheduler.planner import manual_id, manual_slot
from engine.scheduler.state import DagEntry
from engine.scheduler.turn import Turn
from engine.scheduler.undo import Inverse

FARTHEST = 3653 * DAY
"""How far ahead a logical date may be: what is farther was mistyped."""


class Trigger:
    """Creates a manual run of one DAG.

    Arguments: `logical_date` (ISO 8601; naive text is read in the DAG's zone), `params` (JSON values by name),
    `param_texts` (values as typed, by name), `environment` (instead of the home's), `parallel` (also when an automated
    run has that date), `like` (a run whose params and logical date it has, but for those that are given).
    """

    name = "trigger"

    async def resolve(self, scheduler: Scheduler, archive: Archive, ask: Ask) -> Ask:
        """With `like`, the run that it is to be like; its DAG and, where no other is given, its logical date."""
        like = ask.args.get("like")
        if like is None:
            return ask
        await archive.load_run(str(like))
        key = scheduler.state.names.get(str(like))
        if key is None:
            raise Refusal("not_found", f"there is no run {like}")
        run = scheduler.state.runs[key].run
        dags = ask.select.dag_ids or [run.dag_id]
        args = {"logical_date": to_iso(run.logical_date), **ask.args, "params": _again(run.params, ask.args)}
        scheduler.release(key)
        return replace(ask, select=Selector(dag_ids=dags), args=args)

    def plan(self, scheduler: Scheduler, ask: Ask, now: Micros) -> Plan:
        entries = the_dags(scheduler, ask)
        if len(entries) != 1:
            raise Refusal("invalid", "trigger takes one DAG at a time")
        entry = entries[0]
        spec = entry.version.spec
        if entry.state == "inactive":
            raise Refusal("state", f"{entry.dag_id} is inactive: its file {entry.file} is gone")
        date = _date(ask.args.get("logical_date"), spec.schedule.timezone)
        params, given = run_params(scheduler, spec, ask.args)
        try:
            slot, inferred = manual_slot(entry, date, now)
            to_datetime(slot.logical_date, spec.schedule.timezone)  # tasks are given it in the DAG's zone
        except (ValueError, OverflowError) as error:
            raise Refusal("invalid", f"logical date {ask.args.get('logical_date')!r}: {error}") from error
        if date is not None and date - now > FARTHEST:
            years = (date - now) // (365 * DAY)
            raise Refusal(
                "invalid", f"logical date {ask.args.get('logical_date')!r} is {years:,} years from now: 10 are the most"
            )
        scheduler.starting.warm(entry)  # whoever looks at the preview is about to confirm it
        _refuse_doubles(scheduler, entry, slot.logical_date, ask)

        made: list[str] = []

        def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
            memory = create_run(
                scheduler,
                turn,
                entry,
                RunType.MANUAL,
                slot,
                manual_id(scheduler, entry, slot),
                params,
                created_by=ask.actor,
                note=ask.note,
                inferred=inferred,
                environment=ask.args.get("environment"),
                given=given,
            )
            scheduler.starting.start_runs(turn, entry)
            made.append(memory.run.run_id)
            return {"run_id": memory.run.run_id}

        when = to_iso(slot.logical_date)
        detail = f"logical date {when}{' (inferred)' if inferred else ''}, {len(spec.tasks)} tasks"
        effect = Effect("dag", entry.dag_id, "paused" if entry.paused_at else "active", "new run", detail=detail)
        warnings = [f"{entry.dag_id} is paused: the run waits until it is resumed"] if entry.paused_at else []
        if entry.state == "broken":
            since = to_iso(entry.broken_since or now)
            warnings.append(f"{entry.file} cannot be loaded since {since}: the last good version is used")
        target = Target(("dag", entry.dag_id), effect)

        def done(kept: list[Target]) -> str:
            return f"triggered {', '.join(made) or entry.dag_id}"

        plan = Plan([target], f"1 new run of {entry.dag_id}, {detail}", carry, done, 0, warnings)
        plan.inverse = lambda kept: Inverse("cancel", run_ids=tuple(made), unstarted=True)
        return plan


def _again(before: dict[str, Json], args: dict[str, Any]) -> dict[str, Any]:
    """The params of the run before, without those that are given anew."""
    given, texts = given_params(args)
    return {**{name: value for name, value in before.items() if name not in texts}, **given}


def _date(text: Any, zone: str) -> Micros | None:
    if text is None:
        return None
    try:
        return from_iso(str(text), zone)
    except (ValueError, OverflowError) as error:
        raise Refusal(
            "invalid", f"logical date {text!r} is not a date such as 2026-11-22 or 2026-11-22T01:00"
        ) from error


def run_params(scheduler: Scheduler, spec: DagSpec, args: dict[str, Any]) -> tuple[dict[str, Json], list[str]]:
    """The params of a run that somebody asks for, and the names of those that were given. Raises Refusal."""
    values, texts = given_params(args, f"{spec.dag_id}: ")
    try:
        given = read_params(spec.params, values, texts)
        wanted = args.get("environment")
        layered = scheduler.environments.defaults(spec, given, None if wanted is None else str(wanted))
        return resolve_params(spec.params, layered, extra=spec.extra_params), list(given)
    except (ParamError, TypeError, ValueError) as error:
        raise Refusal("invalid", f"{spec.dag_id}: {error}") from error


def _refuse_doubles(scheduler: Scheduler, entry: DagEntry, logical_date: Micros, ask: Ask) -> None:
    """An automated run that is under way for the same date is not doubled by accident."""
    if ask.args.get("parallel"):
        return
    for memory in scheduler.state.runs.values():
        run = memory.run
        same = run.dag_id == entry.dag_id and run.logical_date == logical_date
        if same and run.run_type in (RunType.SCHEDULED, RunType.BACKFILL) and run.ended_at is None:
            raise Refusal(
                "state", f"{run.run_id} is {run.state.value} for that date: wait for it, or ask for a parallel run"
            )

"""`pause` and `resume`: of DAGs, whether they get new runs; of runs, whether anything of them starts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.authoring.schedules import CATCHUPS
from engine.control.plans import Ask, Plan, Refusal, Target, plural
from engine.control.protocol import Effect
from engine.control.verbs.pause_runs import pause_runs, resume_runs
from engine.model.moments import Micros
from engine.scheduler.core import Scheduler
from engine.scheduler.enabling import enable
from engine.scheduler.planner import foresee, put_schedule
from engine.scheduler.state import DagEntry
from engine.scheduler.turn import Turn
from engine.scheduler.undo import Inverse
from engine.timetable import Catchup


class Pause:
    """Pauses DAGs: no new runs start; what runs goes on. Or pauses the runs that are named."""

    name = "pause"

    def plan(self, scheduler: Scheduler, ask: Ask, now: Micros) -> Plan:
        if ask.select.run_ids:
            return pause_runs(scheduler, ask)
        entries = [entry for entry in the_dags(scheduler, ask) if entry.paused_at is None]
        if not entries:
            raise Refusal("state", f"nothing to pause: {', '.join(ask.select.dag_ids)} is paused already")

        def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
            for entry in _kept(scheduler, kept):
                entry.paused_at, entry.paused_by, entry.pause_reason = turn.now, ask.actor, ask.note
                scheduler.ledger.dag_paused.add(entry.dag_id)
                put_schedule(turn, entry)
                turn.note("dag", dag_id=entry.dag_id, before="active", after="paused", command=ask.command)
            return {}

        targets = [_target(entry, "active", "paused", "runs that have started go on") for entry in entries]
        sentence = f"{plural(len(entries), 'DAG')} paused: no new runs, started ones go on"
        inverse = _inverse("resume")
        return Plan(targets, sentence, carry, lambda kept: f"paused {plural(len(kept), 'DAG')}", inverse=inverse)


class Resume:
    """Resumes paused DAGs. What was due meanwhile is handled as their `catchup` says, or as the argument of that name
    does: `none`, `latest` or `all`. Or resumes the paused runs that are named.
    """

    name = "resume"

    def plan(self, scheduler: Scheduler, ask: Ask, now: Micros) -> Plan:
        if ask.select.run_ids:
            return resume_runs(scheduler, ask)
        entries = [entry for entry in the_dags(scheduler, ask) if entry.paused_at is not None]
        if not entries:
            raise Refusal("state", f"nothing to resume: {', '.join(ask.select.dag_ids)} is not paused")
        catchup = _catchup(ask.args.get("catchup"))

        def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
            for entry in _kept(scheduler, kept):
                enable(scheduler, turn, entry, catchup, ask.command)
            return {}

        targets = [_target(entry, "paused", "active", _foreseen(entry, now, catchup)) for entry in entries]
        sentence = f"{plural(len(entries), 'DAG')} resumed"
        if len(entries) == 1:
            sentence += f", {targets[0].effect.detail}"
        inverse = _inverse("pause")
        return Plan(targets, sentence, carry, lambda kept: f"resumed {plural(len(kept), 'DAG')}", inverse=inverse)


def _inverse(verb: str) -> Callable[[list[Target]], Inverse]:
    return lambda kept: Inverse(verb, dag_ids=tuple(str(target.key[1]) for target in kept))


def _catchup(given: Any) -> Catchup | None:
    if given is None:
        return None
    for word in CATCHUPS:
        if given == word:
            return word
    raise Refusal("invalid", f"catchup is one of {', '.join(CATCHUPS)}, not {given!r}")


def _foreseen(entry: DagEntry, now: Micros, catchup: Catchup | None) -> str:
    """What resuming would make of the intervals that are due."""
    if entry.timetable is None:
        return "it has no schedule"
    policy = catchup or entry.version.spec.schedule.catchup
    plan = foresee(entry, now, at_once=0, enabled_at=now, catchup=catchup)
    made, left = len(plan.create) + plan.postponed, plan.gaps_total
    text = f"catchup {policy}: {plural(made, 'run')} made"
    if made > 1:
        text += f", {entry.version.spec.max_active_runs} at a time"
    return f"{text}, {plural(left, 'interval')} left out" if left else text


def the_dags(scheduler: Scheduler, ask: Ask) -> list[DagEntry]:
    """The DAGs a command names. Raises Refusal when it names none, or one that does not exist."""
    if not ask.select.dag_ids:
        raise Refusal("invalid", f"{ask.verb} needs a DAG")
    unknown = [dag_id for dag_id in ask.select.dag_ids if dag_id not in scheduler.state.dags]
    if unknown:
        raise Refusal("not_found", f"there is no DAG {', '.join(unknown)}")
    return [scheduler.state.dags[dag_id] for dag_id in ask.select.dag_ids]


def _kept(scheduler: Scheduler, kept: list[Target]) -> list[DagEntry]:
    return [scheduler.state.dags[str(target.key[1])] for target in kept]


def _target(entry: DagEntry, state: str, becomes: str, detail: str) -> Target:
    return Target(("dag", entry.dag_id), Effect("dag", entry.dag_id, state, becomes, detail=detail))

"""`recover`: after an incident, run again what failed of one cause, in order, with one run in front."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any, NamedTuple

from engine.control.plans import Archive, Ask, Plan, Refusal, Target, plural
from engine.control.protocol import Effect
from engine.control.verbs.inbox import failure_target
from engine.model.backfill import ItemState
from engine.model.causes import cause, cause_key
from engine.model.moments import Micros
from engine.model.terms import TermError, parse_terms
from engine.scheduler import recovering
from engine.scheduler.core import Scheduler
from engine.scheduler.turn import Turn
from engine.scheduler.undo import Inverse
from engine.store.reads_inbox import Dragged, FailedTask, RecoveryItem, StoredRecovery
from engine.store.stored import StoredBackfill

AT_ONCE = 4
MOST_AT_ONCE = 200


class _Found(NamedTuple):
    """What a recovery is about: failures, and the backfills that failures of their runs have stopped."""

    rows: list[FailedTask]
    backfills: list[StoredBackfill]
    dragged: list[Dragged]
    """What did not run because of them."""


class Recover:
    """Clears the failures of one cause across DAGs and tries those in retry now: one run first, the rest once that has
    succeeded, oldest interval first. DAGs that their breakers had paused and backfills that these failures had stopped
    go on then, too. Arguments: `since` (a moment, or an age such as `2h`) and `error` (text that the
    error holds), or `cause` (a cause of the inbox); `at_once` (runs at a time); or `stop` (the number of a recovery).
    """

    name = "recover"

    async def resolve(self, scheduler: Scheduler, archive: Archive, ask: Ask) -> Ask:
        """The failures that are meant."""
        if ask.args.get("stop") is not None:
            return ask
        now = scheduler.clock.now()
        since, wanted, text = _since(ask, now), ask.args.get("cause"), str(ask.args.get("error") or "").casefold()
        if since is None and wanted is None:
            raise Refusal("invalid", "recover needs a moment since when, or a cause of the inbox")
        found = []
        for each in await archive.causes(since or 0, retrying=True):
            if wanted is None or wanted in (each.key, each.signature):
                found += [row for row in each.rows if text in row.error.casefold()]
        runs = {row.run for row in found if row.state == "failed"}
        dragged = await archive.dragged_down(runs) if not ask.command else []
        return replace(ask, found=_Found(found, await archive.stopped_backfills(runs), dragged))

    def plan(self, scheduler: Scheduler, ask: Ask, now: Micros) -> Plan:
        if ask.args.get("stop") is not None:
            return _stop(scheduler, ask)
        taken = {key for made in scheduler.state.recoveries.values() for item in made.items for key in item.tasks}
        found: _Found = ask.found
        rows = sorted(
            (row for row in found.rows if row.id not in taken), key=lambda row: (row.logical_date, row.run, row.id)
        )
        if not rows:
            busy = " that no recovery is about already" if taken else ""
            raise Refusal("state", f"nothing to recover: no failure{busy} fits")
        at_once = _at_once(ask)
        paused = _paused(scheduler, rows)
        breakers, held = _breakers(scheduler, rows)
        stopped = [each.backfill.id for each in found.backfills]
        made = StoredRecovery(0, _words(rows), at_once, ask.command, ask.actor, now, paused, stopped)

        def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
            keys = {target.key[1] for target in kept}
            made.id = next(scheduler.state.recovery_ids)
            made.items = _items([row for row in rows if row.id in keys])
            for name in breakers:
                scheduler.breakers.probe_now(turn, name, ask.actor)
            recovering.begin(scheduler, turn, made, ask.note)
            return {"recovery": made.id, "runs": len(made.items)}

        plan = Plan(
            _targets(rows),
            _sentence(rows, at_once),
            carry,
            lambda kept: f"recovery {made.id}: {_sentence(rows, at_once)}",
            follows=lambda: _followers(found.dragged, rows),
        )
        plan.reopens = len({row.run for row in rows if row.state == "failed"})
        plan.warnings = [
            f"{dag_id} is paused by its breaker: resumed when the first run has succeeded" for dag_id in paused
        ]
        plan.warnings += [f"breaker {name} is open: a probe goes out at once, and closes it" for name in breakers]
        plan.warnings += [f"breaker {name} is held open: what uses it waits until it is reset" for name in held]
        plan.warnings += [_goes_on(each) for each in found.backfills]
        plan.inverse = lambda kept: Inverse("recover", {"stop": made.id}, rows=True)
        return plan


def _since(ask: Ask, now: Micros) -> Micros | None:
    text = ask.args.get("since")
    if text is None:
        return None
    try:
        terms = parse_terms(f"since:{text}", now).terms
    except TermError as error:
        raise Refusal("invalid", str(error)) from error
    return terms[0].low if terms else None


def _at_once(ask: Ask) -> int:
    wanted = ask.args.get("at_once", AT_ONCE)
    if not isinstance(wanted, int) or isinstance(wanted, bool) or not 1 <= wanted <= MOST_AT_ONCE:
        raise Refusal("invalid", f"at_once={wanted!r}: a whole number from 1 to {MOST_AT_ONCE}")
    return wanted


def _words(rows: list[FailedTask]) -> str:
    (first, _), *others = Counter(cause(row.error) for row in rows).most_common()
    return f"{first} and {len(others)} more causes" if others else first


def _items(rows: list[FailedTask]) -> list[RecoveryItem]:
    runs: dict[int, RecoveryItem] = {}
    for row in rows:
        item = runs.setdefault(row.run, RecoveryItem(len(runs), row.run, row.run_id, []))
        item.tasks.append(row.id)
    return list(runs.values())


def _targets(rows: list[FailedTask]) -> list[Target]:
    first = rows[0].run
    return [
        failure_target(
            row,
            "running" if not row.task_id else "none" if row.state == "failed" else "scheduled",
            f"{'goes first' if row.run == first else 'follows'}: {row.error[:160]}",
        )
        for row in rows
    ]


def _followers(dragged: list[Dragged], rows: list[FailedTask]) -> list[Effect]:
    """What the failures had dragged down, in the runs that run again."""
    runs = {row.run_id for row in rows}
    return [
        Effect("task", each.dag_id, each.state, "none", each.run_id, each.task_id, each.map_index, "decided anew")
        for each in dragged
        if each.run_id in runs
    ]


def _sentence(rows: list[FailedTask], at_once: int) -> str:
    runs, dags = len({row.run for row in rows}), len({row.dag_id for row in rows})
    rest = f", then {plural(runs - 1, 'more run')}, {at_once} at a time, oldest first" if runs > 1 else ""
    what = f"{plural(len(rows), 'failure')} in {plural(runs, 'run')} of {plural(dags, 'DAG')}"
    return f"{what}: {rows[0].run_id} first{rest}"


def _paused(scheduler: Scheduler, rows: list[FailedTask]) -> list[str]:
    entries = [scheduler.state.dags.get(dag_id) for dag_id in sorted({row.dag_id for row in rows})]
    return [entry.dag_id for entry in entries if entry is not None and entry.paused_by == "its breaker"]


def _breakers(scheduler: Scheduler, rows: list[FailedTask]) -> tuple[list[str], list[str]]:
    """The open breakers of these tasks: those that may be probed, and those that somebody holds open."""
    wanted = {(row.dag_id, row.task_id) for row in rows}
    names = {
        task.breaker.name
        for entry in scheduler.state.dags.values()
        for task in entry.version.spec.tasks
        if task.breaker is not None and (entry.dag_id, task.task_id) in wanted
    }
    known = scheduler.breakers.by_name
    found = sorted(name for name in names if name in known and known[name].state == "open")
    return [name for name in found if not known[name].is_held], [name for name in found if known[name].is_held]


def _goes_on(found: StoredBackfill) -> str:
    row, left = found.backfill, sum(item.state is ItemState.PENDING for item in found.items)
    return (
        f"backfill {row.id} of {row.dag_id} was stopped by failures: it goes on, with {plural(left, 'date')} left, when"
        " the first run has succeeded"
    )


def _stop(scheduler: Scheduler, ask: Ask) -> Plan:
    number = ask.args["stop"]
    made = scheduler.state.recoveries.get(number) if isinstance(number, int) else None
    if made is None:
        raise Refusal("state", f"there is no recovery {number} under way")
    waiting = sum(item.state in ("pending", "fetching") for item in made.items)

    def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
        recovering.stop(scheduler, turn, made, ask.actor)
        return {"recovery": made.id}

    effect = Effect(
        "recovery", f"recovery {made.id}", "running", "stopped", detail=f"{waiting} runs are left as they are"
    )
    sentence = f"recovery {made.id} ({cause_key(made.cause)}) stopped: {plural(waiting, 'run')} left as they are"
    return Plan([Target(("recovery", made.id), effect)], sentence, carry, lambda kept: f"stopped recovery {made.id}")

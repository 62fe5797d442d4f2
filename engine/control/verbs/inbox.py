"""`claim` and `resolve`: who sees to the failures of one cause, and that somebody has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.control.plans import Archive, Ask, Plan, Refusal, Target, plural
from engine.control.protocol import Effect
from engine.model.moments import Micros, to_iso
from engine.scheduler.core import Scheduler
from engine.scheduler.turn import Turn
from engine.scheduler.undo import Inverse
from engine.store.reads_inbox import Cause, FailedTask


class _About:
    """A verb about one cause, named by the argument `cause`: its short name, or the whole of it."""

    retrying = False

    async def resolve(self, scheduler: Scheduler, archive: Archive, ask: Ask) -> Ask:
        """The cause with its failures, as the store has them."""
        if ask.args.get("reopen") is not None:
            return ask
        name = str(ask.args.get("cause") or "")
        found = [each for each in await archive.causes(0, retrying=self.retrying) if name in (each.key, each.signature)]
        if not found:
            raise Refusal("not_found", f"no unresolved failure has the cause {name!r}; see `dagdeck inbox`")
        return replace(ask, found=found[0])


class Claim(_About):
    """Says that somebody is on it. Arguments: `cause`, and `release` (not any more)."""

    name = "claim"
    retrying = True

    def plan(self, scheduler: Scheduler, ask: Ask, now: Micros) -> Plan:
        found: Cause = ask.found
        release, claim = bool(ask.args.get("release")), found.claim
        if release and claim is None:
            raise Refusal("state", "nobody is on it")
        if not release and claim is not None and claim.who == ask.actor:
            raise Refusal("state", f"you are on it since {to_iso(claim.at)}")

        def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
            if release:
                turn.batch.add("failure.release", signature=found.signature)
            else:
                turn.batch.add("failure.claim", signature=found.signature, who=ask.actor, at=turn.now, note=ask.note)
            after = "released" if release else "claimed"
            turn.note("inbox", after=after, detail=found.signature, command=ask.command)
            return {"cause": found.key}

        before = f"claimed by {claim.who}" if claim is not None else "unclaimed"
        becomes = "unclaimed" if release else f"claimed by {ask.actor}"
        detail = plural(len(found.rows), "failure")
        effect = Effect("cause", found.signature, before, becomes, detail=detail)
        warnings = [f"{claim.who} is on it since {to_iso(claim.at)}"] if claim is not None and not release else []
        plan = Plan([Target(("cause", found.key), effect)], f"{detail}: {becomes}", carry, lambda kept: becomes)
        plan.warnings = warnings
        mine = claim is not None and claim.who == ask.actor
        if not release or mine:
            plan.inverse = lambda kept: Inverse("claim", {"cause": found.key, **({} if release else {"release": True})})
        return plan


class Resolve(_About):
    """Puts failures of one cause away as seen to. Argument: `cause`. One that fails anew comes back by itself."""

    name = "resolve"

    def plan(self, scheduler: Scheduler, ask: Ask, now: Micros) -> Plan:
        if ask.args.get("reopen") is not None:
            return _reopen(ask)
        found: Cause = ask.found
        rows = {row.id: row for row in found.rows}

        def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
            for target in kept:
                row = rows[int(target.key[1])]
                turn.batch.add(
                    "failure.resolve", task_instance=row.id, attempt=row.attempt, who=ask.actor, at=turn.now,
                    note=ask.note,
                )  # fmt: skip
            turn.batch.add("failure.release", signature=found.signature)
            for run in {rows[int(target.key[1])].run for target in kept}:
                turn.note("inbox", run=run, after="resolved", detail=found.signature, command=ask.command)
            return {"cause": found.key}

        targets = [failure_target(row, "resolved") for row in found.rows]
        what = plural(len(targets), "failure")
        plan = Plan(targets, f"{what} put away as seen to", carry, lambda kept: f"resolved {len(kept)} of {what}")
        plan.inverse = lambda kept: Inverse(
            "resolve",
            {"reopen": [int(target.key[1]) for target in kept], "runs": sorted({row.run for row in found.rows})},
        )
        return plan


def _reopen(ask: Ask) -> Plan:
    ids, runs = ask.args["reopen"], ask.args.get("runs")
    if (
        not isinstance(ids, list)
        or not isinstance(runs, list)
        or not all(isinstance(key, int) for key in (*ids, *runs))
    ):
        raise Refusal("invalid", f"reopen names task instances by their keys, not {ids!r}")

    def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
        for key in ids:
            turn.batch.add("failure.reopen", task_instance=key)
        for run in runs:
            turn.note("inbox", run=run, after="reopened", command=ask.command)
        return {}

    what = plural(len(ids), "failure")
    effect = Effect("cause", what, "resolved", "unresolved")
    return Plan(
        [Target(("cause", what), effect)], f"{what} not seen to", carry, lambda kept: f"{what} back in the inbox"
    )


def failure_target(row: FailedTask, becomes: str, detail: str = "") -> Target:
    """A failure as a row of a preview."""
    effect = Effect(
        "task" if row.task_id else "run",
        row.dag_id,
        row.state,
        becomes,
        row.run_id,
        row.task_id or None,
        row.map_index,
        detail or row.error[:200],
    )
    return Target(("task", row.id), effect, row.changed_seq)

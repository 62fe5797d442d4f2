"""`backfill_pause`, `backfill_resume`, `backfill_cancel`, `backfill_retry`: what can be asked of a backfill."""

from __future__ import annotations

from typing import Any

from engine.control.plans import Archive, Ask, Plan, Refusal, Target, plural
from engine.control.protocol import Effect
from engine.lifecycle.events import CancelRun
from engine.model.backfill import ACTIVE_BACKFILL, Backfill, BackfillItem, BackfillState, ItemReason, ItemState
from engine.model.ids import scheduled_run_id
from engine.model.moments import Micros, to_iso
from engine.model.states import TERMINAL_RUN
from engine.scheduler.backfills import bring_back, change_state, go_on, move_item, put_backfill, settle
from engine.scheduler.core import Scheduler
from engine.scheduler.turn import Turn
from engine.scheduler.undo import Inverse
from engine.store.stored import StoredBackfill


class _Verb:
    """A verb about one backfill, named by the argument `id`; it is read from the store when it is over."""

    async def gather(self, scheduler: Scheduler, archive: Archive, ask: Ask, now: Micros) -> Any:
        """The backfill as it is stored, where it is not in memory."""
        number = _number(ask)
        return None if number in scheduler.state.backfills else await archive.load_backfill(number)


class BackfillPause(_Verb):
    """Starts nothing more of a backfill; runs that are under way go on."""

    name = "backfill_pause"

    def plan(self, scheduler: Scheduler, ask: Ask, now: Micros) -> Plan:
        row, _ = _the_backfill(scheduler, ask)
        if row.state is not BackfillState.RUNNING:
            raise Refusal("state", f"backfill {row.id} is {row.state}, not running")

        def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
            change_state(scheduler, turn, scheduler.state.backfills[row.id], BackfillState.PAUSED, ask.command)
            return {"backfill": row.id}

        sentence = f"backfill {row.id} of {row.dag_id} paused: nothing more of it starts, what is under way goes on"
        plan = Plan([_whole(row, "paused")], sentence, carry, lambda kept: f"paused backfill {row.id}")
        plan.inverse = lambda kept: Inverse("backfill_resume", {"id": row.id})
        return plan


class BackfillResume(_Verb):
    """Goes on with a backfill that was paused, or that failures have stopped: they count anew from then on."""

    name = "backfill_resume"

    def plan(self, scheduler: Scheduler, ask: Ask, now: Micros) -> Plan:
        row, items = _the_backfill(scheduler, ask)
        if row.state not in (BackfillState.PAUSED, BackfillState.STOPPED_BY_FAILURES):
            raise Refusal("state", f"backfill {row.id} is {row.state}: only one that is paused or stopped can go on")

        def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
            go_on(scheduler, turn, row, items, ask.command)
            return {"backfill": row.id}

        left = sum(item.state is ItemState.PENDING for item in items)
        sentence = f"backfill {row.id} of {row.dag_id} goes on: {plural(left, 'date')} left"
        plan = Plan([_whole(row, "running")], sentence, carry, lambda kept: f"resumed backfill {row.id}")
        plan.inverse = lambda kept: Inverse("backfill_pause", {"id": row.id})
        return plan


class BackfillCancel(_Verb):
    """Drops what has not started of a backfill; with the argument `running` its runs that are under way end too, with
    `unstarted` only while nothing of them has started.
    """

    name = "backfill_cancel"

    def plan(self, scheduler: Scheduler, ask: Ask, now: Micros) -> Plan:
        row, items = _the_backfill(scheduler, ask)
        if row.state not in ACTIVE_BACKFILL | {BackfillState.STOPPED_BY_FAILURES}:
            raise Refusal("state", f"backfill {row.id} is {row.state}: there is nothing to cancel")
        waiting = [item for item in items if item.state is ItemState.PENDING]
        runs = [item for item in items if item.state is ItemState.RUNNING] if ask.args.get("running") else []
        paused = row.state is not BackfillState.RUNNING
        if ask.args.get("unstarted"):
            _refuse_started(scheduler, items)

        def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
            live = bring_back(scheduler, row, items)
            row.state = BackfillState.STOPPING
            live.pending.clear()
            live.fetching.clear()
            for item in waiting:
                move_item(turn, live, item, ItemState.CANCELLED)
            put_backfill(turn, row)
            turn.note("backfill", dag_id=row.dag_id, after=row.state, command=ask.command, detail=str(row.id))
            for item in runs:
                memory = scheduler.state.runs.get(item.run or 0)
                if memory is not None and memory.run.state not in TERMINAL_RUN:
                    scheduler.apply(turn, memory, CancelRun(ask.command, ask.actor))
            settle(scheduler, turn, live)
            return {"backfill": row.id}

        targets = [_whole(row, "cancelled")]
        targets += [_date(row, item, "cancelled", "killed first" if item in runs else "") for item in (*waiting, *runs)]
        going = sum(item.state is ItemState.RUNNING for item in items)
        rest = f"{plural(going, 'run')} cancelled" if runs else f"{plural(going, 'run')} under way goes on"
        sentence = f"backfill {row.id} of {row.dag_id} cancelled: {plural(len(waiting), 'date')} dropped, {rest}"
        plan = Plan(targets, sentence, carry, lambda kept: f"cancelled backfill {row.id}")
        dates = [item.ordinal for item in waiting]
        plan.inverse = lambda kept: Inverse("backfill_retry", {"id": row.id, "dates": dates, "paused": paused})
        plan.final = bool(runs) or not dates
        return plan


class BackfillRetry(_Verb):
    """Runs what failed, or was cancelled, of a backfill again. Arguments: `dates` (their places, instead of all), and
    `paused` (it goes on when it is resumed).
    """

    name = "backfill_retry"

    def plan(self, scheduler: Scheduler, ask: Ask, now: Micros) -> Plan:
        row, items = _the_backfill(scheduler, ask)
        dates, paused = ask.args.get("dates"), bool(ask.args.get("paused"))
        if dates is not None and not isinstance(dates, list):
            raise Refusal("invalid", f"dates are places in the backfill, not {dates!r}")
        failed = [
            item
            for item in items
            if item.state in (ItemState.FAILED, ItemState.CANCELLED) and (dates is None or item.ordinal in dates)
        ]
        if not failed or (row.state is BackfillState.STOPPING and dates is None):
            raise Refusal("state", f"backfill {row.id} is {row.state}: nothing of it has failed that could run again")

        def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
            live = bring_back(scheduler, row, items)
            for item in failed:
                reason = item.reason if item.run is None else ItemReason.RERUN_FAILED
                move_item(turn, live, item, ItemState.PENDING, reason)
            live.pending.extend(item.ordinal for item in failed if item.ordinal not in live.pending)
            live.pending = type(live.pending)(sorted(live.pending))
            if paused:
                row.ended_at = None
                change_state(scheduler, turn, live, BackfillState.PAUSED, ask.command)
                return {"backfill": row.id}
            go_on(scheduler, turn, row, items, ask.command)
            return {"backfill": row.id}

        targets = [_date(row, item, "runs again") for item in failed]
        sentence = f"{plural(len(failed), 'date')} of backfill {row.id} of {row.dag_id} again"
        return Plan(targets, sentence, carry, lambda kept: f"{plural(len(kept), 'date')} of backfill {row.id} again")


def _refuse_started(scheduler: Scheduler, items: list[BackfillItem]) -> None:
    """What has begun to run is cancelled, and not taken back."""
    for item in items:
        memory = scheduler.state.runs.get(item.run or 0)
        again = item.reason in (ItemReason.RERUN, ItemReason.RERUN_FAILED)
        if item.run is not None and (memory is None or again or any(ti.attempt for ti in memory.by_id.values())):
            raise Refusal("state", f"{to_iso(item.logical_date)} has begun to run: cancel the backfill instead")


def _number(ask: Ask) -> int:
    number = ask.args.get("id")
    if not isinstance(number, int) or isinstance(number, bool):
        raise Refusal("invalid", f"{ask.verb} needs the number of a backfill")
    return number


def _the_backfill(scheduler: Scheduler, ask: Ask) -> tuple[Backfill, list[BackfillItem]]:
    live = scheduler.state.backfills.get(_number(ask))
    if live is not None:
        return live.row, live.items
    if not isinstance(ask.found, StoredBackfill):
        raise Refusal("not_found", f"there is no backfill {_number(ask)}")
    return ask.found


def _whole(row: Backfill, becomes: str) -> Target:
    return Target(("backfill", row.id), Effect("backfill", row.dag_id, row.state, becomes, detail=f"backfill {row.id}"))


def _date(row: Backfill, item: BackfillItem, becomes: str, detail: str = "") -> Target:
    effect = Effect(
        "run",
        row.dag_id,
        item.state,
        becomes,
        run_id=scheduled_run_id(row.dag_id, item.logical_date),
        detail=detail,
    )
    return Target(("slot", item.logical_date), effect)

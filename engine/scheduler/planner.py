"""Runs that are due: created from the timetable, one per slot, in the transaction that moves the schedule on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.model.ids import manual_run_id, scheduled_run_id
from engine.model.moments import SECOND, Micros
from engine.model.states import RunType
from engine.scheduler.backfills import claimed_by_schedule
from engine.scheduler.creating import create_run, current_params
from engine.scheduler.overlap import may_overlap, record_gaps
from engine.scheduler.state import DagEntry
from engine.scheduler.timers import Timer
from engine.scheduler.turn import Turn
from engine.timetable import Catchup, MissedPlan, Slot, last_completed, plan_missed, previous_point, slot_at

WARM_AHEAD: Micros = 3 * SECOND
"""How long before a run is due its code is imported."""
CATCHUP_UNASKED = 1000
"""A new DAG that would catch up on more runs than these begins paused."""

if TYPE_CHECKING:
    from engine.scheduler.core import Scheduler


def plan_runs(scheduler: Scheduler, turn: Turn, entry: DagEntry) -> None:
    """Creates the runs of a DAG that are due, moves its schedule on, and sets the timer of the next one."""
    if entry.timetable is None or not entry.takes_automated_runs or entry.enabled_at is None:
        return
    plan = foresee(entry, turn.now, at_once=_room_ahead(entry))
    for number, slot in enumerate(plan.create):
        if slot.logical_date in entry.taken:
            entry.taken.discard(slot.logical_date)
        elif number < plan.caught_up or may_overlap(scheduler, turn, entry, slot):
            run_id = scheduled_run_id(entry.dag_id, slot.logical_date)
            create_run(scheduler, turn, entry, RunType.SCHEDULED, slot, run_id, current_params(scheduler, entry))
            claimed_by_schedule(scheduler, turn, entry.dag_id, slot.logical_date)
    record_gaps(turn, entry, plan.gap_spans)
    if plan.gaps:
        gaps = f"{plan.gaps_total} due slots left out, the last of {plan.gaps[-1].logical_date}"
        turn.note("dag", dag_id=entry.dag_id, reason="missed_ticks", detail=gaps)
    _move_on(turn, entry, plan)
    if entry.next_run_after is not None:
        scheduler.timers.add(Timer(entry.next_run_after, "plan", 0, entry.dag_id))
        scheduler.timers.add(Timer(entry.next_run_after - WARM_AHEAD, "warm", 0, entry.dag_id))


def foresee(
    entry: DagEntry, now: Micros, *, at_once: int, enabled_at: Micros | None = None, catchup: Catchup | None = None
) -> MissedPlan:
    """What planning would do now, or would if the DAG were enabled at `enabled_at`, with another `catchup`.

    The DAG has a schedule.
    """
    schedule = entry.version.spec.schedule
    assert entry.timetable is not None
    enabled = enabled_at if enabled_at is not None else max(entry.enabled_at or now, entry.catchup_until or 0)
    chosen = catchup or (entry.catchup if enabled_at is None else None)
    window = schedule.catchup_window if chosen is None else None
    return plan_missed(
        entry.timetable,
        last=entry.last_start,
        last_end=entry.last_end,
        enabled_at=enabled,
        now=now,
        catchup=chosen or schedule.catchup,
        on_missed=schedule.on_missed,
        grace=None if schedule.missed_grace is None else round(schedule.missed_grace * SECOND),
        not_before=None if window is None else (enabled_at or entry.enabled_at or now) - round(window * SECOND),
        at_once=at_once,
    )


def catchup_question(entry: DagEntry, now: Micros) -> str | None:
    """Why a DAG begins paused: it would catch up on more runs than anybody makes without having been asked."""
    if entry.timetable is None or entry.version.spec.schedule.catchup != "all":
        return None
    count = foresee(entry, now, at_once=0).postponed
    if count <= CATCHUP_UNASKED:
        return None
    return f"catchup of {count:,} runs: resume it to run them all, or resume it with another catchup"


def _room_ahead(entry: DagEntry) -> int:
    """How many runs of the past may be made now: never more wait than may be under way."""
    waiting = sum(memory.run.run_type is RunType.SCHEDULED for memory in entry.queued.values())
    return max(0, entry.version.spec.max_active_runs - waiting)


def _move_on(turn: Turn, entry: DagEntry, plan: MissedPlan) -> None:
    """Notes how far the schedule has come. What is left to further plans stays a matter of catching up."""
    before = entry.place
    entry.postponed = plan.postponed
    entry.catchup_until = turn.now if plan.postponed else None
    entry.catchup = entry.catchup if plan.postponed else None
    entry.last_start, entry.last_end = plan.passed, plan.passed_end
    if plan.passed is None and entry.timetable is not None and entry.timetable.start is None:
        entry.last_end = plan.origin  # where a DAG without a start date began, for a pause before its first run
    ended = entry.next_start if plan.passed is None else plan.passed + 1
    entry.next_start, entry.next_run_after = (
        (plan.next.logical_date, plan.next.run_after) if plan.next else (ended, None)
    )
    if entry.place != before:
        put_schedule(turn, entry)


def put_schedule(turn: Turn, entry: DagEntry) -> None:
    """Stores where a DAG's schedule stands."""
    turn.batch.add(
        "schedule.put",
        dag_id=entry.dag_id,
        next_start=entry.next_start,
        next_run_after=entry.next_run_after,
        enabled_at=entry.enabled_at,
        paused_at=entry.paused_at,
        paused_by=entry.paused_by,
        pause_reason=entry.pause_reason,
        spec_hash=entry.spec_hash,
        last_start=entry.last_start,
        last_end=entry.last_end,
        catchup_until=entry.catchup_until,
        catchup=entry.catchup,
    )
    turn.note("dag", dag_id=entry.dag_id, reason="schedule")


def manual_slot(entry: DagEntry, logical_date: Micros | None, now: Micros) -> tuple[Slot, bool]:
    """The interval of a manual run, and whether its date was inferred.

    A date is floored to the schedule's point before it; without one the last completed interval is taken. A DAG without
    a schedule gets the empty interval at the date, or now.
    """
    if entry.timetable is None:
        at = now if logical_date is None else logical_date
        return Slot(at, at, at, now), False
    if logical_date is None:
        found = last_completed(entry.timetable, now)
    elif previous_point(entry.timetable, logical_date) is None and entry.timetable.is_finite:
        found = Slot(logical_date, logical_date, logical_date, now)
    else:
        found = slot_at(entry.timetable, logical_date)
    if found is None:
        return Slot(now, now, now, now), True
    return Slot(found.logical_date, found.interval_start, found.interval_end, now), logical_date is None


def manual_id(scheduler: Scheduler, entry: DagEntry, slot: Slot) -> str:
    """A fresh id for a manual run."""
    return manual_run_id(entry.dag_id, slot.logical_date, scheduler.clock.entropy(4))

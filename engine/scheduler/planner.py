"""Runs that are due: created from the timetable, one per slot, in the transaction that moves the schedule on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.lifecycle.memory import RunMemory, new_run
from engine.model.dag import Json
from engine.model.ids import manual_run_id, scheduled_run_id
from engine.model.moments import SECOND, Micros
from engine.model.rows import Run
from engine.model.states import RunState, RunType
from engine.scheduler.state import DagEntry
from engine.scheduler.timers import Timer
from engine.scheduler.turn import Turn
from engine.timetable import Slot, last_completed, plan_missed, slot_at

WARM_AHEAD: Micros = 3 * SECOND
"""How long before a run is due its code is imported."""

if TYPE_CHECKING:
    from engine.scheduler.core import Scheduler


def plan_runs(scheduler: Scheduler, turn: Turn, entry: DagEntry) -> None:
    """Creates the runs of a DAG that are due, moves its schedule on, and sets the timer of the next one."""
    table, schedule = entry.timetable, entry.version.spec.schedule
    if table is None or not entry.takes_automated_runs or entry.enabled_at is None:
        return
    plan = plan_missed(
        table,
        last=None if entry.next_start is None else entry.next_start - 1,
        enabled_at=entry.enabled_at,
        now=turn.now,
        catchup=schedule.catchup,
        on_missed=schedule.on_missed,
    )
    params = {name: param.default for name, param in entry.version.spec.params.items()}
    for slot in plan.create:
        create_run(
            scheduler, turn, entry, RunType.SCHEDULED, slot, scheduled_run_id(entry.dag_id, slot.logical_date), params
        )
    if plan.gaps:
        gaps = f"{plan.gaps_total} due slots left out, the last of {plan.gaps[-1].logical_date}"
        turn.note("dag", dag_id=entry.dag_id, reason="missed_ticks", detail=gaps)
    ended = entry.next_start if plan.passed is None else plan.passed + 1  # never plan a passed slot again
    moved = (plan.next.logical_date, plan.next.run_after) if plan.next else (ended, None)
    if plan.postponed and plan.create:
        moved = (plan.create[-1].logical_date + 1, turn.now)
    if moved != (entry.next_start, entry.next_run_after):
        entry.next_start, entry.next_run_after = moved
        put_schedule(turn, entry)
    if entry.next_run_after is not None:
        scheduler.timers.add(Timer(entry.next_run_after, "plan", 0, entry.dag_id))
        scheduler.timers.add(Timer(entry.next_run_after - WARM_AHEAD, "warm", 0, entry.dag_id))


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
    )
    turn.note("dag", dag_id=entry.dag_id, reason="schedule")


def create_run(
    scheduler: Scheduler,
    turn: Turn,
    entry: DagEntry,
    run_type: RunType,
    slot: Slot,
    run_id: str,
    params: dict[str, Json],
    *,
    created_by: str | None = None,
    note: str | None = None,
    inferred: bool = False,
) -> RunMemory:
    """A queued run of the DAG's current version, with its task instances."""
    state = scheduler.state
    run = Run(
        id=next(state.run_ids),
        run_id=run_id,
        dag_id=entry.dag_id,
        version_id=entry.version.id,
        run_type=run_type,
        state=RunState.QUEUED,
        logical_date=slot.logical_date,
        interval_start=slot.interval_start,
        interval_end=slot.interval_end,
        run_after=slot.run_after,
        created_at=turn.now,
        params=params,
        note=note,
        created_by=created_by,
        inferred=inferred,
    )
    memory = new_run(entry.version.plan, run, state.task_ids, turn.changes)
    state.put_run(memory)
    return memory


def manual_slot(entry: DagEntry, logical_date: Micros | None, now: Micros) -> tuple[Slot, bool]:
    """The interval of a manual run, and whether its date was inferred.

    A date is floored to the schedule's point before it; without one the last completed interval is taken. A DAG without
    a schedule gets the empty interval at the date, or now.
    """
    if entry.timetable is None:
        at = now if logical_date is None else logical_date
        return Slot(at, at, at, now), False
    found = slot_at(entry.timetable, logical_date) if logical_date is not None else last_completed(entry.timetable, now)
    if found is None:
        return Slot(now, now, now, now), True
    return Slot(found.logical_date, found.interval_start, found.interval_end, now), logical_date is None


def manual_id(scheduler: Scheduler, entry: DagEntry, slot: Slot) -> str:
    """A fresh id for a manual run."""
    return manual_run_id(entry.dag_id, slot.logical_date, scheduler.clock.entropy(4))

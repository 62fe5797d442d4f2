"""Scheduled runs that are not made: because one before is under way, or because they were missed. Gaps are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.lifecycle.events import CancelRun
from engine.lifecycle.memory import RunMemory
from engine.model.states import TERMINAL_RUN, RunState, RunType
from engine.scheduler.state import DagEntry
from engine.scheduler.turn import Turn
from engine.timetable import Gap, Slot

if TYPE_CHECKING:
    from engine.scheduler.core import Scheduler

SCHEDULE = "schedule"
"""Who is named as the actor when a schedule's overlap policy cancels a run."""


def may_overlap(scheduler: Scheduler, turn: Turn, entry: DagEntry, slot: Slot) -> bool:
    """Whether the run of a slot is to be made, as `overlap` says; cancels what it takes the place of."""
    policy = entry.version.spec.schedule.overlap
    if policy == "queue":
        return True
    earlier = _under_way(scheduler, entry)
    if policy == "skip":
        if earlier:
            record_gaps(turn, entry, (Gap(slot.logical_date, slot.interval_end, 1, "overlap"),))
        return not earlier
    for memory in earlier:
        if policy == "cancel_previous" or memory.run.state is RunState.QUEUED:
            scheduler.apply(turn, memory, CancelRun(by=SCHEDULE))
    return True


def _under_way(scheduler: Scheduler, entry: DagEntry) -> list[RunMemory]:
    return [
        memory
        for memory in scheduler.state.runs.values()
        if memory.run.dag_id == entry.dag_id
        and memory.run.run_type is RunType.SCHEDULED
        and memory.run.state not in TERMINAL_RUN
    ]


def record_gaps(turn: Turn, entry: DagEntry, gaps: tuple[Gap, ...]) -> None:
    """Keeps what was left out; a gap that goes on where the last one ended makes that one longer."""
    for gap in gaps:
        known = entry.last_gap
        if known is not None and gap.why == known.why and gap.first == known.first and gap.until == known.until:
            continue
        if known is not None and gap.why == known.why and known.first < gap.first <= known.until and known.count:
            gap = Gap(known.first, gap.until, known.count + gap.count, gap.why)
        entry.last_gap = gap
        turn.batch.add(
            "gap.put",
            dag_id=entry.dag_id,
            first=gap.first,
            until=max(gap.until, gap.first + 1),
            count=gap.count,
            why=gap.why,
            at=turn.now,
        )
        turn.note("dag", dag_id=entry.dag_id, reason="gap", detail=f"{gap.count} {gap.why}")

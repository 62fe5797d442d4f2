"""Resuming a paused DAG."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.scheduler.planner import plan_runs, put_schedule
from engine.scheduler.state import DagEntry
from engine.scheduler.turn import Turn
from engine.timetable import Catchup

if TYPE_CHECKING:
    from engine.scheduler.core import Scheduler


def enable(scheduler: Scheduler, turn: Turn, entry: DagEntry, catchup: Catchup | None, command: str | None) -> None:
    """The DAG gets runs again; what was due meanwhile is handled as `catchup` says, or without it as the DAG does."""
    entry.paused_at = entry.paused_by = entry.pause_reason = None
    entry.enabled_at, entry.catchup, entry.catchup_until = turn.now, catchup, None
    scheduler.ledger.dag_paused.discard(entry.dag_id)
    scheduler.breakers.resumed(turn, entry.dag_id)
    put_schedule(turn, entry)
    turn.note("dag", dag_id=entry.dag_id, before="paused", after="active", command=command)
    plan_runs(scheduler, turn, entry)
    scheduler.starting.start_runs(turn, entry)

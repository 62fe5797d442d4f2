"""A run that is over goes on with its DAG's current version when it runs again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.lifecycle.clearing import rebase
from engine.lifecycle.memory import RunMemory
from engine.model.states import TERMINAL_RUN
from engine.scheduler.turn import Turn

if TYPE_CHECKING:
    from engine.scheduler.core import Scheduler


def renew(scheduler: Scheduler, turn: Turn, memory: RunMemory) -> None:
    """Puts a run that is over on its DAG's current version, before the clear that reopens it."""
    entry = scheduler.state.dags.get(memory.run.dag_id)
    if entry is None or entry.version.id == memory.run.version_id or memory.run.state not in TERMINAL_RUN:
        return
    mark = len(turn.changes.transitions)
    rebase(memory, entry.version.plan, turn.changes, scheduler.state.task_ids, turn.now)
    for moved in turn.changes.transitions[mark:]:
        if moved.task_instance is not None:
            turn.touched[moved.task_instance] = memory

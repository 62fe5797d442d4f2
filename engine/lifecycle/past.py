"""Runs in the order of their logical dates: which of them depend on the one before."""

from __future__ import annotations

from typing import NamedTuple

from engine.lifecycle.plan import DagPlan
from engine.model.rows import Run
from engine.model.states import RunType


class PastWait(NamedTuple):
    """A task that depends on the past waits for the same task of the run before."""

    run_id: str | None
    """None while the run before is being looked up."""
    state: str


def is_automated(run: Run) -> bool:
    """Whether the run belongs to the row of runs by logical date. What people trigger by hand stands beside it."""
    return run.run_type not in (RunType.MANUAL, RunType.EXTERNAL)


def past_waits(plan: DagPlan, run: Run) -> dict[str, PastWait]:
    """What the run's tasks wait for as long as nothing is known of the run before."""
    return dict.fromkeys(plan.past_tasks, PastWait(None, "unknown")) if is_automated(run) else {}

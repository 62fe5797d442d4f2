"""Holds: nothing new starts, everywhere, in one pool or in some DAGs, until it is released or its time is up."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from engine.scheduler.ledger import Ledger
from engine.scheduler.state import State
from engine.scheduler.timers import Timer
from engine.scheduler.turn import Turn
from engine.store.stored import StoredHold

if TYPE_CHECKING:
    from engine.scheduler.core import Scheduler

ITS_END = "its end"
"""Who released a hold that ran out."""


class Globs(Collection[str]):
    """All DAG ids that one of some patterns matches, also those of DAGs that come later."""

    def __init__(self, patterns: Collection[str]) -> None:
        self._patterns = patterns

    def __contains__(self, dag_id: object) -> bool:
        return any(fnmatchcase(str(dag_id), pattern) for pattern in self._patterns)

    def __iter__(self) -> Iterator[str]:
        return iter(self._patterns)

    def __len__(self) -> int:
        return len(self._patterns)


def put(scheduler: Scheduler, turn: Turn, hold: StoredHold, command: str) -> None:
    """Takes a hold in, for as long as it is for, and tells the feed."""
    scheduler.state.holds[hold.id] = hold
    turn.batch.add(
        "hold.add",
        id=hold.id,
        scope=hold.scope,
        pattern=hold.pattern,
        who=hold.who,
        note=hold.note,
        since=hold.since,
        until=hold.until,
    )
    turn.note("hold", after="held", reason=hold.scope, detail=hold.pattern or hold.note, command=command or None)
    apply(scheduler.state, scheduler.ledger)
    watch(scheduler, hold)


def release(scheduler: Scheduler, turn: Turn, hold: StoredHold, who: str, command: str | None = None) -> None:
    """Ends a hold: what it kept from starting gets its chance in this very turn."""
    if scheduler.state.holds.pop(hold.id, None) is None:
        return
    turn.batch.add("hold.release", id=hold.id, at=turn.now, who=who)
    turn.note("hold", before="held", after="released", reason=hold.scope, detail=hold.pattern or None, command=command)
    apply(scheduler.state, scheduler.ledger)
    scheduler.limits_changed(turn)


def run_out(scheduler: Scheduler, turn: Turn, timer: Timer) -> None:
    """The timer of a hold that was for a time."""
    hold = scheduler.state.holds.get(timer.key)
    if hold is not None and hold.until is not None and hold.until <= turn.now:
        release(scheduler, turn, hold, ITS_END)


def watch(scheduler: Scheduler, hold: StoredHold) -> None:
    """Has a hold that is for a time end by itself."""
    if hold.until is not None:
        scheduler.timers.add(Timer(hold.until, "hold", hold.id))


def apply(state: State, ledger: Ledger) -> None:
    """Sets the gates' limits to what the open holds say."""
    holds = state.holds.values()
    limits = ledger.limits
    limits.hold_all = any(hold.scope == "all" for hold in holds)
    limits.hold_pools = {hold.pattern for hold in holds if hold.scope == "pool"}
    limits.hold_dags = Globs([hold.pattern for hold in holds if hold.scope == "dag"])


def describe(hold: StoredHold) -> str:
    """What is held, in words."""
    return {"all": "everything", "pool": f"pool {hold.pattern}", "dag": f"DAGs {hold.pattern}"}[hold.scope]

"""What becomes of each date of a backfill, and of the backfill when its runs end."""

from __future__ import annotations

from collections.abc import Iterable

from engine.model.backfill import Backfill, BackfillState, ItemReason, ItemState, Reprocess
from engine.model.states import TERMINAL_RUN, RunState

_ITEM_OF_RUN = {
    RunState.SUCCESS: ItemState.SUCCESS,
    RunState.FAILED: ItemState.FAILED,
    RunState.CANCELLED: ItemState.CANCELLED,
}


def fate(reprocess: Reprocess, found: RunState | None, *, some_tasks: bool) -> tuple[ItemState, ItemReason]:
    """What is to be done for a date whose run is in the state `found` (None: there is no run).

    A run that is under way is left alone; one that was cancelled counts as failed.
    """
    if found is None:
        return (ItemState.SKIPPED, ItemReason.NO_RUN) if some_tasks else (ItemState.PENDING, ItemReason.CREATE)
    if found not in TERMINAL_RUN:
        return ItemState.SKIPPED, ItemReason.IN_FLIGHT
    if reprocess is Reprocess.COMPLETED:
        return ItemState.PENDING, ItemReason.RERUN
    if reprocess is Reprocess.FAILED and found is not RunState.SUCCESS:
        return ItemState.PENDING, ItemReason.RERUN if some_tasks else ItemReason.RERUN_FAILED
    return ItemState.SKIPPED, ItemReason.ALREADY_EXISTS


def item_state(run: RunState) -> ItemState:
    """The state of a date whose run is in this state."""
    return _ITEM_OF_RUN.get(run, ItemState.RUNNING)


def after(backfill: Backfill, items: Iterable[ItemState]) -> BackfillState:
    """The state that a backfill has once its dates are in these states.

    Failures stop it as soon as there are too many; it is over only when nothing of it is under way.
    """
    states = set(items)
    waits, runs = ItemState.PENDING in states, ItemState.RUNNING in states
    if backfill.state is BackfillState.STOPPING:
        return BackfillState.STOPPING if runs else BackfillState.CANCELLED
    if waits and backfill.stop_after is not None and backfill.failures >= backfill.stop_after:
        return BackfillState.STOPPED_BY_FAILURES
    return backfill.state if waits or runs else BackfillState.COMPLETED

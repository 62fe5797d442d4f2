"""Recoveries under way: one run goes first; once it has succeeded, the rest follows, oldest interval first."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from engine.lifecycle.backfilling import item_state
from engine.lifecycle.clearing import select
from engine.lifecycle.events import Clear, RetryNow
from engine.lifecycle.memory import RunMemory
from engine.model.backfill import BackfillState, ItemState
from engine.model.ids import instance_name
from engine.model.states import RunState, TaskState
from engine.scheduler.backfills import go_on
from engine.scheduler.enabling import enable
from engine.scheduler.renewal import renew
from engine.scheduler.turn import Turn
from engine.store.errors import StoreError
from engine.store.reads_inbox import RecoveryItem, StoredRecovery
from engine.store.stored import StoredBackfill

if TYPE_CHECKING:
    from engine.scheduler.core import Scheduler

_AGAIN_SECONDS = 5.0
_SOON_SECONDS = 0.2
_DONE = frozenset({TaskState.SUCCESS, TaskState.SKIPPED})
_BEGAN = "began under the engine before"
_ENDED = ("success", "failed", "skipped")


def begin(scheduler: Scheduler, turn: Turn, made: StoredRecovery, note: str | None) -> None:
    """Takes a recovery in and starts its first run."""
    scheduler.state.recoveries[made.id] = made
    turn.batch.add(
        "recovery_plan.add",
        id=made.id,
        cause=made.cause,
        created_by=made.created_by,
        at=turn.now,
        at_once=made.at_once,
        command=made.command,
        note=note,
        dags=json.dumps(made.dags),
        backfills=json.dumps(made.backfills),
    )
    for item in made.items:
        _put(turn, made, item)
    turn.note("recovery", after="running", command=made.command, detail=made.cause)
    advance(scheduler, turn, made)


def advance(scheduler: Scheduler, turn: Turn, made: StoredRecovery) -> None:
    """Starts runs while there is room: one until the first has succeeded, none once that has failed again."""
    if scheduler.state.recoveries.get(made.id) is not made:
        return
    tried = [item for item in made.items if item.state in ("success", "failed")]
    if tried and not any(item.state == "success" for item in tried):
        for item in made.items:
            if item.state == "pending":
                _move(turn, made, item, "skipped", "the first one failed again")
        made.backfills = []
    elif tried:
        _resume_dags(scheduler, turn, made)
        _resume_backfills(scheduler, made)
    room = made.at_once if tried else 1
    under_way = sum(item.state in ("running", "fetching") for item in made.items)
    for item in made.items:
        if under_way >= room:
            break
        if item.state == "pending":
            _start(scheduler, turn, made, item)
            under_way += item.state in ("running", "fetching")
    if all(item.state in _ENDED for item in made.items) and not made.backfills:
        failed = sum(item.state != "success" for item in made.items)
        end(scheduler, turn, made, "done" if not failed else "failed")


def end(scheduler: Scheduler, turn: Turn, made: StoredRecovery, state: str) -> None:
    """It is over; runs of it that are under way go on."""
    scheduler.state.recoveries.pop(made.id, None)
    turn.batch.add("recovery_plan.end", id=made.id, state=state, at=turn.now)
    turn.note("recovery", before="running", after=state, detail=made.cause)


def stop(scheduler: Scheduler, turn: Turn, made: StoredRecovery, who: str) -> None:
    """Starts nothing more of it."""
    for item in made.items:
        if item.state in ("pending", "fetching"):
            _move(turn, made, item, "skipped", f"stopped by {who}")
    end(scheduler, turn, made, "stopped")


def run_ended(scheduler: Scheduler, turn: Turn, memory: RunMemory) -> None:
    """A run is over: perhaps a recovery waits for it."""
    for made in list(scheduler.state.recoveries.values()):
        for item in made.items:
            if item.run == memory.run.id and item.state == "running":
                _judge(turn, made, item, memory)
                advance(scheduler, turn, made)


def _judge(turn: Turn, made: StoredRecovery, item: RecoveryItem, memory: RunMemory) -> None:
    """Its run is over: what ran again has succeeded, or failed again."""
    bad = [memory.by_id[key] for key in item.tasks if key in memory.by_id and memory.by_id[key].state not in _DONE]
    names = ", ".join(instance_name(ti.task_id, ti.map_index) for ti in bad[:5])
    why = next((ti.last_error for ti in bad if ti.last_error), "failed")
    _move(turn, made, item, "failed" if bad else "success", f"{names}: {why}" if bad else None)


def resume(scheduler: Scheduler, turn: Turn, stored: list[StoredRecovery]) -> None:
    """After loading: goes on. What ended while nobody looked has ended."""
    for made in stored:
        scheduler.state.recoveries[made.id] = made
        for item in made.items:
            if item.state == "running" and item.run not in scheduler.state.runs:
                item.state, item.detail = "pending", _BEGAN
        advance(scheduler, turn, made)


def _start(scheduler: Scheduler, turn: Turn, made: StoredRecovery, item: RecoveryItem) -> None:
    if item.run_id in scheduler.state.names:
        _again(scheduler, made, item, turn)
    else:
        item.state = "fetching"
        scheduler.beside.spawn(_fetch(scheduler, made, item))


async def _fetch(scheduler: Scheduler, made: StoredRecovery, item: RecoveryItem) -> None:
    """Brings a run that is over into memory, and has it run again in a turn."""
    state = scheduler.state
    try:
        await scheduler.fetch_run(item.run_id)
    except StoreError as error:
        scheduler.log.warning("recovery_read_failed", run=item.run_id, error=str(error))
        item.state = "pending"
        scheduler.post_later(_AGAIN_SECONDS, lambda turn: advance(scheduler, turn, made))
        return
    if scheduler.state is state:
        scheduler.post(partial(_fetched, scheduler, made, item))


def _fetched(scheduler: Scheduler, made: StoredRecovery, item: RecoveryItem, turn: Turn) -> None:
    if item.state == "fetching":
        _again(scheduler, made, item, turn)
    advance(scheduler, turn, made)


def _again(scheduler: Scheduler, made: StoredRecovery, item: RecoveryItem, turn: Turn) -> None:
    key = scheduler.state.names.get(item.run_id)
    memory = None if key is None else scheduler.state.runs[key]
    if memory is None:
        _move(turn, made, item, "skipped", "its run is gone")
        return
    rows = [memory.by_id[task] for task in item.tasks if task in memory.by_id]
    if item.detail == _BEGAN:
        _judge(turn, made, item, memory)
        scheduler.release(memory.run.id)
        return
    failed = [ti for ti in rows if ti.state is TaskState.FAILED]
    waiting = [ti for ti in rows if ti.state is TaskState.UP_FOR_RETRY]
    if rows and memory.run.state is RunState.FAILED and not memory.tally[TaskState.FAILED]:
        failed = select(memory, None, only_failed=True)  # it failed as a whole: by its time limit, or by a deadlock
        item.tasks = [ti.id for ti in failed]
    if not failed and not waiting:
        _move(turn, made, item, "skipped", f"it is {', '.join(sorted({ti.state for ti in rows}))} by now")
        scheduler.release(memory.run.id)
        return
    _move(turn, made, item, "running")
    if failed:
        renew(scheduler, turn, memory)
        scheduler.apply(turn, memory, Clear(tuple(ti.id for ti in failed), made.command, made.created_by))
    for ti in waiting:
        scheduler.apply(turn, memory, RetryNow(ti.id, made.command, made.created_by))


def _resume_dags(scheduler: Scheduler, turn: Turn, made: StoredRecovery) -> None:
    for dag_id in made.dags:
        entry = scheduler.state.dags.get(dag_id)
        if entry is not None and entry.paused_at is not None:
            enable(scheduler, turn, entry, None, made.command)
    if made.dags:
        made.dags = []
        _put_left(turn, made)


def _resume_backfills(scheduler: Scheduler, made: StoredRecovery) -> None:
    for number in made.backfills:
        if number not in made.fetching:
            made.fetching.add(number)
            scheduler.beside.spawn(_fetch_backfill(scheduler, made, number))


async def _fetch_backfill(scheduler: Scheduler, made: StoredRecovery, number: int) -> None:
    """Brings a backfill that failures have stopped into memory, and has it go on in a turn."""
    state = scheduler.state
    try:
        found = await scheduler.fetch_backfill(number)
    except StoreError as error:
        scheduler.log.warning("recovery_read_failed", backfill=number, error=str(error))
        made.fetching.discard(number)
        scheduler.post_later(_AGAIN_SECONDS, lambda turn: advance(scheduler, turn, made))
        return
    if scheduler.state is state:
        scheduler.post(partial(_fetched_backfill, scheduler, made, number, found))


def _fetched_backfill(
    scheduler: Scheduler, made: StoredRecovery, number: int, found: StoredBackfill | None, turn: Turn
) -> None:
    made.fetching.discard(number)
    if scheduler.state.recoveries.get(made.id) is not made:
        return
    stands = found is not None and found.backfill.state is BackfillState.STOPPED_BY_FAILURES
    if found is not None and stands and number not in scheduler.state.backfills:
        if not _is_as_read(scheduler, found):
            scheduler.post_later(_SOON_SECONDS, lambda turn: advance(scheduler, turn, made))
            return
        go_on(scheduler, turn, found.backfill, found.items, made.command)
    made.backfills.remove(number)
    _put_left(turn, made)
    advance(scheduler, turn, made)


def _is_as_read(scheduler: Scheduler, found: StoredBackfill) -> bool:
    """Whether no run of it has moved since it was read. What memory knows better is taken from there."""
    for item in found.items:
        memory = scheduler.state.runs.get(item.run or 0)
        if memory is not None and memory.run.backfill == found.backfill.id:
            item.state = item_state(memory.run.state)
        elif item.state is ItemState.RUNNING:
            return False
    return True


def _put_left(turn: Turn, made: StoredRecovery) -> None:
    turn.batch.add("recovery_plan.left", id=made.id, dags=json.dumps(made.dags), backfills=json.dumps(made.backfills))


def _move(turn: Turn, made: StoredRecovery, item: RecoveryItem, state: str, detail: str | None = None) -> None:
    item.state, item.detail = state, detail
    _put(turn, made, item)
    turn.note("recovery", run=item.run, after=state, detail=detail)


def _put(turn: Turn, made: StoredRecovery, item: RecoveryItem) -> None:
    turn.batch.add(
        "recovery_item.put",
        recovery=made.id,
        ordinal=item.ordinal,
        run=item.run,
        run_id=item.run_id,
        tasks=json.dumps(item.tasks),
        state=item.state,
        detail=item.detail,
    )

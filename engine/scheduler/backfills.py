"""Backfills under way: runs are made, or run again, a few at a time, in the order of their dates."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from engine.lifecycle.backfilling import after, item_state
from engine.lifecycle.clearing import select
from engine.lifecycle.events import Clear, Start
from engine.lifecycle.gates import may_start_run
from engine.lifecycle.memory import RunMemory
from engine.model.backfill import (
    ACTIVE_BACKFILL,
    Backfill,
    BackfillItem,
    BackfillState,
    ItemReason,
    ItemState,
)
from engine.model.ids import scheduled_run_id
from engine.model.moments import Micros
from engine.model.states import TERMINAL_RUN, RunType
from engine.scheduler.creating import create_run, current_params
from engine.scheduler.renewal import renew
from engine.scheduler.state import DagEntry, LiveBackfill
from engine.scheduler.timers import Timer
from engine.scheduler.turn import Turn
from engine.store.errors import StoreError
from engine.timetable import Slot, read_window

if TYPE_CHECKING:
    from engine.scheduler.core import Scheduler

_AGAIN_SECONDS = 5.0
"""How long after a read that failed it is tried again."""


async def nothing_stored(key: object) -> None:
    """Before there is an archive, nothing that is over can be read."""


def admit(scheduler: Scheduler, row: Backfill, items: list[BackfillItem], zone: str) -> LiveBackfill:
    """Takes a backfill in that is new, resumed or read from the store."""
    live = LiveBackfill(row, items, read_window(row.not_during, zone) if row.not_during else None)
    for item in items:
        live.by_date[item.logical_date] = item.ordinal
        if item.run is not None:
            live.by_run[item.run] = item.ordinal
        if item.state is ItemState.PENDING:
            live.pending.append(item.ordinal)
        elif item.state is ItemState.RUNNING:
            live.running.add(item.ordinal)
    scheduler.state.backfills[row.id] = live
    if row.max_slots is not None:
        scheduler.ledger.backfill_most[row.id] = row.max_slots
    return live


def bring_back(scheduler: Scheduler, row: Backfill, items: list[BackfillItem]) -> LiveBackfill:
    """The backfill in memory; brought back there if it was over."""
    live = scheduler.state.backfills.get(row.id)
    if live is None:
        entry = scheduler.state.dags.get(row.dag_id)
        live = admit(scheduler, row, items, entry.version.spec.schedule.timezone if entry is not None else "UTC")
    return live


def go_on(scheduler: Scheduler, turn: Turn, row: Backfill, items: list[BackfillItem], command: str | None) -> None:
    """Goes on with a backfill that stood: its failures count anew."""
    live = bring_back(scheduler, row, items)
    row.failures, row.ended_at = 0, None
    change_state(scheduler, turn, live, BackfillState.RUNNING, command)
    refill(scheduler, turn, live)


def refill(scheduler: Scheduler, turn: Turn, live: LiveBackfill) -> None:
    """Starts dates while there is room for them, and notes why not where nothing may start."""
    row = live.row
    entry = scheduler.state.dags.get(row.dag_id)
    _heed_window(scheduler, turn, live)
    waits_for = _waits_for(scheduler, live, entry, turn.now)
    if waits_for != row.waits_for:
        row.waits_for = waits_for
        put_backfill(turn, row)
    if entry is not None and waits_for is None and row.state is BackfillState.RUNNING and not scheduler.stopping:
        while live.pending and len(live.running) + len(live.fetching) < row.max_active:
            _start(scheduler, turn, live, entry, live.items[live.pending.popleft()])
    settle(scheduler, turn, live)


def refill_dag(scheduler: Scheduler, turn: Turn, dag_id: str) -> None:
    """The same for all backfills of a DAG, after something about it has changed."""
    for live in list(scheduler.state.backfills.values()):
        if live.row.dag_id == dag_id:
            refill(scheduler, turn, live)


def _heed_window(scheduler: Scheduler, turn: Turn, live: LiveBackfill) -> None:
    if live.window is None:
        return
    quiet, known = live.window.contains(turn.now), scheduler.ledger.backfill_quiet
    if quiet and live.row.state in ACTIVE_BACKFILL:
        known.add(live.row.id)
    elif live.row.id in known:
        known.discard(live.row.id)
        scheduler.admission.reconsider()
    scheduler.timers.add(Timer(live.window.next_change(turn.now), "backfill", live.row.id))


def _waits_for(scheduler: Scheduler, live: LiveBackfill, entry: DagEntry | None, now: Micros) -> str | None:
    limits = scheduler.ledger.limits
    if live.row.state is not BackfillState.RUNNING:
        return None
    if entry is None or entry.state == "inactive":
        return "dag_inactive"
    if entry.paused_at is not None:
        return "dag_paused"
    if entry.holds_for_repair:
        return "dag_broken"
    if limits.hold_all or entry.dag_id in limits.hold_dags:
        return "hold"
    return "not_during" if live.window is not None and live.window.contains(now) else None


def _start(scheduler: Scheduler, turn: Turn, live: LiveBackfill, entry: DagEntry, item: BackfillItem) -> None:
    run_id = scheduled_run_id(entry.dag_id, item.logical_date)
    if item.reason is not ItemReason.CREATE:
        if run_id in scheduler.state.names:
            _rerun(scheduler, live, item.ordinal, run_id, turn)
        else:
            live.fetching.add(item.ordinal)
            scheduler.beside.spawn(_fetch(scheduler, live, item.ordinal, run_id))
        return
    if run_id in scheduler.state.names:
        move_item(turn, live, item, ItemState.SKIPPED, ItemReason.IN_FLIGHT)
        return
    row = live.row
    slot = Slot(item.logical_date, item.logical_date, item.interval_end, item.interval_end)
    params = current_params(scheduler, entry, row.params)
    memory = create_run(
        scheduler,
        turn,
        entry,
        RunType.BACKFILL,
        slot,
        run_id,
        params,
        created_by=row.created_by,
        given=row.params.keys() & params.keys(),
        backfill=row.id,
    )
    if entry.last_start is None or item.logical_date > entry.last_start:
        entry.taken.add(item.logical_date)
    item.run = memory.run.id
    live.by_run[memory.run.id] = item.ordinal
    move_item(turn, live, item, ItemState.RUNNING)
    if may_start_run(memory.run, entry.version.spec, scheduler.ledger.limits, turn.now):
        scheduler.apply(turn, memory, Start())


async def _fetch(scheduler: Scheduler, live: LiveBackfill, ordinal: int, run_id: str) -> None:
    """Brings a run that is over into memory, and has it run again in a turn."""
    state = scheduler.state
    try:
        await scheduler.fetch_run(run_id)
    except StoreError as error:
        scheduler.log.warning("backfill_read_failed", run=run_id, error=str(error))
        scheduler.post_later(_AGAIN_SECONDS, partial(_put_back, scheduler, live, ordinal))
        return
    if scheduler.state is state:
        scheduler.post(partial(_rerun, scheduler, live, ordinal, run_id))


def _put_back(scheduler: Scheduler, live: LiveBackfill, ordinal: int, turn: Turn) -> None:
    live.fetching.discard(ordinal)
    live.pending.appendleft(ordinal)
    refill(scheduler, turn, live)


def _rerun(scheduler: Scheduler, live: LiveBackfill, ordinal: int, run_id: str, turn: Turn) -> None:
    item = live.items[ordinal]
    was_fetched = ordinal in live.fetching
    live.fetching.discard(ordinal)
    key = scheduler.state.names.get(run_id)
    memory = scheduler.state.runs[key] if key is not None else None
    if item.state is not ItemState.PENDING:
        pass  # the backfill was cancelled meanwhile
    elif memory is None:
        move_item(turn, live, item, ItemState.SKIPPED, ItemReason.NO_RUN)
    elif memory.run.state not in TERMINAL_RUN:
        move_item(turn, live, item, ItemState.SKIPPED, ItemReason.IN_FLIGHT)
    else:
        _clear(scheduler, turn, live, item, memory)
    if memory is not None:
        scheduler.release(memory.run.id)
    if was_fetched:
        refill(scheduler, turn, live)


def _clear(scheduler: Scheduler, turn: Turn, live: LiveBackfill, item: BackfillItem, memory: RunMemory) -> None:
    row = live.row
    turn.changes.touch_run(memory.run)
    memory.run.backfill = row.id
    renew(scheduler, turn, memory)
    named = [instance.id for instance in memory.by_id.values() if instance.task_id in row.tasks] if row.tasks else None
    only_failed = item.reason is ItemReason.RERUN_FAILED
    chosen = select(memory, named, downstream=row.downstream, only_failed=only_failed) if named != [] else []
    item.run = memory.run.id
    live.by_run[memory.run.id] = item.ordinal
    if not chosen:
        turn.note("run", dag_id=row.dag_id, run=memory.run.id, reason="backfill")
        move_item(turn, live, item, ItemState.SKIPPED, ItemReason.ALREADY_EXISTS)
        return
    move_item(turn, live, item, ItemState.RUNNING)
    scheduler.apply(turn, memory, Clear(tuple(instance.id for instance in chosen), by=f"backfill {row.id}"))


def run_moved(scheduler: Scheduler, turn: Turn, memory: RunMemory) -> None:
    """A run that belongs to a backfill has moved: so has its date, and there may be room for another."""
    run = memory.run
    if run.backfill is None:
        return
    state = item_state(run.state)
    live = scheduler.state.backfills.get(run.backfill)
    if live is None or run.id not in live.by_run:
        turn.batch.add("backfill_item.of_run", state=state, backfill=run.backfill, run=run.id)
        turn.note("backfill", dag_id=run.dag_id, run=run.id, after=state, detail=str(run.backfill))
        return
    item = live.items[live.by_run[run.id]]
    if item.state is state:
        return
    if state is ItemState.FAILED:
        live.row.failures += 1
        put_backfill(turn, live.row)
    move_item(turn, live, item, state)
    if state is not ItemState.RUNNING:
        settle(scheduler, turn, live)
        refill(scheduler, turn, live)


def claimed_by_schedule(scheduler: Scheduler, turn: Turn, dag_id: str, logical_date: Micros) -> None:
    """The schedule has made the run of a date: a backfill that was to make it leaves it alone."""
    for live in scheduler.state.backfills.values():
        ordinal = live.by_date.get(logical_date)
        if live.row.dag_id == dag_id and ordinal is not None and ordinal in live.pending:
            live.pending.remove(ordinal)
            move_item(turn, live, live.items[ordinal], ItemState.SKIPPED, ItemReason.IN_FLIGHT)


def settle(scheduler: Scheduler, turn: Turn, live: LiveBackfill) -> None:
    """Whether the backfill is over, or has failed too often."""
    if live.row.state not in ACTIVE_BACKFILL:
        return
    states = [ItemState.PENDING] * bool(live.pending or live.fetching) + [ItemState.RUNNING] * bool(live.running)
    if (state := after(live.row, states)) is not live.row.state:
        change_state(scheduler, turn, live, state)


def change_state(
    scheduler: Scheduler, turn: Turn, live: LiveBackfill, state: BackfillState, command: str | None = None
) -> None:
    """Moves a backfill; one that is over leaves memory."""
    row = live.row
    before, row.state = row.state, state
    if state not in ACTIVE_BACKFILL:
        row.ended_at, row.waits_for = turn.now, None
        scheduler.state.backfills.pop(row.id, None)
        scheduler.ledger.backfill_most.pop(row.id, None)
        scheduler.ledger.backfill_quiet.discard(row.id)
        scheduler.admission.reconsider()
    put_backfill(turn, row)
    turn.note("backfill", dag_id=row.dag_id, before=before, after=state, command=command, detail=str(row.id))


def move_item(
    turn: Turn, live: LiveBackfill, item: BackfillItem, state: ItemState, reason: ItemReason | None = None
) -> None:
    """Moves a date of a backfill."""
    item.state, item.reason = state, reason or item.reason
    (live.running.add if state is ItemState.RUNNING else live.running.discard)(item.ordinal)
    put_item(turn, item)
    turn.note(
        "backfill", dag_id=live.row.dag_id, run=item.run, after=state, reason=item.reason, detail=str(live.row.id)
    )


def put_backfill(turn: Turn, row: Backfill) -> None:
    """Stores a backfill's own row."""
    turn.batch.add(
        "backfill.put",
        id=row.id,
        dag_id=row.dag_id,
        state=row.state,
        start=row.start,
        stop=row.stop,
        sort=row.order,
        max_active=row.max_active,
        reprocess=row.reprocess,
        created_at=row.created_at,
        created_by=row.created_by,
        total=row.total,
        params=json.dumps(row.params),
        tasks=json.dumps(row.tasks),
        downstream=int(row.downstream),
        max_slots=row.max_slots,
        not_during=row.not_during,
        stop_after=row.stop_after,
        failures=row.failures,
        waits_for=row.waits_for,
        note=row.note,
        ended_at=row.ended_at,
    )


def put_item(turn: Turn, item: BackfillItem) -> None:
    """Stores one date of a backfill."""
    turn.batch.add(
        "backfill_item.put",
        backfill=item.backfill,
        ordinal=item.ordinal,
        logical_date=item.logical_date,
        interval_end=item.interval_end,
        state=item.state,
        reason=item.reason,
        run=item.run,
    )

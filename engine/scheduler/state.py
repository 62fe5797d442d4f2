"""What the scheduler holds in memory: a cache of the store's active part, dropped and loaded anew when in doubt."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from engine.lifecycle.memory import RunMemory
from engine.model.attempt_files import InputRef
from engine.model.backfill import Backfill, BackfillItem
from engine.model.moments import Micros
from engine.model.states import RunState
from engine.scheduler.dispatch import CallbackCall, Version
from engine.scheduler.items import DEFAULT_MOST, ResultKey, RunItems
from engine.scheduler.undo import Undoable
from engine.store.batch import CallbackRow
from engine.store.reads_inbox import StoredRecovery
from engine.store.stored import StoredHold
from engine.timetable import DayWindow, Gap, Timetable


@dataclass(slots=True)
class DagEntry:
    """One DAG: its current version, its schedule, and the runs that wait for a run slot."""

    dag_id: str
    file: str
    version: Version
    version_number: int
    spec_hash: str
    state: str = "active"
    """`active`, `inactive` (its file is gone) or `broken` (its file no longer loads)."""
    broken_since: Micros | None = None
    timetable: Timetable | None = None
    next_start: Micros | None = None
    """Logical date of the next slot that is not due yet."""
    next_run_after: Micros | None = None
    last_start: Micros | None = None
    """Logical date of the last slot that was created or passed on purpose, with the end of its interval."""
    last_end: Micros | None = None
    catchup_until: Micros | None = None
    """While catching up: slots that were due by then are still to be created, a few at a time."""
    catchup: Literal["none", "latest", "all"] | None = None
    """What whoever resumed the DAG wanted instead of its own catch-up, until that is done."""
    postponed: int = 0
    """Slots that catching up has still to create."""
    taken: set[Micros] = field(default_factory=set)
    """Logical dates after `last_start` for which a backfill has a run already."""
    last_gap: Gap | None = None
    """The last stretch of slots that was left out; the next one may make it longer."""
    enabled_at: Micros | None = None
    paused_at: Micros | None = None
    paused_by: str | None = None
    pause_reason: str | None = None
    queued: dict[int, RunMemory] = field(default_factory=dict)

    @property
    def place(self) -> tuple[object, ...]:
        """Where the schedule stands, as it is stored."""
        return (
            self.next_start,
            self.next_run_after,
            self.last_start,
            self.last_end,
            self.catchup_until,
            self.catchup,
        )

    @property
    def takes_automated_runs(self) -> bool:
        """Whether the schedule may create runs now."""
        if self.state == "inactive" or self.paused_at is not None:
            return False
        return self.state == "active" or not self.holds_for_repair

    @property
    def holds_for_repair(self) -> bool:
        """Whether its file cannot be loaded, and automated runs are to wait until it can."""
        return self.state == "broken" and self.version.spec.on_broken == "hold"


@dataclass(slots=True)
class LiveCallback:
    """A callback that has not ended; its run is kept in memory, since it runs in that run's context."""

    call: CallbackCall
    row: CallbackRow
    overdue: bool = False
    """It has taken too long and is being killed."""


@dataclass(slots=True)
class LiveBackfill:
    """A backfill that is not over, with its dates."""

    row: Backfill
    items: list[BackfillItem]
    window: DayWindow | None = None
    pending: deque[int] = field(default_factory=deque)
    """Ordinals of dates that wait, in their order."""
    running: set[int] = field(default_factory=set)
    fetching: set[int] = field(default_factory=set)
    """Ordinals of dates whose finished runs are being read."""
    by_date: dict[Micros, int] = field(default_factory=dict)
    by_run: dict[int, int] = field(default_factory=dict)


class State:
    """Everything the scheduler knows. Rows in here are newer than the store by at most the commits under way."""

    def __init__(self) -> None:
        self.dags: dict[str, DagEntry] = {}
        self.versions: dict[int, Version] = {}
        self.runs: dict[int, RunMemory] = {}
        self.names: dict[str, int] = {}
        self.attempts: dict[str, RunMemory] = {}
        """By id of an attempt that has not ended."""
        self.callbacks: dict[str, LiveCallback] = {}
        self.results: dict[int, dict[ResultKey, InputRef]] = {}
        """Results by run, and by task id and map index."""
        self.items: dict[int, RunItems] = {}
        """What mapped tasks are mapped over, by run."""
        self.most_items = DEFAULT_MOST
        self.holds: dict[int, StoredHold] = {}
        """What operators keep from starting, by the key of the hold."""
        self.recoveries: dict[int, StoredRecovery] = {}
        """Those under way."""
        self.recovery_ids: Iterator[int] = itertools.count(1)
        self.undo: dict[str, Undoable] = {}
        """Commands that can still be taken back, oldest first."""
        self.pins: dict[int, int] = {}
        """Runs that a command is looking at: not to be dropped."""
        self.backfills: dict[int, LiveBackfill] = {}
        self.backfill_ids: Iterator[int] = itertools.count(1)
        self.run_ids: Iterator[int] = itertools.count(1)
        self.task_ids: Iterator[int] = itertools.count(1)
        self.version_ids: Iterator[int] = itertools.count(1)
        self.hold_ids: Iterator[int] = itertools.count(1)

    def put_run(self, memory: RunMemory, results: dict[ResultKey, InputRef] | None = None) -> None:
        """Takes in a run, new or from the store."""
        run = memory.run
        known = self.results[run.id] = results or {}
        memory.items = self.items[run.id] = RunItems(memory, known, self.task_ids, self.most_items)
        self.runs[run.id] = memory
        self.names[run.run_id] = run.id
        for attempt_id in (*memory.by_attempt, *memory.overruled):
            self.attempts[attempt_id] = memory
        entry = self.dags.get(run.dag_id)
        if entry is None:
            return
        if run.state is RunState.QUEUED:
            entry.queued[run.id] = memory

    def pin(self, run: int) -> None:
        """Keeps a run in memory although it may be over."""
        self.pins[run] = self.pins.get(run, 0) + 1

    def unpin(self, run: int) -> None:
        """Takes one pin off again."""
        left = self.pins.pop(run, 1) - 1
        if left > 0:
            self.pins[run] = left

    def drop_run(self, run: int) -> None:
        """Forgets a finished run; the store has it."""
        memory = self.runs.pop(run)
        del self.names[memory.run.run_id]
        self.results.pop(run, None)
        self.items.pop(run, None)
        for attempt_id in (*memory.by_attempt, *memory.overruled):
            self.attempts.pop(attempt_id, None)

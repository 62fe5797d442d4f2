"""From the store to memory: at the start, and after a failed commit. Normal work goes on from there."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from engine.execution import port
from engine.execution.port import Executor
from engine.lifecycle.events import Ended, Review
from engine.lifecycle.instructions import derive, run_timeout_at
from engine.lifecycle.memory import RunMemory, restore
from engine.lifecycle.plan import compile_plan
from engine.model.attempt_files import InputRef
from engine.model.dag import DagSpec
from engine.model.moments import SECOND
from engine.model.states import Reason, TaskState
from engine.scheduler import holds, recovering
from engine.scheduler.acting import CALLBACK_SECONDS
from engine.scheduler.backfills import admit
from engine.scheduler.dispatch import CallbackCall, Version
from engine.scheduler.items import DEFAULT_MOST, ResultKey
from engine.scheduler.ledger import Ledger
from engine.scheduler.planner import plan_runs
from engine.scheduler.pools import Pools
from engine.scheduler.state import DagEntry, LiveCallback, State
from engine.scheduler.timers import Timer
from engine.scheduler.turn import Turn
from engine.scheduler.undo import restored
from engine.store.reader import Reader
from engine.store.recovery import ActiveRun, Recovered, load_results, load_run, load_version, recover
from engine.store.stored import StoredResult, StoredVersion
from engine.timetable import timetable_of

if TYPE_CHECKING:
    from engine.scheduler.core import Scheduler

_spec_decoder: msgspec.json.Decoder[DagSpec] = msgspec.json.Decoder(DagSpec)


ReadRun: TypeAlias = tuple[ActiveRun, dict[tuple[str, int], StoredResult], StoredVersion]
"""A run, its results and its DAG version."""


@dataclass(slots=True)
class Loaded:
    """What was read from the store, still as rows."""

    recovered: Recovered
    results: dict[int, dict[tuple[str, int], StoredResult]]


@dataclass(slots=True)
class Report:
    """What a start found: shown after an unclean stop, or of interrupted tasks. Each entry names task instances."""

    adopted: list[str] = field(default_factory=list)
    ended_meanwhile: list[str] = field(default_factory=list)
    interrupted: list[str] = field(default_factory=list)
    never_started: list[str] = field(default_factory=list)


def read(reader: Reader) -> Loaded:
    """Reads the store's active part. Blocking: call it off the loop."""
    with reader.snapshot():
        recovered = recover(reader)
        return Loaded(recovered, {active.run.id: load_results(reader, active.run.id) for active in recovered.runs})


def read_run(reader: Reader, run: int) -> ReadRun:
    """Reads one run, over or not. Blocking. Raises NotFound."""
    with reader.snapshot():
        active = load_run(reader, run)
        return active, load_results(reader, run), load_version(reader, active.run.version_id)


def build(scheduler: Scheduler, loaded: Loaded, slots: int, pools: Pools, most_items: int = DEFAULT_MOST) -> None:
    """Puts memory in place of what was there before."""
    rows = loaded.recovered
    now = pools.with_stored(rows.pools)
    state, ledger = State(), Ledger(slots, now.sizes, now.including)
    state.most_items = most_items
    state.run_ids = itertools.count(rows.heads.run + 1)
    state.task_ids = itertools.count(rows.heads.task_instance + 1)
    state.version_ids = itertools.count(rows.heads.version + 1)
    state.hold_ids = itertools.count(rows.heads.hold + 1)
    state.versions = {key: make_version(stored) for key, stored in rows.versions.items()}
    for dag in rows.dags:
        if dag.current_version is None:
            continue
        stored = rows.versions[dag.current_version]
        entry = DagEntry(dag.dag_id, dag.file, state.versions[stored.id], stored.number, stored.spec_hash)
        entry.broken_since = dag.broken_since
        entry.state = "inactive" if dag.state == "inactive" else "broken" if dag.broken_since else "active"
        entry.timetable = timetable_of(entry.version.spec.schedule)
        if (schedule := rows.schedules.get(dag.dag_id)) is not None:
            entry.next_start, entry.next_run_after = schedule.next_start, schedule.next_run_after
            entry.enabled_at, entry.paused_at = schedule.enabled_at, schedule.paused_at
            entry.paused_by, entry.pause_reason = schedule.paused_by, schedule.pause_reason
            entry.last_start, entry.last_end = schedule.last_start, schedule.last_end
            entry.catchup_until, entry.catchup = schedule.catchup_until, schedule.catchup
        entry.taken = set(rows.taken.get(dag.dag_id, ()))
        if entry.paused_at is not None:
            ledger.dag_paused.add(dag.dag_id)
        if entry.holds_for_repair:
            ledger.dag_broken.add(dag.dag_id)
        state.dags[dag.dag_id] = entry
    state.backfill_ids = itertools.count(rows.last_backfill + 1)
    for active in rows.runs:
        memory = restore(state.versions[active.run.version_id].plan, active.run, active.instances)
        state.put_run(memory, result_refs(scheduler, loaded.results[active.run.id]))
        ledger.restore(memory)
    state.holds = {hold.id: hold for hold in rows.holds}
    holds.apply(state, ledger)
    state.undo = restored(rows.undo)
    state.recovery_ids = itertools.count(rows.last_recovery + 1)
    scheduler.replace(state, ledger)
    for hold in rows.holds:
        holds.watch(scheduler, hold)
    scheduler.breakers.load(rows.breakers)


def make_version(stored: StoredVersion) -> Version:
    """A stored DAG version, compiled."""
    return Version(stored.id, compile_plan(_spec_decoder.decode(stored.spec), stored.id), stored.bundle, stored.number)


def result_refs(scheduler: Scheduler, results: dict[ResultKey, StoredResult]) -> dict[ResultKey, InputRef]:
    """Stored results as inputs of the tasks below."""

    def ref(result: StoredResult) -> InputRef:
        if result.value is None:
            return InputRef(path=str(scheduler.places.result(result.attempt)))
        value: Any = json.loads(result.value)
        return InputRef(value=value)

    return {key: ref(result) for key, result in results.items()}


def resume(scheduler: Scheduler, turn: Turn, loaded: Loaded, executor: Executor, boot_id: str) -> Report:
    """The first turn after loading: looks at every attempt's directory, and goes on from there.

    An attempt that never began is launched (again) by its instruction; one that runs is adopted; one that is over is
    booked; one without evidence is lost, and after a reboot so is one that may have begun.
    """
    report = Report()
    state = scheduler.state
    scheduler.breakers.resume(turn)
    adopt: list[str] = []
    before = loaded.recovered.session
    rebooted = before is not None and before.boot_id not in (None, boot_id)
    for memory in list(state.runs.values()):
        for instance in list(memory.by_id.values()):
            if instance.state is TaskState.SCHEDULED:
                scheduler.admission.offer(memory, instance, turn.now)
            if instance.current is not None:
                name = f"{memory.run.run_id} {instance.task_id}"
                _resume_attempt(scheduler, turn, memory, instance.current.id, name, report, adopt, rebooted)
        for instance in list(memory.by_id.values()):
            if derive(instance, memory):
                turn.touched.setdefault(instance.id, memory)
        if (at := run_timeout_at(memory)) is not None:
            scheduler.timers.add(Timer(at, "run_timeout", memory.run.id, str(memory.run.episode)))
        scheduler.apply(turn, memory, Review())
    _resume_callbacks(scheduler, turn, loaded, executor, adopt)
    if adopt:
        turn.committed.append(lambda _seq: executor.adopt(adopt))
    for stored in loaded.recovered.backfills:
        entry_of = state.dags.get(stored.backfill.dag_id)
        zone = entry_of.version.spec.schedule.timezone if entry_of is not None else "UTC"
        admit(scheduler, stored.backfill, stored.items, zone)
    recovering.resume(scheduler, turn, loaded.recovered.recoveries)
    for entry in state.dags.values():
        plan_runs(scheduler, turn, entry)
        scheduler.starting.start_runs(turn, entry)
    return report


def _resume_attempt(
    scheduler: Scheduler,
    turn: Turn,
    memory: RunMemory,
    attempt_id: str,
    name: str,
    report: Report,
    adopt: list[str],
    rebooted: bool,
) -> None:
    attempt = memory.by_attempt[attempt_id].current
    assert attempt is not None
    match scheduler.executor.survey(attempt_id):
        case port.NeverStarted():
            if attempt.boot_id is None and not rebooted:
                report.never_started.append(name)
                return
            # A claim that a power cut took along looks like none: what may have begun is never started again.
            report.interrupted.append(name)
            _lose(scheduler, turn, memory, attempt_id, rebooted)
        case port.Running():
            report.adopted.append(name)
            adopt.append(attempt_id)
        case port.Finished():
            report.ended_meanwhile.append(name)
            adopt.append(attempt_id)
        case port.Lost():
            report.interrupted.append(name)
            if rebooted:
                _lose(scheduler, turn, memory, attempt_id, rebooted)
            else:
                adopt.append(attempt_id)


def _lose(scheduler: Scheduler, turn: Turn, memory: RunMemory, attempt_id: str, rebooted: bool) -> None:
    scheduler.apply(turn, memory, Ended(attempt_id, None, Reason.REBOOT if rebooted else None))
    scheduler.state.attempts.pop(attempt_id, None)


def _resume_callbacks(scheduler: Scheduler, turn: Turn, loaded: Loaded, executor: Executor, adopt: list[str]) -> None:
    for row in loaded.recovered.callbacks:
        memory = scheduler.state.runs.get(row.run)
        if memory is None:
            continue
        instance = memory.by_id.get(row.task_instance) if row.task_instance is not None else None
        of_task = (instance.task_id, row.error, instance.map_index) if instance else (None, row.error)
        call = CallbackCall(row.id, row.name, *of_task)
        scheduler.state.callbacks[row.id] = LiveCallback(call, row)
        scheduler.state.pin(row.run)
        if isinstance(executor.survey(row.id), port.NeverStarted):
            turn.launched_callbacks.append(row.id)
        else:
            adopt.append(row.id)
            at = (turn.now if row.started_at is None else row.started_at) + CALLBACK_SECONDS * SECOND
            scheduler.timers.add(Timer(at, "callback", 0, row.id))

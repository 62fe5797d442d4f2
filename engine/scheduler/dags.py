"""What a changed DAG file means: new versions, import errors, DAGs that are gone. Nothing else is touched."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

from engine.dagfiles.updates import Broken, FileUpdate, Gone, Loaded
from engine.lifecycle.plan import compile_plan
from engine.model.dag import Commit, DagSpec, ImportFailure
from engine.scheduler.dispatch import Version
from engine.scheduler.planner import catchup_question, plan_runs, put_schedule
from engine.scheduler.state import DagEntry
from engine.scheduler.turn import Turn
from engine.timetable import timetable_of

if TYPE_CHECKING:
    from engine.scheduler.core import Scheduler


PRODUCTION = "it is new, and this home is production: resume it once it has been looked at"


def take_update(scheduler: Scheduler, update: FileUpdate, turn: Turn) -> None:
    """Brings the state in line with one DAG file."""
    turn.batch.add("import_error.doubt", file=update.file)
    match update:
        case Loaded():
            for spec in update.dags:
                _load(scheduler, turn, spec, update.bundle_hash, update.commit)
            for failure in update.failures:
                if failure.dag_id is not None:
                    _mark_broken(scheduler, turn, update.file, failure.dag_id)
            kept = {spec.dag_id for spec in update.dags} | {failure.dag_id for failure in update.failures}
            _retire(scheduler, turn, update.file, kept, "its file no longer defines it")
            _report(turn, update.failures)
        case Broken():
            _mark_broken(scheduler, turn, update.file)
            _report(turn, update.failures)
        case Gone():
            _retire(scheduler, turn, update.file, set(), "its file is gone")
    turn.batch.add("import_error.sweep", file=update.file)
    turn.note("import", reason=type(update).__name__.lower(), detail=update.file)


def _load(scheduler: Scheduler, turn: Turn, spec: DagSpec, bundle: str, commit: Commit | None) -> None:
    state = scheduler.state
    text = json.dumps(asdict(spec), separators=(",", ":"), sort_keys=True)
    spec_hash = hashlib.sha256(f"{bundle}\n{text}".encode()).hexdigest()
    entry = state.dags.get(spec.dag_id)
    if entry is not None and entry.spec_hash == spec_hash:
        if entry.state != "active" or entry.broken_since is not None:
            entry.state, entry.broken_since = "active", None
            _put_dag(scheduler, turn, entry)
            _resume_planning(scheduler, turn, entry)
        if commit is not None and not commit.dirty:
            _put_commit(turn, entry.version, commit)
        return
    number = 1 if entry is None else entry.version_number + 1
    version = Version(next(state.version_ids), compile_plan(spec, 0), bundle, number)
    version.plan = compile_plan(spec, version.id)
    state.versions[version.id] = version
    turn.batch.add(
        "dag_version.add",
        id=version.id,
        dag_id=spec.dag_id,
        number=number,
        bundle=bundle,
        spec_hash=spec_hash,
        spec=text,
        at=turn.now,
    )
    if commit is not None:
        _put_commit(turn, version, commit)
    if entry is None:
        entry = DagEntry(spec.dag_id, spec.file, version, number, spec_hash)
        entry.enabled_at = turn.now
        if spec.paused_upon_creation or scheduler.production:
            who, why = ("dag file", "paused upon creation") if spec.paused_upon_creation else ("engine", PRODUCTION)
            entry.paused_at, entry.paused_by, entry.pause_reason = turn.now, who, why
            scheduler.ledger.dag_paused.add(spec.dag_id)
        state.dags[spec.dag_id] = entry
    else:
        _renew(turn, entry, spec, version, number, spec_hash)
    is_new, entry.timetable = entry.timetable is None and number == 1, timetable_of(spec.schedule)
    if is_new and entry.paused_at is None and (question := catchup_question(entry, turn.now)):
        entry.paused_at, entry.paused_by, entry.pause_reason = turn.now, "engine", question
        scheduler.ledger.dag_paused.add(spec.dag_id)
    _put_dag(scheduler, turn, entry)
    put_schedule(turn, entry)
    turn.note("dag", dag_id=spec.dag_id, reason="version", after=str(number))
    _resume_planning(scheduler, turn, entry)


def _put_commit(turn: Turn, version: Version, commit: Commit) -> None:
    """Notes where a version comes from. What was loaded before it was committed is put right once it has been."""
    turn.batch.add(
        "dag_version.commit",
        id=version.id,
        commit_id=commit.id,
        author=commit.author,
        committed_at=commit.at,
        dirty=int(commit.dirty),
    )


def _renew(turn: Turn, entry: DagEntry, spec: DagSpec, version: Version, number: int, spec_hash: str) -> None:
    """A changed schedule goes on from the end of the last slot: nothing before it is created again.

    A trigger schedule goes on from now, for points of the new one that have passed were never promised. A DAG that had
    no schedule is enabled anew.
    """
    before, after = entry.version.spec.schedule, spec.schedule
    entry.file, entry.version, entry.version_number, entry.spec_hash = spec.file, version, number, spec_hash
    entry.state, entry.broken_since = "active", None
    if before == after:
        return
    entry.catchup = None
    if before.expression is None:
        entry.enabled_at = turn.now
    elif after.kind == "trigger" and not entry.postponed:
        entry.last_start = entry.last_end = max(turn.now, entry.last_start or 0)


def _resume_planning(scheduler: Scheduler, turn: Turn, entry: DagEntry) -> None:
    plan_runs(scheduler, turn, entry)
    scheduler.starting.start_runs(turn, entry)


def _put_dag(scheduler: Scheduler, turn: Turn, entry: DagEntry) -> None:
    spec, held = entry.version.spec, scheduler.ledger.dag_broken
    (held.add if entry.holds_for_repair else held.discard)(entry.dag_id)
    turn.batch.add(
        "dag.put",
        dag_id=entry.dag_id,
        file=entry.file,
        state="inactive" if entry.state == "inactive" else "active",
        current_version=entry.version.id,
        broken_since=entry.broken_since,
        at=turn.now,
        schedule=spec.schedule.expression,
        timezone=spec.schedule.timezone,
        owner=spec.owner,
        tags=json.dumps(spec.tags),
    )
    turn.note("dag", dag_id=entry.dag_id, after=entry.state)


def _mark_broken(scheduler: Scheduler, turn: Turn, file: str, only: str | None = None) -> None:
    """Runs in flight, and by default new ones, use the last good version of the file's DAGs, or of one of them."""
    for entry in scheduler.state.dags.values():
        meant = entry.file == file and only in (None, entry.dag_id)
        if meant and entry.broken_since is None and entry.state != "inactive":
            entry.state, entry.broken_since = "broken", turn.now
            _put_dag(scheduler, turn, entry)


def _retire(scheduler: Scheduler, turn: Turn, file: str, kept: set[str | None], why: str) -> None:
    """DAGs of a file that are no longer in it get no new runs; their history and their runs in flight stay."""
    for entry in scheduler.state.dags.values():
        if entry.file == file and entry.dag_id not in kept and entry.state != "inactive":
            entry.state = "inactive"
            _put_dag(scheduler, turn, entry)
            turn.note("dag", dag_id=entry.dag_id, after="inactive", detail=why)


def _report(turn: Turn, failures: tuple[ImportFailure, ...]) -> None:
    for failure in failures:
        turn.batch.add(
            "import_error.add",
            file=failure.file,
            dag_id=failure.dag_id,
            message=failure.message,
            line=failure.line,
            traceback=failure.traceback,
            at=turn.now,
        )


def post_updates(scheduler: Scheduler, updates: list[FileUpdate]) -> None:
    """Hands what a scan found to the scheduler."""
    for update in updates:
        scheduler.post(partial(take_update, scheduler, update))

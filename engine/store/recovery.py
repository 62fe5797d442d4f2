"""What the engine takes from the store at its start, and when its memory can no longer be trusted."""

from __future__ import annotations

import json
from dataclasses import dataclass

from engine.model.backfill import (
    Backfill,
    BackfillItem,
    BackfillState,
    ItemReason,
    ItemState,
    Order,
    Reprocess,
)
from engine.model.breaker import Breaker
from engine.model.moments import Micros
from engine.model.rows import Attempt, Run, TaskInstance
from engine.model.states import (
    AttemptState,
    FailureClass,
    Outcome,
    Reason,
    RunState,
    RunType,
    TaskState,
)
from engine.store.batch import CallbackRow
from engine.store.errors import NotFound
from engine.store.reader import Reader, Row
from engine.store.reads_inbox import StoredRecovery, last_recovery, open_recoveries
from engine.store.stored import (
    Heads,
    StoredBackfill,
    StoredCommand,
    StoredDag,
    StoredHold,
    StoredPool,
    StoredResult,
    StoredSchedule,
    StoredSession,
    StoredSlot,
    StoredVersion,
)

_TASK_STATES = {state.value: state for state in TaskState}
_REASONS: dict[str | None, Reason | None] = {None: None, **{reason.value: reason for reason in Reason}}


@dataclass(frozen=True, slots=True)
class ActiveRun:
    """A run with its task instances; each carries its unfinished attempt as `current`."""

    run: Run
    instances: list[TaskInstance]


@dataclass(frozen=True, slots=True)
class Recovered:
    """Everything the engine needs to go on, as of event `heads.seq`."""

    heads: Heads
    session: StoredSession | None
    """The engine's life before this one."""
    runs: list[ActiveRun]
    """Runs that are not over, and those that are but still have callbacks to run."""
    versions: dict[int, StoredVersion]
    """Current versions of all DAGs, and the versions of all active runs."""
    dags: list[StoredDag]
    schedules: dict[str, StoredSchedule]
    taken: dict[str, list[Micros]]
    """By DAG, logical dates beyond its schedule's last one for which there is a scheduled or backfill run."""
    backfills: list[StoredBackfill]
    """Those that are not over."""
    last_backfill: int
    pools: list[StoredPool]
    holds: list[StoredHold]
    breakers: list[Breaker]
    recoveries: list[StoredRecovery]
    """Those that are not over."""
    last_recovery: int
    undo: list[str]
    """What can still be taken back, as it was written."""
    unfinished: list[Attempt]
    """All attempts that have not ended, those of `runs` included."""
    callbacks: list[CallbackRow]
    """Callbacks that have not ended."""


def recover(reader: Reader) -> Recovered:
    """Loads the engine's whole working state in one consistent read."""
    with reader.snapshot():
        heads = reader.one("recovery", "heads")
        assert heads is not None
        runs = [load_run(reader, row[0]) for row in reader.all("recovery", "active_run_ids")]
        versions = {row[0]: StoredVersion(*row) for row in reader.all("recovery", "current_versions")}
        for version_id in {active.run.version_id for active in runs} - versions.keys():
            versions[version_id] = load_version(reader, version_id)
        session = reader.one("recovery", "last_session")
        return Recovered(
            heads=Heads(*heads),
            session=StoredSession(*session) if session else None,
            runs=runs,
            versions=versions,
            dags=[StoredDag(*(*row[:-1], json.loads(row[-1]))) for row in reader.all("recovery", "dags")],
            schedules={row[0]: StoredSchedule(*row) for row in reader.all("recovery", "schedules")},
            taken=_taken(reader),
            backfills=[load_backfill(reader, row[0]) for row in reader.all("recovery", "open_backfills")],
            last_backfill=int((reader.one("recovery", "backfill_head") or (0,))[0]),
            pools=[StoredPool(*row) for row in reader.all("recovery", "pools")],
            breakers=[Breaker(*(*row[:-1], json.loads(row[-1]))) for row in reader.all("recovery", "breakers")],
            holds=[StoredHold(*row) for row in reader.all("recovery", "open_holds")],
            recoveries=open_recoveries(reader),
            last_recovery=last_recovery(reader),
            undo=[row[0] for row in reader.all("recovery", "undo")],
            unfinished=[_attempt(row) for row in reader.all("recovery", "unfinished_attempts")],
            callbacks=[CallbackRow(*row) for row in reader.all("recovery", "open_callbacks")],
        )


def _taken(reader: Reader) -> dict[str, list[Micros]]:
    found: dict[str, list[Micros]] = {}
    for dag_id, logical_date in reader.all("recovery", "slots_taken"):
        found.setdefault(dag_id, []).append(logical_date)
    return found


def load_backfill(reader: Reader, backfill: int) -> StoredBackfill:
    """A backfill with its dates. Raises NotFound."""
    with reader.snapshot():
        row = reader.one("recovery", "backfill", {"id": backfill})
        if row is None:
            raise NotFound(f"there is no backfill {backfill}")
        items = [_item(item) for item in reader.all("recovery", "backfill_items", {"id": backfill})]
    return StoredBackfill(_backfill(row), items)


def runs_in_slots(reader: Reader, dag_id: str, low: Micros, high: Micros) -> dict[Micros, StoredSlot]:
    """The scheduled and backfill runs of a DAG with logical dates in [low, high], by date."""
    values = {"dag_id": dag_id, "low": low, "high": high}
    rows = reader.all("recovery", "runs_in_slots", values)
    return {row[0]: StoredSlot(row[1], row[2], RunState(row[3])) for row in rows}


def _backfill(row: Row) -> Backfill:
    made = Backfill(*row)
    made.state, made.order = BackfillState(row[2]), Order(row[5])
    made.reprocess = Reprocess(row[7])
    made.params, made.tasks = json.loads(row[11]), json.loads(row[12])
    made.downstream = bool(row[13])
    return made


def _item(row: Row) -> BackfillItem:
    item = BackfillItem(*row)
    item.state, item.reason = ItemState(row[4]), ItemReason(row[5])
    return item


def load_run(reader: Reader, run: int) -> ActiveRun:
    """A run by its key, active or not, with its instances. Raises NotFound."""
    with reader.snapshot():
        row = reader.one("recovery", "run", {"run": run})
        if row is None:
            raise NotFound(f"there is no run with the key {run}")
        attempts = {a[0]: _attempt(a) for a in reader.all("recovery", "current_attempts", {"run": run})}
        instances = [_instance(ti, attempts) for ti in reader.all("recovery", "instances", {"run": run})]
        config = reader.one("recovery", "run_config", {"run": run})
    found = _run(row)
    if config is not None:
        found.config = json.loads(config[0])
    return ActiveRun(found, instances)


def load_version(reader: Reader, version_id: int) -> StoredVersion:
    """A DAG version by its key. Raises NotFound."""
    row = reader.one("recovery", "version", {"id": version_id})
    if row is None:
        raise NotFound(f"there is no DAG version with the key {version_id}")
    return StoredVersion(*row)


def load_results(reader: Reader, run: int) -> dict[tuple[str, int], StoredResult]:
    """The results of a run by task id and map index: of each instance the newest."""
    rows = reader.all("recovery", "results_of_run", {"run": run})
    return {(row[0], row[1]): StoredResult(*row) for row in rows}


def load_command(reader: Reader, command_id: str) -> StoredCommand | None:
    """A command that has been applied or refused before, or None."""
    row = reader.one("recovery", "command", {"id": command_id})
    if row is None:
        return None
    return StoredCommand(*(*row[:4], json.loads(row[4]), *row[5:]))


def run_key(reader: Reader, run_id: str) -> int | None:
    """The key of a run, by its whole id."""
    row = reader.one("recovery", "run_by_run_id", {"run_id": run_id})
    return int(row[0]) if row else None


def run_before(
    reader: Reader, dag_id: str, logical_date: Micros, run: int
) -> tuple[int, str, Micros, dict[str, str]] | None:
    """The automated run of a DAG that comes before (logical date, key): key, id, logical date, state by task."""
    row = reader.one("recovery", "run_before", {"dag_id": dag_id, "logical_date": logical_date, "run": run})
    if row is None:
        return None
    states = reader.all("recovery", "states_of_tasks", {"run": row[0]})
    return row[0], row[1], row[2], dict(states)


def load_meta(reader: Reader, key: str) -> str | None:
    """A value of the store's `meta` table."""
    row = reader.one("recovery", "meta", {"key": key})
    return str(row[0]) if row else None


def _run(row: Row) -> Run:
    run = Run(*row)
    run.run_type = RunType(row[4])
    run.state = RunState(row[5])
    run.reason = Reason(row[11])
    run.params = json.loads(row[12])
    run.inferred = bool(row[15])
    return run


def _instance(row: Row, attempts: dict[str, Attempt]) -> TaskInstance:
    return TaskInstance(
        id=row[0],
        run=row[1],
        task_id=row[2],
        map_index=row[3],
        state=_TASK_STATES[row[4]],
        reason=_REASONS[row[5]],
        attempt=row[6],
        epoch_start=row[7],
        lost_count=row[8],
        spared=row[9],
        requeues=row[10],
        then=_TASK_STATES[row[11]] if row[11] is not None else None,
        then_reason=_REASONS[row[12]],
        retry_at=row[13],
        scheduled_at=row[14],
        started_at=row[15],
        ended_at=row[16],
        blockers=tuple(json.loads(row[17])) if row[17] else (),
        last_error=row[18],
        changed_seq=row[19],
        current=attempts[row[20]] if row[20] is not None else None,
        retries=row[21],
        failed_keys=row[22],
        decision=tuple(json.loads(row[23])) if row[23] is not None else None,
        forced=bool(row[24]),
    )


def _attempt(row: Row) -> Attempt:
    attempt = Attempt(*row)
    attempt.state = AttemptState(row[3])
    attempt.outcome = Outcome(row[7]) if row[7] is not None else None
    attempt.failure_class = FailureClass(row[8]) if row[8] is not None else None
    attempt.reason = _REASONS[row[9]]
    attempt.counts = bool(row[21])
    return attempt

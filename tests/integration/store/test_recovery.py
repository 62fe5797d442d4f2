"""What the engine reads back equals what it had in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.lifecycle.memory import restore
from engine.lifecycle.validate import problems
from engine.model.rows import Attempt, TaskInstance
from engine.model.states import (
    AttemptState,
    FailureClass,
    Outcome,
    Reason,
    RunState,
    RunType,
    TaskState,
)
from engine.store.batch import Batch, CallbackRow, ResultRow
from engine.store.errors import NotFound
from engine.store.reader import Reader
from engine.store.recovery import (
    load_command,
    load_meta,
    load_results,
    load_run,
    load_version,
    recover,
    run_before,
    run_key,
)
from tests.support.console_store import FilledHome
from tests.support.store import T0, a_command, a_run, a_writer, creation, definition, instances, steps


def test_active_runs_come_back_as_they_were(told: FilledHome, reader: Reader) -> None:
    """Every active run, with all its instances and their unfinished attempts, equals the memory that was lost."""
    found = {active.run.run_id: active for active in recover(reader).runs}
    known = {run_id: memory for run_id, memory in told.runs.items() if memory.unfinished}
    assert found.keys() == known.keys() and len(found) >= 2
    for run_id, memory in known.items():
        assert found[run_id].run == memory.run
        assert {ti.id: ti for ti in found[run_id].instances} == memory.by_id
        assert problems(restore(memory.plan, found[run_id].run, found[run_id].instances)) == []


def test_a_run_that_has_ended_can_be_loaded(told: FilledHome, reader: Reader) -> None:
    """For clearing: an ended run comes back with all its rows; a run that never was is an error."""
    memory = next(memory for memory in told.runs.values() if not memory.unfinished)
    loaded = load_run(reader, memory.run.id)
    assert loaded.run == memory.run
    assert loaded.instances == list(memory.by_id.values())
    with pytest.raises(NotFound, match="no run with the key 99999"):
        load_run(reader, 99_999)


def test_heads_are_the_highest_numbers_given(told: FilledHome, reader: Reader) -> None:
    """New rows are numbered behind the old ones."""
    heads = recover(reader).heads
    assert heads.run == len(told.runs)
    assert heads.task_instance == sum(len(memory.by_id) for memory in told.runs.values())
    assert (heads.version, heads.session, heads.hold) == (5, 1, 0)


def test_versions_dags_and_schedules_come_back(told: FilledHome, reader: Reader) -> None:
    """All DAGs with their current versions, and the pause of the one that is paused."""
    found = recover(reader)
    assert [dag.dag_id for dag in found.dags] == sorted(told.plans)
    assert {version.dag_id for version in found.versions.values()} == set(told.plans)
    assert [key for key, schedule in found.schedules.items() if schedule.paused_at is not None] == ["legacy_export"]
    assert found.session is not None and found.session.ended_at is None
    assert load_version(reader, 1) == found.versions[1]


def full_instance() -> TaskInstance:
    """A task instance with every column set to something of its own."""
    attempt = Attempt(
        "A2", 1, 2, AttemptState.RUNNING, T0 + 1, T0 + 2, None, None, None, Reason.CLAIMED, None, None, "so far", 4711,
        99, "boot", None, 0.5, 1024, 1, None, False,
    )  # fmt: skip
    return TaskInstance(
        1, 1, "t1", -1, TaskState.KILLING, Reason.KILL_REQUESTED, 2, 1, 1, 1, 1, attempt, TaskState.FAILED,
        Reason.KILLED, None, T0 + 3, T0 + 4, T0 + 5, ("pool:db", "hold"), "ValueError: no", ("t2", "t3"), True, 0,
    )  # fmt: skip


async def test_every_column_survives_the_way_to_the_store_and_back(path: Path) -> None:
    """A run, an instance and an attempt with all fields set come back equal, field by field."""
    run = a_run(
        run_type=RunType.BACKFILL,
        params={"env": "dev", "n": [1, None, 2.5]},
        note="why",
        created_by="ops",
        inferred=True,
    )
    run.state, run.reason, run.started_at, run.episode = RunState.RUNNING, Reason.REOPENED, T0 + 9, 3
    ti = full_instance()
    assert ti.current is not None
    first = Attempt(
        "A1", 1, 1, AttemptState.ENDED, T0, T0, T0, Outcome.LOST, FailureClass.INFRASTRUCTURE, Reason.REBOOT, 137, 9,
        "gone", 12, 13, "other", 77, 1.25, 2048, 1, "success", True,
    )  # fmt: skip
    async with a_writer(path) as writer:
        await writer.submit(definition())
        batch = creation(run, [ti])
        assert batch.changes is not None
        batch.changes.new_attempts += [first, ti.current]
        await writer.submit(batch)
    with Reader(path) as reader:
        found = recover(reader)
        assert found.runs[0].run == run
        assert found.runs[0].instances == [ti]
        assert found.unfinished == [ti.current]


async def test_open_callbacks_results_and_commands_come_back(path: Path) -> None:
    """Callbacks that have not ended, the newest result of each instance, and an answered command."""
    async with a_writer(path) as writer:
        await writer.submit(definition())
        (ti,) = instances(1)
        await writer.submit(creation(a_run(run_type=RunType.SCHEDULED), [ti]))
        for batch in steps(ti, "A1"):
            await writer.submit(batch)
        waiting = CallbackRow("C1", 1, "on_failure", "queued", T0, error="ValueError: no")
        over = CallbackRow("C2", 1, "on_success", "ended", T0, outcome="success")
        results = [ResultRow(ti.id, "A0", "1", 1, T0), ResultRow(ti.id, "A1", None, 70_000, T0)]
        command = a_command(id="mine", result={"run_id": "etl@1"})
        await writer.submit(Batch(callbacks=[waiting, over], results=results, command=command))
    with Reader(path) as reader:
        assert recover(reader).callbacks == [waiting]
        result = load_results(reader, 1)["t1", -1]
        assert (result.attempt, result.value, result.bytes) == ("A1", None, 70_000)
        answered = load_command(reader, "mine")
        assert answered is not None and answered.result == {"run_id": "etl@1"}
        assert load_command(reader, "another") is None
        assert (run_key(reader, "etl@1"), run_key(reader, "etl@2")) == (1, None)
        assert load_meta(reader, "nothing") is None


async def test_the_run_before_is_the_nearest_automated_one(path: Path) -> None:
    """By logical date; runs by hand do not count, and its tasks come with their states."""
    async with a_writer(path) as writer:
        await writer.submit(definition())
        for key, at, kind in ((1, T0, RunType.SCHEDULED), (2, T0 + 1, RunType.MANUAL), (3, T0 + 2, RunType.BACKFILL)):
            await writer.submit(creation(a_run(key, logical=at, run_type=kind), instances(1, run=key, first=key)))
    with Reader(path) as reader:
        found = run_before(reader, "etl", T0 + 2, 3)
        assert found is not None
        assert (found[0], found[2], set(found[3].values())) == (1, T0, {"none"})
        assert run_before(reader, "etl", T0, 1) is None
        later = run_before(reader, "etl", T0 + 9, 9)
        assert later is not None and later[0] == 3

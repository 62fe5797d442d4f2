"""The writer: group commit, numbering, guards, checkpoints."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from itertools import islice
from pathlib import Path

import pytest

from engine.lifecycle.changes import Changes
from engine.model.rows import TaskInstance, Transition
from engine.model.states import Reason, RunType, TaskState
from engine.store import transaction
from engine.store.batch import Batch, CallbackRow, ResultRow
from engine.store.encode import Head
from engine.store.errors import CommitFailed, StateDiverged, StoreError
from engine.store.reader import Reader
from engine.store.writer import Writer, _Errand
from tests.support.store import (
    T0,
    a_command,
    a_run,
    a_writer,
    creation,
    definition,
    instances,
    look,
    move,
    steps,
    tamper,
    until,
)


async def test_a_future_is_done_when_its_batch_can_be_read(path: Path) -> None:
    """After the future, any reader sees the rows, and the number it gives is the feed's last."""
    async with a_writer(path) as writer:
        await writer.submit(definition())
        seq = await writer.submit(creation(a_run(), instances(3)))
        assert look(path, "SELECT max(seq) FROM event") == [(seq,)] == [(writer.committed_seq,)]
        assert look(path, "SELECT task_id, dag_id, state FROM task_instance ORDER BY id") == [
            ("t1", "etl", "none"),
            ("t2", "etl", "none"),
            ("t3", "etl", "none"),
        ]


async def test_what_is_queued_goes_into_one_transaction(path: Path) -> None:
    """Batches submitted while nothing is awaited share a commit: all their futures give the same number."""
    commits: list[int] = []
    async with a_writer(path, on_commit=commits.append) as writer:
        await writer.submit(definition())
        gate = threading.Event()
        hold = asyncio.get_running_loop().create_future()
        writer._queue.put(_Errand(lambda: Head(int(gate.wait(10))), hold))
        tasks = instances(50)
        futures = [writer.submit(creation(a_run(), tasks))]
        futures += [writer.submit(move(ti, to=TaskState.SCHEDULED, reason=Reason.UPSTREAM)) for ti in tasks]
        gate.set()
        assert set(await asyncio.gather(*futures)) == {52}
        assert commits == [1, 52]


async def test_rows_are_taken_as_they_are_when_they_are_submitted(path: Path) -> None:
    """Memory may move on at once: each batch writes the state of its own moment, in order."""
    async with a_writer(path) as writer:
        await writer.submit(definition())
        (ti,) = instances(1)
        futures = [writer.submit(creation(a_run(), [ti]))]
        futures += [writer.submit(batch) for batch in steps(ti, "A1")]
        await asyncio.gather(*futures)
    moves = look(path, "SELECT seq, from_state, to_state FROM event WHERE kind = 'task' ORDER BY seq")
    assert moves == [
        (3, "none", "scheduled"),
        (4, "scheduled", "queued"),
        (5, "queued", "running"),
        (6, "running", "success"),
    ]
    assert look(path, "SELECT state, duration, changed_seq, current_attempt FROM task_instance") == [
        ("success", 1_000_000, 6, None)
    ]
    assert look(path, "SELECT id, state, outcome, exit_code FROM attempt") == [("A1", "ended", "success", 0)]


async def test_numbers_go_on_after_a_restart(path: Path) -> None:
    """A new writer goes on behind the last event and the last command of the store."""
    async with a_writer(path) as writer:
        await writer.submit(definition())
        await writer.submit(Batch(command=a_command()))
    async with a_writer(path) as writer:
        assert writer.committed_seq == 2
        await writer.submit(Batch(command=a_command()))
    assert look(path, "SELECT number, applied_seq FROM command ORDER BY number") == [(1, 2), (2, 3)]


async def test_a_row_in_another_state_fails_the_commit(path: Path) -> None:
    """Memory that is wrong about a state writes nothing, and says which rows."""
    failures: list[CommitFailed] = []
    async with a_writer(path, on_failure=failures.append) as writer:
        await writer.submit(definition())
        first, second = instances(2)
        await writer.submit(creation(a_run(), [first, second]))
        first.state = TaskState.RUNNING
        changes = Changes()
        changes.touch_task(first)
        changes.touch_task(second)
        first.state = second.state = TaskState.SCHEDULED
        with pytest.raises(StateDiverged, match="1 of 2 task instance rows are not in the state"):
            await writer.submit(Batch(changes))
        assert [str(failure) for failure in failures] == [str(writer.failure)]
    assert look(path, "SELECT DISTINCT state FROM task_instance") == [("none",)]
    assert look(path, "SELECT max(seq) FROM event") == [(2,)]


async def test_a_command_given_twice_fails_the_commit(path: Path) -> None:
    """The store itself refuses a second row of one command: it cannot take effect twice."""
    async with a_writer(path) as writer:
        await writer.submit(Batch(command=a_command(id="once")))
        with pytest.raises(StateDiverged, match=r"UNIQUE constraint failed: command\.id"):
            await writer.submit(Batch(command=a_command(id="once")))


async def test_a_slot_holds_one_run(path: Path) -> None:
    """Two scheduled runs of one DAG and logical date cannot both be stored; manual ones can."""
    async with a_writer(path) as writer:
        await writer.submit(definition())
        await writer.submit(creation(a_run(1, run_type=RunType.SCHEDULED)))
        await writer.submit(creation(a_run(2, run_type=RunType.MANUAL)))
        with pytest.raises(StateDiverged, match=r"UNIQUE constraint failed: run\.dag_id, run\.logical_date"):
            await writer.submit(creation(a_run(3, run_type=RunType.BACKFILL)))


async def test_named_rows_keep_their_place_between_batches(path: Path) -> None:
    """Clearing a file's import errors, adding one and clearing again leaves none, also within one transaction."""
    clear, add = Batch(), Batch()
    clear.add("import_error.doubt", file="a.py")
    clear.add("import_error.sweep", file="a.py")
    add.add("import_error.add", file="a.py", dag_id=None, message="no", line=1, traceback=None, at=T0)
    async with a_writer(path) as writer:
        await asyncio.gather(writer.submit(clear), writer.submit(add), writer.submit(clear))
        assert look(path, "SELECT count(*) FROM import_error") == [(0,)]
        await asyncio.gather(writer.submit(clear), writer.submit(add))
        assert look(path, "SELECT message FROM import_error") == [("no",)]


async def test_results_and_callbacks_are_kept_with_their_rows(path: Path) -> None:
    """A result stands beside its attempt; a callback's row follows it from queued to ended."""
    async with a_writer(path) as writer:
        await writer.submit(definition())
        (ti,) = instances(1)
        await writer.submit(creation(a_run(), [ti]))
        way = steps(ti, "A1")
        for batch in islice(way, 3):
            await writer.submit(batch)
        last = next(way)
        last.results.append(ResultRow(ti.id, "A1", '{"rows": 1}', 11, T0))
        call = CallbackRow("C1", 1, "on_success", "queued", T0, ti.id, "A1")
        last.callbacks.append(call)
        await writer.submit(last)
        call.state, call.outcome, call.exit_code, call.ended_at = "ended", "success", 0, T0 + 5
        await writer.submit(Batch(callbacks=[call]))
    assert look(path, "SELECT attempt, value, in_file, bytes FROM task_result") == [("A1", '{"rows": 1}', 0, 11)]
    assert look(path, "SELECT state, outcome, exit_code FROM callback") == [("ended", "success", 0)]


async def test_the_audit_cannot_be_edited(path: Path) -> None:
    """A command's row can be neither changed nor deleted; old ones go only behind a recorded boundary."""
    async with a_writer(path) as writer:
        for at in (T0, T0 + 10, T0 + 20):
            await writer.submit(Batch(command=a_command(received_at=at)))
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            tamper(path, "UPDATE command SET user = 'somebody'")
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            tamper(path, "DELETE FROM command WHERE number = 1")
        prune = Batch()
        prune.add("command.prune_mark", before=T0 + 15)
        prune.add("command.prune", before=T0 + 15)
        await writer.submit(prune)
        assert look(path, "SELECT number FROM command") == [(3,)]
        assert look(path, "SELECT value FROM meta WHERE key = 'audit_kept_from'") == [(str(T0 + 15),)]


async def test_pruning_the_feed_keeps_its_last_number(path: Path) -> None:
    """However old, the last event stays, so numbers are never given twice."""
    async with a_writer(path) as writer:
        for at in range(5):
            await writer.submit(Batch(transitions=[Transition("engine", T0 + at, detail=str(at))]))
        prune = Batch()
        prune.add("event.prune", before=T0 + 3, most=1_000)
        await writer.submit(prune)
        assert look(path, "SELECT seq FROM event") == [(4,), (5,)]
        prune = Batch()
        prune.add("event.prune", before=T0 + 1_000, most=1_000)
        await writer.submit(prune)
        assert look(path, "SELECT seq FROM event") == [(5,)]
        assert await writer.submit(Batch(transitions=[Transition("engine", T0)])) == 6


async def test_an_idle_writer_empties_its_log(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second after the last work the write-ahead log is empty again."""
    monkeypatch.setattr("engine.store.writer.IDLE_SECONDS", 0.05)
    async with a_writer(path) as writer:
        await writer.submit(definition())
        await writer.submit(creation(a_run(), instances(500)))
        wal = path.with_name("state.db-wal")
        await until(lambda: wal.stat().st_size == 0)
        assert writer.figures().checkpoint_error is None


async def test_a_busy_writer_checkpoints_as_it_goes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under steady work the log stays near the size at which it is moved to the database."""
    monkeypatch.setattr(transaction, "CHECKPOINT_PAGES", 100)
    async with a_writer(path) as writer:
        await writer.submit(definition())
        tasks = instances(20)
        await writer.submit(creation(a_run(), tasks))
        for step in range(400):
            state = TaskState.SCHEDULED if step % 2 == 0 else TaskState.NONE
            await writer.submit(move(tasks[step % 20], to=state))
            tasks[step % 20].state = state
        figures = writer.figures()
        assert 0 < figures.wal_pages < 400
        assert figures.stuck_pages == 0
    assert look(path, "SELECT count(*) FROM event") == [(402,)]


async def test_a_stalled_reader_shows_in_the_figures_and_stops_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that stays in its snapshot keeps pages in the log: commits go on, the count is shown, and the log is
    emptied once the reader is gone.
    """
    monkeypatch.setattr(transaction, "CHECKPOINT_PAGES", 50)
    monkeypatch.setattr(transaction, "TRUNCATE_PAGES", 100)
    monkeypatch.setattr("engine.store.writer.IDLE_SECONDS", 0.05)
    async with a_writer(path) as writer:
        await writer.submit(definition())
        with Reader(path) as reader:
            with reader.snapshot() as seen:
                for number in range(200):
                    await writer.submit(Batch(transitions=[Transition("engine", T0, detail="x" * number)]))
                assert writer.figures().stuck_pages > 100
                assert reader.one("home", "feed_head") == (seen, 1)
            assert reader.one("home", "feed_head") == (201, 1)
        await until(lambda: writer.figures().wal_pages == 0)
        assert writer.figures().stuck_pages == 0


async def test_a_store_of_another_schema_is_not_written(path: Path) -> None:
    """The writer wants the present schema: upgrading comes first."""
    async with a_writer(path):
        pass
    tamper(path, "PRAGMA user_version = 1")
    with pytest.raises(StoreError, match="was not upgraded first"):
        await Writer(path).open()


async def test_closing_commits_what_is_queued(path: Path) -> None:
    """An orderly end writes everything that was submitted, leaves no log behind and takes nothing more."""
    async with a_writer(path) as writer:
        futures = [writer.submit(Batch(transitions=[Transition("engine", T0)])) for _ in range(100)]
        await writer.close()
        assert max(await asyncio.gather(*futures)) == 100
        with pytest.raises(CommitFailed, match="closed"):
            writer.submit(Batch())
    assert not path.with_name("state.db-wal").exists()
    assert look(path, "SELECT count(*) FROM event") == [(100,)]


async def test_a_large_run_is_written_at_once(path: Path) -> None:
    """Ten thousand task instances come with one event, in one transaction."""
    async with a_writer(path) as writer:
        await writer.submit(definition())
        tasks: list[TaskInstance] = instances(10_000)
        assert await writer.submit(creation(a_run(), tasks)) == 2
    assert look(path, "SELECT count(*), min(changed_seq), max(changed_seq) FROM task_instance") == [(10_000, 2, 2)]


async def test_an_import_error_that_is_reported_again_keeps_its_moment(path: Path) -> None:
    """Since when it stands does not depend on who looked last; another error of the file is new."""
    async with a_writer(path) as writer:
        for at, messages in ((T0, ["no"]), (T0 + 5, ["no", "neither"]), (T0 + 9, ["neither"])):
            batch = Batch()
            batch.add("import_error.doubt", file="a.py")
            for message in messages:
                batch.add("import_error.add", file="a.py", dag_id=None, message=message, line=1, traceback=None, at=at)
            batch.add("import_error.sweep", file="a.py")
            await writer.submit(batch)
    assert look(path, "SELECT message, at, doubted FROM import_error") == [("neither", T0 + 5, 0)]

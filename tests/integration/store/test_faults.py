"""Disks that are full or broken: nothing is told that is not true, and work goes on when the disk does."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.model.rows import Transition
from engine.model.states import Reason, TaskState
from engine.store.batch import Batch
from engine.store.connection import connect_writer
from engine.store.errors import CommitFailed
from engine.store.reader import Reader
from engine.store.recovery import recover
from engine.store.writer import _STOP, Writer
from tests.support.store import T0, a_run, a_writer, creation, definition, faulty, instances, look, move, until


def note(detail: str = "") -> Batch:
    """A batch of one event."""
    return Batch(transitions=[Transition("engine", T0, detail=detail)])


def sequence(path: Path) -> list[int]:
    """The numbers of all events."""
    return [seq for (seq,) in look(path, "SELECT seq FROM event ORDER BY seq")]


async def outcomes(futures: list[asyncio.Future[int]]) -> list[int | str]:
    """What became of each: the number it gave, or the kind of its failure."""
    found = await asyncio.gather(*futures, return_exceptions=True)
    return [result if isinstance(result, int) else type(result).__name__ for result in found]


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """The kernel refuses to let any file of this process grow beyond `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def recovered(writer: Writer, path: Path) -> int:
    """What the engine does after a failure, once the disk is well: probe, reload, go on; the store's last event."""
    seq = await writer.probe()
    with Reader(path) as reader:
        assert recover(reader).heads.seq == seq
    writer.reset()
    return seq


@pytest.mark.parametrize("error", ["SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_FSYNC"])
async def test_a_failed_commit_fails_what_is_behind_it_and_nothing_is_half_true(path: Path, error: str) -> None:
    """The batch, everything queued behind it and everything submitted later fail until memory has been reloaded; then
    the numbering goes on without a gap.
    """
    faults, connect = faulty()
    failures: list[CommitFailed] = []
    async with a_writer(path, connect=connect, on_failure=failures.append) as writer:
        await writer.submit(definition())
        faults["COMMIT"] = error
        tasks = instances(3)
        futures = [writer.submit(creation(a_run(), tasks)), writer.submit(move(tasks[0], to=TaskState.SCHEDULED))]
        assert await outcomes(futures) == ["CommitFailed", "CommitFailed"]
        with pytest.raises(CommitFailed, match="takes no changes"):
            writer.submit(note())
        assert [str(failure) for failure in failures] == [str(writer.failure)]
        with pytest.raises(CommitFailed):
            await writer.probe()
        with pytest.raises(RuntimeError, match="not been probed"):
            writer.reset()
        assert look(path, "SELECT count(*) FROM run") == [(0,)]
        faults.clear()
        assert await recovered(writer, path) == 1
        assert await outcomes([writer.submit(creation(a_run(), instances(3)))]) == [2]
    assert sequence(path) == [1, 2]


@pytest.mark.parametrize("moment", ["BEGIN", "INSERT"])
async def test_a_fault_at_any_moment_of_a_transaction_is_a_failed_commit(path: Path, moment: str) -> None:
    """It does not matter which statement meets the bad disk."""
    faults, connect = faulty()
    async with a_writer(path, connect=connect) as writer:
        await writer.submit(note("first"))
        faults[moment] = "SQLITE_IOERR"
        batch = note("second")
        batch.add(
            "pool.put", name="db", slots=4, description=None, configured=None, include_deferred=0, configured_deferred=0
        )
        assert await outcomes([writer.submit(batch)]) == ["CommitFailed"]
        faults.clear()
        await recovered(writer, path)
        await writer.submit(note("third"))
    assert look(path, "SELECT seq, detail FROM event") == [(1, "first"), (2, "third")]
    assert look(path, "SELECT count(*) FROM pool") == [(0,)]


async def test_a_full_disk_is_survived(path: Path) -> None:
    """SQLite's own `database or disk is full` degrades the writer; with room again it goes on, nothing acknowledged is
    lost and the file is sound.
    """
    room = {"pages": 0}

    def connect(where: Path) -> sqlite3.Connection:
        connection = connect_writer(where)
        if room["pages"]:
            connection.execute(f"PRAGMA max_page_count = {room['pages']}")
        return connection

    async with a_writer(path) as writer:
        await writer.submit(note("before"))
    room["pages"] = int(look(path, "PRAGMA page_count")[0][0]) + 8
    async with a_writer(path, connect=connect) as writer:
        told = []
        with pytest.raises(CommitFailed, match="disk is full"):
            for number in range(1000):
                told.append(await writer.submit(note(f"{number}" * 500)))
        assert 0 < len(told) < 1000
        assert sequence(path) == [1, *told]
        room["pages"] += 10_000
        await recovered(writer, path)
        assert await writer.submit(note("after")) == told[-1] + 1
    assert sequence(path) == list(range(1, told[-1] + 2))
    assert look(path, "PRAGMA integrity_check") == [("ok",)]


async def test_a_write_that_the_kernel_refuses_is_survived(path: Path) -> None:
    """When the log may not grow, the commit fails and is told so; when it may again, work goes on."""
    async with a_writer(path) as writer:
        await writer.submit(note("before"))
        with files_no_larger_than(path.with_name("state.db-wal").stat().st_size + 5_000):
            assert await outcomes([writer.submit(note("x" * 100_000)), writer.submit(note())]) == [
                "CommitFailed",
                "CommitFailed",
            ]
            with pytest.raises(CommitFailed):
                writer.submit(note())
        await recovered(writer, path)
        assert await writer.submit(note("after")) == 2
    assert look(path, "SELECT detail FROM event") == [("before",), ("after",)]
    assert look(path, "PRAGMA integrity_check") == [("ok",)]


async def test_a_failing_checkpoint_is_told_and_stops_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log cannot be moved: commits are still durable, the figures say what is wrong, and later it is moved."""
    monkeypatch.setattr("engine.store.transaction.CHECKPOINT_PAGES", 20)
    faults, connect = faulty()
    async with a_writer(path, connect=connect) as writer:
        faults["PRAGMA"] = "SQLITE_IOERR_WRITE"
        for _ in range(20):
            await writer.submit(note())
        await writer.submit(note())
        assert writer.figures().checkpoint_error == "SQLITE_IOERR_WRITE: disk I/O error"
        faults.clear()
        for _ in range(20):
            await writer.submit(note())
        assert writer.figures().checkpoint_error is None
    assert len(sequence(path)) == 41


async def test_wrong_memory_is_cured_by_reloading(path: Path) -> None:
    """After a diverged row the same writer goes on with reloaded memory, numbered from the store."""
    async with a_writer(path) as writer:
        await writer.submit(definition())
        (ti,) = instances(1)
        await writer.submit(creation(a_run(), [ti]))
        ti.state = TaskState.RUNNING
        futures = [writer.submit(move(ti, to=TaskState.SUCCESS)) for _ in range(3)]
        assert await outcomes(futures) == ["StateDiverged"] * 3
        await recovered(writer, path)
        with Reader(path) as reader:
            (active,) = recover(reader).runs
        assert await writer.submit(move(*active.instances, to=TaskState.SCHEDULED, reason=Reason.UPSTREAM)) == 3
    assert sequence(path) == [1, 2, 3]


async def test_many_faults_leave_one_unbroken_feed(path: Path) -> None:
    """Whatever fails and however often, what was acknowledged is in the store, nothing else is, and no number lacks."""
    faults, connect = faulty()
    told: list[str] = []
    async with a_writer(path, connect=connect) as writer:
        for step in range(30):
            if step % 3 == 1:
                faults["COMMIT"] = "SQLITE_IOERR_WRITE"
            names = [f"{step}.{part}" for part in range(4)]
            done = await outcomes([writer.submit(note(name)) for name in names])
            told += [name for name, result in zip(names, done, strict=True) if isinstance(result, int)]
            if writer.failure is not None:
                faults.clear()
                await recovered(writer, path)
    assert [detail for (detail,) in look(path, "SELECT detail FROM event ORDER BY seq")] == told
    assert sequence(path) == list(range(1, len(told) + 1))
    assert len(told) == 80


async def test_a_value_that_sqlite_cannot_hold_fails_its_commit_alone(path: Path) -> None:
    """A number beyond 64 bits is a failed commit like any other: told, rolled back, and the writer can go on."""
    async with a_writer(path) as writer:
        batch = note("too much")
        batch.add(
            "pool.put",
            name="db",
            slots=2**70,
            description=None,
            configured=None,
            include_deferred=0,
            configured_deferred=0,
        )
        with pytest.raises(CommitFailed, match="OverflowError"):
            await writer.submit(batch)
        await recovered(writer, path)
        await writer.submit(note("enough"))
    assert look(path, "SELECT seq, detail FROM event") == [(1, "enough")]


async def test_text_that_is_not_unicode_is_stored_readably(path: Path) -> None:
    """Bytes of a file name or a traceback that were no UTF-8 arrive as escapes, wherever they stand."""
    async with a_writer(path) as writer:
        batch = note("caf\udce9")
        batch.add("import_error.add", file="caf\udce9.py", dag_id=None, message="\ud800", line=1, traceback=None, at=T0)
        await writer.submit(batch)
    assert look(path, "SELECT detail FROM event") == [("caf\\udce9",)]
    assert look(path, "SELECT file, message FROM import_error") == [("caf\\udce9.py", "\\ud800")]


async def test_the_writers_thread_outlives_what_nobody_expected(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error outside of any commit degrades the writer and is told; it does not leave batches waiting for ever."""
    failures: list[CommitFailed] = []
    async with a_writer(path, on_failure=failures.append) as writer:
        with monkeypatch.context() as patched:
            patched.setattr(writer._committer, "checkpoint_if_due", lambda: 1 // 0)
            assert await writer.submit(note("first")) == 1
            await until(lambda: bool(failures))
        assert "ZeroDivisionError" in str(failures[0])
        await recovered(writer, path)
        assert await writer.submit(note("second")) == 2


@pytest.mark.parametrize("behind", ["a look at the files", "the word to stop"])
async def test_what_is_queued_behind_a_checkpoint_that_fails_is_done_all_the_same(
    path: Path, monkeypatch: pytest.MonkeyPatch, behind: str
) -> None:
    """What was taken from the queue together with a batch is not lost when something fails between the two: whoever
    asked for it would wait for ever.
    """
    begun, go_on = threading.Event(), threading.Event()

    def checkpoint() -> None:
        if begun.is_set():
            raise OSError("somebody removed the store")
        begun.set()
        go_on.wait(5)

    async with a_writer(path) as writer:
        monkeypatch.setattr(writer._committer, "checkpoint_if_due", checkpoint)
        writer.submit(note("keeps the thread busy"))
        await asyncio.to_thread(begun.wait, 5)
        committed = writer.submit(note("fails behind its commit"))
        waits = asyncio.ensure_future(writer.inspect() if behind == "a look at the files" else writer.close())
        await asyncio.sleep(0)
        go_on.set()
        assert await committed == 2
        done, _ = await asyncio.wait([waits], timeout=5)
        writer._queue.put(_STOP)  # so that a writer which lost the word ends all the same
        assert done == {waits}

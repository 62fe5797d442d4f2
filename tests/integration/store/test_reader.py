"""Readers: consistent, harmless, and clear about what is wrong."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from engine.model.rows import Transition
from engine.store import reads_home, reads_overview
from engine.store.batch import Batch
from engine.store.errors import (
    StoreBusy,
    StoreDamaged,
    StoreError,
    StoreForeign,
    StoreMissing,
    StoreTooNew,
    StoreUnreadable,
)
from engine.store.migrations import open_store
from engine.store.reader import Reader
from engine.version import SCHEMA
from tests.support.store import T0, a_writer, definition, look, tamper

ENGINE = """
import asyncio, sys
from pathlib import Path
from tests.support.store import a_writer, definition

async def main():
    async with a_writer(Path(sys.argv[1])) as writer:
        await writer.submit(definition())
        print("ready", flush=True)
        sys.stdin.read()

asyncio.run(main())
"""


def engine(path: Path) -> subprocess.Popen[str]:
    """Another process that has the store open for writing; it has committed one DAG when this returns."""
    process = subprocess.Popen(
        [sys.executable, "-c", ENGINE, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def dag_ids(path: Path) -> list[str]:
    """What a fresh reader sees."""
    with Reader(path) as reader:
        return [line.dag_id for line in reads_overview.dags(reader)]


def test_the_store_can_be_read_with_the_engine_up_stopped_and_killed(path: Path) -> None:
    """A reader sees every commit while the engine runs, after its orderly end, and after its death."""
    first = engine(path)
    assert dag_ids(path) == ["etl"]
    first.communicate("", timeout=40)
    assert not path.with_name("state.db-wal").exists()
    assert dag_ids(path) == ["etl"]
    path.unlink()
    second = engine(path)
    os.kill(second.pid, signal.SIGKILL)
    second.communicate(timeout=40)
    assert path.with_name("state.db-wal").stat().st_size > 0
    assert dag_ids(path) == ["etl"]


async def test_a_reader_that_leaves_takes_nothing_away(path: Path) -> None:
    """Readers come and go while the engine commits: its log stays, and every commit with it."""
    async with a_writer(path) as writer:
        await writer.submit(definition())
        for number in range(20):
            assert dag_ids(path) == ["etl"]
            assert await writer.submit(Batch(transitions=[Transition("engine", T0)])) == number + 2
        code = f"import sqlite3; sqlite3.connect('file:{path}?mode=ro', uri=True).execute('SELECT 1 FROM dag').close()"
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
        assert await process.wait() == 0
        assert await writer.submit(Batch(transitions=[Transition("engine", T0)])) == 22
    assert look(path, "SELECT count(*) FROM event") == [(22,)]


async def test_a_snapshot_is_one_moment(path: Path) -> None:
    """Reads within a snapshot see none of what is committed meanwhile; the next snapshot sees all of it."""
    async with a_writer(path) as writer:
        with Reader(path) as reader:
            with reader.snapshot() as before:
                await writer.submit(definition())
                assert (before, reads_overview.dags(reader)) == (0, [])
                with reader.snapshot() as inner:
                    assert inner == before
            with reader.snapshot() as after:
                assert (after, len(reads_overview.dags(reader))) == (1, 1)


def test_a_reader_cannot_write(path: Path) -> None:
    """Whatever it is asked, its connection changes nothing."""
    open_store(path)
    with Reader(path) as reader, pytest.raises(StoreError, match="READONLY"):
        reader.select(
            "INSERT INTO pool (name, slots, include_deferred, configured_deferred) VALUES ('db', 1, 0, 0) RETURNING 1"
        )


@pytest.mark.parametrize("name", ["a?b#c%41", "\x1b[1m [bold]", os.fsdecode(b"\xff\xc3")])
def test_a_home_may_have_any_name_that_a_folder_can_have(path: Path, name: str) -> None:
    """Also one with signs that addresses give a meaning, or with bytes that are no text."""
    elsewhere = path.with_name(name) / "state.db"
    elsewhere.parent.mkdir()
    open_store(elsewhere)
    assert dag_ids(elsewhere) == []


def test_a_missing_store_is_called_missing(path: Path) -> None:
    """No file is made, and the words say what to do."""
    with pytest.raises(StoreMissing, match=r"there is no store here.*dagdeck init"):
        Reader(path)
    assert not path.exists()


def test_an_empty_file_is_a_store_that_is_not_made_yet(path: Path) -> None:
    """Between the file's making and its first transaction a reader is told to wait."""
    path.touch()
    with pytest.raises(StoreMissing, match="has not made its tables yet"):
        Reader(path)


def test_another_programs_database_is_not_read(path: Path) -> None:
    """A file that is not ours is named as such."""
    tamper(path, "CREATE TABLE theirs (a)")
    with pytest.raises(StoreForeign, match="another program"):
        Reader(path)


def test_a_later_minor_schema_can_be_read_and_a_later_major_cannot(path: Path) -> None:
    """A minor only adds; after a major, this program has to be restarted."""
    open_store(path)
    tamper(path, f"PRAGMA user_version = {SCHEMA + 1}")
    assert dag_ids(path) == []
    tamper(path, f"PRAGMA user_version = {SCHEMA + 1000}")
    with pytest.raises(StoreTooNew, match="restart this program"):
        Reader(path)


def test_a_store_whose_log_cannot_be_shared_is_explained(path: Path) -> None:
    """Where SQLite cannot make its files beside the store (here a link is in the way), the words say so."""
    open_store(path)
    path.with_name("state.db-shm").symlink_to("/nowhere/at/all")
    with pytest.raises(StoreUnreadable, match=r"write state\.db-wal and state\.db-shm beside it"):
        Reader(path)


def test_a_store_held_by_somebody_is_busy(path: Path) -> None:
    """A reader waits a quarter of a second, then says that it could not read; nothing hangs."""
    open_store(path)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(StoreBusy, match="try again"):
            Reader(path)
    finally:
        holder.close()
    assert dag_ids(path) == []


def test_a_restored_store_is_noticed(path: Path, tmp_path: Path) -> None:
    """When the file at the path becomes another one, the next read is of that one."""
    open_store(path)
    other = tmp_path / "other.db"
    open_store(other)
    tamper(other, "INSERT INTO event (seq, at, kind) VALUES (7, 0, 'engine')", "PRAGMA wal_checkpoint(TRUNCATE)")
    with Reader(path) as reader:
        assert reader.one("home", "feed_head") == (0, 0)
        other.rename(path)
        assert reader.one("home", "feed_head") == (7, 7)


def test_a_damaged_store_is_an_error_and_no_crash(tmp_path: Path) -> None:
    """Whichever page is overwritten, reading ends in an answer or in a StoreError that says so."""
    sound = tmp_path / "sound.db"
    open_store(sound)
    tamper(
        sound,
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
        " INSERT INTO event (seq, at, kind, dag_id) SELECT i, i, 'engine', 'etl' FROM n",
        "PRAGMA wal_checkpoint(TRUNCATE)",
    )
    size = sound.stat().st_size
    damaged = 0
    for number, place in enumerate([0, 20, 60, 100, *range(4096, size, 4096)]):
        copy = tmp_path / f"copy{number}.db"
        shutil.copyfile(sound, copy)
        with copy.open("r+b") as file:
            file.seek(place)
            file.write(b"\xff" * 40)
        try:
            with Reader(copy) as reader:
                reader.all("home", "events_after", {"seq": 0, "count": 5000})
                reads_overview.dags(reader)
        except StoreError as error:
            damaged += isinstance(error, StoreDamaged)
            assert copy.name in str(error)
    assert damaged > 5


def test_an_empty_file_that_is_held_is_called_empty(tmp_path: Path) -> None:
    """A store that was cut to nothing under its engine is not merely busy: trying again would not help."""
    path = tmp_path / "state.db"
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(StoreBusy, match="the file is empty, and held"):
            Reader(path)
    finally:
        holder.close()


def test_a_truncated_store_is_an_error_and_no_crash(tmp_path: Path) -> None:
    """Cut at any page, the store is refused or read as far as it goes."""
    sound = tmp_path / "sound.db"
    open_store(sound)
    for pages in range(1, sound.stat().st_size // 4096, 7):
        copy = tmp_path / f"cut{pages}.db"
        shutil.copyfile(sound, copy)
        os.truncate(copy, pages * 4096 - 100)
        with pytest.raises(StoreError, match=copy.name), Reader(copy) as reader:
            reads_overview.dags(reader)
            reads_overview.totals(reader)
            reader.all("home", "events_after", {"seq": 0, "count": 200})
            reads_home.commands(reader)
            reads_home.pools(reader)
            reads_home.holds(reader)

"""Making, upgrading and refusing stores."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from engine.store.connection import APPLICATION_ID, connect_writer
from engine.store.errors import StoreDamaged, StoreError, StoreForeign, StoreTooNew
from engine.store.migrations import open_store
from engine.store.seal import seal
from engine.store.sql import script
from engine.version import SCHEMA
from tests.support.store import look, tamper


def test_a_fresh_store_is_marked_and_has_its_tables(path: Path) -> None:
    """A new file carries the application's id, the schema's number and the write-ahead log."""
    open_store(path)
    assert look(path, "PRAGMA application_id") == [(APPLICATION_ID,)]
    assert look(path, "PRAGMA user_version") == [(SCHEMA,)]
    assert look(path, "PRAGMA journal_mode") == [("wal",)]
    assert look(path, "SELECT count(*) FROM task_instance") == [(0,)]


def test_opening_again_changes_nothing(path: Path) -> None:
    """Migrations that have been made are not made again."""
    open_store(path)
    before = look(path, "SELECT name, sql FROM sqlite_master ORDER BY name")
    made = look(path, "SELECT name, applied_at FROM _sqlite_migrations")
    open_store(path)
    assert look(path, "SELECT name, sql FROM sqlite_master ORDER BY name") == before
    assert look(path, "SELECT name, applied_at FROM _sqlite_migrations") == made


def test_every_table_is_strict(path: Path) -> None:
    """No table of ours takes text where a number belongs."""
    open_store(path)
    loose = look(path, "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND NOT strict")
    assert {name for (name,) in loose} <= {"_sqlite_migrations", "sqlite_schema"}
    with pytest.raises(sqlite3.IntegrityError, match="cannot store TEXT value in INTEGER column"):
        tamper(
            path, "INSERT INTO pool (name, slots, include_deferred, configured_deferred) VALUES ('db', 'four', 0, 0)"
        )


def test_the_writers_connection_is_durable_and_careful(path: Path) -> None:
    """It commits with full synchronisation, checks references and cells, and never checkpoints by itself."""
    open_store(path)
    connection = connect_writer(path)
    wanted = {
        "synchronous": 2, "foreign_keys": 1, "trusted_schema": 0, "cell_size_check": 1, "mmap_size": 0,
        "wal_autocheckpoint": 0, "journal_size_limit": 64 * 1024 * 1024, "journal_mode": "wal",
    }  # fmt: skip
    found = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in wanted}
    connection.close()
    assert found == wanted


@pytest.mark.parametrize("schema", [SCHEMA + 1, SCHEMA + 1000])
def test_a_newer_store_is_refused_and_left_alone(path: Path, schema: int) -> None:
    """An engine never writes to a store of a later schema, minor or major, and says what to do."""
    open_store(path)
    tamper(path, f"PRAGMA user_version = {schema}")
    with pytest.raises(StoreTooNew, match=f"schema {schema}"):
        open_store(path)
    tamper(path, f"PRAGMA user_version = {SCHEMA}")
    open_store(path)


def test_another_programs_database_is_refused_and_left_alone(path: Path) -> None:
    """A database without our mark is not touched: not even its journal mode changes."""
    tamper(path, "CREATE TABLE theirs (a)")
    with pytest.raises(StoreForeign, match="another program"):
        open_store(path)
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]
    connection.close()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """Garbage is called damaged, in words that name the file."""
    garbage = tmp_path / "garbage"
    garbage.write_bytes(b"This is not a database, by far. " * 200)
    with pytest.raises(StoreDamaged, match="garbage: the store is damaged"):
        open_store(garbage)


def test_a_folder_in_the_stores_place_is_refused(path: Path) -> None:
    """What SQLite could not even open is named for what it is."""
    path.mkdir()
    with pytest.raises(StoreForeign, match="a folder stands where the store should be"):
        open_store(path)


def break_an_index(path: Path) -> None:
    """Damage that is met by a check, and by nothing that only opens the store."""
    tamper(
        path,
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master WHERE name = 'run')"
        " WHERE name = 'run_of_dag'",
    )


def test_a_store_is_checked_unless_it_is_sealed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged index is found when no engine sealed the store at its orderly stop, or somebody wrote to it since.
    Where only the process died, a large store is not read whole: that saves the time.
    """
    open_store(path)
    tamper(path, "INSERT INTO engine_session (id, started_at, last_seen_at, boot_id) VALUES (1, 0, 0, 'this boot')")
    seal(path)
    break_an_index(path)
    for boot in (None, "another boot", "this boot"):
        with pytest.raises(StoreDamaged, match="the store is damaged"):
            open_store(path, boot)
    with monkeypatch.context() as patched:
        patched.setattr("engine.store.migrations.LARGE_STORE", 0)
        open_store(path, "this boot")
    seal(path)
    open_store(path)
    with pytest.raises(StoreDamaged, match="the store is damaged"):
        open_store(path)


def test_a_large_store_that_was_cut_is_found_all_the_same(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However large it is, a file that is shorter than it says is damaged."""
    monkeypatch.setattr("engine.store.migrations.LARGE_STORE", 0)
    open_store(path)
    tamper(path, "INSERT INTO engine_session (id, started_at, last_seen_at, boot_id) VALUES (1, 0, 0, 'this boot')")
    os.truncate(path, path.stat().st_size - 4096)
    with pytest.raises(StoreDamaged, match="the store is damaged"):
        open_store(path, "this boot")


def test_a_failed_upgrade_leaves_the_file_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The schema is made in one transaction: an error in it leaves an empty store, which opens later."""
    broken = script("schema_1000") + "\nCREATE TABLE run (again INTEGER);\n"
    with monkeypatch.context() as patched:
        patched.setattr("engine.store.migrations.script", lambda _: broken)
        with pytest.raises(StoreError, match="already exists"):
            open_store(path)
    assert look(path, "SELECT count(*) FROM sqlite_master") == [(0,)]
    open_store(path)
    assert look(path, "PRAGMA user_version") == [(SCHEMA,)]


def test_readers_load_no_migrations() -> None:
    """A console's way to the store loads neither sqlite-utils nor networkx."""
    code = (
        "import sys, engine.store.reader, engine.store.reads_overview, engine.store.reads_run, engine.store.reads_home,"
        " engine.store.resolve; print([m for m in ('sqlite_utils', 'networkx', 'asyncio') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_engine_on_a_store_of_today_loads_no_migrations(path: Path) -> None:
    """sqlite-utils is for upgrades: a start without one neither waits for it nor carries it."""
    open_store(path)
    code = (
        "import pathlib, sys; from engine.store.migrations import open_store; open_store(pathlib.Path(sys.argv[1]));"
        " print('sqlite_utils' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

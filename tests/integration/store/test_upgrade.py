"""Upgrades of stores that hold something: saved first, all or nothing, and killed at any point."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

import engine.store.migrations as migrations
from engine.store.copying import diagnose
from engine.store.errors import StoreError
from engine.store.migrations import open_store
from engine.version import SCHEMA
from tests.support.console_store import FilledHome
from tests.support.later_schema import LATER, schema_later
from tests.support.source import PROJECT
from tests.support.store import look

POINTS = 30


@pytest.fixture
def upgraded(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process knows one migration more than the present version."""
    monkeypatch.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, schema_later))
    for module in ("migrations", "connection", "copying"):
        monkeypatch.setattr(f"engine.store.{module}.SCHEMA", LATER)


@pytest.fixture
def full(told: FilledHome, tmp_path: Path) -> Path:
    """A store with a history, on a file of the test's own."""
    path, source = tmp_path / "state.db", told.home.database
    shutil.copy(source, path)
    return path


@pytest.mark.usefixtures("upgraded")
def test_an_upgrade_keeps_every_row_and_saves_the_store_first(full: Path) -> None:
    """Nothing is lost, the schema is the later one, and what was before stands beside it, sound."""
    before = {name: look(full, f"SELECT * FROM {name}") for name in ("run", "task_instance", "attempt", "event")}
    open_store(full)
    assert look(full, "PRAGMA user_version") == [(LATER,)]
    assert {name: look(full, f"SELECT * FROM {name}") for name in before} == before
    saved = full.parent / "backups" / f"state-schema-{SCHEMA}.db"
    found = diagnose(saved)
    assert (found.kind, found.schema) == ("older", SCHEMA)
    assert saved.stat().st_mode & 0o777 == 0o600
    open_store(full)
    assert list(saved.parent.iterdir()) == [saved]


@pytest.mark.usefixtures("upgraded")
def test_without_a_backup_there_is_no_upgrade(full: Path) -> None:
    """Where the copy cannot be made, the store stays as it is, and the reason is told."""
    (full.parent / "backups").write_text("")
    with pytest.raises(OSError, match="backups"):
        open_store(full)
    (full.parent / "backups").unlink()
    (full.parent / "backups").symlink_to(full.parent / "nowhere")
    with pytest.raises((StoreError, OSError)):
        open_store(full)
    assert look(full, "PRAGMA user_version") == [(SCHEMA,)]


def test_a_later_store_is_refused_in_a_sentence_that_helps(full: Path) -> None:
    """The version before says which schema it met, which it knows, and what to do; the file stays as it is."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(migrations, "MIGRATIONS", (*migrations.MIGRATIONS, schema_later))
        for module in ("migrations", "connection", "copying"):
            patched.setattr(f"engine.store.{module}.SCHEMA", LATER)
        open_store(full)
    with pytest.raises(StoreError, match=f"schema {LATER}, this engine knows {SCHEMA}.*newer version of dagdeck"):
        open_store(full)
    assert look(full, "PRAGMA user_version") == [(LATER,)]


def test_an_upgrade_that_is_killed_leaves_the_old_or_the_new(full: Path, tmp_path: Path) -> None:
    """Killed at points all along the way, the store is sound and of one schema or the other, and the next start ends
    the upgrade.
    """
    folder = tmp_path / "killed"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.later_schema", str(full), str(folder), str(POINTS)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == POINTS
    assert all(each["sound"] for each in found)
    assert {(each["schema"], each["colours"]) for each in found} <= {(SCHEMA, 0), (LATER, 1)}
    assert sum(each["killed"] for each in found) >= POINTS // 2
    assert {look(path / "state.db", "PRAGMA user_version")[0][0] for path in folder.iterdir()} == {LATER}


@pytest.mark.parametrize("point", ["store.before_upgrade", "store.after_upgrade"])
def test_a_kill_beside_the_commit_is_one_or_the_other(full: Path, point: str) -> None:
    """Just before the commit it is the old schema, just after it the new one."""
    code = (
        "import pathlib, sys; from tests.support import later_schema; later_schema.install();"
        "later_schema.migrations.open_store(pathlib.Path(sys.argv[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(full)],
        cwd=PROJECT,
        env={**os.environ, "DAGDECK_FAILPOINT": point},
        check=False,
    )
    assert done.returncode == -9
    assert look_schema(full) == (SCHEMA if "before" in point else LATER)


def look_schema(path: Path) -> int:
    """The schema number, whatever this process knows."""
    connection = sqlite3.connect(path)
    try:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
    finally:
        connection.close()

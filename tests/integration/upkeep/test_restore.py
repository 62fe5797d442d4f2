"""Putting a home back: whole or no home, on hold, and nothing is started a second time."""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import shutil
import sqlite3
from pathlib import Path
from typing import cast

import pytest

from engine.home import Home
from engine.lock import AlreadyRunning, take_lock
from engine.model.moments import from_iso
from engine.store import salvage
from engine.store.copying import diagnose
from engine.store.reader import Reader
from engine.store.recovery import recover
from engine.upkeep.backup import Backup, BackupError, make_backup
from engine.upkeep.restore import replace_store, restore_home
from engine.upkeep.salvaging import salvage_home
from tests.integration.upkeep.test_backup import modes
from tests.support.cli import Cli, dagdeck
from tests.support.damage import PAGE, overwrite, root_page
from tests.support.homes import contradictions
from tests.support.store import look, tamper
from tests.support.strangers import give_away

NOW = from_iso("2026-11-23T01:02:03Z")


@pytest.fixture
def saved(home: Home) -> Backup:
    """A backup of the home, outside of it."""
    return make_backup(home, home.root.parent / "saved", NOW)


def test_a_restored_home_is_the_home_on_hold(home: Home, saved: Backup) -> None:
    """All rows, settings and DAGs are there, nothing in it contradicts anything, and everything is on hold."""
    root = home.root.parent / "again"
    (saved.path / "environment").write_text("staging\n")
    done = restore_home(saved.path, root, "ops", NOW)
    assert (root / "environment").read_text() == "staging\n"
    for table in ("run", "task_instance", "attempt", "command"):
        assert look(done.home.database, f"SELECT * FROM {table}") == look(home.database, f"SELECT * FROM {table}")
    assert look(done.home.database, "SELECT scope, who, released_at FROM hold") == [("all", "ops", None)]
    assert "restored from the backup of 2026-11-23" in done.note
    assert done.home.config.read_text() == home.config.read_text()
    assert contradictions(done.home) == []
    assert modes(root) == {(True, 0o700), (False, 0o600)}


def test_what_was_under_way_is_taken_for_another_machines(home: Home, saved: Backup) -> None:
    """The next engine sees another boot, so that nothing that had begun is started a second time."""
    done = restore_home(saved.path, home.root.parent / "again", "ops", NOW)
    with Reader(done.home.database) as reader:
        session = recover(reader).session
    assert session is not None
    assert session.boot_id == f"before {done.note}"
    assert session.ended_at is None


def test_a_backup_that_was_not_copied_as_a_whole_is_refused(home: Home, saved: Backup) -> None:
    """Of a copy that was broken off no home is made: the manifest knows how many files there were."""
    (saved.path / "dags" / next(path.name for path in home.dags.glob("*.py"))).unlink()
    root, files = home.root.parent / "again", saved.manifest.files
    with pytest.raises(BackupError, match=f"holds {files - 1} of its {files} files: it was not copied as a whole"):
        restore_home(saved.path, root, "ops", NOW)
    assert not root.exists()


@pytest.mark.parametrize("stood", [False, True])
def test_a_home_is_restored_as_a_whole_or_not_at_all(home: Home, saved: Backup, stood: bool) -> None:
    """What stops it on the way leaves the folder as it was, so that the next try is not told that it is not empty."""
    os.mkfifo(saved.path / "dags" / "pipe")
    root = home.root.parent / "again"
    if stood:
        root.mkdir()
    with pytest.raises(BackupError, match="pipe"):
        restore_home(saved.path, root, "ops", NOW)
    assert root.exists() is stood
    (saved.path / "dags" / "pipe").unlink()
    assert restore_home(saved.path, root, "ops", NOW).runs


def test_a_folder_with_something_in_it_is_left_alone(home: Home, saved: Backup) -> None:
    """Restoring makes homes in new or empty folders, and touches no others."""
    with pytest.raises(BackupError, match="not empty"):
        restore_home(saved.path, home.root, "ops", NOW)
    assert look(home.database, "SELECT count(*) FROM hold") == [(0,)]


@pytest.mark.parametrize("harm", ["cut", "other", "manifest", "newer", "none", "folder", "settings"])
def test_a_backup_that_is_not_whole_is_refused(home: Home, saved: Backup, harm: str) -> None:
    """A store that was cut, exchanged or written by a later version is found before anything is made."""
    store = saved.path / "state.db"
    if harm == "cut":
        os.truncate(store, 40_960)
    elif harm == "other":
        tamper(store, "DELETE FROM run_episode WHERE run = 3", "DELETE FROM run WHERE id = 3")
    elif harm == "manifest":
        (saved.path / "manifest.json").write_text('{"v": 2}')
    elif harm == "newer":
        tamper(store, "PRAGMA user_version = 1999")
    elif harm == "settings":
        (saved.path / "dagdeck.toml").unlink()
    else:
        store.unlink()
        if harm == "folder":
            store.mkdir()
    root = home.root.parent / "again"
    with pytest.raises(BackupError) as refused:
        restore_home(saved.path, root, "ops", NOW)
    assert not root.exists()
    assert str(saved.path) in str(refused.value)
    for of_the_home in ("--replace", "salvage", "dagdeck init"):
        assert of_the_home not in str(refused.value), "the ways out of a home's damaged store are none for a backup"


def test_a_backup_of_a_newer_version_asks_for_that_version(home: Home, saved: Backup) -> None:
    """Another backup would not help: the version that made it is to be installed, named where the manifest says it."""
    tamper(saved.path / "state.db", "PRAGMA user_version = 1999")
    manifest = json.loads((saved.path / "manifest.json").read_text())
    (saved.path / "manifest.json").write_text(json.dumps({**manifest, "version": "7.1.0"}))
    with pytest.raises(BackupError) as refused:
        restore_home(saved.path, home.root.parent / "again", "ops", NOW)
    assert "install dagdeck 7.1.0" in str(refused.value)
    assert "another backup" not in str(refused.value)
    with pytest.raises(BackupError) as refused:
        replace_store(saved.path / "state.db", home, "ops", NOW)
    assert "install the version of dagdeck that wrote it" in str(refused.value)
    (saved.path / "manifest.json").write_text(json.dumps({"v": 2, "version": "8.0"}))
    with pytest.raises(BackupError, match=r"install dagdeck 8\.0"):
        restore_home(saved.path, home.root.parent / "again", "ops", NOW)


def test_the_store_of_a_home_is_exchanged_and_the_old_one_kept(home: Home, saved: Backup) -> None:
    """With --replace a damaged store is moved aside whole, and results that the home had lost are back."""
    before = home.database.stat().st_size
    os.truncate(home.database, 30_000)
    shutil.rmtree(home.attempts)
    done = replace_store(saved.path, home, "ops", NOW)
    assert done.aside is not None
    assert done.aside.stat().st_size == 30_000
    assert diagnose(home.database).kind == "sound"
    assert home.database.stat().st_size >= before
    assert len(list(home.attempts.glob("*/*/result.json"))) == 1
    assert contradictions(home) == []


def test_nothing_is_exchanged_under_a_running_engine(home: Home, saved: Backup) -> None:
    """Whoever holds the home's lock is named, and the store stays."""
    lock = take_lock(home.lock)
    try:
        for attempt in (
            lambda: replace_store(saved.path, home, "ops", NOW),
            lambda: salvage_home(home, "ops", NOW),
        ):
            with pytest.raises(AlreadyRunning, match=f"pid {os.getpid()}"):
                attempt()
    finally:
        lock.close()
    assert look(home.database, "SELECT count(*) FROM hold") == [(0,)]


def test_salvage_saves_what_can_be_read(home: Home) -> None:
    """With a page of attempts gone, whole runs stay, runs in part are left out, and no rule is broken."""
    overwrite(home.database, root_page(home.database, "attempt"), os.urandom(PAGE))
    done = salvage_home(home, "ops", NOW)
    assert "attempt" in done.told.torn
    assert done.told.runs_left_out > 0
    assert diagnose(home.database).kind == "sound"
    assert contradictions(home) == []
    assert look(home.database, "SELECT count(*) FROM hold WHERE scope = 'all'") == [(1,)]
    assert look(home.database, "SELECT count(*) FROM command") == [(1,)]
    assert done.aside is not None and done.aside.exists()


def test_salvage_reads_a_store_that_was_cut(home: Home) -> None:
    """Of a half copied file everything is saved that stands before the cut."""
    cut = home.database.stat().st_size - 2 * PAGE
    os.truncate(home.database, cut)
    done = salvage_home(home, "ops", NOW)
    assert done.told.rows["run"] and done.told.torn
    assert diagnose(home.database).kind == "sound"
    assert contradictions(home) == []


@pytest.mark.parametrize("sign", [">", "<"])
def test_salvage_comes_to_an_end_where_pages_lead_back(sign: str) -> None:
    """Pages that were exchanged can lead from the last row of a table to one before it, again and again."""

    class Circle:
        """A table without an end."""

        def execute(self, _text: str, at: tuple[int, ...]) -> Circle:
            """Whatever comes after the last row is the beginning."""
            return self

        def fetchall(self) -> list[tuple[int, str]]:
            """As many rows as were asked for, the same each time."""
            return [(key, "row") for key in range(1, salvage._PAGE + 1)]

    walk = salvage._walk(cast(sqlite3.Connection, Circle()), "event", ["what"], ("rowid",), sign)
    assert len(list(itertools.islice(walk, 10 * salvage._PAGE))) == 2 * salvage._PAGE


def test_salvage_cancels_what_was_under_way(home: Home) -> None:
    """A run that was running is over after it, with its tasks and attempts, because nobody knows how far it was."""
    overwrite(home.database, root_page(home.database, "run_state"), os.urandom(PAGE))
    done = salvage_home(home, "ops", NOW)
    assert (done.told.torn, done.told.runs_left_out, done.told.runs_ended) == ([], 0, 1)
    assert look(home.database, "SELECT count(*) FROM run") == [(14,)]
    assert look(home.database, "SELECT DISTINCT state FROM attempt") == [("ended",)]
    assert contradictions(home) == []


def test_a_sound_store_is_not_salvaged(home: Home) -> None:
    """Salvage is for damage: it refuses what needs none, and what it cannot help."""
    with pytest.raises(BackupError, match="is sound"):
        salvage_home(home, "ops", NOW)
    os.truncate(home.database, 0)
    with pytest.raises(BackupError, match="nothing to salvage"):
        salvage_home(home, "ops", NOW)


def test_an_engine_without_its_store_names_the_newest_copy(home: Home) -> None:
    """Of backups and rescued stores in the home, the one that was made last is what it says to put in place."""
    rescued = home.backups / "state-rescued-1.db"
    newest = make_backup(home, None, NOW).path
    rescued.touch()
    os.utime(rescued, (1, 1))
    home.database.unlink()
    refused = dagdeck("--home", home.root, "engine", "start")
    assert refused.code == 5
    assert f"dagdeck restore {newest} --replace" in refused.err


def test_a_restored_home_names_the_command_that_releases_it(saved: Backup, tmp_path: Path, cli: Cli) -> None:
    """It stands elsewhere than the home of the command line, so its folder is in the command, as a shell reads it."""
    done = cli("restore", saved.path, tmp_path / "it's new")
    command = re.search("before `(.*)`", done.out)
    assert command is not None
    assert shlex.split(command.group(1)) == ["dagdeck", "--home", str(tmp_path / "it's new"), "release"]


def test_the_verbs_lead_from_damage_to_a_home_again(home: Home, saved: Backup, tmp_path: Path, cli: Cli) -> None:
    """What the engine says of a damaged store names commands that work as they stand there."""
    overwrite(home.database, 0, bytes(2 * PAGE))
    refused = dagdeck("--home", home.root, "engine", "start")
    assert refused.code == 5
    assert "dagdeck restore BACKUP --replace" in refused.err and "dagdeck salvage" in refused.err
    assert cli("--home", home.root, "salvage").code == 1
    done = cli("--home", home.root, "restore", saved.path, "--replace")
    assert done.code == 0, done.err
    assert "dagdeck release" in done.out
    moved = cli("restore", saved.path, tmp_path / "moved", "--json")
    assert moved.json["runs"] == 14
    assert cli("restore", tmp_path / "nowhere", tmp_path / "moved2").code == 4
    assert cli("restore", saved.path).code == 2


@pytest.mark.parametrize("part", [".", "dags", "dags/etl.py", "dagdeck.toml", "state.db"])
@pytest.mark.parametrize("how", ["given away", "open"])
def test_what_others_may_have_changed_is_not_restored(
    home: Home, saved: Backup, monkeypatch: pytest.MonkeyPatch, part: str, how: str
) -> None:
    """A backup holds code that will run as whoever restores it: no part of it may be another user's or open to them."""
    (saved.path / "dags" / "etl.py").touch()
    path = saved.path / part
    if how == "open":
        path.chmod(0o777 if path.is_dir() else 0o666)
    else:
        give_away(path, monkeypatch)
    root = home.root.parent / "again"
    with pytest.raises(BackupError, match="nobody else may have changed it"):
        restore_home(saved.path, root, "ops", NOW)
    with pytest.raises(BackupError, match="nobody else may have changed it"):
        replace_store(saved.path, home, "ops", NOW)
    assert not root.exists()

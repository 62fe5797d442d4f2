"""Saving a home: whole or not there, one committed state, proved by opening it, private."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sqlite3
from pathlib import Path

import pytest

from engine.execution.directory import path_of
from engine.home import Home
from engine.model.moments import from_iso
from engine.model.rows import Transition
from engine.store.batch import Batch
from engine.store.copying import copy_store, diagnose
from engine.store.errors import StoreDamaged, StoreError, StoreMissing, StoreTooNew
from engine.store.writer import Writer
from engine.upkeep.backup import BackupError, backups_in, keep_newest, make_backup, read_manifest
from engine.version import SCHEMA
from tests.support.cli import Cli
from tests.support.store import look, tamper
from tests.support.strangers import give_away

NOW = from_iso("2026-11-23T01:02:03Z")


def modes(root: Path) -> set[tuple[bool, int]]:
    """Whether it is a folder, and its mode, of everything below."""
    return {(path.is_dir(), path.lstat().st_mode & 0o777) for path in root.rglob("*") if not path.is_symlink()}


def test_a_backup_holds_everything_that_makes_a_home(home: Home) -> None:
    """Store, settings, DAG files, bundles and the results that stand in files are in it; logs are not."""
    (home.root / "environment").write_text("staging\n")
    made = make_backup(home, None, NOW)
    assert (made.path / "environment").read_text() == "staging\n"
    assert made.path == home.backups / "home-20261123T010203Z"
    found = diagnose(made.path / "state.db")
    assert found.kind == "sound"
    assert (found.seq, found.runs) == (made.manifest.seq, made.manifest.runs) == (found.seq, 14)
    assert (made.path / "dags" / "sales.py").read_text() == (home.dags / "sales.py").read_text()
    assert (made.path / "dagdeck.toml").read_text() == home.config.read_text()
    [(attempt,)] = look(home.database, "SELECT attempt FROM task_result WHERE in_file")
    kept = Path(path_of(str(made.path / "attempts"), attempt))
    assert sorted(path.name for path in kept.iterdir()) == ["claim", "result.json", "status"]
    assert len(list((made.path / "attempts").glob("*/*"))) == 1
    assert read_manifest(made.path) == made.manifest
    files = [path for path in made.path.rglob("*") if path.is_file() and path.name != "manifest.json"]
    assert (made.manifest.files, made.manifest.bytes) == (len(files), sum(path.stat().st_size for path in files))


def test_a_store_of_a_newer_version_is_left_for_that_version_to_copy(home: Home) -> None:
    """It is not called unsound, and nothing is left behind."""
    tamper(home.database, f"PRAGMA user_version = {SCHEMA + 1}")
    with pytest.raises(StoreTooNew, match="the newer version of dagdeck that wrote it"):
        make_backup(home, None, NOW)
    assert list(home.backups.iterdir()) == []


def test_logs_are_saved_by_choice_and_keep_their_holes(home: Home) -> None:
    """With logs, each attempt's log is there, byte for byte, and what was given back to the disk stays given back."""
    [(attempt,)] = look(home.database, "SELECT max(id) FROM attempt WHERE state = 'ended'")
    log = Path(path_of(str(home.attempts), attempt)) / "log"
    with log.open("r+b") as file:
        file.truncate(40_000_000)
    made = make_backup(home, None, NOW, logs=True)
    copy = Path(path_of(str(made.path / "attempts"), attempt)) / "log"
    assert copy.stat().st_size == 40_000_000
    assert copy.stat().st_blocks * 512 < 1_000_000
    with log.open("rb") as original, copy.open("rb") as copied:
        assert original.read(100_000) == copied.read(100_000)
    assert len(list((made.path / "attempts").glob("*/*/log"))) == len(list((made.path / "attempts").glob("*/*")))


def test_a_backup_is_as_private_as_its_home(home: Home) -> None:
    """Whatever umask it is made under: folders 0700, files 0600."""
    before = os.umask(0)
    try:
        made = make_backup(home, home.root.parent / "elsewhere" / "saved", NOW)
    finally:
        os.umask(before)
    assert modes(made.path.parent) == {(True, 0o700), (False, 0o600)}


def test_what_cannot_be_copied_is_named_and_stops_nothing(home: Home) -> None:
    """A FIFO among the DAG files is left out and named; a symbolic link is copied as one and not followed."""
    os.mkfifo(home.dags / "pipe")
    (home.dags / "link").symlink_to("/etc/hostname")
    made = make_backup(home, None, NOW)
    assert [text.partition(":")[0] for text in made.manifest.left] == [str(home.dags / "pipe")]
    assert (made.path / "dags" / "link").readlink() == Path("/etc/hostname")


async def test_the_store_is_copied_while_its_engine_writes(home: Home) -> None:
    """The copy is one committed state: whole, its feed without a gap, and not behind what was committed before."""
    writer = Writer(home.database, clock=lambda: NOW)
    first = await writer.open()
    stop = asyncio.Event()

    async def write() -> None:
        while not stop.is_set():
            await writer.submit(Batch(transitions=[Transition("engine", NOW, detail="x" * 200) for _ in range(20)]))

    task = asyncio.create_task(write())
    for number in range(5):
        target = home.root / f"copy{number}"
        found = await asyncio.to_thread(copy_store, home.database, target)
        assert found.kind == "sound"
        assert found.seq >= first
        [(count, least)] = look(target, "SELECT count(*), min(seq) FROM event")
        assert found.seq == count + least - 1
        first = found.seq
    stop.set()
    await task
    await writer.close()


def test_a_backup_that_fails_leaves_nothing_behind(home: Home) -> None:
    """A damaged store is not copied, and no folder looks like a backup afterwards."""
    size = home.database.stat().st_size
    os.truncate(home.database, size // 2)
    with pytest.raises(StoreDamaged):
        make_backup(home, None, NOW)
    home.database.unlink()
    with pytest.raises(StoreMissing):
        make_backup(home, None, NOW)
    assert list(home.backups.iterdir()) == []


def test_a_backup_never_overwrites(home: Home) -> None:
    """A folder that stands is refused when it was named, and numbered around when it was not."""
    first, second = make_backup(home, None, NOW), make_backup(home, None, NOW)
    assert second.path.name == first.path.name + "-2"
    with pytest.raises(BackupError, match="stands already"):
        make_backup(home, first.path, NOW)
    with pytest.raises(BackupError, match="outside of dags"):
        make_backup(home, home.dags / "saved", NOW)


def test_old_backups_make_room_for_new_ones(home: Home) -> None:
    """Of this home's backups the newest stay; others' and half ones are not touched."""
    made = [make_backup(home, None, NOW + number * 1_000_000) for number in range(4)]
    foreign = home.backups / "foreign"
    made[0].path.rename(foreign)
    raw = json.loads((foreign / "manifest.json").read_text())
    (foreign / "manifest.json").write_text(json.dumps({**raw, "home": "/elsewhere"}))
    assert keep_newest(home, home.backups, 2) == [made[1].path]
    assert [backup.path for backup in backups_in(home.backups)] == [foreign, made[2].path, made[3].path]


def test_the_verb_says_what_it_saved(home: Home, cli: Cli) -> None:
    """`dagdeck backup` names the folder and what is in it; with --json under stable keys."""
    said = cli("--home", home.root, "backup", "--json", "--keep", 1)
    assert said.code == 0, said.err
    assert said.json["runs"] == 14
    assert Path(said.json["path"]).is_dir()
    plain = cli("--home", home.root, "backup", "--keep", 1)
    assert "14 runs" in plain.out and "removed" in plain.out
    tamper(home.database, "PRAGMA user_version = 9000")
    refused = cli("--home", home.root, "backup")
    assert refused.code == 1
    assert "schema 9000" in refused.err


def test_sqlite_alone_may_open_a_copy(home: Home) -> None:
    """A copied store is one file, without a log of its own, that any SQLite opens."""
    copy_store(home.database, home.root / "copy")
    connection = sqlite3.connect(home.root / "copy")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    connection.close()
    assert not (home.root / "copy-wal").exists()


@pytest.mark.parametrize("deep", ["etl", "of/etl"])
def test_a_backup_is_made_only_where_nobody_can_exchange_it(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deep: str
) -> None:
    """A folder that others write to, or that is another user's, is refused; one like `/tmp`, where each has what is his
    own, is not.
    """
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    with pytest.raises(BackupError, match="can be written by others"):
        make_backup(home, shared / deep, NOW)
    assert list(shared.iterdir()) == []
    shared.chmod(0o1777)
    assert make_backup(home, shared / deep, NOW).path.is_dir()
    give_away(shared, monkeypatch)
    with pytest.raises(BackupError, match="belongs to uid"):
        make_backup(home, shared / "again", NOW)


def test_what_somebody_planted_beside_a_backup_is_not_followed(home: Home, tmp_path: Path) -> None:
    """A link under the name of the half-made backup is refused, and what it leads to stays as it is."""
    bait = tmp_path / "bait"
    bait.mkdir()
    (bait / "precious").touch()
    (tmp_path / "etl.partial").symlink_to(bait)
    with pytest.raises(OSError):
        make_backup(home, tmp_path / "etl", NOW)
    assert [path.name for path in bait.iterdir()] == ["precious"]


def test_a_disk_without_room_for_the_copy_is_named(home: Home, tmp_path: Path) -> None:
    """It is the disk of the backup that is full, and not that of the home."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(StoreError) as refused:
            make_backup(home, tmp_path / "elsewhere" / "saved", NOW)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert str(tmp_path / "elsewhere") in str(refused.value)
    assert str(home.root) not in str(refused.value)
    assert list((tmp_path / "elsewhere").iterdir()) == []

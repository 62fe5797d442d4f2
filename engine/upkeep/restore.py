"""Restoring: a home from a backup, or only the store of a home whose own is damaged. Both begin on hold."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine.home import CONFIG, ENVIRONMENT, Home, check_owner
from engine.lock import take_lock
from engine.model.moments import Micros
from engine.store.amend import hold_everything
from engine.store.copying import Diagnosis, copy_store, diagnose, sync_file
from engine.upkeep.backup import STORE, BackupError, Manifest, files_in, read_manifest, stamp
from engine.upkeep.files import copy_file, copy_tree, new_folder, others_may_change

_WORK = ".restoring"
_BESIDE = ("-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True)
class Restored:
    """What now stands."""

    home: Home
    seq: int
    runs: int
    note: str
    """The note of the hold that it begins with."""
    aside: Path | None = None
    """Where the store went that stood there before."""


def check_backup(backup: Path) -> tuple[Manifest | None, Diagnosis]:
    """Opens a backup, reads all of it, and compares it with what its manifest says. Raises BackupError.

    A single file is taken for a store alone, as upgrades leave one: it has no manifest.
    """
    if os.path.lexists(backup):
        _vet(backup)
    if backup.is_file():
        manifest, store = None, backup
    else:
        manifest, store = read_manifest(backup), backup / STORE
    found = diagnose(store)
    if not found.usable:
        what = "it is missing" if found.kind == "missing" else found.found
        words = f"{store}: {what}" if what else found.text
        raise BackupError(f"this backup cannot be restored: {words}. Nothing was changed: {_way_out(found, manifest)}")
    if manifest is not None and not (backup / CONFIG).is_file():
        raise BackupError(f"this backup cannot be restored: {backup / CONFIG} is missing. Nothing was changed")
    if manifest is not None and (manifest.seq, manifest.runs) != (found.seq, found.runs):
        raise BackupError(
            f"{store} holds {found.seq} events and {found.runs} runs, but its manifest says {manifest.seq} and "
            f"{manifest.runs}: the two do not belong together"
        )
    return manifest, found


def _way_out(found: Diagnosis, manifest: Manifest | None) -> str:
    """What to do about a backup whose store is of no use here."""
    if found.kind != "newer":
        return "restore from another backup"
    made_by = (
        f"dagdeck {manifest.version}, which made it" if manifest is not None else "the version of dagdeck that wrote it"
    )
    return f"install {made_by}, or a later one, and restore it with that"


def _vet(backup: Path) -> None:
    """A backup holds code that will run as this user: nobody else may have had a hand in it. Raises BackupError."""
    inside = (Path(folder) / name for folder, folders, files in os.walk(backup) for name in (*folders, *files))
    for path in (backup, *inside):
        if risk := others_may_change(path):
            raise BackupError(
                f"{risk}: what is restored runs as you, so nobody else may have changed it. Restore it as its owner; "
                "or, if you know where it comes from, make it yours (chown -R) and close it (chmod -R go-w)"
            )


def restore_home(backup: Path, root: Path, who: str, now: Micros) -> Restored:
    """Makes a home of a backup, in a folder that is new or empty. It is no home before it is whole.

    Raises BackupError, StoreError, OSError.
    """
    manifest, _ = check_backup(backup)
    if manifest is None:
        raise BackupError(f"{backup} is a store alone, without DAGs and settings: put it into a home with --replace")
    if (there := files_in(backup)) < manifest.files:
        raise BackupError(
            f"{backup} holds {there} of its {manifest.files} files: it was not copied as a whole. Nothing was changed: "
            "copy it again, or put its store alone into a home with --replace"
        )
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise BackupError(f"{root} is not empty: name a new folder, or say --replace for the store of a home")
    stood = root.exists()
    try:
        return _fill(backup, manifest, Home(root), who, now)
    except BaseException:
        # What was half made would be in the way of the next try.
        for path in root.iterdir() if root.is_dir() else ():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        if not stood and root.is_dir():
            root.rmdir()
        raise


def _fill(backup: Path, manifest: Manifest, home: Home, who: str, now: Micros) -> Restored:
    """All of a backup into a folder that is new or empty."""
    root = home.root
    new_folder(root)
    root.chmod(0o700)
    left: list[str] = []
    for name in (home.dags.name, home.versions.name, home.attempts.name):
        if (backup / name).is_dir():
            copy_tree(backup / name, root / name, left)
    if left:
        raise BackupError(f"these files of the backup cannot be restored: {'; '.join(left[:5])}")
    note = f"restored from the backup of {manifest.made_at} of {manifest.home} on {manifest.host}"
    found = _put_store(backup / STORE, home, who, note, now)
    if (backup / ENVIRONMENT).is_file():
        copy_file(backup / ENVIRONMENT, root / ENVIRONMENT)
    copy_file(backup / CONFIG, home.config)  # it makes the folder a home, so it comes last
    sync_file(home.config)
    return Restored(home, found.seq, found.runs, note)


def replace_store(backup: Path, home: Home, who: str, now: Micros) -> Restored:
    """Puts the store of a backup in place of a home's own, which is moved aside whole. DAGs and settings stay.

    Raises AlreadyRunning while an engine serves the home, BackupError, StoreError, OSError.
    """
    manifest, _ = check_backup(backup)
    with held(home):
        if manifest is not None:
            _add_missing(backup, home)
        what = f"the backup of {manifest.made_at}" if manifest is not None else str(backup)
        note = f"store restored from {what}"
        store = backup / STORE if manifest is not None else backup
        work = _prepare(store, home, who, note, now)
        aside = move_aside(home, f"before-restore-{stamp(now)}")
        found = _swap(work, home)
    return Restored(home, found.seq, found.runs, note, aside)


@contextmanager
def held(home: Home) -> Iterator[None]:
    """Keeps engines away meanwhile. Raises AlreadyRunning naming the engine that is there, NotOwner."""
    check_owner(home.root)
    lock = take_lock(home.lock)
    try:
        yield
    finally:
        lock.close()


def move_aside(home: Home, label: str) -> Path | None:
    """Gives the store's files another name in the same folder: `state.db.<label>`. None when there was no store."""
    store = home.database
    for suffix in ("", *_BESIDE):
        path = store.with_name(store.name + suffix)
        if path.exists():
            path.rename(path.with_name(f"{store.name}.{label}{suffix}"))
    aside = store.with_name(f"{store.name}.{label}")
    return aside if aside.exists() else None


def _put_store(source: Path, home: Home, who: str, note: str, now: Micros) -> Diagnosis:
    return _swap(_prepare(source, home, who, note, now), home)


def _prepare(source: Path, home: Home, who: str, note: str, now: Micros) -> Path:
    """A copy beside the store's place, on hold."""
    work = home.database.with_name(f"{home.database.name}{_WORK}")
    for suffix in ("", *_BESIDE):
        work.with_name(work.name + suffix).unlink(missing_ok=True)
    copy_store(source, work)
    hold_everything(work, who, note, now, f"before {note}")
    return work


def _swap(work: Path, home: Home) -> Diagnosis:
    work.rename(home.database)
    sync_file(home.database)
    return diagnose(home.database, thorough=False)


def _add_missing(backup: Path, home: Home) -> None:
    """Bundles and attempt directories that the home lacks; what stands is newer, and stays."""
    for folder, depth in ((home.versions, 1), (home.attempts, 2)):
        source = backup / folder.name
        pattern = "/".join("*" * depth)
        for path in sorted(source.glob(pattern)) if source.is_dir() else ():
            target = folder / path.relative_to(source)
            if not target.exists():
                new_folder(target.parent)
                copy_tree(path, target, [])

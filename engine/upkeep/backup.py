"""A backup of a home: one committed state of its store, the DAG bundles, the settings, results, and logs by choice.

A backup is a folder that is complete or not there: it is made under another name and renamed. It is plain files, so
that any tool can carry it elsewhere.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import socket
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from engine.execution.directory import path_of
from engine.home import CONFIG, ENVIRONMENT, Home
from engine.model.attempt_files import CLAIM, GAP, LOG, RESULT, STATUS
from engine.model.moments import Micros, to_datetime, to_iso
from engine.store.copying import Diagnosis, copy_store, sync_file
from engine.store.reader import Reader
from engine.upkeep.files import copy_file, copy_tree, new_folder, others_may_change, write_file
from engine.upkeep.partials import SUFFIX, Busy, Partial, sweep
from engine.version import SCHEMA, VERSION

MANIFEST = "manifest.json"
STORE = "state.db"
_PAGE = 2000


class BackupError(Exception):
    """A backup, or restoring one, is not possible; the text says what is wrong, where, and what to do."""


@dataclass(slots=True)
class Manifest:
    """What a backup says of itself."""

    made_at: str
    """ISO 8601 UTC."""
    home: str
    name: str
    host: str
    version: str
    schema: int
    seq: int
    runs: int
    logs: bool
    files: int = 0
    """How many there are, the store among them."""
    bytes: int = 0
    left: list[str] = field(default_factory=list)
    """What was not copied, and why."""
    v: int = 1


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that stands."""

    path: Path
    manifest: Manifest
    swept: tuple[Path, ...] = ()
    """What backups of this home that were broken off had left beside it, and is removed."""


def stamp(now: Micros) -> str:
    """A moment as part of a file name: `20261122T010203Z`."""
    return to_datetime(now).strftime("%Y%m%dT%H%M%SZ")


def make_backup(home: Home, target: Path | None, now: Micros, *, logs: bool = False) -> Backup:
    """Makes and proves a backup of a home, whether its engine runs or not.

    `target` is a folder that does not stand yet; without it, one in the home's `backups/`. Raises BackupError,
    StoreError when the store cannot be copied, OSError when the disk refuses; nothing is left behind then.
    """
    path = target if target is not None else _free_name(home.backups / f"{home.name}-{stamp(now)}")
    if os.path.lexists(path):
        raise BackupError(f"{path} stands already: name a folder that does not")
    if target is not None and any(folder == path or folder in path.parents for folder in (home.dags, home.attempts)):
        raise BackupError(f"{path} lies within what is to be saved: name a folder outside of dags/ and attempts/")
    standing = next(folder for folder in path.parents if folder.exists())
    if risk := others_may_change(standing):
        raise BackupError(
            f"{risk}: whoever may do that could put something else in the backup's place. Name a folder below one that "
            "only you can write to"
        )
    new_folder(path.parent)
    swept = sweep(path.parent, home)
    try:
        partial = Partial(path.with_name(path.name + SUFFIX), home.root)
    except Busy as error:
        raise BackupError(f"another backup is being made as {path}: wait for it, or name another folder") from error
    try:
        manifest = _fill(home, partial.path, now, logs)
        partial.finish(path)
        sync_file(path / MANIFEST)
    except BaseException:
        partial.drop()
        raise
    return Backup(path, manifest, tuple(swept))


def _fill(home: Home, into: Path, now: Micros, logs: bool) -> Manifest:
    """All that a backup holds, the manifest last."""
    found = copy_store(home.database, into / STORE)
    manifest = _manifest(home, found, now, logs)
    manifest.files, manifest.bytes = 1, (into / STORE).stat().st_size
    _copy_files(home, into, manifest)
    write_file(into / MANIFEST, json.dumps(asdict(manifest), indent=2).encode() + b"\n")
    return manifest


def _free_name(path: Path) -> Path:
    """The path, or with a number behind it where something of that name stands, or is being made."""
    names = (path if number == 1 else path.with_name(f"{path.name}-{number}") for number in itertools.count(1))
    return next(name for name in names if not os.path.lexists(name) and not os.path.lexists(f"{name}{SUFFIX}"))


def _manifest(home: Home, found: Diagnosis, now: Micros, logs: bool) -> Manifest:
    return Manifest(
        made_at=to_iso(now),
        home=str(home.root),
        name=home.name,
        host=socket.gethostname(),
        version=VERSION,
        schema=found.schema,
        seq=found.seq,
        runs=found.runs,
        logs=logs,
    )


def _copy_files(home: Home, into: Path, manifest: Manifest) -> None:
    """Settings, DAG files, bundles and what the copied store says stands in attempt directories."""
    for path in (home.config, home.root / ENVIRONMENT):
        if path.is_file() or path == home.config:
            manifest.bytes += copy_file(path, into / path.name)
            manifest.files += 1
    for folder in (home.dags, home.versions):
        if folder.is_dir():
            files, size = copy_tree(folder, into / folder.name, manifest.left)
            manifest.files, manifest.bytes = manifest.files + files, manifest.bytes + size
    if manifest.schema != SCHEMA:
        return  # a store that waits for its upgrade: what stands in its columns is the upgrade's to know
    with Reader(into / STORE) as store:
        for attempt_id, with_result in wanted_attempts(store):
            names = [*([RESULT] if with_result else []), *([LOG, GAP] if manifest.logs else [])]
            if names:
                _copy_attempt(home, into, attempt_id, [*names, CLAIM, STATUS], manifest)


def wanted_attempts(store: Reader) -> Iterator[tuple[str, bool]]:
    """Ids of all ended attempts, and whether the store says that their result stands in a file."""
    after = ""
    while page := store.all("evidence", "attempts_and_results", {"after": after, "count": _PAGE}):
        yield from ((str(row[0]), bool(row[1])) for row in page)
        after = page[-1][0]


def _copy_attempt(home: Home, into: Path, attempt_id: str, names: list[str], manifest: Manifest) -> None:
    source = Path(path_of(str(home.attempts), attempt_id))
    if not source.is_dir():
        if RESULT in names:
            manifest.left.append(f"{source}: the result is gone")
        return
    target = Path(path_of(str(into / home.attempts.name), attempt_id))
    new_folder(target)
    for name in names:
        try:
            manifest.bytes += copy_file(source / name, target / name)
            manifest.files += 1
        except FileNotFoundError:
            if name == RESULT:
                manifest.left.append(f"{source / name}: the result is gone")


def read_manifest(path: Path) -> Manifest:
    """The manifest of a backup. Raises BackupError when the folder is none, or of a later form."""
    try:
        raw = json.loads((path / MANIFEST).read_bytes())
        if raw["v"] != 1:
            raise BackupError(
                f"{path}: a backup of form {raw['v']}, this version of dagdeck reads form 1: install dagdeck "
                f"{raw.get('version', 'of the version that made it')}, or a later one"
            )
        return Manifest(**raw)
    except OSError as error:
        raise BackupError(
            f"{path} is no backup of dagdeck, or not a whole one: {MANIFEST}: {error.strerror}"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise BackupError(
            f"{path} is no backup of dagdeck, or not a whole one: {MANIFEST} is not as it was written"
        ) from error


def files_in(backup: Path) -> int:
    """How many of the files that a manifest counts are in a backup."""
    count = sum((backup / name).is_file() for name in (STORE, CONFIG, ENVIRONMENT))
    layout = Home(backup)
    for folder in (layout.dags, layout.versions, layout.attempts):
        for inside, _, names in os.walk(folder):
            count += sum(not Path(inside, name).is_symlink() for name in names)
    return count


def backups_in(folder: Path) -> list[Backup]:
    """The whole backups in a folder, oldest first."""
    found = []
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.is_dir() and not path.name.endswith(SUFFIX) and (path / MANIFEST).is_file():
            try:
                found.append(Backup(path, read_manifest(path)))
            except BackupError:
                continue  # somebody's else, or of another form: not ours to count or to remove
    return sorted(found, key=lambda backup: (backup.manifest.made_at, backup.path.name))


def keep_newest(home: Home, folder: Path, count: int) -> list[Path]:
    """Removes the oldest backups of this home in a folder, so that `count` are left; returns what was removed."""
    own = [backup for backup in backups_in(folder) if backup.manifest.home == str(home.root)]
    gone = [backup.path for backup in own[: max(0, len(own) - count)]]
    for path in gone:
        shutil.rmtree(path)
    return gone

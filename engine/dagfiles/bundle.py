"""Bundles: a DAG file and its modules, kept together under the hash of their contents."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from engine.failpoints import hit

_BUFFER = 1 << 20


class TreeChanged(Exception):
    """A file changed, or went away, while it was being read: read it again later."""


def read_files(root: Path, files: Iterable[str]) -> dict[str, bytes]:
    """The contents of files below `root`. Raises TreeChanged when one is not the same before and after."""
    contents: dict[str, bytes] = {}
    for file in files:
        try:
            with open(root / file, "rb") as source:
                before = os.fstat(source.fileno())
                contents[file] = source.read()
                after = (root / file).stat()
        except OSError as problem:
            raise TreeChanged(f"{file}: {problem.strerror}") from problem
        same = (before.st_ino, before.st_mtime_ns, before.st_size) == (after.st_ino, after.st_mtime_ns, after.st_size)
        if not same or after.st_size != len(contents[file]):
            raise TreeChanged(f"{file} is being written")
    return contents


def content_hash(contents: Mapping[str, bytes]) -> str:
    """The bundle's name: 32 hexadecimal digits over paths and contents."""
    digest = hashlib.sha256()
    for file in sorted(contents):
        for part in (os.fsencode(file), contents[file]):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
    return digest.hexdigest()[:32]


def keep(contents: Mapping[str, bytes], versions: Path) -> str:
    """Makes `versions/<hash>/` unless it stands, all of it or nothing, and returns the hash.

    Folders are 0700 and files 0600. Raises OSError when the disk refuses, ValueError for a path that leads elsewhere.
    """
    name = content_hash(contents)
    target = versions / name
    if _stands(target):
        return name
    versions.mkdir(mode=0o700, parents=True, exist_ok=True)
    building = versions / f".new-{name}-{secrets.token_hex(4)}"
    building.mkdir(mode=0o700)
    try:
        for file, data in contents.items():
            _write(building, file, data)
        _sync_folder(building)
        hit("bundle.written")
        try:
            building.rename(target)
        except OSError:
            if not target.is_dir():
                raise
        hit("bundle.renamed")
        _sync_folder(versions)
    finally:
        if building.exists():
            shutil.rmtree(building)
    return name


def _stands(target: Path) -> bool:
    """Whether the bundle is there. It is marked as asked for: what nobody has asked for is pruned one day."""
    try:
        os.utime(target)
    except FileNotFoundError:
        return False
    return target.is_dir()


def remove_unfinished(versions: Path) -> None:
    """Takes away what a killed engine left half made."""
    if versions.is_dir():
        for left in versions.glob(".new-*"):
            shutil.rmtree(left, ignore_errors=True)


def _write(folder: Path, file: str, data: bytes) -> None:
    parts = PurePosixPath(file).parts
    if not parts or ".." in parts or PurePosixPath(file).is_absolute():
        raise ValueError(f"{file!r} does not lie below dags/")
    place = folder
    for part in parts[:-1]:
        place /= part
        place.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(folder / file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb", buffering=_BUFFER) as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

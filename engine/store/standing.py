"""Whether the files of an open store are still those that were opened, seen from outside: who they are, how long, when
they were changed. Nothing of them is opened for it.

SQLite goes on writing to a file that somebody has removed or replaced, and says nothing; what it writes is then gone
with the process. So the engine looks by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

LOG, INDEX = "-wal", "-shm"


@dataclass(frozen=True, slots=True)
class Face:
    """One file as its folder shows it."""

    device: int
    inode: int
    length: int
    changed: int
    """Nanoseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The files of one store. None for one that is not there."""

    store: Face | None
    log: Face | None
    index: Face | None


def look(path: Path) -> Standing:
    """How the files of the store at `path` stand now. Raises OSError when the disk does not say."""
    store, log, index = _names(path)
    return Standing(_face(store), _face(log), _face(index))


@lru_cache(16)
def _names(path: Path) -> tuple[Path, Path, Path]:
    """Asked for with every commit."""
    return path, Path(f"{path}{LOG}"), Path(f"{path}{INDEX}")


def gone(before: Standing, now: Standing, name: str) -> str | None:
    """What is no longer where it was opened, in words; None when all files stand."""
    for old, new, what in (
        (before.store, now.store, name),
        (before.log, now.log, name + LOG),
        (before.index, now.index, name + INDEX),
    ):
        if old is not None and new is None:
            return f"{what} was removed"
        if old is not None and new is not None and (old.device, old.inode) != (new.device, new.inode):
            return f"{what} was replaced by another file"
    return None


def cut(before: Standing, now: Standing, name: str) -> str | None:
    """What has become shorter though nobody here made it so, in words."""
    for old, new, what in ((before.store, now.store, name), (before.log, now.log, name + LOG)):
        if old is not None and new is not None and new.length < old.length:
            return f"{what} was cut from {old.length} to {new.length} bytes"
    return None


def was_written(before: Standing, now: Standing) -> bool:
    """Whether somebody else has written to the store or its log."""
    return (_times(before.store), _times(before.log)) != (_times(now.store), _times(now.log))


def _times(face: Face | None) -> tuple[int, int] | None:
    return None if face is None else (face.length, face.changed)


def _face(path: Path) -> Face | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return Face(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)

"""Copying files of a home: private from the first moment, holes as holes, and never following a symbolic link."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

_CHUNK = 1 << 20
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OLD = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


def others_may_change(path: Path) -> str | None:
    """Why somebody other than this user and root may change a file or folder, or what is in it; None: nobody may.

    A folder like `/tmp`, where nobody can touch what is another's, is no such reason; nor is one's own primary group.
    """
    found = path.lstat()
    if found.st_uid not in (os.geteuid(), 0):
        return f"{path} belongs to uid {found.st_uid}"
    if stat.S_ISLNK(found.st_mode) or (stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX):
        return None
    by_group = found.st_mode & stat.S_IWGRP and found.st_gid != os.getegid()
    return f"{path} can be written by others" if by_group or found.st_mode & stat.S_IWOTH else None


def new_folder(path: Path) -> None:
    """A folder for its owner alone; parents too, where they are missing."""
    if not path.parent.exists():
        new_folder(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)


def write_file(path: Path, data: bytes) -> None:
    """A new file (0600), on the disk when this returns. Raises FileExistsError."""
    handle = os.open(path, _NEW, 0o600)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(handle, view) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def copy_file(source: Path, target: Path) -> int:
    """Copies a regular file, holes as holes; returns its length. Raises OSError, also for what is no regular file."""
    reading = os.open(source, _OLD)
    try:
        found = os.fstat(reading)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(source))
        writing = os.open(target, _NEW, 0o600 | (found.st_mode & 0o100))
        try:
            for start, end in _extents(reading, found.st_size):
                _copy_range(reading, writing, start, end)
            os.ftruncate(writing, found.st_size)
            os.fsync(writing)
        finally:
            os.close(writing)
        return found.st_size
    finally:
        os.close(reading)


def _extents(handle: int, size: int) -> Iterator[tuple[int, int]]:
    """Where the file has data, as (start, end)."""
    at = 0
    while at < size:
        try:
            start = os.lseek(handle, at, os.SEEK_DATA)
            at = os.lseek(handle, start, os.SEEK_HOLE)
        except OSError as error:
            if error.errno == errno.ENXIO:  # nothing but a hole up to the end
                return
            raise
        yield start, min(at, size)


def _copy_range(reading: int, writing: int, start: int, end: int) -> None:
    while start < end:
        data = os.pread(reading, min(_CHUNK, end - start), start)
        if not data:
            return
        view = memoryview(data)
        while view:
            done = os.pwrite(writing, view, start)
            view, start = view[done:], start + done


def copy_tree(source: Path, target: Path, left: list[str]) -> tuple[int, int]:
    """Copies a folder: regular files, folders, symbolic links as they are. Returns how many files and bytes.

    What is something else (a FIFO, a device), or vanishes meanwhile, is named in `left`.
    """
    new_folder(target)
    files = size = 0
    for entry in sorted(os.scandir(source), key=lambda entry: entry.name):
        path, into = Path(entry.path), target / entry.name
        try:
            if entry.is_symlink():
                into.symlink_to(path.readlink())
            elif entry.is_dir():
                if entry.name != "__pycache__":
                    more = copy_tree(path, into, left)
                    files, size = files + more[0], size + more[1]
            else:
                size += copy_file(path, into)
                files += 1
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS):
                raise
            left.append(f"{path}: {error.strerror}")
    return files, size


def tree_bytes(path: Path) -> int:
    """What a folder takes on the disk, in bytes: holes count as nothing. What vanishes meanwhile is left out."""
    total = 0
    try:
        entries = list(os.scandir(path))
    except OSError:
        return 0
    for entry in entries:
        try:
            if entry.is_dir(follow_symlinks=False):
                total += tree_bytes(Path(entry.path))
            else:
                total += entry.stat(follow_symlinks=False).st_blocks * 512
        except FileNotFoundError:
            continue
    return total

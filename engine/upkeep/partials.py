"""Folders in which backups are being made, and what is left of those whose writer was killed.

A file in the folder says whose it is and is locked for as long as its writer lives: the kernel gives the lock back
however that ends, so that nothing has to be guessed from ages or process ids.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shutil
import socket
from pathlib import Path

from engine.home import Home

SUFFIX = ".partial"
_MARK = "writer"


class Busy(Exception):
    """Somebody else is writing there."""


class Partial:
    """A folder `NAME.partial` that this process fills."""

    def __init__(self, path: Path, home: Path) -> None:
        """Takes the folder, new or left by a writer that is gone, and empties it. Raises Busy, OSError."""
        self.path = path
        self._lock = _claim(path)
        for entry in path.iterdir():
            if entry.name != _MARK:
                _remove(entry)
        os.truncate(self._lock, 0)
        os.write(self._lock, json.dumps(_owner(home)).encode())

    def finish(self, path: Path) -> None:
        """Gives the folder its name. Only then the mark goes: a folder of this kind without one is never found."""
        self.path.rename(path)
        (path / _MARK).unlink()
        os.close(self._lock)

    def drop(self) -> None:
        """Removes the folder, as far as the disk lets it."""
        _clear(self.path)
        with contextlib.suppress(OSError):
            os.close(self._lock)


def sweep(folder: Path, home: Home) -> list[Path]:
    """Removes what writers of this home's backups left in a folder when they were killed; returns what that was.

    What is being written is never touched, nor is what another home or another host left there. In the home's own
    folder all is its own, whatever the home was called then.
    """
    owner = None if folder == home.backups else _owner(home.root)
    return [path for path in sorted(folder.glob(f"*{SUFFIX}")) if _sweep_one(path, owner)]


def _sweep_one(path: Path, owner: dict[str, str] | None) -> bool:
    if path.is_symlink():
        return False
    try:
        mark = os.open(path / _MARK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False  # nothing of ours, or just finished
    try:
        said = json.loads(os.read(mark, 1 << 16))
        if owner is not None and said != owner:
            return False
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not _same(path / _MARK, mark):
            return False
        _clear(path)
        return not path.exists()
    except (OSError, ValueError):
        return False  # it is being written, nobody can tell, or its writer was gone before it said whose it is
    finally:
        os.close(mark)


def _claim(path: Path) -> int:
    """The locked mark of a folder, which is made where there is none."""
    while True:
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700)
        if path.is_symlink() or not path.is_dir():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        try:
            mark = os.open(path / _MARK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            continue  # it was being removed
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(mark)
            raise Busy(str(path)) from error
        except OSError:
            return mark  # a file system without locks: nobody else gets one either, and so removes nothing
        if _same(path / _MARK, mark):
            return mark
        os.close(mark)


def _same(path: Path, handle: int) -> bool:
    """Whether a file that was opened still stands under its name."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(handle))
    except FileNotFoundError:
        return False


def _clear(path: Path) -> None:
    """Removes a folder, its mark last: until then nobody else takes it."""
    with contextlib.suppress(OSError):
        for entry in path.iterdir():
            if entry.name != _MARK:
                _remove(entry)
        (path / _MARK).unlink(missing_ok=True)
        path.rmdir()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _owner(home: Path) -> dict[str, str]:
    return {"home": str(home), "host": socket.gethostname()}

"""One engine per home: the lock that the engine of a home holds for as long as it lives."""

from __future__ import annotations

import fcntl
import json
import os
import pwd
import time
from pathlib import Path

_CLAIMS, _CLAIM_SECONDS = 10, 0.02


class AlreadyRunning(Exception):
    """Another engine holds this home's lock."""


class HomeLock:
    """A home's engine lock, which the kernel releases when this process ends, however it ends.

    It is a file that says whose it is, and that somebody may remove who takes it for a leftover; so it is also the
    folder of all attempts, which nobody removes.
    """

    def __init__(self, path: Path, folder: int, file: int) -> None:
        self._path, self._folder, self._file = path, folder, file
        _sign(file)

    def close(self) -> None:
        """Lets go of it."""
        os.close(self._file)
        os.close(self._folder)

    def keep(self) -> bool:
        """Makes its file again where somebody has removed, replaced or overwritten it; true if so. Raises OSError."""
        if self._stands():
            return False
        unready = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        unready.unlink(missing_ok=True)
        file = os.open(unready, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            _sign(file)
            unready.rename(self._path)
        except OSError:  # the disk is full, for instance: whoever calls tries again, for as long as it takes
            os.close(file)
            unready.unlink()
            raise
        os.close(self._file)
        self._file = file
        return True

    def _stands(self) -> bool:
        try:
            found = self._path.stat(follow_symlinks=False)
        except FileNotFoundError:
            return False
        return os.path.samestat(found, os.fstat(self._file)) and os.pread(self._file, 4096, 0) == _signature()


def take_lock(path: Path) -> HomeLock:
    """Takes the home's engine lock for the life of this process. Raises AlreadyRunning naming the holder."""
    folder = _folder(path)
    folder.mkdir(mode=0o700, exist_ok=True)
    held: list[int] = []
    try:
        for place, flags in ((folder, os.O_RDONLY | os.O_DIRECTORY), (path, os.O_RDWR | os.O_CREAT)):
            held.append(os.open(place, flags | os.O_CLOEXEC, 0o600))
            _claim(held[-1])
    except BlockingIOError as error:
        _let_go(held)
        raise AlreadyRunning(f"an engine already runs on {path.parent} ({_holder(path)})") from error
    except OSError:
        _let_go(held)
        raise
    return HomeLock(path, *held)


def _folder(path: Path) -> Path:
    """The folder of all attempts: it is a part of the lock."""
    return path.with_name("attempts")


def _claim(lock: int) -> None:
    """Who only looks whether an engine runs holds the lock for a moment. Raises BlockingIOError after a few."""
    for left in reversed(range(_CLAIMS)):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if not left:
                raise
            time.sleep(_CLAIM_SECONDS)


def _let_go(locks: list[int]) -> None:
    for lock in locks:
        os.close(lock)


def _sign(lock: int) -> None:
    os.ftruncate(lock, 0)
    os.pwrite(lock, _signature(), 0)


def _signature() -> bytes:
    return json.dumps({"pid": os.getpid(), "uid": os.getuid()}).encode()


def _holder(path: Path) -> str:
    try:
        known = json.loads(path.read_bytes())
        user = pwd.getpwuid(known["uid"]).pw_name
        return f"pid {known['pid']}, user {user}"
    except (OSError, ValueError, KeyError, TypeError):
        return "its holder has not signed the lock yet"


def lock_holder(path: Path) -> int | None:
    """The pid of the engine that holds a home's lock, 0 when it has not signed it, or None when none does."""
    if not (_is_held(path) or _is_held(_folder(path))):
        return None
    try:
        return int(json.loads(path.read_bytes())["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _is_held(place: Path) -> bool:
    try:
        lock = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(lock)

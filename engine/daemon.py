"""Being a daemon: one engine per home, detached from whoever started it."""

from __future__ import annotations

import fcntl
import json
import os
import pwd
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

READY = "ready"
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


def detach(log: Path, body: Callable[[Callable[[str], None]], int]) -> int:
    """Runs `body` in a process of its own session, and returns once it has said how its start went.

    `body` is given a function to call once with `ready`, or with the reason why it refuses. Standard input is /dev/null
    and both outputs go to the engine's log, so an SSH session that started the engine can end. Returns 0 when the
    daemon is ready, 5 when it refused.
    """
    heard, told = os.pipe()
    if os.fork() == 0:
        os.close(heard)
        os.setsid()
        if os.fork() != 0:
            os._exit(0)
        _redirect(log)
        code = 1
        try:
            code = body(lambda line: _tell(told, line))
        finally:
            os._exit(code)
    os.close(told)
    os.wait()
    with open(heard, encoding="utf-8") as pipe:
        said = pipe.read().strip()
    if said.startswith(READY):
        print(said)
        return 0
    print(said or f"the engine ended before it was ready: see {log}", file=sys.stderr)
    return 5 if said else 1


def _tell(pipe: int, line: str) -> None:
    os.write(pipe, f"{line}\n".encode())
    os.close(pipe)


def _redirect(log: Path) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    out = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(null, 0)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.close(null)
    os.close(out)


def supervisor() -> Callable[[str], None]:
    """What tells systemd, where it started this process and waits for that, that it is ready, or why it refuses.

    The address is taken out of the environment: no other process of a home has a say in it.
    """
    address = os.environ.pop("NOTIFY_SOCKET", "")
    if address.startswith("@"):
        address = f"\0{address[1:]}"
    return lambda line: _notify(address, line) if address else None


def _notify(address: str, line: str) -> None:
    # Its protocol has one setting in a line.
    word = "READY=1" if line.startswith(READY) else f"STATUS={' '.join(line.split())}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as link:
        try:
            link.sendto(word.encode(errors="replace"), address)
        except OSError as error:
            print(f"systemd was not told: {error}", file=sys.stderr)

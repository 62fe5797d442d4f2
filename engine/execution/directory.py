"""The attempt directory on disk: paths, the claim, the lock, the status. Both sides use it; standard library only.

`attempts/<YYYYMMDD>/<ULID>/`: the day is that of the ULID's own time, so the path follows from the id alone. Files are
0600, folders 0700. The lock is `flock` on the directory itself.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from functools import lru_cache

from engine import failpoints
from engine.model.attempt_files import CLAIM, GAP, RESULT, SPEC, STATUS, LogGap

OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
_SMALL = 64 * 1024

_TO_PYTHON_BASE32 = str.maketrans("ABCDEFGHJKMNPQRSTVWXYZ", "ABCDEFGHIJKLMNOPQRSTUV")
_DAY_MS = 86_400_000


class Claim:
    """What an attempt's process says of itself when it begins."""

    __slots__ = ("at", "boot_id", "pid", "started")

    def __init__(self, pid: int, started: int, boot_id: str, at: int) -> None:
        self.pid = pid
        self.started = started
        """Start time in clock ticks since boot."""
        self.boot_id = boot_id
        self.at = at
        """When it was made: microseconds of the system's wall clock. 0: as the file's own time says."""


class Survey:
    """What stands on disk: `state` is `never_started`, `running`, `ended` or `lost`."""

    __slots__ = ("claim", "state", "status")

    def __init__(self, state: str, claim: Claim | None, status: bytes | None) -> None:
        self.state = state
        self.claim = claim
        self.status = status


@lru_cache(maxsize=16)
def _day_name(day: int) -> str:
    return time.strftime("%Y%m%d", time.gmtime(day * 86_400))


def day_of(attempt_id: str) -> str:
    """The folder of an attempt's day. Raises ValueError when the id is not a ULID."""
    if len(attempt_id) != 26 or not attempt_id.isalnum() or not attempt_id.isascii():
        raise ValueError(f"{attempt_id!r} is not an attempt id")
    return _day_name(int(attempt_id[:10].translate(_TO_PYTHON_BASE32), 32) // _DAY_MS)


def path_of(root: str, attempt_id: str) -> str:
    """The attempt's directory below `root`. Raises ValueError when the id is not a ULID."""
    return f"{root}/{day_of(attempt_id)}/{attempt_id}"


def read_gap(path: str) -> LogGap | None:
    """The gap in the log of the attempt directory `path`; None when it is whole."""
    try:
        with open(f"{path}/{GAP}", "rb") as source:
            return LogGap.loads(source.read())
    except (OSError, ValueError):
        return None


def create(path: str, spec: bytes) -> bool:
    """Makes the directory and writes its spec. False when the directory stood before: nothing is changed then."""
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        return False
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        return create(path, spec)
    failpoints.hit("attempt.directory.made")
    _write_new(f"{path}/{SPEC}", spec)
    failpoints.hit("attempt.spec.written")
    return True


def _write_new(path: str, data: bytes) -> None:
    handle = os.open(path, _CREATE, 0o600)
    try:
        _write_all(handle, data)
    finally:
        os.close(handle)


def _write_all(handle: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def rewrite_spec(path: str, spec: bytes) -> None:
    """Puts a whole spec in place of what an interrupted start may have left. Only for attempts that never began."""
    spare = f"{path}/.{SPEC}.{os.getpid()}"
    try:
        os.unlink(spare)
    except FileNotFoundError:
        pass
    _write_new(spare, spec)
    os.rename(spare, f"{path}/{SPEC}")


def open_directory(path: str) -> int:
    """A descriptor of the directory, for locking and as base of its files. Raises OSError."""
    return os.open(path, OPEN_DIRECTORY)


def lock(directory: int) -> None:
    """Takes the attempt's lock, waiting for it. It lasts as long as any copy of this descriptor."""
    fcntl.flock(directory, fcntl.LOCK_EX)


def try_lock(directory: int) -> bool:
    """The same without waiting; False when somebody else holds the lock, or probes it this instant."""
    try:
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_locked(directory: int) -> bool:
    """True if something of the attempt is alive. Only through a descriptor that holds no lock itself."""
    try:
        fcntl.flock(directory, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(directory, fcntl.LOCK_UN)
    return False


def make_claim(directory: int, pid: int, started: int, boot_id: str, at: int) -> bool:
    """Claims the attempt: the one thing that happens at most once in its life. False when a claim stands."""
    try:
        handle = os.open(CLAIM, _CREATE, 0o600, dir_fd=directory)
    except FileExistsError:
        return False
    failpoints.hit("attempt.claim.made")
    try:
        os.write(
            handle, b'{"v":1,"pid":%d,"started":%d,"boot_id":"%s","at":%d}\n' % (pid, started, boot_id.encode(), at)
        )
    finally:
        os.close(handle)
    failpoints.hit("attempt.claim.written")
    return True


def _read(path: str) -> tuple[bytes, int] | None:
    """A small file's bytes and its time of last change in microseconds; None when there is none."""
    try:
        handle = os.open(path, _READ)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        data = os.read(handle, _SMALL)
        return data, os.fstat(handle).st_mtime_ns // 1000
    finally:
        os.close(handle)


def read_claim(path: str) -> Claim | None:
    """The claim in the directory `path`; None when there is none, or when it is not whole."""
    found = _read(f"{path}/{CLAIM}")
    if found is None or not found[0].endswith(b"\n"):
        return None
    try:
        raw = json.loads(found[0])
        return Claim(int(raw["pid"]), int(raw["started"] or 0), str(raw["boot_id"]), int(raw.get("at") or found[1]))
    except (ValueError, KeyError, TypeError):
        return None


def has_claim(path: str) -> bool:
    """True if the attempt has begun, even if its claim cannot be read."""
    try:
        os.lstat(f"{path}/{CLAIM}")
    except FileNotFoundError:
        return False
    return True


def read_spec(path: str) -> bytes:
    """The spec's bytes. Raises OSError."""
    handle = os.open(f"{path}/{SPEC}", _READ)
    try:
        parts = []
        while part := os.read(handle, 1 << 20):
            parts.append(part)
            if len(part) < _SMALL:
                break
        return b"".join(parts)
    finally:
        os.close(handle)


def read_status(path: str) -> bytes | None:
    """The status file's bytes; None when there is none, or when it is not whole yet."""
    found = read_status_at(path)
    return found[0] if found is not None else None


def read_status_at(path: str) -> tuple[bytes, int] | None:
    """The same with the moment it was written, in microseconds of the system's wall clock."""
    found = _read(f"{path}/{STATUS}")
    return found if found is not None and found[0].endswith(b"\n") else None


def write_own_status(path: str, status: bytes) -> bool:
    """Writes the status by the attempt's own process, in one write. False when another's stands.

    By path, as the result: the task may have closed the directory's descriptor, or given its number to something else.
    """
    failpoints.hit("attempt.status.before")
    try:
        handle = os.open(f"{path}/{STATUS}", _CREATE, 0o600)
    except FileExistsError:
        return False
    failpoints.hit("attempt.status.made")
    try:
        _write_all(handle, status)
    finally:
        os.close(handle)
    failpoints.hit("attempt.status.written")
    return True


def settle_status(path: str, status: bytes) -> bool:
    """Writes a waiter's status for an attempt whose process is dead, unless a whole one stands: the first wins.

    A torn one (the process died between creating and writing it) is replaced. True when ours stands.
    """
    target, spare = f"{path}/{STATUS}", f"{path}/.{STATUS}.{os.getpid()}"
    try:
        os.unlink(spare)
    except FileNotFoundError:
        pass
    try:
        _write_new(spare, status)
        os.link(spare, target)
        return True
    except FileExistsError:
        if read_status(path) is not None:
            return False
        os.rename(spare, target)
        return True
    finally:
        try:
            os.unlink(spare)
        except FileNotFoundError:
            pass


def write_result(path: str, data: bytes) -> None:
    """Puts `result.json` in place, whole or not at all."""
    spare = f"{path}/.{RESULT}.{os.getpid()}"
    _write_new(spare, data)
    failpoints.hit("attempt.result.written")
    os.rename(spare, f"{path}/{RESULT}")
    failpoints.hit("attempt.result.renamed")


def result_bytes(path: str) -> int | None:
    """Size of the result file; None when there is none."""
    try:
        return os.stat(f"{path}/{RESULT}", follow_symlinks=False).st_size
    except FileNotFoundError:
        return None


def survey(path: str) -> Survey:
    """Decides by the files and the lock alone what became of an attempt.

    The status is read again after a free lock was seen: an orderly process writes it before it lets the lock go.
    """
    status = read_status(path)
    if status is not None:
        return Survey("ended", read_claim(path), status)
    try:
        directory = open_directory(path)
    except (FileNotFoundError, NotADirectoryError):
        return Survey("never_started", None, None)
    try:
        if is_locked(directory):
            return Survey("running", read_claim(path), None)
    finally:
        os.close(directory)
    status = read_status(path)
    claim = read_claim(path)
    if status is not None:
        return Survey("ended", claim, status)
    return Survey("lost" if has_claim(path) else "never_started", claim, None)


def has_surely_not_begun(path: str) -> bool:
    """True if nobody has claimed the attempt; False also where that cannot be said now."""
    try:
        return survey(path).state == "never_started"
    except OSError:
        return False

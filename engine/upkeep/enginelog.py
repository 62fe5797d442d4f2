"""Keeping the engine's own log within bounds: runner and hosts write to the same file, so it is emptied in place."""

from __future__ import annotations

import os
from pathlib import Path

MOST = 16 * 1024 * 1024
"""Bytes of `engine.log` from which on it is emptied."""
KEPT = 4 * 1024 * 1024
"""Bytes of its end that go to `engine.log.1`, in place of what stood there."""


def trim(log: Path, most: int = MOST, kept: int = KEPT) -> bool:
    """Empties a log that has grown too large; True when it did. Raises OSError.

    Everybody appends to it, so whoever has it open goes on at its new beginning. What is written in the moment between
    is lost.
    """
    try:
        size = log.stat().st_size
    except FileNotFoundError:
        return False
    if size <= most:
        return False
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(log, flags)
    try:
        end = os.pread(handle, kept, size - kept)
    finally:
        os.close(handle)
    spare = log.with_name(f"{log.name}.new")
    spare.unlink(missing_ok=True)
    handle = os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(handle, "wb") as out:
        out.write(end.partition(b"\n")[2])
    spare.rename(log.with_name(f"{log.name}.1"))
    os.truncate(log, 0)
    return True

"""The seal of a store: left by an engine that stopped in order, so that the next one need not read the whole file.

It says how the file looked from outside. A file that was overwritten, cut, or put there by somebody does not match.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

_NAME = "state.seal"


def seal(path: Path) -> None:
    """Seals the store at `path`, which is closed. A seal that cannot be written only costs the next start time."""
    look = _look(path)
    if look is None:
        return
    try:
        handle = os.open(path.with_name(_NAME), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        try:
            os.write(handle, json.dumps(look).encode())
        finally:
            os.close(handle)
    except OSError:
        break_seal(path)


def break_seal(path: Path) -> None:
    """From here on the file may change."""
    try:
        path.with_name(_NAME).unlink()
    except OSError:
        return


def is_sealed(path: Path) -> bool:
    """Whether nobody has touched the store since it was sealed."""
    try:
        return bool(json.loads(path.with_name(_NAME).read_text()) == _look(path))
    except (OSError, ValueError):
        return False


def _look(path: Path) -> list[int] | None:
    """Inode, length and both times of the file; None while a log beside it holds what is not in it yet."""
    try:
        log = path.with_name(path.name + "-wal")
        if log.exists() and log.stat().st_size:
            return None
        found = path.stat()
    except OSError:
        return None
    return [found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]

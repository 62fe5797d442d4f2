"""The log of an attempt as bytes by offset, straight from its directory: also while it grows."""

from __future__ import annotations

import os
import time
from pathlib import Path

_BASE32 = str.maketrans("ABCDEFGHJKMNPQRSTVWXYZ", "ABCDEFGHIJKLMNOPQRSTUV")
_DAY_MS = 86_400_000


def log_path(attempts: Path, attempt_id: str) -> Path:
    """Where an attempt's log is: `<attempts>/<YYYYMMDD>/<ULID>/log`, the day being that of the ULID's own time.

    Raises LookupError when the id is not a ULID, so no path can be made of hostile text.
    """
    if len(attempt_id) != 26 or not attempt_id.isascii() or not attempt_id.isalnum():
        raise LookupError("this attempt has no log: its id is not one that an engine makes")
    try:
        day = int(attempt_id[:10].translate(_BASE32), 32) // _DAY_MS
        name = time.strftime("%Y%m%d", time.gmtime(day * 86_400))
    except (ValueError, OverflowError, OSError) as error:
        raise LookupError("this attempt has no log: its id is not one that an engine makes") from error
    return attempts / name / attempt_id / "log"


class AttemptLog:
    """One log file. It is opened when it appears, and kept open: a rotated or pruned file stays readable."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    def size(self) -> int:
        """Bytes written so far; 0 while there is no file. Raises OSError when it cannot be read."""
        descriptor = self._open()
        return 0 if descriptor is None else os.fstat(descriptor).st_size

    def read(self, offset: int, count: int) -> bytes:
        """At most `count` bytes from `offset`, fewer at the end. Raises OSError when it cannot be read."""
        descriptor = self._open()
        return b"" if descriptor is None else os.pread(descriptor, count, offset)

    def close(self) -> None:
        """Gives the file back."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _open(self) -> int | None:
        if self._descriptor is None:
            try:
                self._descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            except FileNotFoundError:
                return None
        return self._descriptor

"""The log of an attempt as bytes by offset, straight from its directory: also while it grows."""

from __future__ import annotations

import os
import time
from pathlib import Path

from engine.model.attempt_files import GAP, LogGap

_BASE32 = str.maketrans("ABCDEFGHJKMNPQRSTVWXYZ", "ABCDEFGHIJKLMNOPQRSTUV")
_DAY_MS = 86_400_000
_HOLE, _BLANK = bytes(4096), b" " * 4096


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
    """One log as a reader sees it: where its middle was given back to the disk, a line that says so.

    The file is opened when it appears, and kept open: a pruned file stays readable. Offsets are those of what is seen,
    and stay as they are while it is open: what is given back later reads as blanks.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None
        self._gap: LogGap | None = None

    def size(self) -> int:
        """Bytes to be read so far; 0 while there is no file. Raises OSError when it cannot be read."""
        descriptor = self._open()
        return 0 if descriptor is None else os.fstat(descriptor).st_size - self._hidden

    def read(self, offset: int, count: int) -> bytes:
        """At most `count` bytes from `offset`, fewer at the end. Raises OSError when it cannot be read."""
        descriptor = self._open()
        if descriptor is None:
            return b""
        gap = self._gap
        if gap is None:
            return _without_holes(os.pread(descriptor, count, offset))
        words = gap.words
        if offset < gap.start:
            first = os.pread(descriptor, min(count, gap.start - offset), offset)
        elif offset < gap.start + len(words):
            first = words[offset - gap.start :][:count]
        else:
            return _without_holes(os.pread(descriptor, count, offset + self._hidden))
        rest = count - len(first)
        return first + self.read(offset + len(first), rest) if first and rest else first

    def close(self) -> None:
        """Gives the file back."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    @property
    def _hidden(self) -> int:
        """By how much an offset behind the gap is smaller than the file's own."""
        return self._gap.end - self._gap.start - len(self._gap.words) if self._gap is not None else 0

    def _open(self) -> int | None:
        if self._descriptor is None:
            try:
                self._descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            except FileNotFoundError:
                return None
            try:
                self._gap = LogGap.loads((self.path.parent / GAP).read_bytes())
            except (OSError, ValueError):
                self._gap = None  # the log is whole
        return self._descriptor


def _without_holes(block: bytes) -> bytes:
    """Whole pages of zeros are what was given back since the log was opened; no task is taken to have written them."""
    return block.replace(_HOLE, _BLANK) if _HOLE in block else block

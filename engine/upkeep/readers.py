"""Who stays in one state of the store, and what that does to its write-ahead log.

The log can be emptied only up to the oldest state that a reader still sees. A console that was stopped in the middle of
a read, or a program of somebody else's that never ends its transaction, makes it grow for as long as it lasts.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from engine.execution.process import proc
from engine.store.connection import JOURNAL_LIMIT
from engine.store.transaction import TRUNCATE_PAGES
from engine.store.writer import WriterFigures

_MUCH = 2 * TRUNCATE_PAGES
"""Pages that stay in the log although it should have been emptied before."""
LARGE_BYTES = JOURNAL_LIMIT
"""The file of a log that is emptied now and then is no larger."""
_LONGER_THAN_A_READ = 1.0
_FIRST_MARK, _LAST_MARK = 123, 127
"""Bytes of the `-shm` file that SQLite's readers lock while they read."""
_LOCKS = Path("/proc/locks")


class LogWatch:
    """Looks when it is told to. `warning` is what consoles show."""

    def __init__(self, figures: Callable[[], WriterFigures], log: FilteringBoundLogger) -> None:
        self.warning: str | None = None
        self._figures = figures
        self._log = log

    def look(self) -> None:
        """Says why the store's log is not emptied, once it is large, or cannot be emptied at all."""
        figures, words = self._figures(), None
        if figures.checkpoint_error is not None:
            words = f"the store's log cannot be emptied: {figures.checkpoint_error}"
        elif figures.stuck_pages >= _MUCH:
            words = "the store's log grows: somebody stays in an old state of the store; `dagdeck doctor` names them"
        if words is not None and self.warning is None:
            self._log.warning("store_log_grows", text=words)
        self.warning = words


def reading(database: Path) -> dict[int, int]:
    """The processes that are in a state of the store right now, each with the mark that it holds.

    Empty where the kernel does not tell, or tells only of other name spaces.
    """
    try:
        shared = database.with_name(database.name + "-shm").stat()
        lines = _LOCKS.read_text().splitlines()
    except OSError:
        return {}
    place = f"{os.major(shared.st_dev):02x}:{os.minor(shared.st_dev):02x}:{shared.st_ino}"
    found = {}
    for line in lines:
        words = line.replace("-> ", "").split()
        if len(words) < 8 or words[1] != "POSIX" or words[3] != "READ" or words[5] != place:
            continue
        first, pid = int(words[6]), int(words[4])
        if _FIRST_MARK <= first <= _LAST_MARK and pid > 0:
            found[pid] = first
    return found


def staying(database: Path) -> list[str]:
    """The processes that hold their mark for longer than any read of ours, by pid, name and what they do."""
    before = reading(database)
    if not before:
        return []
    time.sleep(_LONGER_THAN_A_READ)
    same = [pid for pid, mark in reading(database).items() if before.get(pid) == mark]
    return [f"{pid} ({proc.name(pid)}, {_doing(pid)})" for pid in sorted(same)]


def log_bytes(database: Path) -> int:
    """How large the store's write-ahead log is."""
    try:
        return database.with_name(database.name + "-wal").stat().st_size
    except FileNotFoundError:
        return 0


def _doing(pid: int) -> str:
    seen = proc.stat(pid)
    return "gone" if seen is None else "stopped" if seen.state in ("T", "t") else "running"

"""Nobody else writes to the store of a running engine, removes it or puts another in its place. Should somebody do so
all the same, the writer notices before its next commit, saves what it still holds, and takes no more changes.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from engine.model.typed import quoted
from engine.store.connection import connect_reader
from engine.store.copying import diagnose, sync_file
from engine.store.errors import StoreDamaged, StoreMissing, damaged
from engine.store.standing import Standing, cut, gone, look, was_written

RESCUED = "state-rescued-*.db"
"""Names, in a home's `backups/`, of what was saved of stores that were removed under their engines."""
_HALT = "while the engine runs. Nothing is started or changed any more; what runs, runs on"


class Vigil:
    """Remembers how the store's files stood after the engine's own last step. Used by the writer's thread alone."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: Standing | None = None
        self._rescued: Path | None = None
        self._gone = False

    def before_opening(self) -> None:
        """Raises StoreDamaged or StoreMissing unless the file at the path is the one that was opened before."""
        now = look(self._path)
        if now.store is None:
            raise self._error(f"{self._path} was removed") if self._seen is not None else _missing(self._path)
        if self._seen is None:
            return
        found = gone(self._seen, now, str(self._path)) if self._gone else None
        one, other = self._seen.store, now.store
        if found is None and one is not None and (one.device, one.inode) != (other.device, other.inode):
            found = f"{self._path} was replaced by another file"
        if found is not None:
            raise self._error(found)
        self._gone = False

    def opened(self) -> None:
        """The engine has just opened the store: these are the files it works on."""
        self._seen = look(self._path)

    def touched(self) -> None:
        """The engine itself has just written to them. Never raises: what was committed stays committed."""
        try:
            now = look(self._path)
        except OSError:
            self._seen = None  # nothing to compare with, until the store is opened again
            return
        if self._seen is not None and gone(self._seen, now, str(self._path)) is None:
            self._seen = now

    def check(self, connection: sqlite3.Connection) -> None:
        """Raises StoreDamaged when somebody else has changed, cut, removed or replaced a file of the store.

        What was merely written to is read through first: it may be sound.
        """
        if self._seen is None:
            return
        now = look(self._path)
        if now == self._seen:
            return
        found = gone(self._seen, now, str(self._path))
        if found is not None:
            self._rescue(connection)
            self._gone = True
            raise self._error(found)
        found = cut(self._seen, now, str(self._path))
        if found is not None:
            raise damaged(self._path, f"{found} while the engine runs")
        if was_written(self._seen, now):
            self._read_through()
        self._seen = now

    def _read_through(self) -> None:
        """With fresh eyes: what the writer has in its cache was read before."""
        reading = connect_reader(self._path)
        try:
            found = [str(row[0]) for row in reading.execute("PRAGMA quick_check(5)")]
        finally:
            reading.close()
        if found != ["ok"]:
            raise damaged(self._path, f"somebody wrote to it while the engine runs: {'; '.join(found)}")

    def _rescue(self, connection: sqlite3.Connection) -> None:
        """Saves all that was committed: the writer still has the files open that are no longer in their folder."""
        folder = self._path.parent / "backups"
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            numbers = (folder / RESCUED.replace("*", str(number)) for number in range(1, 1000))
            target = next(path for path in numbers if not path.exists())
            target.touch(0o600, exist_ok=False)
            copy = sqlite3.connect(target, isolation_level=None)
            try:
                connection.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")
            finally:
                copy.close()
            if diagnose(target).usable:
                sync_file(target)
                self._rescued = target
            else:
                target.unlink()
        except (OSError, StopIteration, sqlite3.Error):
            return  # the error that follows says that nothing could be saved

    def _error(self, found: str) -> StoreDamaged:
        """What was found, and what to do about it."""
        log_alone = found.startswith((f"{self._path}-wal", f"{self._path}-shm"))
        if self._rescued is None:
            way = "Put it back, or stop the engine and restore a backup: `dagdeck restore BACKUP --replace`"
        elif log_alone:
            way = f"Stop the engine and start it again. What was committed is also saved in {self._rescued}"
        else:
            way = (
                f"What was committed is saved in {self._rescued}: stop the engine, then `dagdeck restore "
                f"{quoted(self._rescued)} --replace`"
            )
        return StoreDamaged(f"{found} {_HALT}. {way}")


def _missing(path: Path) -> StoreMissing:
    return StoreMissing(f"{path}: there is no store here")

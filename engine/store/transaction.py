"""One transaction at a time on the writer's connection: begin, write, commit, and now and then checkpoint."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from engine import failpoints
from engine.store.connection import check_identity
from engine.store.encode import GUARDED, HOT, Encoded, Head
from engine.store.errors import StateDiverged, StoreError, damaged, error_name
from engine.store.sql import statements
from engine.store.trash import STEPS
from engine.store.tuples import FIRST_CHAIN
from engine.store.vigil import Vigil
from engine.version import SCHEMA

CHECKPOINT_PAGES = 1_000
TRUNCATE_PAGES = 8_000
"""A log that has grown this far is emptied as soon as no reader stands in the way, idle or not."""
IDLE_PAGES = 64
"""Less than this is not worth emptying the log when there is nothing to do."""
_DISTRUST = ("SQLITE_IOERR", "SQLITE_CORRUPT", "SQLITE_NOTADB")


@dataclass(slots=True)
class WalState:
    """What the last checkpoint said of the write-ahead log, and estimates of what came since."""

    pages: int = 0
    stuck: int = 0
    """Pages that a reader of an older state kept from being moved."""
    error: str | None = None
    written: int = 0
    """Pages written since the last checkpoint, roughly."""
    owed: int = 0
    """Pages written since the log was last emptied, roughly."""


class Committer:
    """The connection that does all commits and all checkpoints, one after the other, and nothing else."""

    def __init__(self, path: Path, connect: Callable[[Path], sqlite3.Connection]) -> None:
        self._path = path
        self._connect = connect
        self._connection: sqlite3.Connection | None = None
        self._hot = [statements("write")[name] for name in HOT]
        self._named = statements("write_rows")
        self._distrusted = False
        self._strange = False
        self._vigil = Vigil(path)
        self.wal = WalState()

    def open(self) -> Head:
        """Opens the store and reads its head. Raises sqlite3.Error, StoreError or OSError."""
        self._vigil.before_opening()
        self._connection = connection = self._connect(self._path)
        found = check_identity(connection, self._path)
        if found == 0:
            raise damaged(self._path, "it is empty")
        if found != SCHEMA:
            raise StoreError(f"{self._path}: the store has schema {found}, not {SCHEMA}: it was not upgraded first")
        self.wal.owed = IDLE_PAGES
        head = self.head()
        self._vigil.opened()
        return head

    def inspect(self) -> None:
        """Looks whether the store's files are still the engine's own. Raises StoreDamaged, sqlite3.Error or OSError."""
        if self._connection is not None:
            self._trust(self._connection)

    def head(self) -> Head:
        """The numbers given last, as the store has them."""
        connection = self._use()
        seq = int(connection.execute(statements("write")["head"]).fetchone()[0])
        audit = connection.execute(statements("write")["audit_head"]).fetchone()
        number, chain_ = audit if audit is not None else (0, FIRST_CHAIN)
        return Head(seq, int(number), str(chain_))

    def commit(self, batches: Sequence[Encoded]) -> None:
        """Writes and commits batches, all or none.

        Raises StateDiverged when a guarded row is not as expected, StoreDamaged when the store's files are no longer
        the engine's own, sqlite3.Error when SQLite refuses: then the connection is closed, because what it holds in its
        caches can no longer be trusted.
        """
        connection = self._use()
        self._trust(connection)
        try:
            connection.execute("BEGIN IMMEDIATE")
            self._write(connection, batches)
            failpoints.hit("store.before_commit")
            connection.execute("COMMIT")
            failpoints.hit("store.after_commit")
            self._vigil.touched()
        except (StateDiverged, sqlite3.IntegrityError):
            self._roll_back(connection)
            raise
        except Exception as error:
            self._distrusted = isinstance(error, sqlite3.Error) and error_name(error).startswith(_DISTRUST)
            self._drop(connection)
            raise
        pages = 6 + sum(batch.weight for batch in batches) // 4
        self.wal.written += pages
        self.wal.owed += pages

    def probe(self) -> Head:
        """Opens the store again if need be, proves with a tiny commit that it works, and reads its head."""
        if self._strange:
            self._vigil.before_opening()  # as long as it says no, the files that are still held open stay so
            self._strange = False
            if self._connection is not None:
                self._drop(self._connection)
        try:
            if self._connection is None:
                self.open()
            connection = self._use()
            if self._distrusted:
                self._check_sound(connection)
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(statements("write")["probe"])
            connection.execute("COMMIT")
            self._vigil.touched()
            self._distrusted = False
            return self.head()
        except Exception:
            if self._connection is not None:
                self._drop(self._connection)
            raise

    def checkpoint_if_due(self) -> None:
        """Moves pages from the log to the database when enough have gathered. Readers are never waited for.

        Raises StoreDamaged when the store's files are no longer the engine's own.
        """
        if self.wal.written < CHECKPOINT_PAGES:
            return
        self._trust(self._use())
        self._checkpoint("PASSIVE")
        if self.wal.pages >= TRUNCATE_PAGES:
            self._checkpoint("TRUNCATE")

    def truncate(self) -> bool:
        """Empties the log; False when a reader stands in the way or the disk refuses. Raises StoreDamaged."""
        self._trust(self._use())
        self._checkpoint("TRUNCATE")
        return self.wal.pages == 0 and self.wal.error is None

    def close(self) -> None:
        """Empties the log and closes the store."""
        if self._connection is not None:
            self._checkpoint("TRUNCATE")
            self._drop(self._connection)

    def _write(self, connection: sqlite3.Connection, batches: Sequence[Encoded]) -> None:
        """Hot rows of neighbouring batches are written together; named rows keep their place between them."""
        start = 0
        for position, batch in enumerate(batches):
            if batch.rows:
                self._write_hot(connection, batches[start:position])
                start = position
                for name, values in batch.rows:
                    step = STEPS.get(name)
                    if step is not None:
                        step(connection, values)
                    else:
                        connection.execute(self._named[name], values)
        self._write_hot(connection, batches[start:])

    def _write_hot(self, connection: sqlite3.Connection, batches: Sequence[Encoded]) -> None:
        for index, text in enumerate(self._hot):
            if len(batches) == 1:
                rows = batches[0].hot[index]
            else:
                rows = list(chain.from_iterable(batch.hot[index] for batch in batches))
            if not rows:
                continue
            cursor = connection.executemany(text, rows)
            what = GUARDED.get(HOT[index])
            if what is not None and cursor.rowcount != len(rows):
                raise StateDiverged(
                    f"{self._path}: {len(rows) - cursor.rowcount} of {len(rows)} {what} rows are not in the state "
                    "that the engine believed"
                )

    def _checkpoint(self, mode: str) -> None:
        connection = self._use()
        self.wal.written = 0
        try:
            connection.execute("PRAGMA busy_timeout = 0")
            busy, pages, moved = connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
            connection.execute("PRAGMA busy_timeout = 5000")
        except sqlite3.Error as error:
            self.wal.error = f"{error_name(error)}: {error}"
            return
        finally:
            self._vigil.touched()
        self.wal.error = None
        self.wal.pages = max(0, pages)
        self.wal.stuck = max(0, pages - moved)
        if mode == "TRUNCATE" and not busy:
            self.wal.owed = 0

    def _trust(self, connection: sqlite3.Connection) -> None:
        try:
            self._vigil.check(connection)
        except (OSError, sqlite3.Error, StoreError):
            self._distrusted = self._strange = True
            raise

    def _check_sound(self, connection: sqlite3.Connection) -> None:
        found = [row[0] for row in connection.execute("PRAGMA quick_check(5)")]
        if found != ["ok"]:
            raise damaged(self._path, "; ".join(found))

    def _use(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreError(f"{self._path}: the store is closed after an error")
        return self._connection

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        self._vigil.touched()

    def _drop(self, connection: sqlite3.Connection) -> None:
        """Closes the connection; the next probe opens another."""
        self._connection = None
        connection.close()

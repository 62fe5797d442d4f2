"""Reading the store: a connection of its own that cannot write, with short reads and clear errors.

A reader works with the engine up, stopped or killed. It is used by one thread at a time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.store.connection import check_identity, connect_reader
from engine.store.errors import StoreError, StoreMissing, explain
from engine.store.sql import statements
from engine.version import SCHEMA

Row = tuple[Any, ...]
_NOTHING: Mapping[str, Any] = {}


class Reader:
    """A read-only connection to the store at `path`.

    Raises StoreMissing, StoreForeign, StoreTooNew, StoreDamaged or StoreUnreadable when it cannot be read, and
    StoreBusy when somebody holds it for longer than 250 ms; all are StoreError.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._in_snapshot = False
        self.remembered: dict[int, dict[str, tuple[str, int]]] = {}
        """Pool and slots by task id, of DAG versions that have been read; they never change."""
        self._open()

    def all(self, file: str, name: str, values: Mapping[str, Any] = _NOTHING) -> list[Row]:
        """All rows of the named statement of `sql/<file>.sql`."""
        try:
            return self._use().execute(statements(file)[name], values).fetchall()
        except sqlite3.Error as error:
            raise explain(error, self._path) from error

    def one(self, file: str, name: str, values: Mapping[str, Any] = _NOTHING) -> Row | None:
        """The first row of the named statement, or None."""
        try:
            row: Row | None = self._use().execute(statements(file)[name], values).fetchone()
        except sqlite3.Error as error:
            raise explain(error, self._path) from error
        return row

    def select(self, text: str, values: Mapping[str, Any] = _NOTHING) -> list[Row]:
        """Rows of a statement that is put together from named ones."""
        try:
            return self._use().execute(text, values).fetchall()
        except sqlite3.Error as error:
            raise explain(error, self._path) from error

    @contextmanager
    def snapshot(self) -> Iterator[int]:
        """All reads within see one committed state; gives the number of its last event. Keep it short: a reader that
        stays inside keeps the write-ahead log from being emptied. Snapshots within a snapshot are the outer one.
        """
        if self._in_snapshot:
            yield self._head()
            return
        connection = self._use()
        try:
            connection.execute("BEGIN")
        except sqlite3.Error as error:
            raise explain(error, self._path) from error
        self._in_snapshot = True
        try:
            yield self._head()
        finally:
            self._in_snapshot = False
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def close(self) -> None:
        """Closes the connection; a later read opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _head(self) -> int:
        row = self.one("recovery", "head")
        return int(row[0]) if row else 0

    def _use(self) -> sqlite3.Connection:
        """The connection; a new one when the file at the path is not the one that was opened (a restored backup)."""
        if self._connection is not None and not self._in_snapshot and self._identity() != self._file:
            self.close()
        if self._connection is None:
            self._open()
        assert self._connection is not None
        return self._connection

    def _identity(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    def _open(self) -> None:
        self._file = self._identity()
        try:
            connection = connect_reader(self._path)
            try:
                schema = check_identity(connection, self._path)
                if schema == 0:
                    raise StoreMissing(f"{self._path}: the store is empty: the engine has not made its tables yet")
                if schema < SCHEMA:
                    raise StoreError(f"{self._path}: schema {schema} is older than {SCHEMA}: the engine upgrades it")
            except BaseException:
                connection.close()
                raise
        except sqlite3.Error as error:
            raise explain(error, self._path) from error
        self._connection = connection

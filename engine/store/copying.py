"""Whole copies of a store, made and judged through SQLite's own library alone."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from engine.store.connection import check_identity, connect_reader
from engine.store.errors import (
    StoreDamaged,
    StoreError,
    StoreForeign,
    StoreMissing,
    StoreTooNew,
    StoreUnreadable,
    damaged,
    error_name,
    explain,
)
from engine.version import SCHEMA

_KINDS: tuple[tuple[type[StoreError], str], ...] = (
    (StoreMissing, "missing"),
    (StoreForeign, "foreign"),
    (StoreTooNew, "newer"),
    (StoreDamaged, "damaged"),
    (StoreUnreadable, "unreadable"),
)
_OF_WRITING = ("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_FSYNC", "SQLITE_IOERR_TRUNCATE")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a file that should be a store is found to be.

    `kind`: `sound`, `older`, `missing`, `empty`, `foreign`, `newer`, `damaged`, `unreadable` or `busy`.
    """

    kind: str
    text: str
    schema: int = 0
    seq: int = 0
    """Number of the last event."""
    runs: int = 0
    found: str = ""
    """What is wrong with the file itself, without the ways out of a home's store; empty where that is all of `text`."""

    @property
    def usable(self) -> bool:
        """Whether an engine of this version can work on it, perhaps after an upgrade."""
        return self.kind in ("sound", "older")


def diagnose(path: Path, *, thorough: bool = True) -> Diagnosis:
    """Looks at a store and changes nothing. `thorough` reads every page and every index, else only its beginning.

    Never raises for what stands in the file, whatever it is.
    """
    try:
        connection = connect_reader(path)
        try:
            return _judge(connection, path, thorough)
        finally:
            connection.close()
    except sqlite3.Error as error:
        return _of(explain(error, path))
    except StoreError as error:
        return _of(error)
    except (ArithmeticError, LookupError, TypeError, UnicodeDecodeError, ValueError) as error:
        return _of(damaged(path, str(error)))


def _of(error: StoreError) -> Diagnosis:
    for kind, name in _KINDS:
        if isinstance(error, kind):
            return Diagnosis(name, str(error), found=error.found)
    return Diagnosis("busy", str(error))


def _judge(connection: sqlite3.Connection, path: Path, thorough: bool) -> Diagnosis:
    schema = check_identity(connection, path)
    if schema == 0:
        return Diagnosis("empty", f"{path}: the file is empty: there are no tables in it")
    if schema > SCHEMA:
        return Diagnosis("newer", f"{path}: the store has schema {schema}, this program knows {SCHEMA}", schema)
    if thorough:
        found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(5)")]
        if found != ["ok"]:
            return _of(damaged(path, "; ".join(found)))
    seq = int(connection.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()[0])
    runs = int(connection.execute("SELECT count(*) FROM run").fetchone()[0])
    kind = "sound" if schema == SCHEMA else "older"
    return Diagnosis(kind, f"{path}: schema {schema}, {seq} events, {runs} runs", schema, seq, runs)


def copy_store(source: Path, target: Path) -> Diagnosis:
    """Copies a store, live or not, into a new file of its own (0600, no log beside it) and proves it by opening it.

    The copy is one committed state. It is on the disk when this returns. Raises StoreError; nothing is left behind
    then. FileExistsError when `target` stands.
    """
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    try:
        _copy(source, target)
        found = diagnose(target)
        if found.kind == "newer":
            raise StoreTooNew(
                f"{source}: the store has schema {found.schema}, this program knows {SCHEMA}: "
                "the newer version of dagdeck that wrote it has to copy it"
            )
        if not found.usable:
            raise StoreDamaged(f"the copy of {source} is not sound, so it was removed: {found.text}")
        sync_file(target)
        return found
    except BaseException:
        for suffix in ("", "-wal", "-shm", "-journal"):
            target.with_name(target.name + suffix).unlink(missing_ok=True)
        raise


def _copy(source: Path, target: Path) -> None:
    try:
        reading = connect_reader(source)
        try:
            if check_identity(reading, source) == 0:
                raise StoreMissing(f"{source}: the store is empty: the engine has not made its tables yet")
            writing = sqlite3.connect(target, isolation_level=None)
            try:
                reading.backup(writing)  # in one step: the source's writer goes on beside it
                writing.execute("PRAGMA journal_mode = DELETE")
            finally:
                writing.close()
        finally:
            reading.close()
    except sqlite3.Error as error:
        # Only the copy is written to: a disk without room is the copy's.
        raise explain(error, target if error_name(error).startswith(_OF_WRITING) else source) from error


def sync_file(path: Path) -> None:
    """Has the disk take a closed file, and its entry in the folder."""
    for what, flags in ((path, os.O_RDONLY), (path.parent, os.O_RDONLY | os.O_DIRECTORY)):
        handle = os.open(what, flags | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

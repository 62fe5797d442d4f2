"""Opening the database: the one place that sets what every connection must have."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from engine.store.errors import StoreError, StoreMissing, StoreTooNew, damaged, foreign
from engine.version import SCHEMA, SCHEMA_MAJOR

APPLICATION_ID = 0x64676463
"""`dgdc` in ASCII: marks the file as a store of dagdeck."""
OLDEST_SQLITE = (3, 37, 0)
"""The first version with STRICT tables."""
JOURNAL_LIMIT = 64 * 1024 * 1024
READER_WAIT_MS = 250


def check_library() -> None:
    """Raises StoreError when this interpreter's SQLite is too old to hold the store."""
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        needed = ".".join(map(str, OLDEST_SQLITE))
        raise StoreError(f"SQLite {sqlite3.sqlite_version} is too old for the store: {needed} or newer is needed")


def connect_writer(path: Path, factory: type[sqlite3.Connection] = sqlite3.Connection) -> sqlite3.Connection:
    """A read-write connection for the store's writer: durable on commit, checkpoints only when told to.

    Creates the file if it is missing. Raises sqlite3.Error, or StoreError when WAL cannot be switched on or the file
    is not a store that this program may touch; such a file is left as it is.
    """
    check_library()
    _check_file(path)
    connection = sqlite3.connect(path, isolation_level=None, timeout=5.0, check_same_thread=False, factory=factory)
    try:
        _harden(connection)
        check_identity(connection, path)
        mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if mode != "wal":
            raise StoreError(
                f"{path}: SQLite could not switch to its write-ahead log (it stays {mode!r}). "
                "The store needs a local disk: network file systems do not work"
            )
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = ON")
        connection.execute("PRAGMA checkpoint_fullfsync = ON")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute(f"PRAGMA journal_size_limit = {JOURNAL_LIMIT}")
        connection.execute("PRAGMA cache_size = -2048")
    except BaseException:
        connection.close()
        raise
    return connection


def connect_reader(path: Path, *, torn: bool = False) -> sqlite3.Connection:
    """A connection that can only read, and waits 250 ms at most. Raises StoreMissing, StoreForeign, sqlite3.Error.

    `torn` reads on where SQLite would refuse: a file that was cut, and what stands before damage in its table of
    contents.
    """
    check_library()
    if not path.exists():
        raise StoreMissing(f"{path}: there is no store here. Start the engine once, or make a home: dagdeck init")
    _check_file(path)
    uri = f"file:{quote(os.fsencode(path.absolute()))}?mode=ro"
    connection = sqlite3.connect(
        uri, uri=True, isolation_level=None, timeout=READER_WAIT_MS / 1000, check_same_thread=False
    )
    try:
        if torn:
            connection.execute("PRAGMA writable_schema = ON")  # of no other effect where nothing can be written
        _harden(connection)
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA cache_size = -2048")
    except BaseException:
        connection.close()
        raise
    return connection


def _check_file(path: Path) -> None:
    """SQLite would only say that it cannot open a folder, and would wait at a pipe."""
    if path.exists() and not path.is_file():
        raise foreign(path, f"a {'folder' if path.is_dir() else 'special file'} stands where the store should be")


def _harden(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.execute("PRAGMA mmap_size = 0")


def check_identity(connection: sqlite3.Connection, path: Path) -> int:
    """The schema number of the store that a connection is on; 0 for an empty file.

    Raises StoreForeign when the database belongs to something else, StoreTooNew when its schema is of a later
    major version than this program's, StoreDamaged when it has no schema number at all.
    """
    found = int(connection.execute("PRAGMA application_id").fetchone()[0])
    schema = int(connection.execute("PRAGMA user_version").fetchone()[0])
    tables = int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    if found != APPLICATION_ID:
        if tables or found or schema:
            raise foreign(path, f"this is the database of another program (application id {found:#x})")
        return 0
    if schema == 0:
        raise damaged(path, "it has no schema number")
    if schema // 1000 > SCHEMA_MAJOR:
        raise StoreTooNew(
            f"{path}: the store has schema {schema}, this program knows {SCHEMA}. "
            "The engine has been upgraded: restart this program, or install the newer version"
        )
    return schema

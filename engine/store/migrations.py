"""Creating and upgrading the store. sqlite-utils keeps the account of migrations; it is loaded when one is due."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from engine import failpoints
from engine.store.connection import APPLICATION_ID, check_identity, connect_writer
from engine.store.copying import copy_store
from engine.store.errors import StoreError, StoreTooNew, damaged, making_sense
from engine.store.seal import break_seal, is_sealed
from engine.store.sql import script
from engine.version import SCHEMA

if TYPE_CHECKING:
    from sqlite_utils import Database


def schema_1000(db: Database) -> None:
    """The first schema."""
    for statement in _split(script("schema_1000")):
        db.conn.execute(statement)


MIGRATIONS = (schema_1000,)
"""All of them, in order. One that has been released is never changed; a new schema gets a new one."""
LARGE_STORE = 256 * 1024 * 1024
"""Bytes from which on reading all of a store would be felt at every start after a kill."""


def open_store(path: Path, boot_id: str | None = None) -> None:
    """Creates the store at `path`, or upgrades it, in one transaction; does nothing when it is up to date.

    Before an upgrade, a copy of the store goes to `backups/` beside it, and is proved by opening it. A store that was
    not sealed by an engine's orderly stop is read with SQLite's quick check, unless it is large and only the process
    of its last engine died, in the same boot `boot_id`: that leaves the file sound. Raises StoreError saying what is
    wrong: the file belongs to another program, is damaged, was written by a newer version, or the disk does not let
    SQLite work. The file is left as it is then.
    """
    with making_sense(path):
        connection = connect_writer(path)
        try:
            before = check_identity(connection, path)
            if before > SCHEMA:
                raise StoreTooNew(
                    f"{path}: the store has schema {before}, this engine knows {SCHEMA}: it was written by a newer "
                    "version of dagdeck. Install that version, or restore a backup that this one made"
                )
            if before:
                _check(connection, path, boot_id)
            if before != SCHEMA:
                if before:
                    _save(path, before)
                _upgrade(connection, path)
        finally:
            connection.close()
        break_seal(path)


def _check(connection: sqlite3.Connection, path: Path, boot_id: str | None) -> None:
    if is_sealed(path):
        return
    last = connection.execute("SELECT boot_id FROM engine_session ORDER BY id DESC LIMIT 1").fetchone()
    same_boot = last is not None and boot_id is not None and last[0] == boot_id
    if same_boot and path.stat().st_size > LARGE_STORE:
        return
    found = [str(row[0]) for row in connection.execute("PRAGMA quick_check(5)")]
    if found != ["ok"]:
        raise damaged(path, "; ".join(found))


def _save(path: Path, schema: int) -> None:
    """The store as it is, before it is changed."""
    folder = path.parent / "backups"
    folder.mkdir(mode=0o700, exist_ok=True)
    for number in range(1, 1000):
        target = folder / f"{path.stem}-schema-{schema}{f'-{number}' if number > 1 else ''}.db"
        try:
            copy_store(path, target)
            return
        except FileExistsError:
            continue
        except OSError as error:
            raise StoreError(
                f"{path}: it was not upgraded to schema {SCHEMA}, because the backup of it in {folder} failed "
                f"({error.strerror}). Nothing was changed"
            ) from error
    raise StoreError(f"{folder} holds a thousand copies of schema {schema}: remove some")


def _upgrade(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        _migrate(connection)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA}")
        failpoints.hit("store.before_upgrade")
        connection.execute("COMMIT")
        failpoints.hit("store.after_upgrade")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    if check_identity(connection, path) != SCHEMA:
        raise StoreError(f"{path}: the upgrade to schema {SCHEMA} did not take hold")


def _migrate(connection: sqlite3.Connection) -> None:
    from sqlite_utils import Database, Migrations

    account = Migrations("dagdeck")
    for migration in MIGRATIONS:
        account()(migration)
    account.apply(Database(connection, recursive_triggers=False, execute_plugins=False, strict=True))


def _split(text: str) -> Iterator[str]:
    """The statements of a script, triggers whole."""
    pending = ""
    for line in text.splitlines(keepends=True):
        pending += line
        if line.rstrip().endswith(";") and sqlite3.complete_statement(pending):
            yield pending.strip()
            pending = ""

"""Creating and upgrading the store. sqlite-utils keeps the account of migrations; it is loaded when one is due."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from engine import failpoints
from engine.store.connection import APPLICATION_ID, check_identity, connect_writer
from engine.store.errors import StoreDamaged, StoreError, StoreTooNew, explain
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


def open_store(path: Path, boot_id: str | None = None) -> None:
    """Creates the store at `path`, or upgrades it, in one transaction; does nothing when it is up to date.

    A store whose last engine did not stop in order also gets SQLite's quick check, unless the machine is still in the
    boot `boot_id` of that engine: the death of a process leaves the file sound, only that of the machine may not.
    Raises StoreError saying what is wrong: the file belongs to another program, is damaged, was written by a newer
    version, or the disk does not let SQLite work.
    """
    try:
        connection = connect_writer(path)
        try:
            _upgrade(connection, path)
            _check_after_unclean_stop(connection, path, boot_id)
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise explain(error, path) from error


def _check_after_unclean_stop(connection: sqlite3.Connection, path: Path, boot_id: str | None) -> None:
    last = connection.execute("SELECT ended_at, boot_id FROM engine_session ORDER BY id DESC LIMIT 1").fetchone()
    if last is None or last[0] is not None or (boot_id is not None and last[1] == boot_id):
        return
    found = [row[0] for row in connection.execute("PRAGMA quick_check(5)")]
    if found != ["ok"]:
        raise StoreDamaged(
            f"{path}: the store is damaged ({'; '.join(found)}). Stop the engine and restore a backup: dagdeck restore"
        )


def _upgrade(connection: sqlite3.Connection, path: Path) -> None:
    before = check_identity(connection, path)
    if before > SCHEMA:
        raise StoreTooNew(f"{path}: the store has schema {before}, this engine knows {SCHEMA}: upgrade dagdeck")
    if before == SCHEMA:
        return
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

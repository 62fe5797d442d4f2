"""Reading what can still be read of a damaged store into a new one, row by row, around what cannot."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.model.moments import Micros
from engine.store.connection import connect_reader, connect_writer
from engine.store.errors import StoreDamaged, explain
from engine.store.migrations import open_store
from engine.store.sql import statements

_PAGE = 500
_UNTOUCHED = frozenset({"_sqlite_migrations", "sqlite_sequence"})

Row = tuple[Any, ...]


@dataclass(slots=True)
class Salvaged:
    """What was saved: rows by table, tables of which some could not be read, and what had to be left out or ended."""

    rows: dict[str, int] = field(default_factory=dict)
    torn: list[str] = field(default_factory=list)
    runs_left_out: int = 0
    runs_ended: int = 0


def salvage(source: Path, target: Path, now: Micros) -> Salvaged:
    """Fills a new store at `target` from the damaged one at `source`, which is only read.

    Runs of which a part is missing are left out; runs that were under way are cancelled, because what they were doing
    is no longer known well enough to go on. Raises StoreDamaged when nothing of the source can be read.
    """
    open_store(target)
    try:
        old, new = connect_reader(source, torn=True), connect_writer(target)
    except sqlite3.Error as error:
        raise StoreDamaged(f"{source}: nothing of it can be read ({error}): restore a backup") from error
    try:
        told = Salvaged()
        new.execute("PRAGMA foreign_keys = OFF")
        new.execute("BEGIN IMMEDIATE")
        for table in _tables(old, new, source):
            _copy_table(old, new, table, told)
        _mend(new, now, told)
        new.execute("COMMIT")
        new.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return told
    except sqlite3.Error as error:
        raise explain(error, target) from error
    finally:
        old.close()
        new.close()


def _tables(old: sqlite3.Connection, new: sqlite3.Connection, source: Path) -> list[str]:
    try:
        there = {str(row[0]) for row in old.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error as error:
        raise StoreDamaged(f"{source}: nothing of it can be read ({error}): restore a backup") from error
    known = [str(row[0]) for row in new.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid")]
    return [name for name in known if name in there and name not in _UNTOUCHED]


def _copy_table(old: sqlite3.Connection, new: sqlite3.Connection, table: str, told: Salvaged) -> None:
    try:
        columns = _columns(new, table) & _columns(old, table)
    except sqlite3.Error:
        columns = set()
    if not columns:
        told.torn.append(table)
        return
    names = sorted(columns)
    insert = f"INSERT OR IGNORE INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
    saved = 0
    for row in _rows(old, table, names, lambda: told.torn.append(table)):
        try:
            saved += new.execute(insert, row).rowcount
        except (sqlite3.Error, OverflowError, UnicodeError):
            told.torn.append(table)
    told.rows[table] = saved
    told.torn = list(dict.fromkeys(told.torn))


def _keys(connection: sqlite3.Connection, table: str) -> tuple[str, ...]:
    """What the table's rows are in order of: their number, or its primary key where they have none."""
    [(bare,)] = connection.execute("SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?", (table,))
    if not bare:
        return ("rowid",)
    found = connection.execute("SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", (table,))
    return tuple(str(row[0]) for row in found)


def _columns(connection: sqlite3.Connection, table: str) -> set[str]:
    return {str(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")}


def _rows(old: sqlite3.Connection, table: str, names: list[str], torn: Callable[[], None]) -> Iterator[Row]:
    """From the first row on until something cannot be read, then from the last row back until it cannot."""
    keys = _keys(old, table)
    whole = yield from _walk(old, table, names, keys, ">")
    if not whole:
        torn()
        yield from _walk(old, table, names, keys, "<")


def _walk(
    old: sqlite3.Connection, table: str, names: list[str], keys: tuple[str, ...], sign: str
) -> Generator[Row, None, bool]:
    """Rows in one direction; returns whether it came to the end."""
    order = ", ".join(f"{key} {'ASC' if sign == '>' else 'DESC'}" for key in keys)
    page = _PAGE
    at: Row = ()
    while True:
        where = f"WHERE ({', '.join(keys)}) {sign} ({', '.join('?' * len(keys))})" if at else ""
        text = f"SELECT {', '.join(keys)}, {', '.join(names)} FROM {table} {where} ORDER BY {order} LIMIT {page}"
        try:
            found = old.execute(text, at).fetchall()
        except (sqlite3.Error, UnicodeDecodeError, OverflowError):
            if page == 1:
                return False
            page = max(1, page // 8)
            continue
        for row in found:
            yield row[len(keys) :]
        if len(found) < page:
            return True
        before, at = at, found[-1][: len(keys)]
        if before and not _is_further(before, at, sign):
            return False  # pages that lead back to pages before them: there would be no end


def _is_further(before: Row, after: Row, sign: str) -> bool:
    try:
        return after > before if sign == ">" else after < before
    except TypeError:  # a key that is no key
        return False


def _mend(new: sqlite3.Connection, now: Micros, told: Salvaged) -> None:
    before = _runs(new)
    _drop_orphans(new)
    for name, text in statements("salvage").items():
        values = {"at": now} if ":at" in text else {"forget": int(_history_is_torn(new))} if ":forget" in text else {}
        changed = new.execute(text, values).rowcount
        if name == "runs_in_part":
            _drop_orphans(new)
            told.runs_left_out = before - _runs(new)
        elif name == "end_runs":
            told.runs_ended = changed


def _drop_orphans(new: sqlite3.Connection) -> None:
    """Removes rows that point to rows which could not be read, and those that pointed to them."""
    tables = [str(row[0]) for row in new.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    gone = 1
    while gone:
        gone = 0
        for table in tables:
            for _, _, parent, column, key, *_ in new.execute(f"PRAGMA foreign_key_list({table})").fetchall():
                gone += new.execute(
                    f"DELETE FROM {table} WHERE {column} IS NOT NULL AND {column} NOT IN (SELECT {key} FROM {parent})"
                ).rowcount


def _runs(new: sqlite3.Connection) -> int:
    return int(new.execute("SELECT count(*) FROM run").fetchone()[0])


def _history_is_torn(new: sqlite3.Connection) -> bool:
    """Whether the feed no longer tells how the rows came to be as they are."""
    rules = (
        "broken_task_histories",
        "broken_run_histories",
        "tasks_unlike_their_history",
        "runs_unlike_their_history",
    )
    return any(new.execute(statements("verify")[rule], {"most": 1}).fetchone() for rule in rules)

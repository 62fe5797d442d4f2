"""Stores as released versions have written them, kept as SQL.

`python -m tests.support.released` writes that of the present schema, when it is released; earlier ones are never
written again. A store of each is opened by the tests, as an upgrade does it.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from pathlib import Path

from engine.version import SCHEMA
from tests.support.kept_home import a_day
from tests.support.source import PROJECT

FOLDER = PROJECT / "tests" / "released"


def released() -> list[Path]:
    """The files, oldest schema first."""
    return sorted(FOLDER.glob("schema_*.sql"))


def build(dump: Path, path: Path) -> None:
    """Makes a store of a file."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.executescript(dump.read_text("utf-8"))
    finally:
        connection.close()


def dump_of(path: Path) -> str:
    """A store as SQL, with the numbers that mark it."""
    connection = sqlite3.connect(path)
    try:
        lines = list(connection.iterdump())
        for name in ("application_id", "user_version"):
            lines.append(f"PRAGMA {name} = {connection.execute(f'PRAGMA {name}').fetchone()[0]};")
    finally:
        connection.close()
    return "\n".join(lines) + "\n"


def schema_of(path: Path) -> dict[str, str]:
    """The definitions of a store by name, without the account of migrations."""
    connection = sqlite3.connect(path)
    try:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    finally:
        connection.close()
    return {name: sql for name, sql in rows if not name.startswith(("_sqlite", "sqlite_"))}


def main() -> None:
    """Writes the file of the present schema."""
    with tempfile.TemporaryDirectory() as folder:
        home = asyncio.run(a_day(Path(folder) / "home"))
        FOLDER.mkdir(exist_ok=True)
        target = FOLDER / f"schema_{SCHEMA}.sql"
        text = dump_of(home.database)
        target.write_text(text, "utf-8")
        print(target.relative_to(PROJECT), target.stat().st_size)


if __name__ == "__main__":
    main()

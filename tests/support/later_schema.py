"""A schema after the present one, for tests of upgrades alone: a second migration that no released engine knows.

`python -m tests.support.later_schema STORE FOLDER COUNT` upgrades `COUNT` copies of a store, each in a process that is
killed at another point of the way, and prints what each file is then: JSON lines of points and schemas.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import sys
from pathlib import Path
from typing import Any

import engine.store.migrations as migrations
from engine.version import SCHEMA

LATER = SCHEMA + 1
STEPS = 20
"""Instructions of SQLite's machine between two points at which a process may be killed."""


def schema_later(db: Any) -> None:
    """What comes after: a column, a table and changed rows."""
    db.conn.execute("ALTER TABLE pool ADD COLUMN colour TEXT")
    db.conn.execute("CREATE TABLE colour (name TEXT PRIMARY KEY NOT NULL) STRICT")
    db.conn.execute("UPDATE pool SET colour = 'blue'")
    db.conn.execute("INSERT INTO colour SELECT DISTINCT 'c' || id FROM task_instance")


def install() -> None:
    """Makes this process one of the version after this one."""
    migrations.MIGRATIONS = (*migrations.MIGRATIONS, schema_later)
    for name, module in list(sys.modules.items()):
        if name.startswith("engine.") and getattr(module, "SCHEMA", None) == SCHEMA:
            module.SCHEMA = LATER  # type: ignore[attr-defined]


def upgrade_and_die(path: Path, point: int) -> None:
    """Upgrades a store in this process, which is killed at the given point, if it comes that far."""
    connect = migrations.connect_writer
    left = point

    def step() -> int:
        nonlocal left
        left -= 1
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return 0

    def watched(where: Path) -> sqlite3.Connection:
        connection = connect(where)
        connection.set_progress_handler(step, STEPS)
        return connection

    migrations.connect_writer = watched
    migrations.open_store(path)


def main(store: Path, folder: Path, count: int) -> None:
    """Kills one upgrade after another, and tells what was left."""
    install()
    for point in range(1, count + 1):
        path = folder / f"at{point}" / "state.db"
        path.parent.mkdir()
        shutil.copy(store, path)
        pid = os.fork()
        if pid == 0:
            upgrade_and_die(path, point * 5)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        connection = sqlite3.connect(path)
        schema = connection.execute("PRAGMA user_version").fetchone()[0]
        sound = connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        colours = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'colour'").fetchone()[0]
        connection.close()
        migrations.open_store(path)
        killed = os.WIFSIGNALED(status)
        print(json.dumps({"killed": killed, "schema": schema, "sound": sound, "colours": colours}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))

"""Making a copied store safe to be the store of a home: it starts on hold, and starts nothing again by itself."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from engine.model.moments import Micros
from engine.store.connection import connect_writer
from engine.store.errors import explain
from engine.store.sql import statements


def hold_everything(path: Path, who: str, note: str, now: Micros, session: str) -> None:
    """Writes a hold of everything into a store that no engine serves, and has its next engine take nothing for alive.

    `session` takes the place of the boot in which its last engine ran: whatever had begun there is judged as after a
    restart of the machine, so that nothing is started a second time. Callbacks that were open are over. Raises
    StoreError.
    """
    try:
        connection = connect_writer(path)
        try:
            named = statements("restore")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(named["hold"], {"who": who, "note": note, "at": now})
            connection.execute(named["another_machine"], {"boot_id": session})
            connection.execute(named["end_callbacks"], {"at": now})
            connection.execute(named["event"], {"at": now, "kind": "hold", "reason": "restored", "detail": note})
            connection.execute("COMMIT")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise explain(error, path) from error

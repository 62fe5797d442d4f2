"""Deleted runs, the newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from console.model.reading import one_line, safe
from console.model.trash import Trash, TrashedCard
from engine.store.reader import Reader
from engine.store.reads_trash import trashed

if TYPE_CHECKING:
    from console.backends.pages import Reading


def read(reading: Reading) -> Trash:
    """For (): everything that is in the trash."""
    rows = trashed(cast(Reader, reading.rows))
    return Trash(
        tuple(
            TrashedCard(
                safe(row.run_id),
                safe(row.dag_id),
                safe(row.state),
                row.at,
                safe(row.who),
                None if row.note is None else one_line(row.note),
                row.taken,
            )
            for row in rows
        )
    )

"""Salvage of a home's damaged store: a new one of what can still be read, on hold, the damaged one kept beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.home import Home
from engine.model.moments import Micros
from engine.store.amend import hold_everything
from engine.store.copying import diagnose, sync_file
from engine.store.salvage import Salvaged, salvage
from engine.upkeep.backup import BackupError, stamp
from engine.upkeep.restore import held, move_aside

_HOPELESS = {
    "missing": "there is nothing to salvage",
    "empty": "there is nothing to salvage",
    "foreign": "it is not a store of dagdeck",
    "newer": "it is sound as far as this version can tell: install the version that wrote it",
    "unreadable": "let the file be read first",
}


@dataclass(frozen=True, slots=True)
class Rescue:
    """What was saved, and where the damaged store went."""

    told: Salvaged
    aside: Path | None
    note: str


def salvage_home(home: Home, who: str, now: Micros) -> Rescue:
    """Puts what can be read of a home's damaged store in its place. Raises AlreadyRunning, BackupError, StoreError."""
    with held(home):
        found = diagnose(home.database)
        if found.usable:
            raise BackupError(f"{home.database} is sound: there is nothing to salvage")
        if found.kind in _HOPELESS:
            raise BackupError(f"{found.text}; {_HOPELESS[found.kind]}")
        work = home.database.with_name(f"{home.database.name}.salvaging")
        _clear(work)
        try:
            told = salvage(home.database, work, now)
        except BaseException:
            _clear(work)
            raise
        note = f"salvaged from a damaged store: {sum(told.rows.values())} rows, {told.runs_left_out} runs left out"
        hold_everything(work, who, note, now, "before the salvage")
        aside = move_aside(home, f"damaged-{stamp(now)}")
        work.rename(home.database)
        sync_file(home.database)
    return Rescue(told, aside, note)


def _clear(work: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        work.with_name(work.name + suffix).unlink(missing_ok=True)

"""Bundles of DAG versions that nothing needs any more: no DAG loads them, and no kept run was made with them."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from engine.home import Home
from engine.store.reader import Reader
from engine.upkeep.files import tree_bytes

KEPT_SECONDS = 7 * 86_400
"""A bundle stays so long after it was last asked for: a version may be about to be made of it."""
_GOING = ".old-"


@dataclass(frozen=True, slots=True)
class Unused:
    """A bundle that goes."""

    path: Path
    bytes: int


def unused(home: Home, store: Reader) -> list[Unused]:
    """The bundles that go, by name."""
    wanted = {str(row[0]) for row in store.all("prune", "bundles")}
    found = []
    for path in sorted(home.versions.iterdir()) if home.versions.is_dir() else ():
        if path.name.startswith(_GOING) or (path.name not in wanted and path.is_dir() and _is_old(path)):
            found.append(Unused(path, tree_bytes(path)))
    return [each for each in found if not each.path.name.startswith(".new-")]


def remove_unused(bundles: list[Unused]) -> tuple[int, int]:
    """Removes bundles; returns how many, and bytes freed.

    One that the engine asks for this very moment stays: it gets another name first, by which nobody finds it, and its
    own again if somebody has touched it.
    """
    count = freed = 0
    for each in bundles:
        going = each.path
        if not going.name.startswith(_GOING):
            going = each.path.with_name(f"{_GOING}{each.path.name}")
            try:
                each.path.rename(going)
            except OSError:
                continue
            if not _is_old(going) and not each.path.exists():
                going.rename(each.path)
                continue
        shutil.rmtree(going)
        count, freed = count + 1, freed + each.bytes
    return count, freed


def _is_old(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > KEPT_SECONDS
    except OSError:
        return False

"""Which attempt directories are old enough, or too much, to be kept; and removing them."""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from engine.care import Retention
from engine.execution.directory import is_locked, open_directory
from engine.home import Home
from engine.model.attempt_files import GAP, LOG, RESULT
from engine.model.moments import DAY, Micros, to_datetime
from engine.store.reader import Reader, Row
from engine.upkeep.files import tree_bytes

_PAGE = 2000
_GOOD, _BAD = "good", "bad"
_GOING = ".old-"
"""How the name of a directory begins that is being removed, or was when its remover died."""
AGES = ((1, "today"), (7, "this week"), (30, "this month"))
"""Columns of the table by age: days, and how they are called; what is older comes last."""


@dataclass(slots=True)
class Kept:
    """One attempt directory, and what the store knows of it. `dag_id` is empty for one that it does not know."""

    path: Path
    dag_id: str
    bytes: int
    age: float
    """Days since its end."""
    doomed: str | None = None
    """Why it goes: `age`, `size` or `unknown`; None: it stays."""
    result_only: bool = False
    """Its log goes, its result is still the latest of its task."""


@dataclass(slots=True)
class Survey:
    """All attempt directories, by DAG and age."""

    kept: list[Kept] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        """What they take on the disk."""
        return sum(each.bytes for each in self.kept)

    @property
    def doomed(self) -> list[Kept]:
        """Those that go, oldest first."""
        return [each for each in self.kept if each.doomed is not None]

    def by_dag(self) -> dict[str, list[int]]:
        """Bytes of each DAG: one figure for each age, then what of them goes. The largest DAG first."""
        table: dict[str, list[int]] = defaultdict(lambda: [0] * (len(AGES) + 2))
        for each in self.kept:
            row = table[each.dag_id]
            row[next((n for n, (days, _) in enumerate(AGES) if each.age < days), len(AGES))] += each.bytes
            row[-1] += each.bytes if each.doomed else 0
        return dict(sorted(table.items(), key=lambda item: -sum(item[1][:-1])))


def survey(home: Home, store: Reader, retention: Retention, now: Micros) -> Survey:
    """Looks at every attempt directory and decides which go. Reads much: keep it away from an engine's loop.

    Kept whatever its age: what has not ended, and each task's last good and last failed attempt.
    """
    spared = _last_of_each_task(store)
    found = Survey()
    for day in sorted(_entries(home.attempts)):
        names = sorted(path.name for path in _entries(day))
        known = _rows(store, names)
        for name in names:
            kept = _judge(day, name, known.get(name), now)
            if kept is None:
                continue
            found.kept.append(kept)
            if name not in spared and retention.log_days and kept.age >= retention.log_days:
                kept.doomed = "age" if name in known else "unknown"
    _shrink(found, spared, retention.log_bytes)
    return found


def _last_of_each_task(store: Reader) -> set[str]:
    last: dict[tuple[str, str, str], str] = {}
    for row in _pages(store, "attempts", "", "~"):
        attempt_id, dag_id, task_id, state, outcome = row[:5]
        if state == "ended":
            last[dag_id, task_id, _GOOD if outcome in ("success", "skipped") else _BAD] = attempt_id
    return set(last.values())


def _pages(store: Reader, name: str, after: str, upto: str) -> Iterator[Row]:
    while page := store.all("prune", name, {"after": after, "upto": upto, "count": _PAGE}):
        yield from page
        after = page[-1][0]


def _rows(store: Reader, names: list[str]) -> dict[str, Row]:
    """What the store knows of the directories of a day: their names sort as their ids do."""
    if not names:
        return {}
    known = {row[0]: row for row in _pages(store, "attempts", _before(names[0]), names[-1])}
    for row in _pages(store, "callbacks", _before(names[0]), names[-1]):
        known[row[0]] = (row[0], row[1], "", row[2], None, None, 0, 0)
    return known


def _before(name: str) -> str:
    """A text that sorts before the name, and after all shorter ones that do."""
    return name[:-1] if name else ""


def _judge(day: Path, name: str, row: Row | None, now: Micros) -> Kept | None:
    """None for one that may still be at work."""
    if name.startswith(_GOING):
        return Kept(path=day / name, dag_id="", bytes=tree_bytes(day / name), age=_age_of(day, now), doomed="unknown")
    path = day / name
    if row is None:
        if day.name >= to_datetime(now - DAY).strftime("%Y%m%d") or _is_alive(path):
            return None
        return Kept(path, "", tree_bytes(path), _age_of(day, now))
    _, dag_id, _, state, _, ended_at, with_result, latest = row
    if state != "ended":
        return None
    age = max(0.0, (now - ended_at) / DAY) if ended_at is not None else _age_of(day, now)
    return Kept(path, dag_id, tree_bytes(path), age, result_only=bool(with_result and latest))


def _is_alive(path: Path) -> bool:
    try:
        handle = open_directory(str(path))
    except OSError:
        return False
    try:
        return is_locked(handle)
    finally:
        os.close(handle)


def _age_of(day: Path, now: Micros) -> float:
    """By the name of its folder: for what the store does not know."""
    try:
        then = to_datetime(0).strptime(day.name + "+0000", "%Y%m%d%z")
    except ValueError:
        return 0
    return max(0, (to_datetime(now) - then).days - 1)


def _shrink(found: Survey, spared: set[str], most: int) -> None:
    """Dooms the oldest of what stays until the rest is within `most` bytes; 0 is no limit."""
    left = sum(each.bytes for each in found.kept if each.doomed is None)
    for each in sorted(found.kept, key=lambda each: each.path.name) if most else ():
        if left <= most:
            return
        if each.doomed is None and each.path.name not in spared:
            each.doomed = "size"
            left -= each.bytes


def remove(doomed: Iterable[Kept]) -> tuple[int, int]:
    """Removes directories, or only their logs where the result is still wanted. Returns how many, and bytes freed."""
    count = freed = 0
    days = set()
    for each in doomed:
        try:
            if each.result_only and (each.path / RESULT).exists():
                before = each.bytes
                for name in (LOG, GAP):
                    (each.path / name).unlink(missing_ok=True)
                freed += before - tree_bytes(each.path)
            else:
                shutil.rmtree(_out_of_sight(each.path))
                freed += each.bytes
            count += 1
        except FileNotFoundError:
            continue
        days.add(each.path.parent)
    for day in days:  # once for each: the kernel looks through a whole folder to see whether it is empty
        _drop_empty(day)
    return count, freed


def _out_of_sight(path: Path) -> Path:
    """The directory under a name by which nobody looks for it: who reads evidence meanwhile finds all or nothing."""
    if path.name.startswith(_GOING):
        return path
    going = path.with_name(f"{_GOING}{path.name}")
    path.rename(going)
    return going


def _drop_empty(day: Path) -> None:
    try:
        day.rmdir()
    except OSError:
        return  # something stands in it


def _entries(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()]
    except FileNotFoundError:
        return []

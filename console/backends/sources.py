"""The code of DAG versions: read from the bundles that a home keeps, and compared. Blocking: not for the loop."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from console.model.reading import maybe, one_line, safe
from console.model.source import CodeCard, Diff, SourceCard, VersionCard
from console.text import sanitise_lines

if TYPE_CHECKING:
    from console.backends.rows import Rows

_BUNDLE = re.compile(r"[0-9a-f]{8,128}\Z")
_MOST_BYTES = 2 * 1024 * 1024
"""Of one version: what is larger is not compared, for that could take minutes."""


class Stored:
    """One version as the store has it: its card, its bundle, and its definition."""

    __slots__ = ("bundle", "card", "dag_id", "spec")

    def __init__(self, row: tuple[Any, ...]) -> None:
        self.dag_id: str = row[1]
        self.bundle: str = row[3]
        self.spec: dict[str, Any] = json.loads(row[5])
        self.card = VersionCard(row[0], row[2], row[6], maybe(row[7]), maybe(row[8]), row[9], bool(row[10]))

    @property
    def file(self) -> str:
        """The DAG file."""
        return str(self.spec.get("file", ""))


def stored(rows: Rows, key: int) -> Stored:
    """A version by its key. Raises LookupError when there is none."""
    row = rows.one("run", "version", {"id": key})
    if row is None:
        raise LookupError(f"there is no version with the key {key}")
    return Stored(row)


@lru_cache(maxsize=16)
def files_of(versions: Path, bundle: str) -> Mapping[str, str]:
    """The text of every file of a bundle, by path. Raises LookupError when the bundle is not kept."""
    folder = versions / bundle
    if not _BUNDLE.match(bundle) or not folder.is_dir():
        raise LookupError(f"its code is not kept any more: {folder} is not there")
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            found[str(path.relative_to(folder))] = path.read_text(encoding="utf-8", errors="backslashreplace")
    return found


def compare(versions: Path, before: Stored, after: Stored) -> Diff:
    """What changed from one version to another."""
    if before.card.id == after.card.id:
        return Diff()
    old, new = _tasks(before.spec), _tasks(after.spec)
    changed = tuple(name for name in old if name in new and old[name] != new[name])
    try:
        lines, files, added, removed = _compare(versions, before.bundle, after.bundle)
        note = ""
    except (LookupError, OSError, ValueError) as error:
        lines, files, added, removed, note = (), 0, 0, 0, str(error)
    return Diff(
        lines, files, added, removed,
        tuple(name for name in new if name not in old), tuple(name for name in old if name not in new), changed, note,
    )  # fmt: skip


def _tasks(spec: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The definition of each task, without the place in the file, which moves when anything above it changes."""
    return {task["task_id"]: {**task, "line": None} for task in spec.get("tasks", ())}


@lru_cache(maxsize=32)
def _compare(versions: Path, before: str, after: str) -> tuple[tuple[str, ...], int, int, int]:
    if before == after:
        return (), 0, 0, 0
    old, new = files_of(versions, before), files_of(versions, after)
    if max(sum(map(len, files.values())) for files in (old, new)) > _MOST_BYTES:
        raise ValueError(f"too much code to compare: more than {_MOST_BYTES // 2**20} MB")
    lines: list[str] = []
    files = added = removed = 0
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) == new.get(name):
            continue
        files += 1
        source = f"a/{name}" if name in old else "/dev/null"
        target = f"b/{name}" if name in new else "/dev/null"
        texts = old.get(name, "").splitlines(), new.get(name, "").splitlines()
        found = list(difflib.unified_diff(*texts, source, target, lineterm=""))
        added += sum(line.startswith("+") for line in found[2:])
        removed += sum(line.startswith("-") for line in found[2:])
        lines += found
    return tuple(lines), files, added, removed


class Versions(Protocol):
    """What an engine says of the code that a command would use: versions by their key."""

    dag_id: str
    before: int
    after: int
    current_number: int
    runs: int
    broken: bool


def code_card(rows: Rows, versions: Path, code: Versions) -> CodeCard:
    """What a preview says of the code, with the difference. Raises LookupError when a version is not in the store."""
    before, after = stored(rows, code.before), stored(rows, code.after)
    found = compare(versions, before, after)
    return CodeCard(
        safe(code.dag_id), before.card, after.card, code.current_number, code.runs, code.broken, safe_diff(found)
    )


def safe_diff(diff: Diff) -> Diff:
    """The same, to be drawn."""
    new, gone, changed = (tuple(map(safe, found)) for found in (diff.new_tasks, diff.gone_tasks, diff.changed_tasks))
    lines = tuple(line for each in diff.lines for line in sanitise_lines(each))
    return Diff(lines, diff.files, diff.added, diff.removed, new, gone, changed, one_line(diff.note))


def source_card(rows: Rows, versions: Path, dag_id: str, key: int) -> SourceCard:
    """A version's files and their difference to the DAG's current version. Raises LookupError when it is not stored."""
    shown = stored(rows, key)
    latest = rows.one("run", "current_version", {"dag_id": dag_id})
    current = shown if latest is None or latest[0] is None else stored(rows, latest[0])
    numbers = [row[1] for row in rows.all("run", "versions_of_dag", {"dag_id": dag_id, "count": 2**31})]
    files: list[tuple[str, tuple[str, ...]]] = []
    trouble = ""
    try:
        found = files_of(versions, shown.bundle)
        for name in sorted(found, key=lambda name: (name != shown.file, name)):
            files.append((safe(name), tuple(sanitise_lines(found[name].removesuffix("\n")))))
    except (LookupError, OSError) as error:
        trouble = one_line(error.args[0] if isinstance(error, LookupError) else error)
    return SourceCard(
        safe(dag_id), shown.card, current.card, safe(shown.file), tuple(files),
        safe_diff(compare(versions, shown, current)),
        {safe(task["task_id"]): task["line"] for task in shown.spec.get("tasks", ()) if task.get("line")},
        max((number for number in numbers if number < shown.card.number), default=None),
        min((number for number in numbers if number > shown.card.number), default=None),
        trouble,
    )  # fmt: skip

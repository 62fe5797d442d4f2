"""One cheap pass over `dags/`: which Python files there are, and a signature that changes when one does."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NamedTuple

ROOT_ENTRY = "."
"""The entry under which a problem of `dags/` itself is reported."""


class Seen(NamedTuple):
    """What one pass saw of a file: its identity, times and size; or why it cannot be a DAG file."""

    signature: tuple[int, ...] = ()
    problem: str | None = None

    @property
    def changed_at(self) -> float:
        """When the file last changed in any way, by the file system's clock, in seconds."""
        return max(self.signature[:2]) / 1e9 if self.signature else 0.0


def look(dags: Path) -> dict[str, Seen]:
    """Every Python file below `dags`, by relative path, without opening any.

    Hidden names, `__pycache__` and editors' left-overs are passed over. Symbolic links to folders are not followed;
    links that lead out of `dags`, and things that are no regular files, are reported as problems.
    """
    found: dict[str, Seen] = {}
    root = os.path.realpath(dags)
    pending = [""]
    while pending:
        prefix = pending.pop()
        try:
            with os.scandir(f"{root}/{prefix}") as entries:
                for entry in entries:
                    if entry.name.startswith(".") or entry.name == "__pycache__":
                        continue
                    _take(entry, prefix, root, found, pending)
        except OSError as problem:
            text = f"the folder cannot be read: {problem.strerror}"
            found[_shown(prefix.rstrip("/")) or ROOT_ENTRY] = Seen(problem=text)
    return found


def sign(path: str) -> tuple[int, ...]:
    """The signature of one file; empty when it is not there."""
    try:
        return _signature(Path(path).stat())
    except OSError:
        return ()


def _take(entry: os.DirEntry[str], prefix: str, root: str, found: dict[str, Seen], pending: list[str]) -> None:
    name = prefix + entry.name
    if entry.is_symlink():
        seen = _follow(entry, root)
    elif entry.is_dir(follow_symlinks=False):
        pending.append(f"{name}/")
        return
    elif name.endswith(".py"):
        seen = _plain(entry.stat(follow_symlinks=False))
    else:
        return
    if seen is None:
        return
    if not name.isascii():
        shown = _shown(name)
        if shown != name:
            name, seen = shown, Seen(problem="its name is not valid UTF-8: rename it")
    found[name] = seen


def _follow(entry: os.DirEntry[str], root: str) -> Seen | None:
    target = os.path.realpath(entry.path)
    is_folder = Path(target).is_dir()
    if not is_folder and not entry.name.endswith(".py"):
        return None
    if target != root and not target.startswith(root + os.sep):
        return Seen(problem=f"it is a symbolic link out of dags/, to {_shown(target)}: put the file itself there")
    if is_folder:
        return None
    try:
        return _plain(entry.stat())
    except OSError as problem:
        return Seen(problem=f"it is a symbolic link that leads nowhere: {problem.strerror}")


def _plain(found: os.stat_result) -> Seen:
    if not stat.S_ISREG(found.st_mode):
        return Seen((), "it is not a regular file")
    return Seen(_signature(found), None)


def _signature(found: os.stat_result) -> tuple[int, ...]:
    return (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_dev)


def _shown(name: str) -> str:
    """The name as text that can be stored and sent, also where it is not valid UTF-8."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")

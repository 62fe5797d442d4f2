"""Control groups that keep the memory limits of attempts, where this process may make any.

In version 2 that is a group delegated to the engine, in version 1 a writable place in the hierarchy `memory`. Groups
outlive engines: their names follow from the attempts' ids.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

_ID_LENGTH = 26
_OWN = "dagdeck-engine"
"""Version 2 allows no processes beside groups with limits: the engine moves into a group of this name."""


class Groups:
    """Groups below one folder. `limits` are the files that take the limit, `events` the one that counts OOM kills."""

    def __init__(self, base: Path, limits: tuple[str, ...], events: str, owner: str = "") -> None:
        """`owner` is the folder of attempts whose groups these are: engines of several homes may share a base."""
        self.base = base
        self._prefix = f"dagdeck-{hashlib.sha256(owner.encode()).hexdigest()[:8]}-"
        self._limits = limits
        self._events = events

    def make(self, attempt_id: str, limit: int) -> str | None:
        """A group of its own for an attempt; None where the system refuses it now."""
        folder = self.base / f"{self._prefix}{attempt_id}"
        try:
            folder.mkdir(exist_ok=True)
            (folder / self._limits[0]).write_text(str(limit))
        except OSError:
            _remove(folder)
            return None
        for name in self._limits[1:]:
            try:
                (folder / name).write_text("0" if name == "memory.swap.max" else str(limit))
            except OSError:
                pass  # without swap accounting the limit is on memory alone
        return str(folder)

    def kills(self, attempt_id: str) -> int | None:
        """How many of the attempt's processes the kernel has ended for want of memory; None: it has no group."""
        try:
            return counted((self.base / f"{self._prefix}{attempt_id}" / self._events).read_text(), "oom_kill")
        except OSError:
            return None

    def remove(self, attempt_id: str) -> bool:
        """Takes an attempt's group away; False if something still runs in it."""
        return _remove(self.base / f"{self._prefix}{attempt_id}")

    def standing(self) -> list[str]:
        """The attempts that have groups."""
        names = (folder.name.removeprefix(self._prefix) for folder in self.base.glob(f"{self._prefix}*"))
        return [name for name in names if len(name) == _ID_LENGTH]


def counted(text: str, name: str) -> int | None:
    """The figure of a line `name figure`; None where there is none."""
    for line in text.splitlines():
        key, _, figure = line.partition(" ")
        if key == name and figure.strip().isdigit():
            return int(figure)
    return None


def find(owner: str = "", proc: Path = Path("/proc")) -> Groups | None:
    """Where this process may make groups with memory limits; None where it may not."""
    try:
        own = (proc / "self/cgroup").read_text()
        mounts = (proc / "self/mountinfo").read_text()
    except OSError:
        return None
    for place in places(own, mounts):
        if (place / "memory.limit_in_bytes").exists() or (place / "memory.use_hierarchy").exists():
            if os.access(place, os.W_OK):
                return Groups(
                    place, ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes"), "memory.oom_control", owner
                )
        elif (base := _delegated(place)) is not None:
            return Groups(base, ("memory.max", "memory.swap.max"), "memory.events", owner)
    return None


def places(own: str, mounts: str) -> list[Path]:
    """The folders of this process's memory groups, from `/proc/self/cgroup` and `/proc/self/mountinfo`."""
    found = []
    for line in own.splitlines():
        number, controllers, path = line.split(":", 2)
        unified = number == "0" and not controllers
        if not unified and "memory" not in controllers.split(","):
            continue
        for mount in mounts.splitlines():
            fields, _, kind = mount.partition(" - ")
            root, point = fields.split(" ")[3:5]
            fits = kind.startswith("cgroup2 ") if unified else _has_memory(kind)
            if fits and (path + "/").startswith(root.rstrip("/") + "/"):
                found.append(Path(point) / path[len(root.rstrip("/")) :].lstrip("/"))
                break
    return found


def _has_memory(kind: str) -> bool:
    return kind.startswith("cgroup ") and "memory" in kind.split(" ")[-1].split(",")


def _delegated(place: Path) -> Path | None:
    """The group below which ours may be made, in version 2: one that this process has for itself.

    That of a service is its manager's: the next engine is put into it while tasks of this one still run below it, and
    the kernel lets no process into a group that shares out memory among groups of its own.
    """
    if place.name == _OWN:
        place = place.parent
    elif place.suffix == ".service":
        return None
    try:
        if "memory" in (place / "cgroup.subtree_control").read_text().split():
            return place if os.access(place, os.W_OK) else None
        if "memory" not in (place / "cgroup.controllers").read_text().split():
            return None
        if (place / "cgroup.procs").read_text().split() != [str(os.getpid())] or not os.access(place, os.W_OK):
            return None
        (place / _OWN).mkdir(exist_ok=True)
        (place / _OWN / "cgroup.procs").write_text(str(os.getpid()))
        (place / "cgroup.subtree_control").write_text("+memory")
    except OSError:
        return None
    return place


def _remove(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True

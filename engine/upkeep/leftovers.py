"""Processes and directories of a home that nobody waits for any more."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.execution.process import proc
from engine.execution.process.spawn import BLANK_TAG, TAG
from engine.home import Home
from engine.store.reader import Reader

_TAG = re.compile(rb"(?:^|\0)" + TAG.encode() + rb"=([0-9A-Z]{26})\0")
_RUNNER = b"bootstrap.py"


@dataclass(frozen=True, slots=True)
class Stray:
    """Live processes of one attempt that nobody waits for."""

    pids: tuple[int, ...]
    attempt_id: str
    command: str
    """Of the first of them."""
    known: bool
    """Whether the store knows the attempt: then it is over."""


def strays(home: Home, store: Reader) -> Iterator[Stray]:
    """Processes of attempts that are over, or that the store does not know, as far as this user may see them."""
    mark = os.fsencode(f"DAGDECK_HOME={home.root}") + b"\0"
    found_pids: dict[str, list[int]] = defaultdict(list)
    for pid in proc.processes():
        environment = proc.environment(pid)
        found = _TAG.search(environment)
        if found is None or mark not in environment or found[1].decode() == BLANK_TAG:
            continue
        found_pids[found[1].decode()].append(pid)
    for attempt_id, pids in found_pids.items():
        row = store.one("evidence", "attempt_states", {"id": attempt_id})
        callback = row is None and store.one("evidence", "callback_of", {"id": attempt_id}) is not None
        if not callback and (row is None or row[1] == "ended"):
            yield Stray(tuple(pids), attempt_id, _command(pids[0])[:80], row is not None)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def runners(home: Home) -> dict[int, str]:
    """Runners of the home by pid, with the place of the installation that each is of."""
    found = {}
    for pid in proc.processes():
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        for index, word in enumerate(words[:-2]):
            if word.endswith(_RUNNER) and words[index + 1] == b"runner" and words[index + 2] == bytes(home.attempts):
                found[pid] = str(Path(word.decode(errors="replace")).parents[3])
    return found


def unknown_directories(home: Home, store: Reader, most: int) -> list[Path]:
    """Attempt directories that the store does not know, `most` at the most: those of the newest days first."""
    found: list[Path] = []
    for day in sorted(home.attempts.glob("[0-9]*"), reverse=True):
        for path in sorted(day.iterdir()):
            known = store.one("evidence", "attempt_states", {"id": path.name}) or store.one(
                "evidence", "callback_of", {"id": path.name}
            )
            if known is None:
                found.append(path)
                if len(found) >= most:
                    return found
    return found

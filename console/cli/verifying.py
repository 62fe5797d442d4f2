"""The store against its own rules, and its attempts against what stands in their directories."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from console.cli.reading import Reader, open_store
from engine.config import Home
from engine.execution.directory import path_of
from engine.model.attempt_files import CLAIM, STATUS, AttemptStatus
from engine.store.verify import MOST, problems

_PAGE = 5000


def contradictions(home: Home) -> list[str]:
    """Everything that does not fit together, in words; empty when all of it does."""
    with open_store(home) as store:
        return [*problems(store), *_evidence(home, store)]


def _evidence(home: Home, store: Reader) -> list[str]:
    """Attempts whose directory says something else than the store. A directory that was pruned says nothing."""
    found: list[str] = []
    for attempt_id, outcome in _ended(store):
        directory = Path(path_of(str(home.attempts), attempt_id))
        if directory.is_dir():
            found += _contradictions(directory, attempt_id, outcome)
        if len(found) >= MOST:
            break
    return found


def _ended(store: Reader) -> Iterator[tuple[str, str]]:
    """Ids and outcomes of all ended attempts, in short reads."""
    after = ""
    while page := store.all("evidence", "ended_attempts", {"after": after, "count": _PAGE}):
        yield from ((row[0], row[1]) for row in page)
        after = page[-1][0]


def _contradictions(directory: Path, attempt_id: str, outcome: str) -> Iterator[str]:
    if outcome == "unspent":
        if (directory / CLAIM).exists():
            yield f"attempt {attempt_id} has a claim, so it did start, but the store says that it did not"
        return
    try:
        status = AttemptStatus.loads((directory / STATUS).read_bytes())
    except FileNotFoundError:
        if outcome in ("success", "skipped"):
            yield f"attempt {attempt_id} is {outcome} without a status in {directory}"
        return
    except ValueError as error:
        yield f"attempt {attempt_id}: {directory / STATUS}: {error}"
        return
    if outcome in ("success", "skipped") and status.code != 0:
        yield f"attempt {attempt_id} is {outcome}, but its status says {status.code}"

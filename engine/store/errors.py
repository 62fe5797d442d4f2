"""What can go wrong with the store, in words an operator can act on."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class StoreError(Exception):
    """The store cannot be used; the text says what, where and what to do."""

    found: str = ""
    """What was found in the file, without its path and the ways out: for files that are no home's store."""


class StoreMissing(StoreError):
    """There is no store at this path."""


class StoreForeign(StoreError):
    """The file is a database of something else."""


class StoreTooNew(StoreError):
    """The store was written by another major version."""


class StoreDamaged(StoreError):
    """The file is not a sound database."""


class StoreUnreadable(StoreError):
    """The file is there, but the operating system refuses what SQLite needs of it or of its folder."""


class StoreBusy(StoreError):
    """Somebody held the store for longer than a reader waits; trying again is safe."""


class CommitFailed(StoreError):
    """A commit failed: nothing of its transaction, nor of what was queued behind it, has become true."""


class StateDiverged(CommitFailed):
    """A guarded row was not in the state that memory believed: memory is wrong and has to be reloaded."""


class NotFound(StoreError):
    """No row answers this reference."""


class Ambiguous(StoreError):
    """More than one row answers this reference; `candidates` names some of them."""

    def __init__(self, message: str, candidates: list[str]) -> None:
        super().__init__(message)
        self.candidates = candidates


_DAMAGED = {"SQLITE_CORRUPT", "SQLITE_NOTADB"}
_BUSY = {"SQLITE_BUSY", "SQLITE_LOCKED"}


def error_name(error: sqlite3.Error) -> str:
    """SQLite's name of the error (`SQLITE_IOERR_WRITE`), or the exception's own where SQLite gave none."""
    return str(getattr(error, "sqlite_errorname", None) or type(error).__name__)


def is_busy(error: BaseException | None) -> bool:
    """Whether somebody merely held the store, which says nothing of what is in it."""
    if isinstance(error, sqlite3.Error):
        return "_".join(error_name(error).split("_")[:2]) in _BUSY
    return isinstance(error, StoreBusy) or (isinstance(error, StoreError) and is_busy(error.__cause__))


def absence(path: Path) -> str:
    """In what way there is no store at `path`: `is gone`, `is empty`, or `is a link to …, where nothing is`."""
    if path.is_symlink() and not path.exists():
        return f"is a link to {path.readlink()}, where nothing is"
    return "is empty" if path.exists() else "is gone"


def damaged(path: Path, found: str) -> StoreDamaged:
    """The error of a file that is not sound: what was found, that nothing runs from it, and the ways out."""
    found = " ".join(found.split())
    error = StoreDamaged(
        f"{path}: the store is damaged ({found}). No task is started from it. With its engine stopped, put a backup in "
        "its place with `dagdeck restore BACKUP --replace`, or save what can still be read with `dagdeck salvage`; "
        "both keep this file"
    )
    error.found = f"it is damaged ({found})"
    return error


def foreign(path: Path, found: str) -> StoreForeign:
    """The error of something that is no store at all: what it is, and the way out."""
    error = StoreForeign(
        f"{path}: {found}. No task is started from it. With its engine stopped, put a backup in its place with "
        "`dagdeck restore BACKUP --replace`, which keeps what stands there"
    )
    error.found = found
    return error


@contextmanager
def making_sense(path: Path) -> Iterator[None]:
    """Whatever goes wrong with rows of the store at `path` within is a StoreError.

    SQLite's checks find pages that are not sound. Content that was overwritten is found when it is understood: then
    rows name what does not exist, states are none, JSON is garbage.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise explain(error, path) from error
    except Exception as error:
        if not isinstance(error, (ArithmeticError, AssertionError, LookupError, TypeError, ValueError, *_undecoded())):
            raise
        raise damaged(path, f"what stands in it makes no sense: {type(error).__name__}: {error}") from error


def _undecoded() -> tuple[type[Exception], ...]:
    """What decoding raises. Whoever has decoded nothing has not loaded the decoder, which listings do without."""
    decoder = sys.modules.get("msgspec")
    return () if decoder is None else (decoder.MsgspecError,)


def explain(error: sqlite3.Error, path: Path) -> StoreError:
    """The StoreError that says what a SQLite error on the store at `path` means."""
    name = error_name(error)
    plain = "_".join(name.split("_")[:2])
    if plain in _DAMAGED:
        return damaged(path, str(error))
    if plain in _BUSY:
        if _is_empty(path):
            return StoreBusy(f"{path}: the file is empty, and held ({error}): `dagdeck engine status` says more")
        return StoreBusy(f"{path}: the store is busy ({error}); try again")
    if plain in {"SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH"}:
        return StoreUnreadable(
            f"{path}: SQLite cannot open the store ({name}). It needs to read {path.name} and to write "
            f"{path.name}-wal and {path.name}-shm beside it: check who owns {path.parent} and whether its disk is "
            "read-only or full"
        )
    if plain == "SQLITE_FULL":
        return StoreUnreadable(f"{path}: the disk is full ({error}). Free some space beside {path.parent}")
    return StoreError(f"{path}: {name}: {error}")


def _is_empty(path: Path) -> bool:
    try:
        return path.stat().st_size == 0
    except OSError:
        return False

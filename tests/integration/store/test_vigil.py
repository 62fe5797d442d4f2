"""Somebody else lays hands on the store of a running writer: it notices, saves what it holds, and takes no changes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.model.rows import Transition
from engine.store.batch import Batch
from engine.store.copying import diagnose
from engine.store.errors import CommitFailed
from tests.support.damage import PAGE, overwrite
from tests.support.store import T0, a_writer, look


def note() -> Batch:
    """A batch of one event."""
    return Batch(transitions=[Transition("engine", T0, detail="x")])


def beside(path: Path, suffix: str) -> Path:
    """The log or the index of a store."""
    return path.with_name(path.name + suffix)


def put_another(path: Path) -> None:
    """A copy under the same name, which is another file."""
    shutil.copy(path, path.with_name("copy"))
    path.with_name("copy").rename(path)


REMOVED: dict[str, tuple[Callable[[Path], object], str]] = {
    "removed": (lambda path: path.unlink(), "state.db was removed"),
    "replaced": (put_another, "state.db was replaced by another file"),
    "without its log": (lambda path: beside(path, "-wal").unlink(), "state.db-wal was removed"),
    "without its index": (lambda path: beside(path, "-shm").unlink(), "state.db-shm was removed"),
}
CHANGED: dict[str, tuple[Callable[[Path], object], str]] = {
    "cut": (lambda path: os.truncate(path, 5000), "state.db was cut from"),
    "emptied": (lambda path: os.truncate(path, 0), "to 0 bytes"),
    "its log emptied": (lambda path: os.truncate(beside(path, "-wal"), 0), "state.db-wal was cut"),
    "overwritten": (lambda path: overwrite(path, PAGE, os.urandom(10 * PAGE)), "somebody wrote to it"),
    "its head overwritten": (lambda path: overwrite(path, 0, os.urandom(PAGE)), "the store is damaged"),
}


@pytest.mark.parametrize("kind", [*REMOVED, *CHANGED])
async def test_a_store_that_somebody_else_touches_is_noticed(path: Path, kind: str) -> None:
    """Whether it is looked at or written to first, the writer refuses with what it found, and stays so; files that are
    no longer in their folder, but still open, are saved whole.
    """
    do, words = {**REMOVED, **CHANGED}[kind]
    async with a_writer(path) as writer:
        seq = await writer.submit(note())
        do(path)
        if len(kind) % 2:
            await writer.inspect()
        with pytest.raises(CommitFailed, match=words):
            await writer.submit(note())
        with pytest.raises(CommitFailed):
            await writer.probe()
        assert writer.failure is not None
    saved = list((path.parent / "backups").glob("*")) if (path.parent / "backups").exists() else []
    assert [(found.kind, found.seq) for found in map(diagnose, saved)] == ([("sound", seq)] if kind in REMOVED else [])
    assert all(str(file) in str(writer.failure) for file in saved)


async def test_a_store_that_is_put_back_is_taken_up_again(path: Path) -> None:
    """The same file in its place again, whole: the writer goes on where it was."""
    async with a_writer(path) as writer:
        await writer.submit(note())
        shutil.move(path, beside(path, "-away"))
        await writer.inspect()
        assert writer.failure is not None
        shutil.move(beside(path, "-away"), path)
        assert await writer.probe() == 1
        writer.reset()
        assert await writer.submit(note()) == 2
    assert look(path, "SELECT seq FROM event") == [(1,), (2,)]


async def test_a_touch_is_no_damage(path: Path) -> None:
    """A file that only looks changed is read through, found sound, and written on."""
    async with a_writer(path) as writer:
        await writer.submit(note())
        os.utime(path)
        os.utime(beside(path, "-wal"))
        await writer.inspect()
        assert await writer.submit(note()) == 2


async def test_the_writers_own_work_is_never_taken_for_another_s(path: Path) -> None:
    """Commits, checkpoints and an emptied log in any order: nothing is suspected, nothing is read through."""
    async with a_writer(path) as writer:
        for _ in range(30):
            await writer.submit(Batch(transitions=[Transition("engine", T0, detail="x" * 2000)] * 200))
            await writer.inspect()
        assert writer.figures().wal_pages < 2_000
        assert writer.failure is None


async def test_a_store_that_went_back_is_not_gone_on_from(path: Path) -> None:
    """Without its log the file is sound in itself, but events that were acknowledged are missing from it."""
    async with a_writer(path) as writer:
        await writer.submit(note())
        os.truncate(beside(path, "-wal"), 0)
        await writer.inspect()
        with pytest.raises(CommitFailed, match="it went back from event 1 to 0"):
            await writer.probe()

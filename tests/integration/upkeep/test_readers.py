"""Readers that stay in an old state of the store: the engine says that its log grows, and `doctor` who they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import structlog

from engine.home import Home
from engine.model.rows import Transition
from engine.store import transaction
from engine.store.batch import Batch
from engine.store.migrations import open_store
from engine.store.reader import Reader
from engine.store.writer import WriterFigures
from engine.upkeep import readers
from tests.support.cli import Cli
from tests.support.store import T0, a_writer, until


async def test_a_log_that_a_reader_lets_grow_is_told_until_it_is_emptied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The warning comes with the pages that cannot be moved, is logged once, and goes with them."""
    monkeypatch.setattr(transaction, "CHECKPOINT_PAGES", 50)
    monkeypatch.setattr("engine.store.writer.IDLE_SECONDS", 0.05)
    monkeypatch.setattr(readers, "_MUCH", 100)
    path = tmp_path / "state.db"
    open_store(path, "boot")
    log = structlog.testing.CapturingLogger()
    async with a_writer(path) as writer:
        watch = readers.LogWatch(writer.figures, log)
        with Reader(path) as reader, reader.snapshot():
            for number in range(200):
                await writer.submit(Batch(transitions=[Transition("engine", T0, detail="x" * number)]))
            watch.look()
            watch.look()
            assert watch.warning is not None and "dagdeck doctor" in watch.warning
        await until(lambda: writer.figures().wal_pages == 0)
        watch.look()
        assert watch.warning is None
    assert [call.args for call in log.calls] == [("store_log_grows",)]


def test_a_log_that_the_disk_does_not_let_empty_is_told_with_the_reason() -> None:
    """What SQLite said of the last try is in the warning."""
    figures = WriterFigures(0, 0, "SQLITE_IOERR_WRITE: disk I/O error")
    watch = readers.LogWatch(lambda: figures, structlog.testing.CapturingLogger())
    watch.look()
    assert watch.warning == "the store's log cannot be emptied: SQLITE_IOERR_WRITE: disk I/O error"


def test_doctor_names_who_stays_in_an_old_state(home: Home, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """By pid, for as long as the read lasts, and only where the log has grown by it."""
    me = f"{os.getpid()} ("
    with Reader(home.database) as reader:
        with reader.snapshot():
            assert os.getpid() in readers.reading(home.database)
            assert "old state" not in cli("--home", home.root, "doctor").out
            monkeypatch.setattr(readers, "LARGE_BYTES", -1)
            monkeypatch.setattr(readers, "_LONGER_THAN_A_READ", 0.01)
            said = cli("--home", home.root, "doctor").out
            assert f"these stay in an old state of the store: {me}" in said
        assert os.getpid() not in readers.reading(home.database)
        assert "nobody stays in its way" in cli("--home", home.root, "doctor").out

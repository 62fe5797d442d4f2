"""Stores that released versions have written: each is still opened, upgraded if need be, and sound."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.home import Home
from engine.store.migrations import open_store
from engine.store.reader import Reader
from engine.store.verify import problems
from engine.version import SCHEMA
from tests.integration.upkeep.test_damage import begin
from tests.support.released import build, released, schema_of
from tests.support.store import look


@pytest.mark.parametrize("dump", released(), ids=lambda path: path.stem)
async def test_a_store_of_a_released_version_is_taken_over(dump: Path, tmp_path: Path) -> None:
    """Its rows are all there, no rule is broken, and an engine that begins on it understands all of it."""
    home = Home(tmp_path)
    build(dump, home.database)
    before = look(home.database, "SELECT count(*) FROM task_instance")
    open_store(home.database)
    assert look(home.database, "PRAGMA user_version") == [(SCHEMA,)]
    assert look(home.database, "SELECT count(*) FROM task_instance") == before != [(0,)]
    with Reader(home.database) as reader:
        assert problems(reader) == []
    reason, _ = await begin(home)
    assert reason is None


def test_the_schema_of_a_release_is_not_changed_in_place(tmp_path: Path) -> None:
    """What `schema_1000.sql` makes today is what the release made: what comes after is a migration of its own. Before
    the release, `python -m tests.support.released` writes the file anew.
    """
    [dump] = [path for path in released() if path.stem == f"schema_{SCHEMA}"]
    build(dump, tmp_path / "then.db")
    open_store(tmp_path / "now.db")
    assert schema_of(tmp_path / "then.db") == schema_of(tmp_path / "now.db")

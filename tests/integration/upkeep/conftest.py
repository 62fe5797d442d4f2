"""A home after a day, with evidence in its attempt directories, for tests that save, damage and prune it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.home import Home
from tests.support.kept_home import a_day


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The home that the others are copies of; nobody changes it."""
    root = tmp_path_factory.mktemp("kept") / "home"
    return asyncio.run(a_day(root))


@pytest.fixture
def home(kept: Home, tmp_path: Path) -> Iterator[Home]:
    """A home of the test's own."""
    root = tmp_path / "home"
    shutil.copytree(kept.root, root, symlinks=True)
    yield Home(root)

"""A store with a history, made by the engine's own lifecycle and writer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.store.reader import Reader
from tests.support.console_store import FilledHome, story


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> FilledHome:
    """A home after a night: five DAGs, fourteen runs each, a retry, two failed runs and one that still runs."""
    filled = FilledHome(tmp_path_factory.mktemp("told") / "home")

    async def tell() -> None:
        await filled.open()
        await story(filled)
        await filled.close()

    asyncio.run(tell())
    return filled


@pytest.fixture
def reader(told: FilledHome) -> Iterator[Reader]:
    """A reader of that home's store."""
    with Reader(told.home.database) as found:
        yield found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a test's own store is."""
    return tmp_path / "state.db"

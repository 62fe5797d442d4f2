"""A stage with a running executor."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.execution import Stage


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """A stage whose executor is open; at the end nothing of it may be left running."""
    built = Stage(tmp_path / "home")
    await built.open()
    yield built
    await built.clean_up()

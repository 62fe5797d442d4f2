"""Commands on a scheduler with fakes, for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.scheduler import Rig


@pytest.fixture
async def rig(tmp_path: Path) -> Rig:
    """A scheduler of 16 slots."""
    return Rig(tmp_path)

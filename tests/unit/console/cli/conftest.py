"""The command line, as a fixture."""

from __future__ import annotations

import pytest

from tests.support.cli import Cli


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Calls the command line in this process."""
    return Cli(capsys)

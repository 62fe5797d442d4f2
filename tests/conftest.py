"""What every test may rely on: it knows no home of the person who runs it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tests.support.cli import Cli
    from tests.support.engine import Sites
    from tests.support.execution import Stage

# Where this is set, each of the many processes that tests start would compile the whole program anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# How fast examples are made and run says how busy the machine is, not whether the program is right.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(autouse=True)
def nobodys_home(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Takes the environment's own home away, so that a test can only find the homes it makes."""
    folder = tmp_path_factory.mktemp("user")
    monkeypatch.delenv("DAGDECK_HOME", raising=False)
    monkeypatch.delenv("DAGDECK_CLOCK_OFFSET", raising=False)
    monkeypatch.setenv("HOME", str(folder))
    yield folder


@pytest.fixture(scope="session")
def sites() -> Iterator[Sites]:
    """Homes for real engines, made from templates that are prepared once per test process."""
    from tests.support.engine import Sites

    made = Sites()
    yield made
    made.close()


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """A stage whose executor is open; at the end nothing of it may be left running."""
    from tests.support.execution import Stage

    built = Stage(tmp_path / "home")
    await built.open()
    yield built
    await built.clean_up()


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Calls the command line in this process."""
    from tests.support.cli import Cli

    return Cli(capsys)

"""Pages: what a view has read for it alone, again only when something was committed."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from console.backends.changes import Dirty
from console.backends.pages import Pages, Reading
from console.backends.specs import Specs
from console.model.snapshot import Page
from engine.store.reader import Reader
from tests.support.console_store import FilledHome


@pytest.fixture
async def rows(tmp_path: Path) -> Reader:
    """A reader of an empty home."""
    home = FilledHome(tmp_path / "home")
    await home.open()
    await home.close()
    return Reader(home.home.database)


async def test_a_page_is_read_again_only_after_a_commit(rows: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same page without news costs nothing; after news its reader gets what it gave; another starts new."""
    asked: list[tuple[tuple[object, ...], object]] = []

    def read(reading: Reading) -> object:
        asked.append((reading.args, reading.before))
        return ("value", *reading.args)

    module = ModuleType("console.backends.pages.tried")
    vars(module)["read"] = read
    monkeypatch.setitem(sys.modules, "console.backends.pages.tried", module)
    pages = Pages(rows, Specs(rows), lambda: 0)
    first = pages.refresh(Page("tried", (1,)), None)
    assert pages.refresh(Page("tried", (1,)), Dirty()) is first
    assert pages.refresh(Page("tried", (1,)), Dirty(any=True)) is first
    pages.refresh(Page("tried", (2,)), Dirty())
    assert asked == [((1,), None), ((1,), first), ((2,), None)]
    assert pages.refresh(None, Dirty()) is None


async def test_a_page_that_nothing_reads_is_said_so(rows: Reader) -> None:
    """A view that names a reader which is not there learns its name."""
    with pytest.raises(LookupError, match="nowhere"):
        Pages(rows, Specs(rows), lambda: 0).refresh(Page("nowhere"), None)

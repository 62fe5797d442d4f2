"""The trash: deleted runs, and the way back."""

from __future__ import annotations

from pathlib import Path

from console.backends.pages import Pages
from console.backends.specs import Specs
from console.model.snapshot import Page
from console.model.trash import Trash, TrashedCard
from console.widgets.dialog import Dialog
from engine.model.moments import DAY, HOUR
from engine.store.batch import Batch
from engine.store.reader import Reader
from tests.support.console import HOSTILE, NOW, console, trades, world
from tests.support.console_store import FilledHome
from tests.support.tour import dag

CARDS = Trash((
    TrashedCard("trades_us@1", "trades_us", "failed", NOW - HOUR, "ana", "a test", False),
    TrashedCard("trades_us@2", "trades_us", "success", NOW - 2 * DAY, "bob", None, False),
    TrashedCard("fx@1", "fx", "cancelled", NOW - 6 * DAY - HOUR, "bob", None, True),
))  # fmt: skip


async def test_deleted_runs_are_listed_and_restored() -> None:
    """`Del`: who deleted them, and how long they can come back; Enter asks for the row, or for all that are marked."""
    backend = world(trades("failed"))
    backend.verbs = backend.verbs | {"restore"}
    backend.pages["trash"] = lambda args: CARDS
    async with console(backend, (120, 30)) as screen:
        await screen.press("delete")
        assert "3 deleted runs, kept for 7 days" in screen.lines()[2]
        for words in ("trades_us@1", "a test", "6d", "today", "another run has its place"):
            assert words in screen.text, words
        await screen.press("enter")
        assert isinstance(screen.app.screen, Dialog), screen.text
        assert "Restore ── trades_us@1" in screen.text
        await screen.press("escape", "*", "r")
        assert "Restore ── 2 of 3 marked runs" in screen.text
        await screen.press("escape", "escape", "G", "enter")
        assert "fx@1 cannot come back" in screen.text
        await screen.press("escape")
        assert screen.app.place.view == "overview"


async def test_the_page_is_read_from_the_store(tmp_path: Path) -> None:
    """What a person wrote comes sanitised."""
    filled = FilledHome(tmp_path / "home")
    await filled.open()
    await filled.put_dag(dag("trades_us"))
    memory = await filled.start("trades_us", NOW - HOUR)
    await filled.play(memory)
    batch = Batch()
    batch.add("trash.take", run=memory.run.id, at=NOW, who="ana", note=HOSTILE)
    await filled.commit(batch)
    await filled.close()
    reader = Reader(filled.home.database)
    try:
        found = Pages(reader, Specs(reader), lambda: NOW).refresh(Page("trash"), None)
    finally:
        reader.close()
    assert isinstance(found, Trash)
    (card,) = found.cards
    assert (card.run_id, card.dag_id, card.who, card.taken) == (memory.run.run_id, "trades_us", "ana", False)
    assert "\x1b" not in (card.note or "")

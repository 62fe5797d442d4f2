"""The source view, driven by keys: the version a run used, its neighbours, and what has changed since."""

from __future__ import annotations

from typing import cast

from console.model.source import CodeCard, Diff, SourceCard, VersionCard
from console.screens.source import SourcePane
from tests.support.console import NOW, console, trades, world

OLD, NEW = VersionCard(1, 3, NOW), VersionCard(2, 4, NOW, "a1b9c3d0f", "Ann", NOW)
DIFF = Diff(("--- a/trades.py", "+++ b/trades.py", "@@ -1 +1 @@", "-one", "+two"), 1, 1, 1)
TEXT = tuple(f"line {number}" for number in range(1, 200))


def pages(args: tuple[object, ...]) -> SourceCard:
    """The page of a run or of a number."""
    shown = NEW if args[2] == 4 else OLD
    return SourceCard(
        "trades_us", shown, NEW, "trades.py", (("trades.py", TEXT), ("lib.py", ("x = 1",))),
        DIFF if shown is OLD else Diff(), {"load": 150}, None if shown is OLD else 3, 4 if shown is OLD else None,
    )  # fmt: skip


async def test_the_source_opens_at_the_task_and_is_compared_with_the_current_version() -> None:
    """v on a task shows its line in the version that the run used; = shows what has changed since; q goes back."""
    backend = world(trades("failed"))
    backend.pages["source"] = pages
    async with console(backend) as screen:
        await screen.press("j", "enter", "v")
        await screen.shows("line 150")
        assert "trades_us > version 3" in screen.lines()[1] and "current is version 4" in screen.lines()[1]
        pane = cast(SourcePane, screen.app.stage.pane("source"))
        assert pane.list.cursor_key == ("line", "trades.py", 150)
        await screen.press("=")
        assert "-one" in screen.text and "+two" in screen.text and "from version 3 to version 4" in screen.text
        await screen.press("n")
        assert pane.list.cursor_key == ("diff", "", 2)
        await screen.press("=", "l")
        await screen.shows("trades_us > version 4")
        assert "the current version" in screen.lines()[1]
        await screen.press("l")
        assert "this is the current version" in screen.text
        await screen.press("q")
        assert screen.app.place.view == "run"


async def test_a_page_without_an_answer_says_so() -> None:
    """Where no version is known, the view says that, and its keys find nothing to do."""
    backend = world(trades())
    backend.pages["source"] = lambda args: None
    async with console(backend) as screen:
        await screen.press("j", "v")
        await screen.shows("no version of it was ever loaded")
        await screen.press("=", "h", "n")
        assert screen.app.place.view == "source"


async def test_a_dialog_shows_the_code_that_would_run() -> None:
    """The difference stands below the rows, and one line says from which version to which."""
    backend = world(trades("failed"))
    backend.code = (CodeCard("trades_us", OLD, NEW, 4, 1, False, DIFF),)
    async with console(backend) as screen:
        await screen.press("j", "enter", "c")
        await screen.shows("code: version 3 > 4 (a1b9c3d by Ann): 1 file +1 −1")
        assert "+two" in screen.text
        await screen.press("escape")

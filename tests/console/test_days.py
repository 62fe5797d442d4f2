"""A console that stays open for days: what is closed leaves nothing behind."""

from __future__ import annotations

import gc

from textual._styles_cache import StylesCache

from tests.support.console import console, trades, world


def drawn() -> int:
    """How many widgets' drawn lines are kept in this process."""
    gc.collect()
    return sum(type(each) is StylesCache for each in gc.get_objects())


async def test_a_dialog_that_was_closed_is_forgotten() -> None:
    """However often a dialog is opened and closed, no more drawn lines are kept than after the first few times."""
    async with console(world(trades("failed"))) as screen:
        counts = []
        for _ in range(6):
            await screen.press("t")
            assert screen.app.screen is not screen.app.stage
            await screen.press("escape")
            assert screen.app.screen is screen.app.stage
            counts.append(drawn())
        assert counts[5] <= counts[2], counts

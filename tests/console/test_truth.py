"""What the screen says of time stays true when clocks do not."""

from __future__ import annotations

import re
from pathlib import Path

from console import wire
from console.app import ConsoleApp
from console.clockwatch import ClockWatch
from engine.model.moments import HOUR, SECOND
from tests.support.console import NOW, Screen, trades, world
from tests.support.tour import ORDINARY, Tour, furnish

NEGATIVE = re.compile(r"(?<![\w:.–-])-\d+(?:\.\d+)?(?:µs|ms|[smhd]|:\d\d)")
"""A time that is less than nothing, as a countdown or a duration would show it."""


async def test_a_clock_that_was_set_is_told_on_the_screen() -> None:
    """Once, with what it was set by; times that follow are the new clock's."""
    backend, wall, steady = world(trades("failed")), [NOW], [0]
    app = ConsoleApp(backend.home, lambda: backend, now=lambda: wall[0], watch=ClockWatch(lambda: steady[0]))
    try:
        async with app.run_test(size=(120, 36)) as pilot:
            screen = Screen(app, pilot, backend)
            await screen.settle()
            assert "jumped" not in screen.text
            steady[0] += SECOND
            wall[0] -= 2 * HOUR
            assert app.feed is not None
            app.feed.hurry()
            await screen.shows("the clock of this machine jumped back by 2h00m")
    finally:
        wire.uninstall()


async def test_no_view_ever_shows_less_than_nothing(tmp_path: Path) -> None:
    """Hours before all that has happened, as when a clock was set back, no countdown and no duration is negative."""
    filled = await furnish(tmp_path / "home", ORDINARY)
    filled.now -= 9 * HOUR
    stops = await Tour(filled, (120, 36)).go()
    for name, text in stops.items():
        assert not NEGATIVE.search(text), f"{name}:\n{text}"
    assert NEGATIVE.search("retry in -0:42") and NEGATIVE.search("took -3s") and not NEGATIVE.search("01-03 a-2s")

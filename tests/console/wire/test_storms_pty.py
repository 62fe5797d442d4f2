"""Every view while its terminal changes size, takes nothing, or goes away, in a world that changes all the time."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.actions.views import VIEWS
from tests.console.wire.test_terminal_pty import assert_given_back
from tests.support.live import Live, going_to

pytestmark = pytest.mark.pty
SIZE = (90, 24)
STORM = [(1, 1), (200, 60), (3, 40), (120, 2), (33, 17), (79, 23), (140, 30), (12, 9)]
AT_ONCE = 4
"""Sizes for each view: the next one gets the others."""
REPAINTS = 30
"""Turns of the loop in which as many pictures are asked for, which is more than a terminal holds."""


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    """The console in a terminal that says it is `screen`."""
    with Live(tmp_path, SIZE, "screen-256color") as found:
        found.until(lambda: found.told.changes > 0)
        yield found


def differing(live: Live) -> list[str]:
    """Once the world stands still: rows that a full repaint shows otherwise than they stood there."""
    live.hold()
    found, lines = live.cells(), live.lines
    live.screen.reset()
    live.hold()
    assert live.lines[-2].startswith("──")
    return [lines[y] for y, row in enumerate(live.cells()) if row != found[y]]


def test_after_a_storm_of_sizes_every_view_is_drawn_as_by_a_full_repaint(live: Live) -> None:
    """In each view, sizes down to one cell follow each other before any is drawn; the last is taken, and every cell is
    that of a full repaint."""
    for number, view in enumerate(VIEWS):
        live.open(view)
        live.blind = True
        for at in range(AT_ONCE):
            live.resize(*STORM[(number * AT_ONCE + at) % len(STORM)])
            live.pump(0.002 * at)
        live.blind = False
        live.screen.reset()
        live.resize(*SIZE)
        live.until(lambda: live.told.size == SIZE)
        assert differing(live) == [], view
        live.let_go()
    assert not re.search(rb"\x1b\[\d+X", bytes(live.raw)), "`screen` erases in no colour"


def test_a_terminal_that_takes_nothing_blocks_no_view(tmp_path: Path) -> None:
    """While nobody reads or answers, keys lead through every view, and in each the loop goes round and the world
    changes; what comes in the end is a few frames, and the picture is that of a full repaint."""
    with Live(tmp_path, SIZE, "screen-256color", mute=True) as live:
        live.until(lambda: live.told.changes > 0)
        live.hold()
        start = len(live.raw)
        live.hold()
        frame = len(live.raw) - start
        live.let_go()
        start, beats = len(live.raw), live.told.beats
        live.unread(lambda: live.told.beats > beats + REPAINTS, b"\x0c")
        for view in reversed(VIEWS):
            live.send(going_to(view))
            live.unread(lambda view=view: live.told.view == view)
            at = live.told
            live.unread(lambda at=at: live.told.beats > at.beats + 5 and live.told.changes > at.changes + 1)
            assert at.behind and live.told.behind, view
        live.blind = False
        assert differing(live) == []
        assert len(live.raw) - start < 12 * frame


def test_a_signal_gives_the_terminal_back_out_of_a_dialog(live: Live) -> None:
    """SIGTERM while a dialog is open, the mouse is listened to and the world changes: it ends at once, and nothing of
    it is left in the terminal."""
    live.press("?")
    live.until(lambda: live.told.dialog)
    live.signal(signal.SIGTERM)
    assert live.wait(10) == 143
    assert b"?1000h" in bytes(live.raw)
    assert_given_back(live, live.before)

"""Inside tmux the console looks as it does without."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.live import Live
from tests.support.tmux import InTmux

pytestmark = pytest.mark.pty
SIZE, SMALLER = (100, 30), (80, 24)
VIEWS = ("calendar", "durations", "trash", "grid")
INSIDE = ["its kind of terminal", *(["tmux"] if shutil.which("tmux") else [])]
"""Where there is no tmux, what it makes the console do is seen by the name of its kind of terminal alone."""

Cells = list[list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Cells]:
    """How the views look in a terminal of their own, and the last of them in a smaller one."""
    with Live(tmp_path_factory.mktemp("plain"), SIZE, "xterm-256color") as live:
        found: dict[str, Cells] = {}
        for what in walk(live):
            live.hold()
            found[what] = live.cells()
        return found


@pytest.fixture(params=INSIDE)
def inside(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Live]:
    """The same console inside tmux."""
    if request.param == "tmux":
        with InTmux(tmp_path, SIZE) as tmux:
            yield tmux
    else:
        with Live(tmp_path, SIZE, "tmux-256color") as live:
            yield live


def walk(live: Live) -> Iterator[str]:
    """Goes to each view in a world that stands still, and at last into a smaller terminal."""
    live.blind = False
    live.until(lambda: live.told.changes > 0)
    live.hold()
    for view in VIEWS:
        live.open(view)
        yield view
    live.resize(*SMALLER)
    live.until(lambda: live.told.size == SMALLER)
    yield "smaller"


def test_views_are_drawn_in_tmux_as_without_it(plain: dict[str, Cells], inside: Live) -> None:
    """Calendar, durations, trash and grid, and one of them after a change of size, come to have the same cells with the
    same colours."""
    for what in walk(inside):
        inside.until(lambda what=what: inside.cells() == plain[what], 20.0)

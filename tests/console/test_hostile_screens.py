"""Text that others wrote (owners, tags, docs, errors, logs) on every screen: it is shown, and does nothing."""

from __future__ import annotations

import asyncio
import re
import sys

import pytest

from console.text import cell_len
from tests.support.console_store import FilledHome
from tests.support.pty import PtyProgram
from tests.support.source import PROJECT
from tests.support.tour import EVIL, SIZES, Tour, furnish

RUN = (
    "import sys; from pathlib import Path; from engine.config import Home; from console.start import run_console; "
    "sys.exit(run_console(Home(Path(sys.argv[1]))))"
)

# What the console itself sends: cursor movement, colours, its modes and questions, and the keyboard protocol.
ALLOWED = re.compile(
    rb"\x1b\[(?:\d+;\d+H|\d+G|\d+X|5n|\d+;\d+r|r|[0-9;]*m|\?[0-9;]+[hl]|\?2026\$p|\?2048\$p|>[0-9]+u|<u)|\x1bM|\r\n|\n|[\x20-\x7e]"
    rb"|[\xc2-\xf4][\x80-\xbf]+"
)
UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufe0f]")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> FilledHome:
    """A home in which every field that takes text holds sequences, markup, direction marks and wide characters."""
    return asyncio.run(furnish(tmp_path_factory.mktemp("hostile") / "home", EVIL))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_every_screen_shows_hostile_text_as_text(filled: FilledHome, size: tuple[int, int]) -> None:
    """No view and no dialog holds a control or direction character; markup stands there as it was written."""
    stops = asyncio.run(Tour(filled, size).go())
    for name, text in stops.items():
        found = UNSEEN.search(text)
        assert found is None, f"{name}: {found[0]!r}" if found else ""
        assert all(cell_len(line) <= size[0] for line in text.split("\n")), name
    spoken = [name for name in ("overview", "run", "task", "log", "inbox") if "[bold]no" in stops[name]]
    assert {"run", "log", "inbox"} <= set(spoken)


@pytest.mark.pty
def test_nothing_of_it_reaches_the_terminal_as_a_sequence(filled: FilledHome) -> None:
    """Byte by byte, all that is sent on a walk through the views is printable text or the console's own sequences."""
    with PtyProgram([sys.executable, "-c", RUN, str(filled.home.root)], size=(120, 36), cwd=PROJECT) as program:
        program.until("trades_us")
        program.press("i")
        program.until("The same failure")
        program.press("esc")
        program.until(lambda: "Esc close" not in program.text)
        program.press("j", "j")
        program.quiet()
        for key, shown in (
            ("enter", "> scheduled"),
            ("L", "ended"),
            ("q", "p50"),
            ("4", "critical"),
            ("I", "failure inbox"),
        ):
            program.press(key)
            program.until(shown)
        program.press("?")
        program.until("Keys here")
        program.press("esc")
        program.until(lambda: "Keys here" not in program.text)
        program.press("ctrl+q")
        assert program.wait() == 0
        assert ALLOWED.sub(b"", bytes(program.raw)) == b""
        assert not UNSEEN.search(re.sub("\x1b[^a-zA-Z]*[a-zA-Z]|\r", "", bytes(program.raw).decode("utf-8")))

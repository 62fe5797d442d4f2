"""The wire under a real pseudo terminal: the picture stays true, and bytes stay few."""

from __future__ import annotations

import time
import unicodedata
from pathlib import Path

import pytest

from tests.support.stage import stage

pytestmark = pytest.mark.pty


def bare(line: str) -> str:
    """The line without combining marks: where Textual cuts a line it may leave one on the wrong side of the cut."""
    letters = unicodedata.normalize("NFD", line.rstrip())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def test_after_hundreds_of_updates_the_screen_is_that_of_a_full_repaint(tmp_path: Path) -> None:
    """320 rounds of random changes, scrolling, a moving overlay and dialogs leave what repainting every cell shows."""
    text = tmp_path / "screen.txt"
    with stage("scribble", "7", str(text), size=(80, 20)) as program:
        program.until("stage ready")
        program.press("s")
        program.until(lambda: b"scribbled" in program.raw[-4000:], 60)
        program.quiet()
        incremental = program.cells()
        before = len(program.raw)
        program.press("r")
        program.until(lambda: len(program.raw) - before > 2000)
        program.quiet()
        assert program.cells() == incremental
        program.press("d")
        program.until("written")
        composed = text.read_text(encoding="utf-8").split("\n")
        assert [bare(line) for line in program.lines][1:] == [bare(line) for line in composed][1:]


def test_a_full_repaint_sends_every_cell(tmp_path: Path) -> None:
    """The repaint key sends the whole screen, also when nothing has changed."""
    with stage("still") as program:
        program.until("stage ready")
        program.quiet()
        before = len(program.raw)
        program.press("r")
        program.until(lambda: len(program.raw) - before > 2000)


def test_an_idle_screen_sends_nothing() -> None:
    """Without ticks, a second and a half passes without a byte."""
    with stage("still", size=(160, 50)) as program:
        program.until("stage ready")
        program.quiet()
        assert program.pump(1.5) == 0


def test_timers_cost_little() -> None:
    """16 timers of two cells at column 60, ticking once a second, cost less than 600 bytes a second."""
    with stage("timers", size=(160, 50)) as program:
        program.until("stage ready")
        program.until("task_0")
        program.quiet(0.4)
        start = time.monotonic()
        sent = program.pump(2.5)
        per_second = sent / (time.monotonic() - start)
        assert 0 < per_second <= 600


def test_a_terminal_that_does_not_drain_gets_the_latest_picture() -> None:
    """A while of 60 full changes a second into a terminal that nobody reads comes as a few frames, the last true."""
    with stage("flood", size=(160, 50)) as program:
        program.until("stage ready")
        program.until("task_0")
        before = int(program.lines[1].split()[-1])
        program.look_away(1.5)
        assert program.pump(0.2) < 40_000
        program.press("q")
        assert program.wait() == 0
        shown = {line.split()[-1] for line in program.lines[1:49]}
        assert len(shown) == 1
        assert int(shown.pop()) > before + 10


def test_a_resize_repaints_at_the_new_size() -> None:
    """After the terminal has become another size, and after it only blinked, the screen is complete."""
    with stage("still", size=(100, 30)) as program:
        program.until("stage ready")
        program.quiet()
        program.resize(80, 20)
        program.until(lambda: program.lines[19].startswith(" task_18"))
        program.screen.erase_in_display(2)
        program.resize(80, 20)
        program.until("stage ready")
        program.until(lambda: program.lines[19].startswith(" task_18"))


def test_a_size_that_comes_while_another_is_taken_is_the_last() -> None:
    """Signals come whenever they like, also one inside the other: the newest size wins, whichever is handled first."""
    with stage("dawdle", size=(100, 30)) as program:
        program.until("stage ready")
        program.quiet()
        program.resize(90, 25)
        program.pump(0.3)
        program.resize(80, 20)
        program.until(lambda: program.lines[19].startswith(" task_18"))
        program.quiet()
        assert program.lines[19].startswith(" task_18")
        program.press("q")
        assert program.wait() == 0


def test_without_unicode_and_colour_the_wire_carries_neither() -> None:
    """Under NO_COLOR and an ASCII terminal nothing but ASCII and attributes is sent."""
    with stage("scribble", env={"NO_COLOR": "1", "STAGE_ASCII": "1"}) as program:
        program.until("stage ready")
        program.quiet()
        assert program.raw.isascii()
        assert b"38;2" not in program.raw and b"48;2" not in program.raw

"""Over a link that stores more than it carries: what is on its way stays little, and nothing of the talk is seen."""

from __future__ import annotations

import sys

import pytest

from tests.support.slow_link import SlowLink
from tests.support.source import PROJECT
from tests.support.stage import stage

pytestmark = pytest.mark.pty

PATIENT = {"STAGE_PATIENCE": "30"}
STAGE = [sys.executable, "-m", "tests.support.stage_program"]


async def test_a_link_that_stores_everything_is_not_filled_with_old_pictures() -> None:
    """Of 60 changes of the whole screen a second, at 64 kbit/s, only so many are sent that little is ever stored."""
    async with SlowLink(
        [*STAGE, "flood"], size=(120, 40), delay=0.1, rate=8_000, holds=1 << 20, cwd=str(PROJECT), env=PATIENT
    ) as link:
        await link.until("stage ready")
        await link.until(lambda: link.seen.count(b"\x1b[5n") >= 3)
        link.fullest, before = 0, int(link.lines[1].split()[-1])
        await link.until(lambda: int(link.lines[1].split()[-1]) > before + 60)
        assert 0 < link.fullest < 12_000


async def test_a_console_leaves_when_the_terminal_has_answered() -> None:
    """What a terminal answers is not left for the shell to be typed into it."""
    async with SlowLink([*STAGE, "still"], size=(120, 40), delay=0.1, cwd=str(PROJECT), env=PATIENT) as link:
        await link.until("stage ready")
        link.press("r")
        link.press("q")
        await link.until(lambda: b"\x1b[?1049l" in link.seen)
        seen = bytes(link.seen)
        assert seen.count(b"\x1b[5n") == link.answered


def test_answers_are_no_keys() -> None:
    """Answers in one piece and in two pieces between keys do nothing; a terminal that never answers is asked once."""
    with stage("still") as program:
        program.until("stage ready")
        program.quiet()
        program.press("r")
        program.quiet()
        assert program.raw.count(b"\x1b[5n") == 1
        program.send(b"\x1b[0n")
        program.send(b"\x1b[")
        program.send(b"0n\x1b[0n")
        program.press("r")
        program.quiet()
        program.press("q")
        assert program.wait() == 0


def test_what_a_terminal_gone_mute_has_to_be_shown_comes_without_its_answer() -> None:
    """A terminal that answered once and then no more is held back for a while only, not until the next key."""
    with stage("still", size=(160, 50), env={"STAGE_PATIENCE": "1"}) as program:
        program.until("stage ready")
        program.send(b"\x1b[0n")
        program.press("r")
        program.until(lambda: program.raw.count(b"\x1b[5n") == 2)
        program.quiet()
        program.screen.erase_in_display(2)
        program.press("r")
        program.until("task_33")
        program.press("q")
        assert program.wait() == 0

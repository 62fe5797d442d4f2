"""A killed console leaves its modes behind, and `dagdeck reset-terminal` takes the terminal out of all of them."""

from __future__ import annotations

import re
import signal
import sys
import termios
from pathlib import Path

import pytest

from tests.support.live import Live

pytestmark = pytest.mark.pty
HAS_MODE = b"\x1b[?2048;2$y"
"""What a terminal answers that can tell its size by itself, and does not yet."""
AS_THEY_WERE = {"7": True, "25": True}
"""Private modes that are set in a terminal which nobody has changed; all others are not."""


def changed(raw: bytes) -> dict[str, bool]:
    """Private modes of which the last that was sent is not as they were, and how they are."""
    found: dict[str, bool] = {}
    for numbers, switch in re.findall(rb"\x1b\[\?([0-9;]+)([hl])", raw):
        found |= dict.fromkeys(numbers.decode().split(";"), switch == b"h")
    return {mode: on for mode, on in found.items() if on is not AS_THEY_WERE.get(mode, False)}


def test_a_killed_console_leaves_its_modes_and_reset_terminal_takes_them_all_back(tmp_path: Path) -> None:
    """After SIGKILL the terminal is raw, in the other screen, and reports mouse, focus, pastes and sizes; then
    `dagdeck reset-terminal`, typed blindly there, leaves no mode that the console had set; echo and lines are on."""
    with Live(tmp_path, (90, 24), "xterm-256color") as live:
        live.until(lambda: live.told.changes > 0)
        live.send(HAS_MODE)
        live.until(lambda: b"\x1b[?2048h" in live.raw, 10.0)
        live.hold()
        live.signal(signal.SIGKILL)
        assert live.wait(10) == -signal.SIGKILL
        assert changed(bytes(live.raw)).keys() >= {"1049", "1000", "1006", "1004", "2004", "2048", "25", "7"}
        pushed = len(re.findall(rb"\x1b\[>\d+u", live.raw))
        assert pushed == 1 and b"\x1b[<u" not in live.raw
        assert not live.line_settings()[3] & termios.ECHO
        live.then([sys.executable, "-m", "dagdeck", "reset-terminal"])
        assert live.wait(20) == 0
        assert changed(bytes(live.raw)) == {}
        assert live.raw.count(b"\x1b[<u") == pushed
        (iflag, oflag, _, lflag, *_), (_, oflag_before, _, lflag_before, *_) = live.line_settings(), live.before
        assert (oflag, lflag) == (oflag_before, lflag_before)
        assert iflag & termios.ICRNL and iflag & termios.IXON

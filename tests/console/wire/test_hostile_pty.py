"""Nothing that a task, a file or a person wrote reaches the terminal as anything but printable text."""

from __future__ import annotations

import re

import pytest

from tests.support.stage import stage

pytestmark = pytest.mark.pty

# What the console itself sends: cursor movement, colours, its modes and questions, and the keyboard protocol.
ALLOWED = re.compile(
    rb"\x1b\[(?:\d+;\d+H|\d+G|\d+X|5n|\d+;\d+r|r|[0-9;]*m|\?[0-9;]+[hl]|\?2026\$p|\?2048\$p|>[0-9]+u|<u)|\x1bM|\r\n|\n|[\x20-\x7e]|[\xc2-\xf4][\x80-\xbf]+"
)


@pytest.mark.parametrize("env", [{}, {"STAGE_STOCK": "1"}], ids=["own wire", "stock rendering"])
def test_unsanitised_text_in_every_widget_sends_no_sequence_of_its_own(env: dict[str, str]) -> None:
    """Lists, bars, dialogs, prompts, logs and stock widgets full of raw text send only what the console sends."""
    with stage("hostile", size=(120, 60), env=env) as program:
        program.until("canary")
        program.press("down", "pgdn")
        program.quiet()
        program.press("esc")
        program.until(lambda: "Esc close" not in program.text)
        program.press("down", "tab", "down", "pgdn")
        program.quiet()
        sent = bytes(program.raw)
        assert sent.count(b"canary") > 10
        rest = ALLOWED.sub(b"", sent)
        assert rest == b""
        shown = sent.decode("utf-8")
        assert not re.search("[\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufe0f\U000e0000-\U000e007f]", shown)
        assert program.process.poll() is None
        for line in program.lines:
            assert len(line) <= 120

"""What an attempt's log says of its end."""

from __future__ import annotations

import io
import sys

import pytest

from engine.execution.process import failure


def test_what_was_printed_comes_before_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text without a line feed is kept back by the stream; it is let out before the log tells of the end."""
    log = io.BytesIO()
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, io.TextIOWrapper(log, line_buffering=True, write_through=name == "stderr"))
    print("at row 17 ", end="")
    failure.to_log(ValueError("no"), "/nowhere")
    print("at row 18 ", end="")
    failure.say("skipped")
    text = log.getvalue().decode()
    assert text == "at row 17 ValueError: no\nat row 18 dagdeck: skipped\n"

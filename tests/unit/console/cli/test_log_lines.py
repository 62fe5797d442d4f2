"""Logs on their way to the terminal."""

from __future__ import annotations

import pytest

from console.cli.logs import BLOCK, LogLines


def written(capsys: pytest.CaptureFixture[str], *blocks: bytes) -> str:
    lines = LogLines()
    for block in blocks:
        lines.write(block)
    lines.write(b"")
    return capsys.readouterr().out


def test_lines_are_put_together_across_blocks(capsys: pytest.CaptureFixture[str]) -> None:
    """A line that comes in pieces is written once, whole, also when a character is cut in two."""
    assert written(capsys, b"one\ntw", b"o \xc3", b"\xa4\nthree") == "one\ntwo ä\nthree\n"


def test_carriage_returns_and_escapes_are_made_visible(capsys: pytest.CaptureFixture[str]) -> None:
    """A progress bar's carriage returns and a colour's escapes cannot act on the terminal."""
    assert written(capsys, b"10%\r20%\r\n\x1b[31mred\x1b[0m\n") == "10%^M20%\n^[[31mred^[[0m\n"


def test_a_line_without_end_does_not_fill_the_memory(capsys: pytest.CaptureFixture[str]) -> None:
    """A line longer than a block is written as it comes, and is one line nevertheless."""
    out = written(capsys, b"x" * BLOCK, b"x" * BLOCK, b"\nend\n")
    assert out == "x" * 2 * BLOCK + "\nend\n"


def test_a_long_line_is_cut_nowhere_that_shows(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither a character nor a line end falls apart where a block ends, and tabs stand as in one piece."""
    for lead in range(BLOCK - 3, BLOCK + 4):
        out = written(capsys, b"x" * lead + b"\xe6\xbc\xa2\r", b"\ny\n")
        assert out == "x" * lead + "漢\ny\n"
    tabbed = written(capsys, b"x" * (BLOCK + 3), b"\tz\n")
    assert tabbed.index("z") % 8 == 0

"""Copying through the terminal, and a log's way to a pager."""

from __future__ import annotations

import base64
import sys

import pytest

from console.clipboard import MOST_BYTES, osc52
from console.pager import NoPager, command, lines_of, show


class Bytes:
    """A log in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def size(self) -> int:
        return len(self._data)

    def read(self, offset: int, count: int) -> bytes:
        return self._data[offset : offset + count]

    def close(self) -> None:
        pass


def test_the_text_travels_whole() -> None:
    """The sequence holds the text in base64, in tmux also one that tmux passes on, in screen in pieces."""
    coded = base64.b64encode("häm".encode()).decode()
    plain = f"\x1b]52;c;{coded}\x07"
    assert osc52("häm", {}) == plain
    assert osc52("häm", {"TMUX": "/tmp/x"}) == plain + f"\x1bPtmux;\x1b{plain}\x1b\\"
    long = osc52("x" * 1000, {"STY": "1.pts"})
    pieces = long.removeprefix("\x1bP").removesuffix("\x1b\\").split("\x1b\\\x1bP")
    assert "".join(pieces) == osc52("x" * 1000, {}) and all(len(piece) <= 240 for piece in pieces)


def test_more_than_a_terminal_takes_is_refused() -> None:
    """Nothing is cut silently."""
    with pytest.raises(ValueError, match="75,000"):
        osc52("x" * 75_000, {})
    assert len(osc52("x" * MOST_BYTES, {})) > MOST_BYTES


def test_the_pager_is_the_operators_own() -> None:
    """$PAGER with its arguments, or less; one that is not there is named."""
    assert command({"PAGER": "cat -n", "PATH": "/bin:/usr/bin"}) == ["cat", "-n"]
    with pytest.raises(NoPager, match="no nosuchpager"):
        command({"PAGER": "nosuchpager", "PATH": "/bin"})
    with pytest.raises(NoPager, match="cannot be read"):
        command({"PAGER": "'", "PATH": "/bin"})


def test_what_a_pager_gets_is_sanitised_and_may_be_left_early(capfd: pytest.CaptureFixture[str]) -> None:
    """No escape of a task's reaches it; a pager that ends before the log does is no fault."""
    log = Bytes(b"\x1b]52;c;eA==\x07 one\r\n" + b"two\n" * 100_000 + b"three")
    words = [sys.executable, "-c", "import sys; print(ascii(sys.stdin.readline()))"]
    assert show(words, lines_of(log), {}) == 0
    assert capfd.readouterr().out.strip() == repr("^[]52;c;eA==^G one\n")
    assert list(lines_of(log))[-1] == b"three\n"

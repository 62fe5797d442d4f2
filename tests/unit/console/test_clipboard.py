"""Copying through the terminal, and a log's way to a pager."""

from __future__ import annotations

import base64
import sys
from pathlib import Path

import pytest

from console.clipboard import MOST_BYTES, osc52
from console.pager import NoPager, at_line, command, edit, editor, lines_of, show


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


def test_an_editor_opens_a_copy_at_the_line_which_is_gone_afterwards(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """$VISUAL goes before $EDITOR; the copy cannot be written to; editors that take a colon get one."""
    assert editor({}) is None and editor({"EDITOR": " "}) is None
    assert editor({"EDITOR": "true", "VISUAL": "cat -n", "PATH": "/bin:/usr/bin"}) == ["cat", "-n"]
    with pytest.raises(NoPager, match=r"no nosucheditor to open it with: set \$EDITOR"):
        editor({"EDITOR": "nosucheditor", "PATH": "/bin"})
    assert at_line(["vi"], "/x/a.py", 7) == ["vi", "+7", "/x/a.py"]
    assert at_line(["/usr/bin/code", "--wait"], "/x/a.py", 7) == ["/usr/bin/code", "--wait", "--goto", "/x/a.py:7"]
    assert at_line(["hx"], "/x/a.py", 7) == ["hx", "/x/a.py:7"]
    assert at_line(["less"], "", 7) == ["less", "+7"] and at_line(["cat"], "", 7) == ["cat"]
    program = "import os, sys; p = sys.argv[2]; print(sys.argv[1], p, oct(os.stat(p).st_mode)[-3:], open(p).read())"
    assert edit([sys.executable, "-c", program], "lib/../x\x1b.py", ("a = 1", "b = 2"), 2, {}) == 0
    line, path, mode, *text = capfd.readouterr().out.split(maxsplit=3)
    assert (line, mode, text) == ("+2", "400", ["a = 1\nb = 2\n\n"])
    assert Path(path).name == "x^[.py" and not Path(path).parent.exists()

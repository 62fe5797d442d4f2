"""A log as a console reads it, whole and with its middle given back to the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.backends.attempt_log import AttemptLog
from engine.model.attempt_files import GAP, LogGap

HEAD, TAIL = b"head\n" * 1000, b"tail\n" * 1000
GONE = LogGap(len(HEAD), len(HEAD) + 40960)


def cut(folder: Path) -> AttemptLog:
    """A log with a gap of ten pages between head and tail."""
    (folder / "log").write_bytes(HEAD + bytes(40960) + TAIL)
    (folder / GAP).write_bytes(GONE.dumps())
    return AttemptLog(folder / "log")


def test_the_gap_is_one_line_that_says_what_is_missing(tmp_path: Path) -> None:
    """Head, a line, tail: no byte of the hole is shown as if a task had written it."""
    log = cut(tmp_path)
    assert log.read(0, 10**6) == HEAD + GONE.words + TAIL
    assert log.size() == len(HEAD + GONE.words + TAIL)
    assert b"40960 bytes are left out" in GONE.words


@pytest.mark.parametrize("step", [1, 7, 4096])
def test_every_window_shows_the_same_bytes(tmp_path: Path, step: int) -> None:
    """Read in pieces of any size, from any offset, it is the same text."""
    log = cut(tmp_path)
    whole = HEAD[-50:] + GONE.words + TAIL[:50]
    start = len(HEAD) - 50
    pieces = [log.read(start + at, min(step, len(whole) - at)) for at in range(0, len(whole), step)]
    assert b"".join(pieces) == whole


def test_a_whole_log_is_read_as_it_is(tmp_path: Path) -> None:
    """Without a gap offsets are the file's own, also for what is appended later."""
    path = tmp_path / "log"
    log = AttemptLog(path)
    assert (log.size(), log.read(0, 10)) == (0, b"")
    path.write_bytes(b"one\n")
    assert (log.size(), log.read(2, 10)) == (4, b"e\n")
    with path.open("ab") as out:
        out.write(b"two\n")
    assert log.read(4, 10) == b"two\n"


def test_what_is_given_back_while_it_is_open_reads_as_blanks(tmp_path: Path) -> None:
    """Offsets stay where they are; the hole is no output."""
    path = tmp_path / "log"
    path.write_bytes(HEAD)
    log = AttemptLog(path)
    assert log.size() == len(HEAD)
    path.write_bytes(HEAD + bytes(8192) + TAIL)
    assert log.read(len(HEAD), 8192) == b" " * 8192

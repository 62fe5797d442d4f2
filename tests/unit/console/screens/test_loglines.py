"""Lines of a log by offset: at any block size they are the lines that are there."""

from __future__ import annotations

import random
import re

import pytest

from console.screens import loglines
from console.screens.loglines import ERROR, FileLines, LineCount, find


class Bytes:
    """A log in memory that may be unreadable."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.fault: OSError | None = None
        self.read_bytes = 0

    def size(self) -> int:
        if self.fault:
            raise self.fault
        return len(self.data)

    def read(self, offset: int, count: int) -> bytes:
        if self.fault:
            raise self.fault
        self.read_bytes += min(count, max(len(self.data) - offset, 0))
        return self.data[offset : offset + count]

    def close(self) -> None:
        pass


def lines_of(data: bytes) -> tuple[FileLines, Bytes]:
    """A log's lines, looked at once."""
    log = Bytes(data)
    lines = FileLines(log)
    lines.look()
    return lines, log


@pytest.mark.parametrize("seed", range(12))
def test_windows_of_any_log_are_exact(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the blocks, `after` and `before` give the lines around an offset, and numbers count them from one."""
    chance = random.Random(seed)
    monkeypatch.setattr(loglines, "BLOCK", chance.choice([4, 16, 64]))
    monkeypatch.setattr(loglines, "SEARCH_BLOCK", chance.choice([8, 32, 100]))
    data = b"".join(b"x" * chance.randint(0, 20) + b"\n" for _ in range(chance.randint(0, 30)))
    data += b"t" * chance.randint(0, 5)
    lines, _ = lines_of(data)
    expected, at = [], 0
    for part in data.splitlines(keepends=True):
        expected.append((at, at + len(part), part.rstrip(b"\n")))
        at += len(part)
    for _ in range(20):
        offset, count = chance.randint(0, len(data)), chance.randint(0, 8)
        assert [tuple(line) for line in lines.after(offset, count)] == [e for e in expected if e[1] > offset][:count]
        ended = [e for e in expected if e[1] <= offset]
        assert [tuple(line) for line in lines.before(offset, count)] == (ended[-count:] if count else [])
    counted = LineCount(lines)
    while counted.counted < lines.size:
        counted.advance(chance.choice([5, 50]))
    assert [counted.number(start) for start, *_ in expected] == list(range(1, len(expected) + 1))


def test_the_end_of_a_large_log_costs_as_little_as_that_of_a_short_one() -> None:
    """Opening at the end reads a few blocks, however much stands before it."""
    lines, log = lines_of(b"a line of the usual length, more or less\n" * 500_000)
    assert len(lines.before(lines.end(), 50)) == 50
    assert log.read_bytes < 8 * loglines.BLOCK


def test_a_line_without_end_is_shown_in_pieces() -> None:
    """A line longer than the limit is several; nothing reads on for ever."""
    lines, _ = lines_of(b"y" * (3 * loglines.LONGEST))
    first = lines.after(0, 10)
    assert [line.end - line.offset for line in first] == [loglines.LONGEST] * 3
    assert lines.before(lines.end(), 1)[0].end == lines.size


def test_search_goes_both_ways_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next match is found from any place on, the one before it backwards, by the beginning of its line."""
    monkeypatch.setattr(loglines, "SEARCH_BLOCK", 16)
    data = b"".join(b"line %02d\n" % n for n in range(40))
    lines, _ = lines_of(data)
    pattern = re.compile(rb"2[05]")
    assert find(lines, pattern, 0) == 20 * 8
    assert find(lines, pattern, 21 * 8) == 25 * 8
    assert find(lines, pattern, 26 * 8) is None
    assert find(lines, pattern, 25 * 8, backwards=True) == 20 * 8
    assert find(lines, pattern, 20 * 8, backwards=True) is None


@pytest.mark.parametrize(
    ("line", "is_error"),
    [
        (b"Traceback (most recent call last):", True),
        (b"ValueError: bad partition", True),
        (b"psycopg2.errors.OperationalError: refused", True),
        (b"2026-11-22 02:13:12 ERROR db refused", True),
        (b"error: pathspec did not match", True),
        (b'{"level": "error", "event": "x"}', True),
        (b"0 errors, 3 warnings", False),
        (b"no error was found", False),
        (b"loaded errors.csv", False),
    ],
)
def test_an_error_line_is_known_by_its_look(line: bytes, is_error: bool) -> None:
    """Tracebacks, exceptions and error levels are found; words that merely mention errors are not."""
    assert (ERROR.search(line) is not None) is is_error


def test_a_log_that_cannot_be_read_says_why_and_shows_nothing() -> None:
    """The reason is kept for the rule; lines are empty, and all is well again when it can be read."""
    lines, log = lines_of(b"one\n")
    log.fault = OSError(5, "Input/output error")
    assert lines.look() and lines.fault == "Input/output error"
    assert lines.after(0, 5) == []
    log.fault = None
    assert lines.look() and lines.fault is None

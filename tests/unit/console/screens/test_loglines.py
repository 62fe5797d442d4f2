"""Lines of a log by offset: at any block size they are the lines that are there."""

from __future__ import annotations

import random

import pytest

from console.screens import log_numbers, loglines
from console.screens.log_numbers import LineCount
from console.screens.loglines import FileLines, Matches, find
from console.screens.needles import ERROR, ERRORS, LineNeedle, needle


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
    monkeypatch.setattr(log_numbers, "COUNT_BLOCK", chance.choice([8, 32, 100]))
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


@pytest.mark.parametrize(("data", "count"), [(b"", 0), (b"one\n", 1), (b"one\ntwo", 2), (b"one\ntwo\n\n", 3)])
def test_a_last_line_without_a_line_feed_counts(data: bytes, count: int) -> None:
    """There are as many lines as are shown."""
    lines, _ = lines_of(data)
    counted = LineCount(lines)
    while counted.counted < lines.size:
        counted.advance(3)
    assert counted.lines_counted == count == len(lines.after(0, 10))


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
    pattern = LineNeedle((b"2",), lambda line: line[-2:] in (b"20", b"25"))
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
    assert [line[start:end] for start, end in ERRORS.each(line)] == [line] * is_error
    assert ERRORS.last(b"well\n" + line) == (5 if is_error else -1)


def test_a_log_that_cannot_be_read_says_why_and_shows_nothing() -> None:
    """The reason is kept for the rule; lines are empty, and all is well again when it can be read."""
    lines, log = lines_of(b"one\n")
    log.fault = OSError(5, "Input/output error")
    assert lines.look() and lines.fault == "Input/output error"
    assert lines.after(0, 5) == []
    log.fault = None
    assert lines.look() and lines.fault is None


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("block", [16, 64, 10_000])
def test_matching_lines_are_a_log_of_their_own(monkeypatch: pytest.MonkeyPatch, block: int, inverted: bool) -> None:
    """Each matching line is listed once, whole, with its offset, whatever the blocks; windows of them are exact."""
    monkeypatch.setattr(loglines, "SEARCH_BLOCK", block)
    data = b"".join(b"%s %d\n" % (b"Even" if n % 2 == 0 else b"odd", n) for n in range(60)) + b"even, the last"
    lines, _ = lines_of(data)
    matches = Matches(lines, needle("even"), inverted=inverted)
    while matches.advance(lambda: True):
        pass
    if not inverted:
        assert len(matches) == 30, "the last line may still grow"
    matches.ended = True
    while matches.advance(lambda: True):
        pass
    expected = [line for line in data.split(b"\n") if (b"ven" in line) is not inverted]
    found = matches.after(0, 100)
    assert [line.raw for line in found] == expected
    assert all(data[line.offset : line.end].rstrip(b"\n") == line.raw for line in found)
    assert matches.before(matches.end(), 3) == found[-3:]
    assert matches.after(found[10].offset, 5) == found[10:15]
    assert matches.before(found[10].offset, 5) == found[5:10]


def test_fields_are_found_in_structured_lines_alone() -> None:
    """`level=error host=db` asks for both fields of JSON and logfmt lines; a text that only says so is no match."""
    data = (
        b'{"level": "error", "host": "db", "msg": "refused"}\n'
        b'time=02:13 level=ERROR host=db msg="refused again"\n'
        b"level=error host=web\n"
        b"it said level=error host=db once\n"
    )
    found = [data[start:end] for start, end in needle("level=error host=db").each(data)]
    assert found == data.split(b"\n")[:2]


def test_capitals_count_where_the_text_has_some() -> None:
    """`error` finds Error, `Error` does not find error."""
    data = b"an error\nan Error\n"
    assert [start for start, _ in needle("error").each(data)] == [0, 9]
    assert [start for start, _ in needle("Error").each(data)] == [9]


def test_a_search_that_is_no_longer_wanted_ends() -> None:
    """Between two blocks it looks whether somebody still waits for it."""
    lines, log = lines_of(b"x\n" * loglines.SEARCH_BLOCK)
    answers = iter([True, False])
    assert find(lines, needle("nothing"), 0, wanted=lambda: next(answers)) is None
    assert log.read_bytes < 2 * loglines.SEARCH_BLOCK

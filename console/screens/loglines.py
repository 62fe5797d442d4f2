"""Lines of a log by byte offset: only what is in sight is read, so a log of gigabytes costs as much as a short one."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator

from console.backends.port import LogBytes
from console.screens.needles import Needle
from console.widgets.log import LogLine

BLOCK = 64 * 1024
LONGEST = 1024 * 1024
"""A longer line is shown as several."""
MOST_MATCHES = 2_000_000
"""Matching lines that are listed: 16 bytes each."""
SEARCH_BLOCK = 256 * 1024
"""Bytes that are searched at a time: a thread that searches must not keep the interpreter from the screen."""


class FileLines:
    """A log's lines. `look` takes its size; everything else answers from that much of it."""

    def __init__(self, log: LogBytes) -> None:
        self._log = log
        self.size = 0
        self.fault: str | None = None
        """Why the log cannot be read."""

    def look(self) -> bool:
        """Takes the log's present size. True when it has changed."""
        before = self.size, self.fault
        try:
            self.size, self.fault = self._log.size(), None
        except OSError as error:
            self.fault = error.strerror or str(error)
        return (self.size, self.fault) != before

    def end(self) -> int:
        """The offset behind the last line; one that is still being written counts."""
        return self.size

    def after(self, offset: int, count: int) -> list[LogLine]:
        """Up to `count` lines, the first of them containing `offset`."""
        lines: list[LogLine] = []
        at = self.start_of(offset) if offset < self.size else self.size
        while len(lines) < count and at < self.size:
            found = self._forward(at, count - len(lines))
            if not found:
                break
            lines.extend(found)
            at = lines[-1].end
        return lines

    def before(self, offset: int, count: int) -> list[LogLine]:
        """Up to `count` lines that end at or before `offset`."""
        at = min(offset, self.size)
        lines: list[LogLine] = []
        while len(lines) < count and at > 0:
            first = self.start_of(max(at - BLOCK, 0))
            lines = [line for line in self._all(first, at) if line.end <= at] + lines
            at = first
        return lines[-count:] if count else []

    def start_of(self, offset: int) -> int:
        """Where the line that contains `offset` begins."""
        offset = max(min(offset, self.size), 0)
        floor = max(offset - LONGEST, 0)
        at = offset
        while at > floor:
            start = max(at - BLOCK, floor)
            found = self.read(start, at - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            at = start
        return floor

    def _all(self, start: int, end: int) -> Iterator[LogLine]:
        at = start
        while at < end:
            found = self._forward(at, 10_000)
            if not found:
                return
            yield from found
            at = found[-1].end

    def _forward(self, start: int, count: int) -> list[LogLine]:
        """Lines from the beginning of one: those of one block, or at least one."""
        data = self.read(start, BLOCK)
        while b"\n" not in data and len(data) < LONGEST and start + len(data) < self.size:
            more = self.read(start + len(data), BLOCK)
            if not more:
                break
            data += more
        lines: list[LogLine] = []
        at = 0
        while at < len(data) and len(lines) < count:
            found = data.find(b"\n", at)
            if found < 0:
                whole = start + len(data) >= self.size or len(data) >= LONGEST
                if whole or not lines:
                    lines.append(LogLine(start + at, start + len(data), data[at:]))
                break
            lines.append(LogLine(start + at, start + found + 1, data[at:found].removesuffix(b"\r")))
            at = found + 1
        return lines

    def read(self, offset: int, count: int) -> bytes:
        """Bytes of the log; none where it cannot be read."""
        try:
            return self._log.read(offset, min(count, max(self.size - offset, 0)))
        except OSError as error:
            self.fault = error.strerror or str(error)
            return b""


def find(
    lines: FileLines, needle: Needle, start: int, *, backwards: bool = False, wanted: Callable[[], bool] = lambda: True
) -> int | None:
    """The offset of the line with the next match at or after `start` (or the last one before it). Blocking.

    Ends early, with none, when it is no longer `wanted`.
    """
    return _find_back(lines, needle, start, wanted) if backwards else _find_on(lines, needle, start, wanted)


def _find_on(lines: FileLines, needle: Needle, start: int, wanted: Callable[[], bool]) -> int | None:
    at = lines.start_of(start)
    while at < lines.size and wanted():
        data = lines.read(at, SEARCH_BLOCK)
        if not data:
            return None
        cut = len(data) if at + len(data) >= lines.size else (data.rfind(b"\n") + 1 or len(data))
        found = next(needle.each(data[:cut]), None)
        if found is not None:
            return at + found[0]
        at += cut
    return None


def _find_back(lines: FileLines, needle: Needle, start: int, wanted: Callable[[], bool]) -> int | None:
    end = min(start, lines.size)
    while end > 0 and wanted():
        begin = lines.start_of(max(end - SEARCH_BLOCK, 0)) if end > SEARCH_BLOCK else 0
        if begin >= end:
            begin = max(end - SEARCH_BLOCK, 0)
        data = lines.read(begin, end - begin)
        found = needle.last(data)
        if found >= 0:
            return begin + found
        end = begin
    return None


class Matches:
    """The lines of a log that match, found once, block by block, in a thread; a source of lines for a window."""

    def __init__(self, lines: FileLines, needle: Needle, *, inverted: bool = False) -> None:
        self.lines = lines
        self._needle, self._inverted = needle, inverted
        self._starts = array("Q")
        self._ends = array("Q")
        self.searched = 0
        """Bytes that have been looked at."""
        self.ended = False
        """Nothing more comes: a last line without a line feed is whole."""

    def __len__(self) -> int:
        return len(self._starts)

    @property
    def full(self) -> bool:
        """Whether no more lines are taken."""
        return len(self._starts) >= MOST_MATCHES

    def advance(self, wanted: Callable[[], bool]) -> bool:
        """Looks at the next bytes; False when there are none, or there is no room. Blocking."""
        if self.searched >= self.lines.size or self.full or not wanted():
            return False
        data = self.lines.read(self.searched, SEARCH_BLOCK)
        last = data.rfind(b"\n") + 1
        whole = self.searched + len(data) >= self.lines.size
        cut = last or len(data)
        if whole and self.ended:
            cut = len(data)
        elif not data or (whole and not last):
            return False  # the end of the last line is still to come
        self._take(data[:cut])
        self.searched += cut
        return True

    def _take(self, data: bytes) -> None:
        at = 0
        for start, end in self._needle.each(data):
            after = min(end + 1, len(data))
            if self._inverted:
                self._add_all(data, at, start)
            else:
                self._add(start, after)
            at = after
        if self._inverted:
            self._add_all(data, at, len(data))

    def _add_all(self, data: bytes, at: int, until: int) -> None:
        while at < until:
            end = data.find(b"\n", at) + 1 or len(data)
            self._add(at, end)
            at = end

    def _add(self, start: int, end: int) -> None:
        self._starts.append(self.searched + start)
        self._ends.append(self.searched + end)

    # A source of lines

    def end(self) -> int:
        """The offset behind the last match."""
        return self._ends[-1] if self._ends else 0

    def after(self, offset: int, count: int) -> list[LogLine]:
        """Up to `count` matches, the first of them at or after the line that contains `offset`."""
        first = bisect_right(self._ends, offset)
        return [self._line(at) for at in range(first, min(first + count, len(self._starts)))]

    def before(self, offset: int, count: int) -> list[LogLine]:
        """Up to `count` matches that end at or before `offset`."""
        last = bisect_right(self._ends, offset)
        return [self._line(at) for at in range(max(last - count, 0), last)]

    def _line(self, at: int) -> LogLine:
        start, end = self._starts[at], self._ends[at]
        raw = self.lines.read(start, min(end - start, LONGEST))
        return LogLine(start, end, raw.removesuffix(b"\n").removesuffix(b"\r"))

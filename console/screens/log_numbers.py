"""The numbers of a log's lines: counted once, block by block, in a thread, while the log is already shown."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from console.screens.loglines import FileLines
from console.widgets.log_lines import LogLine

if TYPE_CHECKING:
    from console.screens.log import LogPane

COUNT_BLOCK = 1024 * 1024
"""Bytes between two places whose numbers are kept: as much is read for a line between them."""
COUNT_PIECE = 128 * 1024
"""Bytes that are counted at a time: a thread that counts must not keep the interpreter from the screen."""
_SLICE = 32 * 1024 * 1024
"""Bytes between two looks at how far it has come."""
_MOST_KNOWN = 5_000
"""Numbers that are kept: those of the lines in sight, and of some that were."""


@dataclass(slots=True)
class LineCount:
    """How many lines there are, and which number one has: counted once, block by block, in a thread."""

    lines: FileLines
    counted: int = 0
    """Bytes that have been counted."""
    total: int = 0
    """Line feeds that have been counted."""
    within: bool = False
    """What has been counted ends within a line."""
    _marks: list[int] | None = None

    def advance(self, most: int = 64 * COUNT_BLOCK) -> None:
        """Counts on, at most so many bytes. Blocking."""
        marks = self._marks = [0] if self._marks is None else self._marks
        until = min(self.counted + most, self.lines.size)
        while self.counted < until:
            whole = (self.counted // COUNT_BLOCK + 1) * COUNT_BLOCK
            data = self.lines.read(self.counted, min(whole - self.counted, until - self.counted, COUNT_PIECE))
            if not data:
                return
            self.total += data.count(b"\n")
            self.within = not data.endswith(b"\n")
            self.counted += len(data)
            if self.counted % COUNT_BLOCK == 0:
                marks.append(self.total)

    @property
    def lines_counted(self) -> int:
        """How many lines that is; a last one without a line feed is one too."""
        return self.total + self.within

    def number(self, offset: int) -> int | None:
        """The number of the line that begins at `offset`, from 1; None while it has not been counted."""
        if self._marks is None or offset > self.counted:
            return None
        block = min(offset // COUNT_BLOCK, len(self._marks) - 1)
        start = block * COUNT_BLOCK
        return self._marks[block] + self.lines.read(start, offset - start).count(b"\n") + 1


class Numbers:
    """The numbers before the lines of a pane's log, and how many lines there are."""

    def __init__(self, pane: LogPane) -> None:
        self._pane = pane
        self.count: LineCount | None = None
        self._known: dict[int, int] = {}
        """By where a line begins, and by `-end - 1` of the line before it."""
        self._counting = False

    def begin(self, lines: FileLines) -> None:
        """Another log."""
        self.count, self._known = LineCount(lines), {}

    def forget(self) -> None:
        """The log is closed."""
        self.count, self._known = None, {}

    def fit(self, lines: FileLines) -> None:
        """The log has changed: one that was cut is counted anew."""
        if self.count is not None and lines.size < self.count.counted:
            self.begin(lines)

    def of(self, line: LogLine) -> int | None:
        """The number of a line, from 1; None while it has not been counted."""
        number = self._known.get(line.offset)
        if number is None and self.count is not None:
            before = self._known.get(-line.offset - 1)
            number = before if before is not None else self.count.number(line.offset)
            if number is not None:
                if len(self._known) > _MOST_KNOWN:
                    self._known.clear()
                self._known[line.offset] = number
                self._known[-line.end - 1] = number + 1
        return number

    def go_on(self) -> None:
        """Counts what has come since."""
        if self.count is not None and not self._counting and self.count.counted < self.count.lines.size:
            self._counting = True
            self._pane.run_worker(self._count(self.count), group="count", exit_on_error=True)

    async def _count(self, count: LineCount) -> None:
        pane = self._pane
        try:
            while count is self.count and count.counted < count.lines.size:
                before = count.counted
                await asyncio.to_thread(count.advance, _SLICE)
                pane.desk.redraw_rule()
                if count.counted == before:
                    break
        finally:
            self._counting = False
        if count is self.count:
            pane.log_view.reread()
            pane.desk.redraw_rule()

"""Comparing a log with that of the last attempt that ended well: what is new is marked, and both scroll together."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from console.backends.port import LogBytes
from console.model.runs import GoodAttempt
from console.model.snapshot import Page, Scene
from console.screens.loglines import FileLines
from console.view.spans import ACCENT, DIM, Spans
from console.widgets.log import LogLine

if TYPE_CHECKING:
    from console.screens.log import LogPane

MOST_LINES = 200_000
_AT_ONCE = 2_000
_PARTICULAR = re.compile(rb"0x[0-9a-fA-F]+|[0-9a-fA-F]{8,}|[0-9]+")


def general(line: bytes) -> int:
    """What stays the same of a line from one attempt to the next, as a number: without figures and hashes."""
    return hash(_PARTICULAR.sub(b"#", line))


class Known:
    """The lines of the good log, by what is general in them."""

    def __init__(self, lines: FileLines) -> None:
        self.lines = lines
        self._places: dict[int, int] = {}
        self._at = 0
        self._count = 0

    @property
    def complete(self) -> bool:
        """Whether all lines have been read, or as many as are kept."""
        return self._at >= self.lines.size or self._count >= MOST_LINES

    def advance(self, wanted: Callable[[], bool]) -> None:
        """Reads the log. Blocking."""
        while not self.complete and wanted():
            found = self.lines.after(self._at, _AT_ONCE)
            if not found:
                return
            for line in found:
                self._places.setdefault(general(line.raw), line.offset)
            self._count += len(found)
            self._at = found[-1].end

    def place(self, line: bytes) -> int | None:
        """Where the good log has such a line first; None where it has none."""
        return self._places.get(general(line))


class Beside:
    """The last good attempt's log beside a pane's own."""

    def __init__(self, pane: LogPane) -> None:
        self._pane = pane
        self.page: Page | None = None
        self.good: GoodAttempt | None = None
        self._bytes: LogBytes | None = None
        self._known: Known | None = None

    def toggle(self) -> None:
        """Begins to compare, or ends it."""
        pane = self._pane
        if self.page is not None:
            self.end()
        else:
            about = pane.about
            if about is None:
                return
            self.page = Page("last_good", about)
        pane.desk.look_again()

    def end(self) -> None:
        """Shows the log alone again."""
        if self._bytes is not None:
            self._bytes.close()
        self.page = self.good = self._bytes = self._known = None
        self._pane.set_comparing(False)

    def draw(self, scene: Scene) -> None:
        """Opens the good log once it is known which one it is."""
        pane = self._pane
        if self.page is None or self.good is not None or scene.snapshot.page != self.page:
            return
        found = scene.snapshot.paged
        if not isinstance(found, GoodAttempt):
            self.end()
            pane.call_later(pane.desk.look_again)
            pane.tell("no attempt of this task ended well before this one")
            return
        try:
            self._bytes = pane.desk.open_attempt_log(found.id)
        except LookupError as error:
            self.end()
            pane.tell(str(error))
            return
        self.good = found
        lines = FileLines(self._bytes)
        lines.look()
        self._known = Known(lines)
        pane.set_comparing(True)
        pane.good_view.show(lines, offset=0)
        pane.run_worker(self._read(self._known), group="compare", exit_on_error=True)

    async def _read(self, known: Known) -> None:
        await asyncio.to_thread(known.advance, lambda: known is self._known)
        if known is self._known:
            self._pane.log_view.reread()
            self.scroll_along()

    def mark(self, line: LogLine) -> Spans:
        """What stands before a line of the pane's own log: a plus where the good one has nothing like it."""
        known = self._known
        if known is None:
            return ((" ", DIM),)
        is_new = line.raw.strip() and known.complete and known.place(line.raw) is None
        return (("+" if is_new else " ", f"{ACCENT} bold"),)

    def scroll_along(self) -> None:
        """Brings the line that stands at the window's top, or the next one that is known, to the top beside it."""
        known, lines = self._known, self._pane.lines
        if known is None or lines is None:
            return
        for line in lines.after(self._pane.log_view.top, 30):
            there = known.place(line.raw)
            if there is not None:
                self._pane.good_view.show(known.lines, offset=there)
                return

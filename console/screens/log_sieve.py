"""Only the lines that match, as a log of their own: listed in a thread, shown while they come."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from console.screens.loglines import Matches
from console.screens.needles import needle

if TYPE_CHECKING:
    from console.screens.log import LogPane

_SLICE = 64
"""Blocks between two looks at what has come."""


class Sieve:
    """What a pane's log is narrowed to. An empty text shows all of it; one that begins with `!` leaves out matches."""

    def __init__(self, pane: LogPane) -> None:
        self._pane = pane
        self.text = ""
        self.matches: Matches | None = None
        self._listing: Matches | None = None

    @property
    def words(self) -> str:
        """What is shown, and of how many lines; empty when it is all of them."""
        if self.matches is None:
            return ""
        going = self.matches.searched < self.matches.lines.size and self._listing is not None
        more = "…" if going else "+" if self.matches.full else ""
        return f"&{self.text}  {len(self.matches):,}{more}"

    def set(self, text: str) -> None:
        """Narrows the log that is shown, from the line at the window's top on."""
        pane = self._pane
        self.text, self.matches = text, None
        if pane.lines is None:
            return
        view = pane.log_view
        offset = None if view.following else view.top
        word = text.removeprefix("!")
        if not word:
            self.text = ""
            view.highlight(pane.finder.pattern(pane.finder.text))
            view.show(pane.lines, offset=offset)
            return
        self.matches = Matches(pane.lines, needle(word), inverted=text.startswith("!"))
        view.highlight(None if text.startswith("!") else pane.finder.pattern(word))
        view.show(self.matches)
        self.go_on()

    def forget(self) -> None:
        """The log is closed; the text stays for the next one."""
        self.matches = None

    def go_on(self) -> None:
        """Lists what has come since."""
        matches = self.matches
        if matches is None or self._listing is matches:
            return
        matches.ended = self._pane.ended
        if matches.searched < matches.lines.size and not matches.full:
            self._listing = matches
            self._pane.run_worker(self._list(matches), group="sieve", exit_on_error=True)

    async def _list(self, matches: Matches) -> None:
        def wanted() -> bool:
            return matches is self.matches

        def stretch() -> bool:
            return all(matches.advance(wanted) for _ in range(_SLICE))

        try:
            going = True
            while going and wanted():
                going = await asyncio.to_thread(stretch)
                if wanted():
                    self._pane.log_view.grown()
                    self._pane.desk.redraw_rule()
        finally:
            if self._listing is matches:
                self._listing = None
        self._pane.desk.redraw_rule()

"""A window on a log of any length: it asks for the lines in sight and nothing else, and knows no files.

Lines are named by their byte offset, so a log of gigabytes opens at its end before anybody has counted its lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple, Protocol

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from console.widgets.lines import WHEEL
from console.widgets.log_lines import LogLine, cut_columns, fold, mark_matches, read_line
from console.widgets.spans import Painted, Spans, changes, draw, spans_width

__all__ = ["LineSource", "LogLine", "LogView"]

_PARSED = 2_000


class LineSource(Protocol):
    """Where lines come from. Every method answers at once, from what is at hand: it is called on the UI's loop."""

    def end(self) -> int:
        """The offset behind the last line that can be shown."""

    def after(self, offset: int, count: int) -> Sequence[LogLine]:
        """Up to `count` lines, the first of them beginning at `offset` (or containing it)."""

    def before(self, offset: int, count: int) -> Sequence[LogLine]:
        """Up to `count` lines that end at or before `offset`, in the order of the log."""


class _Shown(NamedTuple):
    """One line of the screen: the log line it belongs to, which of its folds, and what is drawn."""

    offset: int
    fold: int
    spans: Spans
    current: bool


Decorate = Callable[[LogLine], Spans]
"""Makes what stands before a line and does not scroll sideways: a number, a mark."""


class LogView(Painted, can_focus=True):
    """Shows a `LineSource`. Following, it stays at the end; scrolling up stops that, `G` resumes it.

    `read` makes spans of a line; by default colours are kept and everything else is made visible.
    """

    DEFAULT_CSS = "LogView { height: 1fr; width: 1fr; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "scroll_lines(1)", "down", show=False, id="move.down"),
        Binding("k,up", "scroll_lines(-1)", "up", show=False, id="move.up"),
        Binding("g,home", "first", "top", show=False, id="move.first"),
        Binding("G,end", "follow", "end, and follow", show=False, id="move.last"),
        Binding("ctrl+d", "scroll_pages(0.5)", "half page down", show=False, id="move.half_down"),
        Binding("ctrl+u", "scroll_pages(-0.5)", "half page up", show=False, id="move.half_up"),
        Binding("pagedown", "scroll_pages(1)", "page down", show=False, id="move.page_down"),
        Binding("pageup", "scroll_pages(-1)", "page up", show=False, id="move.page_up"),
        Binding("right", "scroll_columns(8)", "right", show=False, id="log.right"),
        Binding("left", "scroll_columns(-8)", "left", show=False, id="log.left"),
    ]

    class Moved(Message):
        """The window stands elsewhere, or following has begun or ended."""

        def __init__(self, view: LogView) -> None:
            super().__init__()
            self.view = view

        @property
        def control(self) -> LogView:
            """The view, for `@on(LogView.Moved, "#id")`."""
            return self.view

    def __init__(
        self,
        source: LineSource | None = None,
        *,
        read: Callable[[LogLine], Spans] | None = None,
        decorate: Decorate | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._source = source
        self._read = read or read_line
        self._decorate = decorate
        self._following = self._followed = True
        self._wrapped = False
        self._column = 0
        self._top = 0
        self._fold = 0
        self._current: int | None = None
        self._pattern: re.Pattern[str] | None = None
        self._lines: list[_Shown] = []
        self._lines_for: tuple[int, int] | None = None
        self._parsed: dict[tuple[int, int], Spans] = {}
        self._strips: dict[Spans, tuple[Style, Strip]] = {}
        self._parsed_for = (0, False)

    # What is shown

    def show(self, source: LineSource | None, *, offset: int | None = None) -> None:
        """Show another log: at its end and following, or from the line at `offset`; None: no log, and no lines."""
        self._source = source
        self._parsed.clear()
        self._column, self._fold, self._current = 0, 0, None
        self._following, self._top = offset is None, offset or 0
        self._settle()

    def grown(self) -> None:
        """The source has more, or other, lines: repaint what differs. Call it once per frame, however much has come."""
        self._settle()

    def reread(self) -> None:
        """Make every line anew: what `read` or `decorate` say has changed."""
        self._parsed.clear()
        self._settle()

    @property
    def following(self) -> bool:
        """Whether the window stays at the end."""
        return self._following

    @property
    def top(self) -> int:
        """The offset of the first line in sight."""
        return self._lines[0].offset if self._lines else self._top

    @property
    def current(self) -> int | None:
        """The offset of the line that was gone to, which is marked."""
        return self._current

    @property
    def wrapped(self) -> bool:
        """Whether long lines are folded."""
        return self._wrapped

    def wrap(self, on: bool) -> None:
        """Fold long lines, or let them run out of sight."""
        self._wrapped, self._column, self._fold = on, 0, 0
        self._settle()

    def highlight(self, pattern: re.Pattern[str] | None) -> None:
        """Mark every match of a pattern in the lines in sight. The text that is searched is the text that is shown."""
        self._pattern = pattern
        self._settle()

    def go_to(self, offset: int, *, mark: bool = True) -> None:
        """Bring the line at `offset` into sight, a third from the top unless it was in sight, and mark it."""
        self._current = offset if mark else None
        self._following = False
        if any(line.offset == offset for line in self._lines):
            self._top, self._fold = self._lines[0].offset, self._lines[0].fold
        else:
            self._top, self._fold = offset, 0
            self._back(self.size.height // 3)
        self._settle()

    def mark(self) -> bool:
        """Mark the line that was gone to, if it is in sight, else the first in sight; False where there is none."""
        if not self._lines:
            return False
        if not any(line.offset == self._current for line in self._lines):
            self._current = self._lines[0].offset
            self._settle()
        return True

    # Moving

    def action_scroll_lines(self, lines: int) -> None:
        """Scroll by lines of the screen; going up ends following."""
        self._scroll(lines)

    def action_scroll_pages(self, pages: float) -> None:
        """Scroll by pages of the screen, less a line each."""
        step = max(int((self.size.height - 1) * abs(pages)), 1)
        self._scroll(step if pages > 0 else -step)

    def action_scroll_columns(self, columns: int) -> None:
        """Scroll sideways; folded lines have nothing there."""
        if not self._wrapped:
            self._column = max(self._column + columns, 0)
            self._settle()

    def action_first(self) -> None:
        """To the first line."""
        self._following, self._top, self._fold = False, 0, 0
        self._settle()

    def action_follow(self) -> None:
        """To the end, and stay there."""
        self._following = True
        self._settle()

    def _scroll(self, lines: int) -> None:
        if self._source is None or not self._lines:
            return
        if lines < 0:
            self._following = False
            self._top, self._fold = self._lines[0].offset, self._lines[0].fold
            self._back(-lines)
        elif not self._following:
            first = self._lines[min(lines, len(self._lines) - 1)]
            self._top, self._fold = first.offset, first.fold
        self._settle()

    def _back(self, lines: int) -> None:
        """Move the window's top up by lines of the screen."""
        if self._source is None or lines <= 0:
            return
        above = self._folds(self._source.before(self._top, lines))
        here = self._folds(self._source.after(self._top, 1))[: self._fold] if self._fold else []
        above = (above + here)[-lines:]
        if above:
            self._top, self._fold = above[0].offset, above[0].fold

    # Painting

    def _settle(self) -> None:
        """Take the lines in sight anew, ask for what differs to be drawn, and say so when the window has moved."""
        size = (self.size.width, self.size.height)
        before, followed = self._lines, self._followed
        self._lines = self._take()
        if self._lines_for != size:
            self._lines_for = size
            self.refresh()
        else:
            self._refresh_changes(before, self._lines, *size)
        self._followed = self._following
        moved = (before[0].offset if before else None) != (self._lines[0].offset if self._lines else None)
        if (moved or followed != self._following) and self.is_attached:
            self.post_message(self.Moved(self))

    def _refresh_changes(self, before: list[_Shown], after: list[_Shown], width: int, height: int) -> None:
        blank = _Shown(-1, 0, (), current=False)
        if before and after and before[0].offset != after[0].offset:
            self.refresh()  # the window has moved: what is the same in other places, the wire finds out
            return
        regions: list[Region] = []
        for y in range(height):
            old = before[y] if y < len(before) else blank
            new = after[y] if y < len(after) else blank
            if old.current != new.current:
                regions.append(Region(0, y, width, 1))
            elif old.spans is not new.spans:
                regions.extend(Region(x, y, length, 1) for x, length in changes(old.spans, new.spans, width))
        if regions:
            self.refresh(*regions)

    def _take(self) -> list[_Shown]:
        """The lines in sight: from the end where it follows, or where the window would reach beyond it."""
        source, height = self._source, self.size.height
        if self._parsed_for != (self.size.width, self._wrapped):
            self._parsed.clear()  # what is read of a line may depend on the room for it
            self._parsed_for = self.size.width, self._wrapped
        if source is None or height <= 0:
            return []
        if not self._following:
            window = self._window(self._top, self._fold, height)
            if len(window) == height:
                return window
        window = self._folds(source.before(source.end(), height))[-height:]
        if window and not self._following:
            self._top, self._fold = window[0].offset, window[0].fold
        return window

    def _window(self, offset: int, fold: int, count: int) -> list[_Shown]:
        if self._source is None:
            return []
        return self._folds(self._source.after(offset, count + fold))[fold : fold + count]

    def _folds(self, lines: Sequence[LogLine]) -> list[_Shown]:
        """The lines of the screen that these lines of the log make."""
        shown: list[_Shown] = []
        width = self.size.width
        for line in lines:
            head = self._decorate(line) if self._decorate is not None else ()
            room = max(width - spans_width(head), 1)
            body = mark_matches(self._spans(line), self._pattern)
            current = line.offset == self._current
            if self._wrapped:
                for at, part in enumerate(fold(body, room)):
                    before = head if at == 0 else tuple((" " * spans_width((span,)), span[1]) for span in head)
                    shown.append(_Shown(line.offset, at, (*before, *part), current))
            else:
                shown.append(_Shown(line.offset, 0, (*head, *cut_columns(body, self._column, room)), current))
        return shown

    def _spans(self, line: LogLine) -> Spans:
        key = (line.offset, line.end)
        spans = self._parsed.get(key)
        if spans is None:
            if len(self._parsed) >= _PARSED:
                self._parsed.clear()
            spans = self._parsed[key] = self._read(line)
        return spans

    def _strip(self, spans: Spans, width: int) -> Strip:
        """The strip of a line: one that has only moved is not drawn anew."""
        ground = self.palette.style("text")
        known = self._strips.get(spans)
        if known is not None and known[0] is ground and known[1].cell_length == width:
            return known[1]
        if len(self._strips) > 2 * self.size.height:
            self._strips.clear()
        strip = draw(spans, width, self.palette.style)
        self._strips[spans] = ground, strip
        return strip

    def on_resize(self, event: events.Resize) -> None:
        """Fill the new size."""
        self._settle()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """A few lines on."""
        self.action_scroll_lines(WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """A few lines back."""
        self.action_scroll_lines(-WHEEL)

    def render_line(self, y: int) -> Strip:
        """The strip of one line of the screen."""
        width = self.size.width
        if self._lines_for != (width, self.size.height):
            self._lines, self._lines_for = self._take(), (width, self.size.height)
        palette = self.palette
        if y >= len(self._lines):
            return draw((), width, palette.style)
        line = self._lines[y]
        if not line.current:
            return self._strip(line.spans, width)
        focused = self.has_focus
        return draw(line.spans, width, lambda token: palette.on_cursor(token, focused=focused))

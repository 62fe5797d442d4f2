"""Live lists: a widget of rows that repaints only the cells that changed, and keeps its cursor by key."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import ClassVar, NamedTuple, TypeAlias

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from console.widgets.rows import Key, Remembered, Rows, RowSource, as_source
from console.widgets.spans import Painted, Spans, changes, draw

WHEEL = 3
"""Rows that one step of the wheel moves."""
Sift: TypeAlias = Callable[[RowSource, int], RowSource]
"""Makes of rows, and their width, those that are to be seen."""


class _Painting(NamedTuple):
    """What one visible line shows."""

    spans: Spans
    cursor: bool
    marked: bool


_SCREENS = 3
"""So many screenfuls of drawn lines are kept: each holds copies for every filter, and consoles stay open for days."""
_EMPTY = _Painting((), cursor=False, marked=False)


class LineView(Painted, can_focus=True):
    """Rows with a cursor. `show` takes what is to be seen and repaints the difference.

    The cursor stays on its key while rows move; when its row goes, it takes the one that comes to stand there.
    The first cell of each line is a gutter for the cursor's sign and marks (`gutter=False`: none).
    """

    DEFAULT_CSS = "LineView { height: 1fr; width: 1fr; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "cursor_down", "down", show=False, id="move.down"),
        Binding("k,up", "cursor_up", "up", show=False, id="move.up"),
        Binding("g,home", "cursor_first", "top", show=False, id="move.first"),
        Binding("G,end", "cursor_last", "end", show=False, id="move.last"),
        Binding("ctrl+d", "half_page_down", "half page down", show=False, id="move.half_down"),
        Binding("ctrl+u", "half_page_up", "half page up", show=False, id="move.half_up"),
        Binding("pagedown", "page_down", "page down", show=False, id="move.page_down"),
        Binding("pageup", "page_up", "page up", show=False, id="move.page_up"),
    ]

    class CursorMoved(Message):
        """The cursor is on another key: moved by a person, or (`vanished`) because its row has gone."""

        def __init__(self, view: LineView, key: Key, *, vanished: bool) -> None:
            super().__init__()
            self.view = view
            self.key = key
            self.vanished = vanished

        @property
        def control(self) -> LineView:
            """The view, for `@on(LineView.CursorMoved, "#id")`."""
            return self.view

    def __init__(
        self,
        rows: Rows = (),
        *,
        cursor: bool = True,
        gutter: bool = True,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._given = self._source = as_source(rows)
        self._sift: Sift | None = None
        self._has_cursor = cursor
        self._gutter = 1 if gutter else 0
        self._key: Key = None
        self._at = 0
        self._top = 0
        self._height = 1
        self._marks: set[Key] = set()
        self._marked_last: Key = None
        self._lines: list[_Painting] = []
        self._lines_for: tuple[int, int, int] | None = None
        self._strips: dict[tuple[int, bool, bool, bool], tuple[Spans, Style, Strip]] = {}
        self._settle(None)

    # What is shown

    def show(self, rows: Rows) -> None:
        """Show these rows: visible cells that differ are repainted, everything else costs nothing."""
        self._given = as_source(rows)
        self._source = self._given if self._sift is None else self._sift(self._given, self.row_width)
        before, line = self._key, self._at - self._top
        found = self._source.index(before) if before is not None else None
        if found is not None:
            if self._top and found != self._at:
                self._top = found - line
            self._at = found
        self._settle(found)
        self._repaint()
        self._tell(before, vanished=before is not None)

    def let_go(self) -> None:
        """Keep the cursor, the marks and the window, but none of the rows: nobody looks, and they may be many."""
        self._given = self._source = Remembered(len(self._source), self._at, self._key)
        self._lines, self._lines_for = [], None
        self._strips.clear()

    def sift(self, sift: Sift | None) -> None:
        """From now on shows only what `sift` makes of the rows that are given; None: all of them."""
        self._sift = sift
        self.show(self._given)

    @property
    def given(self) -> RowSource:
        """The rows before sifting."""
        return self._given

    @property
    def row_width(self) -> int:
        """The cells that a row may fill."""
        return max(self.size.width - self._gutter, 0)

    @property
    def position(self) -> tuple[int, int, int]:
        """First visible row, the one after the last visible, and the number of rows; counted from 0."""
        total = len(self._source)
        return self._top, min(self._top + self.size.height, total), total

    # The cursor and marks

    @property
    def cursor_key(self) -> Key:
        """The key under the cursor; None when there is no row to stand on."""
        return self._key

    @property
    def cursor_index(self) -> int | None:
        """The cursor's row among those given, counted from 0; None when there is none to stand on."""
        if self._key is None:
            return None
        return self._at if self._sift is None else self._given.index(self._key)

    def move_to(self, key: Key) -> bool:
        """Put the cursor on a key. False, and nothing moves, when there is no such row."""
        index = self._source.index(key) if key is not None else None
        if index is None:
            return False
        self._move(index, 1)
        return True

    def move(self, rows: int) -> None:
        """Move the cursor down (or, negative, up), passing over rows without a key; it stops at the ends."""
        if rows:
            self._move(self._at + rows, 1 if rows > 0 else -1)

    @property
    def marks(self) -> frozenset[Hashable]:
        """The marked keys, also those that are not shown now."""
        return frozenset(key for key in self._marks if key is not None)

    def set_marks(self, keys: Iterable[Hashable]) -> None:
        """Mark exactly these keys."""
        self._marks = set(keys)
        self._repaint()

    @property
    def marked(self) -> tuple[Hashable, ...]:
        """The marked keys whose rows are there, sifted out or not, in the order of their rows."""
        found = [(at, key) for key in self._marks if key is not None and (at := self._given.index(key)) is not None]
        return tuple(key for _, key in sorted(found, key=lambda each: each[0]))

    @property
    def marked_last(self) -> Key:
        """The row that was marked last, where a range begins; None when it is marked no more."""
        return self._marked_last if self._marked_last in self._marks else None

    @property
    def shown_keys(self) -> tuple[Hashable, ...]:
        """The keys of all rows that are not sifted out, in their order."""
        return tuple(key for at in range(len(self._source)) if (key := self._source.key(at)) is not None)

    def sections(self) -> list[list[Hashable]]:
        """The same keys, apart where rows without one stand between them."""
        found: list[list[Hashable]] = []
        before: Key = None
        for at in range(len(self._source)):
            key = self._source.key(at)
            if key is not None:
                found += [[]] if before is None else []
                found[-1].append(key)
            before = key
        return found

    def toggle_mark(self) -> None:
        """Mark or unmark the row under the cursor."""
        if self._key is not None:
            self._marks ^= {self._key}
            self._marked_last = self._key
            self._repaint()

    def mark_range(self, anchor: Key) -> None:
        """Mark every row from that of `anchor` to the cursor, both included."""
        start = self._source.index(anchor) if anchor is not None else None
        if start is None or self._key is None:
            return
        keys = (self._source.key(index) for index in range(min(start, self._at), max(start, self._at) + 1))
        self._marks.update(key for key in keys if key is not None)
        self._marked_last = self._key
        self._repaint()

    def action_cursor_down(self) -> None:
        """One row down."""
        self.move(1)

    def action_cursor_up(self) -> None:
        """One row up."""
        self.move(-1)

    def action_cursor_first(self) -> None:
        """To the first row."""
        self._move(0, 1)

    def action_cursor_last(self) -> None:
        """To the last row."""
        self._move(len(self._source) - 1, -1)

    def action_half_page_down(self) -> None:
        """Half a page down."""
        self._page(max(self.size.height // 2, 1))

    def action_half_page_up(self) -> None:
        """Half a page up."""
        self._page(-max(self.size.height // 2, 1))

    def action_page_down(self) -> None:
        """A page down."""
        self._page(max(self.size.height - 1, 1))

    def action_page_up(self) -> None:
        """A page up."""
        self._page(-max(self.size.height - 1, 1))

    def _page(self, rows: int) -> None:
        self._top += rows
        self._move(self._at + rows, 1 if rows > 0 else -1)

    def _move(self, index: int, direction: int) -> None:
        before = self._key
        self._at = index
        self._settle(None, direction)
        self._repaint()
        self._tell(before, vanished=False)

    def _tell(self, before: Key, *, vanished: bool) -> None:
        if self._key != before and self.is_attached:
            self.post_message(self.CursorMoved(self, self._key, vanished=vanished))

    def _settle(self, found: int | None, direction: int = 1) -> None:
        """Bring the cursor to a row with a key (unless it was `found` on one), and the window to where it is seen."""
        total, height = len(self._source), self.size.height or self._height
        self._height = height  # while it is hidden it has none, and has to come back to the same window
        if not self._has_cursor:
            self._at = self._top = max(min(self._at, total - height), 0)
            return
        if found is None:
            start = max(min(self._at, total - 1), 0)
            at = self._with_key(start, direction)
            if at is None:
                at = self._with_key(start, -direction)
            self._at = start if at is None else at
            self._key = None if at is None else self._source.key(at)
        lead = self._at
        while lead > 0 and self._at - lead < height - 1 and self._source.key(lead - 1) is None:
            lead -= 1
        if self._top > lead:
            self._top = lead
        elif self._at >= self._top + height:
            self._top = self._at - height + 1
        self._top = max(min(self._top, total - height), 0)

    def _with_key(self, start: int, direction: int) -> int | None:
        index, total = start, len(self._source)
        while 0 <= index < total:
            if self._source.key(index) is not None:
                return index
            index += direction
        return None

    # Painting

    def _paintings(self) -> list[_Painting]:
        source, width = self._source, self.row_width
        lines: list[_Painting] = []
        for index in range(self._top, min(self._top + self.size.height, len(source))):
            key = source.key(index)
            cursor = self._has_cursor and key is not None and index == self._at
            lines.append(_Painting(source.row(index, width), cursor, key is not None and key in self._marks))
        return lines + [_EMPTY] * (self.size.height - len(lines))

    def _repaint(self) -> None:
        """Take the rows in sight anew, and ask for those cells to be drawn that look different."""
        shown_for = (self.size.width, self.size.height, self._top)
        before, self._lines = self._lines, self._paintings()
        if self._lines_for != shown_for:
            # Another window: what is the same in other places, the wire finds out.
            self._lines_for = shown_for
            self.refresh()
            return
        regions: list[Region] = []
        for y, (old, new) in enumerate(zip(before, self._lines, strict=True)):
            if old[1:] != new[1:]:
                regions.append(Region(0, y, shown_for[0], 1))
            elif old.spans is not new.spans:
                runs = changes(old.spans, new.spans, self.row_width)
                regions.extend(Region(self._gutter + x, y, width, 1) for x, width in runs)
        if regions:
            self.refresh(*regions)

    def on_click(self, event: events.Click) -> None:
        """The cursor to the row that was clicked."""
        index = self._top + event.y
        if self._has_cursor and 0 <= index < len(self._source) and self._source.key(index) is not None:
            self._move(index, 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """A few rows down."""
        self._page(WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """A few rows up."""
        self._page(-WHEEL)

    def on_resize(self, event: events.Resize) -> None:
        """Keep the cursor in sight when the size changes."""
        self._settle(self._at if self._key is not None else None)
        self._repaint()

    def render_line(self, y: int) -> Strip:
        """The strip of one visible line."""
        width = self.size.width
        if self._lines_for is None or self._lines_for[:2] != (width, self.size.height):
            self._settle(self._at if self._key is not None else None)
            self._lines, self._lines_for = self._paintings(), (width, self.size.height, self._top)
        line = self._lines[y] if y < len(self._lines) else _EMPTY
        palette, focused = self.palette, self.has_focus
        slot = (id(line.spans), line.cursor, line.marked, focused)
        known = self._strips.get(slot)
        ground = palette.style("text")
        if known and known[0] is line.spans and known[1] is ground and known[2].cell_length == width:
            return known[2]
        strip = draw(self._with_gutter(line), width, self._style_of(line))
        if len(self._strips) > _SCREENS * max(self.size.height, 1):
            self._strips.clear()
        self._strips[slot] = (line.spans, ground, strip)
        return strip

    def _with_gutter(self, line: _Painting) -> Spans:
        if not self._gutter:
            return line.spans
        pointer = ">" if line.cursor and self.palette.monochrome else " "
        return (("*" if line.marked else pointer, "accent bold"), *line.spans)

    def _style_of(self, line: _Painting) -> Callable[[str], Style]:
        palette = self.palette
        if not line.cursor:
            return palette.style
        focused = self.has_focus
        return lambda token: palette.on_cursor(token, focused=focused)

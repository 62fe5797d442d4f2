"""A framed list to choose from, over whatever is shown: help, and the palette with its typing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType

from console.text import cell_len, wrap
from console.view.spans import ACCENT, DIM, TEXT, Line, Spans, plain
from console.widgets.edit import LineEdit
from console.widgets.lines import LineView
from console.widgets.sheet import Sheet

Rows = Sequence[tuple[str | None, Spans]]
WIDEST = 110
_SMALL = 84
"""Cells of a screen on which nothing beside the list would be readable."""
_SAID = 2
"""Lines for what is said of the row under the cursor."""
_FAR = 1 << 20
_MOVES = {"down": 1, "up": -1, "pagedown": 10, "pageup": -10, "ctrl+n": 1, "ctrl+p": -1, "ctrl+d": 8, "ctrl+u": -8}
_LETTERS = {"j": 1, "k": -1, "g": -_FAR, "G": _FAR}


class _Box(LineView, inherit_bindings=False, can_focus=False):
    DEFAULT_CSS = "_Box { width: auto; height: auto; }"
    BINDINGS: ClassVar[list[BindingType]] = []


class Chooser(Sheet[str | None], inherit_bindings=False):
    """Rows with keys; Enter gives the key under the cursor, Esc nothing. With `typing`, letters narrow the list.

    It is one widget, frame and all: a list of widgets would take the time of a noticeable pause to open.
    """

    DEFAULT_CSS = "Chooser { align: center middle; background: transparent; overflow: hidden; }"

    def __init__(
        self,
        title: str,
        rows: Callable[[str, int], Rows],
        *,
        typing: bool,
        about: Callable[[str], str] | None = None,
    ) -> None:
        """`about` says all there is to say of a key: it stands below the list for the one under the cursor."""
        super().__init__()
        self._title = title
        self._make = rows
        self._about = about
        self._typing = typing
        self._edit = LineEdit()
        self._rows: Rows = ()
        self._at = 0
        self._top = 0
        self._box = _Box(cursor=False, gutter=False)

    def compose(self) -> ComposeResult:
        """The box alone."""
        yield self._box

    def on_mount(self) -> None:
        """Fill it."""
        self._narrow()

    def on_resize(self, event: events.Resize) -> None:
        """Fit the new size."""
        self._narrow()

    @property
    def chosen(self) -> str | None:
        """The key under the cursor."""
        return self._rows[self._at][0] if self._rows else None

    def _narrow(self) -> None:
        """Takes the rows for what has been typed; the cursor stands on the first that can be chosen."""
        if not self.is_mounted or not self.size:
            return
        before = self.chosen
        self._rows = self._make(self._edit.text, self._width() - 4)
        keys = [key for key, _ in self._rows]
        kept = before is not None and not self._edit.text and before in keys
        self._at = keys.index(before) if kept else 0
        self._move(0)

    def _width(self) -> int:
        return self.size.width if self.size.width <= _SMALL else min(self.size.width - 4, WIDEST)

    def _move(self, rows: int) -> None:
        """Moves the cursor, passing over headings, and keeps it in sight."""
        step = -1 if rows < 0 else 1
        self._at = self._choosable(max(0, min(self._at + rows, len(self._rows) - 1)), step)
        room = self._room()
        first = all(key is None for key, _ in self._rows[: self._at])
        self._top = 0 if first else max(min(self._top, self._at), self._at - room + 1)
        self._redraw()

    def _choosable(self, start: int, step: int) -> int:
        for direction in (step, -step):
            at = start
            while 0 <= at < len(self._rows):
                if self._rows[at][0] is not None:
                    return at
                at += direction
        return 0

    def _room(self) -> int:
        rest = 4 + int(self._typing) + (0 if self._about is None else _SAID + 1)
        return max(min(len(self._rows), self.size.height - rest), 1)

    def _redraw(self) -> None:
        width, room = self._width(), self._room()
        lines = [_rule("┌", f" {self._title} ", "┐", width)]
        if self._typing:
            lines.append(_framed((("› ", ACCENT), *self._edit.spans(width - 8, TEXT, focused=True)), width))
        shown = self._rows[self._top : self._top + room]
        for at, (key, spans) in enumerate(shown, self._top):
            here = at == self._at and key is not None
            lines.append(_framed(((plain(spans).ljust(width - 4), "cursor"),) if here else spans, width))
        if not shown:
            lines.append(_framed((("nothing matches", DIM),), width))
        lines += self._said(width)
        lines.append(_foot(width))
        self._box.styles.width, self._box.styles.height = width, len(lines)
        self._box.show([(None, line) for line in lines])

    def _said(self, width: int) -> list[Spans]:
        """What there is to say of the row under the cursor, in as many lines whatever it is."""
        if self._about is None:
            return []
        key = self.chosen
        words = wrap(self._about(key), width - 4)[:_SAID] if key is not None else []
        return [
            (("├" + "─" * (width - 2) + "┤", ACCENT),),
            *(_framed(((words[at] if at < len(words) else "", TEXT),), width) for at in range(_SAID)),
        ]

    def on_key(self, event: events.Key) -> None:
        """Every key is the list's own."""
        event.stop()
        event.prevent_default()
        key, letter = event.key, event.character or ""
        if key == "escape" or (not self._typing and letter in ("q", "?")):
            self.dismiss(None)
        elif key == "enter":
            self.dismiss(self.chosen)
        elif key in _MOVES:
            self._move(_MOVES[key])
        elif not self._typing and letter in _LETTERS:
            self._move(_LETTERS[letter])
        elif self._typing and self._edit.key(key, event.character):
            self._narrow()


def _rule(left: str, title: str, right: str, width: int) -> Spans:
    return (left, ACCENT), (title, f"{ACCENT} bold"), ("─" * (width - cell_len(title) - 2) + right, ACCENT)


def _foot(width: int) -> Spans:
    keys: Spans = ((" Enter", f"{ACCENT} bold"), (" choose   ", DIM), ("Esc", f"{ACCENT} bold"), (" close ", DIM))
    left = width - sum(cell_len(text) for text, _ in keys) - 3
    return ("└" + "─" * left, ACCENT), *keys, ("─┘", ACCENT)


def _framed(spans: Spans, width: int) -> Spans:
    return Line().add("│ ", ACCENT).spans(spans, width - 4).add(" │", ACCENT).done()


def fuzzy(needle: str, text: str) -> int | None:
    """How well typed letters fit a text, smaller is better; None when they do not occur in it in this order."""
    needle, text = needle.lower().replace(" ", ""), text.lower()
    at, cost = -1, 0
    for letter in needle:
        found = text.find(letter, at + 1)
        if found < 0:
            return None
        cost += found - at - 1
        at = found
    return cost + cell_len(text) // 10

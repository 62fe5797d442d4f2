"""A framed list to choose from, over whatever is shown: help, and the palette with its typing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from console.text import cell_len
from console.view.spans import ACCENT, DIM, TEXT, Spans
from console.widgets.edit import LineEdit
from console.widgets.lines import LineView
from console.widgets.status import BarLine

Rows = Sequence[tuple[str | None, Spans]]
WIDEST = 110


class _List(LineView, inherit_bindings=False):
    BINDINGS: ClassVar[list[BindingType]] = []


class Chooser(ModalScreen[str | None], inherit_bindings=False):
    """Rows with keys; Enter gives the key under the cursor, Esc nothing. With `typing`, letters narrow the list."""

    DEFAULT_CSS = """
    Chooser { align: center middle; background: transparent; overflow: hidden; }
    Chooser #box { width: auto; height: auto; }
    Chooser #inside { width: 100%; height: auto; border-left: solid $accent; border-right: solid $accent; }
    Chooser BarLine { width: 1fr; }
    """

    def __init__(self, title: str, rows: Callable[[str, int], Rows], *, typing: bool) -> None:
        super().__init__()
        self._title = title
        self._rows = rows
        self._typing = typing
        self._edit = LineEdit()
        self._box = Vertical(id="box")
        self._inside = Vertical(id="inside")
        self._top = BarLine(fill="─", fill_token="accent")
        self._field = BarLine()
        self._list = _List()
        self._bottom = BarLine(fill="─", fill_token="accent")

    def compose(self) -> ComposeResult:
        """A frame of two rules; the field stands between them where letters narrow the list."""
        with self._box:
            yield self._top
            with self._inside:
                if self._typing:
                    yield self._field
                yield self._list
            yield self._bottom

    def on_mount(self) -> None:
        """Fill it."""
        self._redraw()

    def on_resize(self, event: events.Resize) -> None:
        """Fit the new size."""
        self._redraw()

    def _redraw(self) -> None:
        if not self.is_mounted or not self.size:
            return
        width = min(self.size.width - 4, WIDEST)
        rows = list(self._rows(self._edit.text, width - 4))
        height = max(min(len(rows), self.size.height - 6), 3)
        self._box.styles.width, self._list.styles.width = width, width - 2
        self._list.styles.height = height
        self._top.show(((f"┌ {self._title} ", "accent bold"),), (("┐", "accent"),))
        foot = (
            (("└", "accent"),),
            ((" Enter ", "accent bold"), ("choose   ", DIM), ("Esc", "accent bold"), (" close ─┘", DIM)),
        )
        self._bottom.show(*foot)
        if self._typing:
            self._field.show(((" › ", ACCENT), *self._edit.spans(width - 6, TEXT, focused=True)))
        self._list.show(rows or [(None, (("nothing matches", DIM),))])

    def on_key(self, event: events.Key) -> None:
        """Every key is the list's own."""
        event.stop()
        event.prevent_default()
        key = event.key
        moves = {
            "down": 1,
            "up": -1,
            "pagedown": 10,
            "pageup": -10,
            "ctrl+n": 1,
            "ctrl+p": -1,
            "ctrl+d": 8,
            "ctrl+u": -8,
        }
        if not self._typing:
            moves |= {"j": 1, "k": -1}
        if key == "escape" or (not self._typing and event.character in ("q", "?")):
            self.dismiss(None)
        elif key == "enter":
            chosen = self._list.cursor_key
            self.dismiss(chosen if isinstance(chosen, str) else None)
        elif key in moves:
            self._list.move(moves[key])
        elif not self._typing and event.character in ("g", "G"):
            self._list.move(-(10**6) if event.character == "g" else 10**6)
        elif self._typing and self._edit.key(key, event.character):
            self._redraw()


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

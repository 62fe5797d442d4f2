"""One line of figures, keys or a rule with a title in it, which repaints only the cells that changed."""

from __future__ import annotations

from textual import events
from textual.geometry import Region
from textual.strip import Strip

from console.text import cell_len, fit
from console.widgets.spans import Painted, Span, Spans, changes, draw, spans_width

_APART = 2
"""Cells between a left side that was cut and the right."""


class BarLine(Painted):
    """A line with something on its left and something on its right; where both do not fit, the left is cut.

    `fill` is the character between them: `─` makes it a rule whose titles stand in the line.
    """

    DEFAULT_CSS = "BarLine { height: 1; width: 1fr; }"

    def __init__(
        self,
        left: Spans = (),
        right: Spans = (),
        *,
        fill: str = " ",
        fill_token: str = "text",
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._left, self._right = left, right
        self._fill: Span = (fill, fill_token)
        self._line: Spans = ()
        self._line_for = -1

    def show(self, left: Spans, right: Spans = ()) -> None:
        """Show these spans; only cells that differ are repainted."""
        self._left, self._right = left, right
        width = self.size.width
        if self._line_for != width:
            self._line_for = -1
            self.refresh()
            return
        before, self._line = self._line, self._compose_line(width)
        runs = changes(before, self._line, width)
        if runs:
            self.refresh(*(Region(x, 0, size, 1) for x, size in runs))

    def on_resize(self, event: events.Resize) -> None:
        """Lay the line out for its new width."""
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line as a strip."""
        width = self.size.width
        if self._line_for != width:
            self._line, self._line_for = self._compose_line(width), width
        return draw(self._line if y == 0 else (), width, self.palette.style)

    def _compose_line(self, width: int) -> Spans:
        room = max(width - spans_width(self._right), 0)
        if self._right and spans_width(self._left) > room - _APART:
            room = max(room - _APART, 0)
        left: list[Span] = []
        for text, token in self._left:
            size = cell_len(text)
            if size > room:
                text, size = fit(text, room), room
            left.append((text, token))
            room -= size
        fill, token = self._fill
        room = max(width - spans_width(left) - spans_width(self._right), 0)
        return (*left, (fill * room, token), *self._right)


def rule(title: str = "", right: str = "", *, token: str = "dim") -> tuple[Spans, Spans]:
    """What to show in a `BarLine(fill="─", fill_token="rule")`: titles that stand in the rule, on either side."""
    left: Spans = (("─ ", "rule"), (title, token), (" ", "rule")) if title else ()
    end: Spans = ((" ", "rule"), (right, token), (" ─────────", "rule")) if right else ()
    return left, end

"""Building rows: cells of fixed width put side by side, each with its style token."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

from console.text import cell_len, fit

Span: TypeAlias = tuple[str, str]
"""Sanitised text, and the style token to draw it in."""

Spans: TypeAlias = tuple[Span, ...]

Align: TypeAlias = Literal["left", "right", "centre"]

TEXT, DIM, OK, LIVE, WAIT, WARN, BAD, ACCENT, INTENT = (
    "text", "dim", "ok", "live", "wait", "warn", "bad", "accent", "intent",
)  # fmt: skip


SMALLEST = 79
"""Cells of the narrowest row that layouts are made for."""


class Line:
    """A row under construction: cells of fixed width, left to right."""

    __slots__ = ("_spans", "width")

    def __init__(self) -> None:
        self._spans: list[Span] = []
        self.width = 0

    def add(self, text: str, token: str = TEXT) -> Line:
        """Text as it is."""
        if text:
            if self._spans and self._spans[-1][1] == token:
                self._spans[-1] = (self._spans[-1][0] + text, token)
            else:
                self._spans.append((text, token))
            self.width += cell_len(text)
        return self

    def cell(
        self,
        text: str,
        width: int,
        token: str = TEXT,
        *,
        align: Align = "left",
        cut: Literal["middle", "end", "start"] = "end",
    ) -> Line:
        """Text in exactly `width` cells."""
        return self.add(fit(text, width, align, cut=cut), token) if width > 0 else self

    def figure(self, text: str, width: int, token: str = TEXT) -> Line:
        """A figure: right-aligned, so that its digits stay where they are."""
        return self.cell(text, width, token, align="right")

    def spans(self, parts: Iterable[Span], width: int) -> Line:
        """Several spans in exactly `width` cells together; the last that fits is cut."""
        end = self.width + width
        for text, token in parts:
            room = end - self.width
            size = cell_len(text)
            if size > room:
                self.add(fit(text, room), token)
                break
            self.add(text, token)
        return self.pad(end)

    def pad(self, column: int) -> Line:
        """Blank up to a column."""
        return self.add(" " * (column - self.width)) if column > self.width else self

    def gap(self, cells: int) -> Line:
        """Blank cells."""
        return self.add(" " * cells)

    def done(self) -> Spans:
        """The finished row."""
        return tuple(self._spans)


def crop(spans: Spans, width: int) -> Spans:
    """The row in at most `width` cells: windows may be smaller than the smallest layout."""
    return spans if width_of(spans) <= width else Line().spans(spans, width).done()


def plain(spans: Iterable[Span]) -> str:
    """The text of a row without its style, as tests and copies want it."""
    return "".join(text for text, _ in spans).rstrip()


def width_of(spans: Iterable[Span]) -> int:
    """The cells that spans take."""
    return sum(cell_len(text) for text, _ in spans)


def join(parts: Iterable[Spans], gap: str = "  ") -> Spans:
    """Groups of spans with a gap between those that are not empty."""
    line = Line()
    for part in parts:
        if not part:
            continue
        if line.width:
            line.add(gap)
        for text, token in part:
            line.add(text, token)
    return line.done()

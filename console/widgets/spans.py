"""Rows of text as data: spans of sanitised text and style token, their width, their drawing and their difference."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from console.text import cell_len, cells, fit, is_safe, sanitise
from console.theming import Palette, load_theme

Span: TypeAlias = tuple[str, str]
"""Sanitised text of one line, and the style token to draw it in."""

Spans: TypeAlias = tuple[Span, ...]

_BLANK = (" ", "text")
_MERGE_WITHIN = 4
"""Unchanged cells between two changes that are cheaper to send again than to jump over."""

_fallback: list[Palette] = []


def spans_width(spans: Iterable[Span]) -> int:
    """The width of the spans in cells."""
    return sum(cell_len(text) for text, _ in spans)


def draw(spans: Iterable[Span], width: int, style_of: Callable[[str], Style]) -> Strip:
    """The spans as a strip of exactly `width` cells, cut or padded on the right. Text that is not safe is made so."""
    segments: list[Segment] = []
    left = width
    for text, token in spans:
        if not is_safe(text):
            text = sanitise(text)
        size = cell_len(text)
        if size > left:
            text, size = fit(text, left, cut="hard"), left
        if size:
            segments.append(Segment(text, style_of(token)))
        left -= size
        if left <= 0:
            break
    if left > 0:
        segments.append(Segment(" " * left, style_of("text")))
    return Strip(segments, width)


def changes(old: Spans, new: Spans, width: int) -> list[tuple[int, int]]:
    """Where two rows differ in their first `width` cells: (column, width) of each run, never half a character."""
    if old == new:
        return []
    same = 0
    for before, after in zip(old, new, strict=False):
        if before != after:
            break
        same += 1
    start = spans_width(new[:same])
    old, new = old[same:], new[same:]
    tail = 0
    for before, after in zip(reversed(old), reversed(new), strict=False):
        if before != after:
            break
        tail += 1
    if tail and (middle := spans_width(new[:-tail])) == spans_width(old[:-tail]):
        old, new, width = old[:-tail], new[:-tail], min(width, start + middle)
    before_cells, after_cells = _cells(old, width - start), _cells(new, width - start)
    runs: list[tuple[int, int]] = []
    for at, (before, after) in enumerate(zip(before_cells, after_cells, strict=True)):
        if before == after:
            continue
        first, last = at, at + 1
        while first and not (before_cells[first][0] and after_cells[first][0]):
            first -= 1
        while last < len(after_cells) and not (before_cells[last][0] and after_cells[last][0]):
            last += 1
        if runs and start + first - runs[-1][1] <= _MERGE_WITHIN:
            runs[-1] = (runs[-1][0], start + last)
        else:
            runs.append((start + first, start + last))
    return [(first, last - first) for first, last in runs]


def _cells(spans: Spans, width: int) -> list[Span]:
    """One entry per cell; the second cell of a wide character has no text."""
    found: list[Span] = []
    for text, token in spans:
        for piece, size in cells(text):
            found.append((piece, token))
            if size == 2:
                found.append(("", token))
        if len(found) >= width:
            break
    width = max(width, 0)
    return found[:width] + [_BLANK] * (width - len(found))


class Painted(Widget):
    """A widget that draws spans in the app's palette. An app without one gets the default theme."""

    ALLOW_SELECT = False

    @property
    def palette(self) -> Palette:
        """The palette in force: the app's `palette` attribute."""
        found = getattr(self.app, "palette", None)
        if isinstance(found, Palette):
            return found
        if not _fallback:
            _fallback.append(Palette(load_theme()))
        return _fallback[0]

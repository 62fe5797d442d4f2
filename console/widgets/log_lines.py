"""Lines of a log as spans: marked, cut sideways, folded. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from console.sgr import parse_sgr
from console.text import cells
from console.widgets.spans import Span, Spans

MOST_CHARACTERS = 20_000
"""Of a longer line the rest is only counted."""


class LogLine(NamedTuple):
    """One line: where it begins, where the next one begins, and its bytes without the line feed."""

    offset: int
    end: int
    raw: bytes


def read_line(line: LogLine) -> Spans:
    """The line's text with its colours; everything else that was in it is visible."""
    raw = line.raw
    if len(raw) <= MOST_CHARACTERS:
        return parse_sgr(raw)
    rest = f" … {len(raw) - MOST_CHARACTERS:,} more"
    return (*parse_sgr(raw[:MOST_CHARACTERS]), (rest, "dim"))


def mark_matches(spans: Spans, pattern: re.Pattern[str] | None) -> Spans:
    """The spans with the pattern's matches in the style of a cursor."""
    if pattern is None:
        return spans
    text = "".join(part for part, _ in spans)
    found = [match.span() for match in pattern.finditer(text) if match.end() > match.start()]
    if not found:
        return spans
    marked: list[Span] = []
    at = 0
    for part, token in spans:
        start, end = at, at + len(part)
        for first, last in [span for span in found if span[0] < end and span[1] > start]:
            if first > at:
                marked.append((text[at:first], token))
                at = first
            marked.append((text[at : min(last, end)], "cursor"))
            at = min(last, end)
        if at < end:
            marked.append((text[at:end], token))
        at = end
    return tuple(marked)


def cut_columns(spans: Spans, column: int, width: int) -> Spans:
    """The cells from `column` on; half of a wide character is a blank. Where more follows, the last cell says so."""
    more = _longer(spans, column + width)
    if column == 0 and not more:
        return spans
    limit = column + width - more
    kept: list[Span] = []
    at = 0
    for text, token in spans:
        if at >= limit:
            break
        if text.isascii():
            part = text[max(column - at, 0) : limit - at]
            at += len(text)
        else:
            part, at = _part(text, at, column, limit)
        if part:
            kept.append((part, token))
    return (*kept, ("…", "dim")) if more else tuple(kept)


def _longer(spans: Spans, width: int) -> bool:
    """Whether the spans are wider than that; of a very long line no more is measured than it takes to know."""
    for text, _ in spans:
        for size in (len(text),) if text.isascii() else (size for _, size in cells(text)):
            width -= size
            if width < 0:
                return True
    return False


def _part(text: str, at: int, column: int, limit: int) -> tuple[str, int]:
    """What of a text that begins at a cell lies between two, and the cell at which it ends or passes the second."""
    part = ""
    for piece, size in cells(text):
        if at >= limit:
            break
        if at >= column and at + size <= limit:
            part += piece
        elif at + size > column:
            part += " "
        at += size
    return part, at


def fold(spans: Spans, width: int) -> list[Spans]:
    """The spans in lines of at most `width` cells; at least one line."""
    lines: list[list[Span]] = [[]]
    room = width
    for text, token in spans:
        part = ""
        for piece, size in cells(text):
            if size > room:
                if part:
                    lines[-1].append((part, token))
                lines.append([])
                part, room = "", width
            part += piece
            room -= size
        if part:
            lines[-1].append((part, token))
    return [tuple(line) for line in lines]

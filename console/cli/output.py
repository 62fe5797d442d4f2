"""What a command prints: aligned tables, JSON with stable keys, colour only on a terminal, and no raw foreign text."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click

from console.text import cell_len, cut_middle, sanitise

_GAP = 2
"""Blanks between two columns."""
_LEAST_CUT = 48
"""No column is made narrower than this: ordinary ids can be copied from a narrow terminal, too."""
_END = 24
"""Cells that are kept for text at the end of a row; what is longer goes on in the next line."""

_PAINTED = re.compile("(\x1b\\[[0-9;]*m)")
"""What `paint` sends."""

_COLOURS = {
    "success": "green",
    "running": "cyan",
    "queued": "cyan",
    "failed": "red",
    "lost": "red",
    "upstream_failed": "yellow",
    "up_for_retry": "yellow",
    "killing": "yellow",
    "cancelling": "yellow",
    "cancelled": "magenta",
    "paused": "magenta",
}


def colourful() -> bool:
    """Whether standard output wants colour: a terminal that is not dumb, and nobody asked for none."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") not in (None, "dumb")


def clean(text: object) -> str:
    """One line of foreign text, safe to look at."""
    return sanitise(str(text))


def state_word(state: str) -> str:
    """A state in its colour, where there is colour."""
    return paint(state, _COLOURS.get(state))


def paint(text: str, colour: str | None, *, bold: bool = False, dim: bool = False) -> str:
    """Text in a colour of the terminal's own sixteen; as it is where colour is not wanted."""
    if not colourful():
        return text
    return click.style(text, fg=colour, bold=bold or None, dim=dim or None)


def say(text: str = "") -> None:
    """Lines on standard output. Whatever is in them, no more than colours goes out beside text."""
    sys.stdout.write("\n".join(map(_netted, text.split("\n"))) + "\n")


def _netted(line: str) -> str:
    """The line, in which what nobody has sanitised before is made visible; colours stay where there may be some."""
    if line.isascii() and line.isprintable():
        return line
    if not colourful():
        return sanitise(line)
    return "".join(part if _PAINTED.fullmatch(part) else sanitise(part) for part in _PAINTED.split(line))


def complain(text: str) -> None:
    """Lines on standard error, sanitised, the first one naming the program."""
    lines = [clean(line) for line in text.splitlines()] or [""]
    sys.stdout.flush()
    sys.stderr.write("\n".join([f"dagdeck: {lines[0]}", *lines[1:]]) + "\n")


def warn(text: str) -> None:
    """A remark on standard error, which leaves standard output to the data."""
    sys.stderr.write(clean(text) + "\n")


def emit_json(value: Any) -> None:
    """One JSON document on standard output. Only ASCII is written, so that no name in it can move a cursor."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")


class Column:
    """One column of a table: its heading, the side it is aligned to, and whether its words are states."""

    __slots__ = ("heading", "right", "state")

    def __init__(self, heading: str, *, right: bool = False, state: bool = False) -> None:
        self.heading = heading
        self.right = right
        self.state = state


def table(columns: Sequence[Column], rows: Iterable[Sequence[object]]) -> None:
    """Prints rows in aligned columns, two blanks apart, widths counted in terminal cells.

    On a terminal, the middle is cut out of what would make all rows longer than its lines; elsewhere all stays whole,
    and so does text at the end of a row, which moves no other.
    """
    cells = [[clean("" if value is None else value) for value in row] for row in rows]
    widths = [
        max([cell_len(column.heading), *(cell_len(row[index]) for row in cells)])
        for index, column in enumerate(columns)
    ]
    if sys.stdout.isatty():
        end = [] if columns[-1].right else widths[-1:]
        room = shutil.get_terminal_size().columns - sum(min(width, _END) + _GAP for width in end)
        widths = narrowed(widths[: len(widths) - len(end)], room) + end
        cells = [[cut_middle(cell, width) for cell, width in zip(row, widths, strict=True)] for row in cells]
    last = len(columns) - 1
    heading = _line([column.heading for column in columns], columns, widths, last, painted=False)
    say(paint(heading, None, dim=True))
    for row in cells:
        say(_line(row, columns, widths, last, painted=True))


def narrowed(widths: Sequence[int], room: int) -> list[int]:
    """Widths of columns that fit in `room` cells, as far as they can: the widest are cut, each to the same width."""
    left = room - _GAP * (len(widths) - 1)
    limit = max(widths, default=0)
    for known, width in enumerate(sorted(widths)):
        share = left // (len(widths) - known)
        if width > share:
            limit = share
            break
        left -= width
    return [min(width, max(limit, _LEAST_CUT)) for width in widths]


def _line(cells: Sequence[str], columns: Sequence[Column], widths: Sequence[int], last: int, *, painted: bool) -> str:
    parts = []
    for index, (cell, column) in enumerate(zip(cells, columns, strict=True)):
        blank = " " * (widths[index] - cell_len(cell))
        shown = state_word(cell) if painted and column.state else cell
        if column.right:
            parts.append(blank + shown)
        else:
            parts.append(shown if index == last else shown + blank)
    return "  ".join(parts).rstrip()


def no_rows(text: str) -> None:
    """What stands under a heading when there is nothing below it."""
    say(paint(text, None, dim=True))


def facts(pairs: Iterable[tuple[str, object]]) -> None:
    """Prints names and values in two columns; values that are None are left out."""
    known = [(name, clean(value)) for name, value in pairs if value is not None]
    width = max((len(name) for name, _ in known), default=0)
    for name, value in known:
        say(f"{paint(name.ljust(width), None, dim=True)}  {value}")

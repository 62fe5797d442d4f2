"""What goes over the wire: only cells that differ from what the terminal already shows, and only printable ones.

Textual sends every dirty row again from the widget's left edge. Here the compositor's updates go into a picture of the
terminal instead; a frame is the difference between that picture and what was last sent, with as few cursor movements
and colour changes as it takes. While the terminal does not keep up, updates only change the picture: frames are
dropped, never queued, and the next one carries all that was missed.

The replaced methods are internal to Textual, so `install` refuses every version that this was not tested with; the
console then runs with Textual's own rendering.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from weakref import WeakKeyDictionary

import textual
from rich.cells import split_graphemes
from rich.color import ColorSystem
from rich.console import Console
from rich.segment import Segment
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.color import Color
from textual.filter import LineFilter
from textual.strip import Strip

from console.glyphs import to_ascii
from console.pens import BLANK, PLAIN, UNKNOWN, Cell, Pen, bare_pen, blank_with, erases, pen_of, serves, turn
from console.scrolling import moved
from console.text import cells, is_allowed, is_safe

TESTED: Final = ("8.2.8",)
"""The versions of Textual that this module was tested with."""

_METHOD: Final = "render_segments"
_BRIDGE: Final = 4
"""Unchanged cells that are cheaper to send again than to jump over."""
_ERASE: Final = 12
"""Blank cells that are cheaper to have erased than to send, the jump behind them included."""


class Wire:
    """The picture of one terminal: what it should show, and what it was last sent."""

    def __init__(self) -> None:
        self.width = self.height = 0
        self.ready: Callable[[], bool] = lambda: True
        """Says whether the terminal has taken everything; while it has not, no frame is made."""
        self.pending = False
        """Whether the picture holds changes that were not sent."""
        self._want: list[list[Cell]] = []
        self._sent: list[list[Cell]] = []
        self._dirty: dict[int, tuple[int, int]] = {}
        self._pen = UNKNOWN[1]
        self.erases = erases(os.environ)
        """Whether the terminal erases cells in the colour that is set."""

    def resize(self, width: int, height: int) -> None:
        """Start over for a terminal of that size; the same size changes nothing."""
        if (width, height) != (self.width, self.height):
            self.width, self.height = width, height
            self._want = [[BLANK] * width for _ in range(height)]
            self.forget()

    def forget(self) -> None:
        """Assume nothing about what the terminal shows: the next frame sends every cell."""
        self._sent = [[UNKNOWN] * self.width for _ in range(self.height)]
        self._dirty = dict.fromkeys(range(self.height), (0, self.width))
        self._pen = UNKNOWN[1]
        self.pending = bool(self._dirty)

    def paint(self, y: int, x: int, first: int, last: int, strip: Strip, colours: ColorSystem) -> None:
        """Put the columns `first` up to `last` of a strip that starts at column `x` into row `y` of the picture.

        Characters that straddle either end are put in whole, and what is left of one that was overwritten is blank.
        """
        last = min(last, x + strip.cell_length, self.width)
        if not 0 <= y < self.height or first >= last:
            return
        left, right = max(first - 1, x), min(last + 1, x + strip.cell_length, self.width)
        found = _as_cells(strip.crop(left - x, right - x), colours)
        found = _exactly(found, right - left)
        start, end = first - left, last - left
        while start > 0 and not found[start][0]:
            start -= 1
        while end < len(found) and not found[end][0]:
            end += 1
        row, begin, stop = self._want[y], left + start, left + end
        if begin > 0 and not row[begin][0]:
            row[begin - 1] = (" ", bare_pen(row[begin - 1][1]))
        beyond = stop < self.width and not row[stop][0]
        row[begin:stop] = found[start:end]
        if beyond:
            row[stop] = (" ", bare_pen(row[stop][1]))
        low, high = self._dirty.get(y, (self.width, 0))
        self._dirty[y] = (max(min(low, begin - 1), 0), min(max(high, stop + 1), self.width))

    def frame(self) -> str:
        """The frame to write now: empty when nothing differs, or when the terminal has not taken the last one."""
        self.pending = bool(self._dirty)
        return self.take() if self.pending and self.ready() else ""

    def take(self) -> str:
        """The difference between the picture and what was sent, which counts as sent from here on.

        The colours are left as they are at its end: what changes most is often what changed last.
        """
        out: list[str] = []
        pen, at = self._pen, (-1, -1)
        if (move := moved(self._want, self._sent, self._dirty)) is not None:
            out.append(move.sequence)
            move.apply(self._sent, UNKNOWN)
            self._dirty.update(dict.fromkeys(range(move.top, move.bottom + 1), (0, self.width)))
        for y in self._in_order():
            low, high = self._dirty[y]
            row, sent = self._want[y], self._sent[y]
            x = low
            while x < high:
                if row[x] == sent[x]:
                    x += 1
                    continue
                start, end = self._run(row, sent, x, high)
                if at != (y, start):
                    out.append(f"\x1b[{start + 1}G" if at[0] == y else f"\x1b[{y + 1};{start + 1}H")
                pen, at = self._ink(out, pen, y, start, row[start:end])
                sent[start:end] = row[start:end]
                x = end
        self._dirty.clear()
        self.pending = False
        self._pen = pen
        return "".join(out)

    def _in_order(self) -> list[int]:
        """The rows to send: those first to which the cursor has come, as that is what a person waits for."""
        ground = self._want[-1][-1][1].back if self.width else ""

        def lit(cell: Cell) -> bool:
            return cell[1].back != ground or "7" in cell[1].attributes

        def rank(y: int) -> tuple[bool, int]:
            low, high = self._dirty[y]
            pairs = zip(self._want[y][low:high], self._sent[y][low:high], strict=True)
            return not any(lit(want) and not lit(sent) for want, sent in pairs if want is not sent), y

        return sorted(self._dirty, key=rank)

    def _ink(self, out: list[str], pen: Pen, y: int, x: int, run: list[Cell]) -> tuple[Pen, tuple[int, int]]:
        """Write a run of cells from column `x` on, where the cursor is; gives the pen and where the cursor is then."""
        at, size = 0, len(run)
        while at < size:
            text, wanted = cell = run[at]
            if text != " ":
                if wanted is not pen and wanted != pen:
                    out.append(turn(pen, wanted))
                    pen = wanted
                out.append(text)
                at += 1
                continue
            blanks = 1
            while at + blanks < size and (run[at + blanks] is cell or run[at + blanks] == cell):
                blanks += 1
            bare = blank_with(pen, wanted)
            if bare != pen:
                out.append(turn(pen, bare))
                pen = bare
            at += blanks
            if blanks < _ERASE or not self.erases or wanted.attributes:
                out.append(" " * blanks)
            else:
                out.append(f"\x1b[{blanks}X")
                if at == size:
                    return pen, (y, x + at - blanks)
                out.append(f"\x1b[{x + at + 1}G")
        return pen, (y, x + size)

    def _run(self, row: list[Cell], sent: list[Cell], x: int, high: int) -> tuple[int, int]:
        """The run of cells to send for the changed cell `x`. It begins on a whole character; so it ends, as both cells
        of a wide one are equal to what was sent, or differ, or are drawn by the first.
        """
        start, end = x, x + 1
        while start > 0 and not row[start][0]:
            start -= 1
        ahead = end
        while ahead < high and ahead - end <= _BRIDGE:
            if row[ahead] != sent[ahead]:
                end = ahead + 1
            elif row[ahead][1] != row[end - 1][1] and not (
                row[ahead][0] == " " and serves(row[end - 1][1], row[ahead][1])
            ):
                break
            ahead += 1
        return start, end


def _as_cells(strip: Iterable[Segment], colours: ColorSystem) -> list[Cell]:
    found: list[Cell] = []
    for text, style, control in strip:
        if control:
            continue
        pen = PLAIN if style is None else pen_of(style, colours)
        if not is_safe(text):
            text = printable(text)
        blank = (" ", bare_pen(pen))
        if text.isascii():
            found += [blank if character == " " else (character, pen) for character in text]
            continue
        for piece, size in cells(text):
            if size:
                found.append(blank if piece == " " else (piece, pen))
                if size == 2:
                    found.append(("", pen))
            elif found:
                found[-1] = (found[-1][0] + piece, pen)
    return found


def _exactly(found: list[Cell], width: int) -> list[Cell]:
    """The cells cut or padded to a width: a strip may hold fewer or more than it says."""
    if len(found) == width:
        return found
    if len(found) > width and not found[width][0]:
        found[width - 1] = BLANK
    return found[:width] + [BLANK] * (width - len(found))


_wires: WeakKeyDictionary[Console, Wire] = WeakKeyDictionary()


def wire_of(console: Console) -> Wire:
    """The wire of the terminal that an app's console draws on."""
    wire = _wires.get(console)
    if wire is None:
        wire = _wires[console] = Wire()
    return wire


def _colours(console: Console) -> ColorSystem:
    return console._color_system or ColorSystem.TRUECOLOR


def _render_chops(update: ChopsUpdate, console: Console) -> str:
    wire, colours = wire_of(console), _colours(console)
    chops: Sequence[Mapping[int, Strip | None]] = update.chops
    wire.resize(update.chop_ends[0][-1], len(chops))
    for y, first, last in update.spans:
        if not 0 <= y < len(chops):
            continue
        for end, (x, strip) in zip(update.chop_ends[y], chops[y].items(), strict=True):
            if strip is not None and x < last and end > first:
                wire.paint(y, x, max(x, first), min(end, last), strip, colours)
    return wire.frame()


def _render_layout(update: LayoutUpdate, console: Console) -> str:
    wire, colours = wire_of(console), _colours(console)
    region = update.region
    wire.resize(region.right, region.bottom)
    for y, line in enumerate(update.strips, region.y):
        x = region.x
        for strip in line:
            wire.paint(y, x, x, x + strip.cell_length, strip, colours)
            x += strip.cell_length
    return wire.frame()


_REPLACED: Final = {ChopsUpdate: _render_chops, LayoutUpdate: _render_layout}
_stock: dict[type, Any] = {}


def textual_version() -> str:
    """The installed version, by the name of its metadata folder: to ask for it makes every start slower."""
    for folder in Path(textual.__file__).parent.parent.glob("textual-*.dist-info"):
        return folder.name.removeprefix("textual-").removesuffix(".dist-info")
    from importlib.metadata import version  # not unpacked beside its metadata

    return version("textual")


def install() -> str | None:
    """Replace Textual's rendering of updates. The text says why it was left as it is; None when it was replaced."""
    found = textual_version()
    if found not in TESTED:
        return f"Textual {found} is not one of {', '.join(TESTED)}, with which the console's own wire was tested"
    for update, render in _REPLACED.items():
        if update not in _stock:
            _stock[update] = update.__dict__[_METHOD]
            setattr(update, _METHOD, render)
    return None


def installed() -> bool:
    """Whether Textual's rendering is replaced."""
    return bool(_stock)


def uninstall() -> None:
    """Put Textual's own rendering back."""
    for update, render in _stock.items():
        setattr(update, _METHOD, render)
    _stock.clear()


@lru_cache(1024)
def printable(text: str) -> str:
    """The text without anything that a terminal could obey, in the same number of cells as Textual counts for it."""
    shown: list[str] = []
    for start, end, size in split_graphemes(text)[0]:
        piece = text[start:end]
        if size == 0:
            continue
        kept = "".join(character for character in piece[:4] if is_allowed(character))
        shown.append(kept if kept and sum(width for _, width in cells(kept)) == size else "?" * size)
    return "".join(shown)


class SafeLineFilter(LineFilter):
    """The last net before the terminal, on every line of every widget: printable text only, of unchanged width.

    Where the terminal has no Unicode it translates the console's signs to ASCII, and where colours are not wanted it
    leaves attributes only.
    """

    def __init__(self, *, ascii_only: bool = False, monochrome: bool = False) -> None:
        super().__init__()
        self._ascii_only = ascii_only
        self._monochrome = monochrome

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The segments with safe text and without links."""
        return [self._safe(segment) for segment in segments if not segment.control]

    def _safe(self, segment: Segment) -> Segment:
        text, style, _ = segment
        safe = text if is_safe(text) else printable(text)
        if self._ascii_only:
            safe = to_ascii(safe)
        if style is not None:
            if style.link:
                style = style.update_link(None)
            if self._monochrome:
                style = style.without_color
        return segment if safe is text and style is segment.style else Segment(safe, style)

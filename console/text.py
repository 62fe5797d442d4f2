"""Text that a person may look at safely: one allow-list for untrusted text, and widths, cuts and columns in cells.

Everything here is pure. Text enters the console's model through `sanitise`, so that nothing a task, a file or another
person wrote can reach a terminal as a control sequence, reorder a line, or hide inside a name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

ELLIPSIS = "…"
TAB = 8
_MOST_MARKS = 3
_DOTTED_CIRCLE = "\u25cc"
# Joiners and presentation selectors belong to the character before them and change no cell once they are gone.
_JOINERS = re.compile("(?<=[^\x00-\x9f])[\u200c\u200d\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]+")
# Printable by category, yet invisible or of a width on which terminals disagree.
_REFUSED = frozenset((0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x3164, 0xFFA0)).union(
    range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0), range(0x1F1E6, 0x1F200), range(0x1F3FB, 0x1F400)
)
_ANY_REFUSED = re.compile("[" + "".join(re.escape(chr(codepoint)) for codepoint in sorted(_REFUSED)) + "]")


def is_allowed(character: str) -> bool:
    """Whether a single character may be drawn as it is."""
    return character.isprintable() and ord(character) not in _REFUSED


def is_safe(text: str) -> bool:
    """Whether a text may be drawn as it is: nothing to refuse in it, and no flood of marks. Quick on ordinary text."""
    if text.isascii():
        return text.isprintable()
    return _known_safe(text) if len(text) <= _REMEMBERED else _is_safe(text)


def _is_safe(text: str) -> bool:
    return text.isprintable() and _ANY_REFUSED.search(text) is None and _bound_marks(text) == text


_REMEMBERED = 120
"""Characters of a text whose safety is remembered: bars and names of states are drawn again and again."""
_known_safe = lru_cache(2048)(_is_safe)


def _visible(codepoint: int) -> str:
    """What stands for one character: itself when it is on the allow-list, else a form that shows what it was."""
    character = chr(codepoint)
    if is_allowed(character):
        return character
    if unicodedata.category(character) == "Zs":
        return "  " if codepoint == 0x3000 else " "
    if codepoint < 0x20 or codepoint == 0x7F:
        return "^" + chr(codepoint ^ 0x40)
    if codepoint < 0x100:
        return f"\\x{codepoint:02x}"
    return f"\\u{codepoint:04x}" if codepoint < 0x10000 else f"\\U{codepoint:08x}"


class _AllowList(dict[int, str]):
    """A table for str.translate that fills itself; only the low planes are kept, so it stays small."""

    def __missing__(self, codepoint: int) -> str:
        shown = _visible(codepoint)
        if codepoint < 0x3000:
            self[codepoint] = shown
        return shown


_ALLOW_LIST = _AllowList()


def sanitise(text: str | bytes, *, column: int = 0) -> str:
    """One line of text, safe to draw: everything outside the allow-list is made visible.

    Control characters become `^[` or `\\x9b`, bidirectional and invisible ones `\\u202e`, bytes that are not UTF-8 and
    lone surrogates `\\x80` or `\\udc80`. Tabs become spaces up to the next eighth cell, counted from `column`. A line
    feed is a control character like any other: split first. At most three marks stay on one character.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "backslashreplace")
    if text.isascii() and text.isprintable():
        return text
    if "\t" in text:
        return _expand_tabs(text, column)
    if not text.isascii():
        text = _JOINERS.sub("", text)
    shown = text.translate(_ALLOW_LIST)
    return shown if shown.isascii() else _bound_marks(shown)


def sanitise_lines(text: str | bytes, most: int | None = None) -> list[str]:
    """The lines of a text, each sanitised; `most` bounds their number. `\\r\\n` ends a line like `\\n`."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "backslashreplace")
    lines = text.split("\n", -1 if most is None else most)[:most]
    return [sanitise(line.removesuffix("\r")) for line in lines]


def _expand_tabs(text: str, column: int) -> str:
    parts: list[str] = []
    pieces = text.split("\t")
    for piece in pieces[:-1]:
        shown = sanitise(piece)
        column += cell_len(shown)
        gap = TAB - column % TAB
        column += gap
        parts += (shown, " " * gap)
    parts.append(sanitise(pieces[-1]))
    return "".join(parts)


def _bound_marks(text: str) -> str:
    """The text with at most a few zero-width marks on each character, and a base for marks that have none."""
    if all(map(_cell, text)):
        return text
    kept: list[str] = []
    marks = 0
    for character in text:
        if _cell(character):
            marks = 0
        else:
            if not kept:
                kept.append(_DOTTED_CIRCLE)
            marks += 1
            if marks > _MOST_MARKS:
                continue
        kept.append(character)
    return "".join(kept)


def _cell(character: str) -> int:
    """The cells that one character takes: 0, 1 or 2."""
    if character.isascii():
        return 1
    # Imported on first use: commands that print only ASCII start without it.
    from rich.cells import get_character_cell_size

    return get_character_cell_size(character)


def cell_len(text: str) -> int:
    """The width of sanitised text in cells, as Textual counts them."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len as measure

    return measure(text)


def cells(text: str) -> Iterator[tuple[str, int]]:
    """Sanitised text by cell: each character with the marks upon it, and its width (1 or 2)."""
    if text.isascii():
        for character in text:
            yield character, 1
        return
    held, width = "", 0
    for character in text:
        size = _cell(character)
        if size == 0 and held:
            held += character
            continue
        if held:
            yield held, width
        held, width = character, size
    if held:
        yield held, width


def _head(text: str, width: int) -> str:
    """The longest beginning that fits in `width` cells."""
    if text.isascii():
        return text[: max(width, 0)]
    kept: list[str] = []
    for piece, size in cells(text):
        width -= size
        if width < 0:
            break
        kept.append(piece)
    return "".join(kept)


def _tail(text: str, width: int) -> str:
    """The longest end that fits in `width` cells."""
    if text.isascii():
        return text[-width:] if width > 0 else ""
    kept: list[str] = []
    for piece, size in reversed(list(cells(text))):
        width -= size
        if width < 0:
            break
        kept.append(piece)
    return "".join(reversed(kept))


def cut_end(text: str, width: int) -> str:
    """The text in at most `width` cells, its end cut off: `weather_dai…`."""
    if cell_len(text) <= width:
        return text
    return _head(text, width - 1) + ELLIPSIS if width > 0 else ""


def cut_start(text: str, width: int) -> str:
    """The text in at most `width` cells, its beginning cut off: `…ly_seattle`."""
    if cell_len(text) <= width:
        return text
    return ELLIPSIS + _tail(text, width - 1) if width > 0 else ""


def cut_middle(text: str, width: int) -> str:
    """The text in at most `width` cells, its middle cut out: names differ at both ends. `weather_da…eattle`."""
    if cell_len(text) <= width:
        return text
    if width < 3:
        return cut_end(text, width)
    end = (width - 1) * 2 // 5
    tail = _tail(text, end)
    return _head(text, width - 1 - end) + ELLIPSIS + tail


def fit(
    text: str,
    width: int,
    align: Literal["left", "right", "centre"] = "left",
    *,
    cut: Literal["middle", "end", "start", "hard"] = "end",
) -> str:
    """The text in exactly `width` cells: cut where too long, padded where too short, wide characters never halved.

    `cut` says where characters go: a `hard` cut is at the end and leaves no sign.
    """
    size = cell_len(text)
    if size > width:
        text = {"middle": cut_middle, "end": cut_end, "start": cut_start, "hard": _head}[cut](text, width)
        size = cell_len(text)
    room = max(width, 0) - size
    if room <= 0:
        return text
    left = {"left": 0, "right": room, "centre": room // 2}[align]
    return " " * left + text + " " * (room - left)


def wrap(text: str, width: int) -> list[str]:
    """Text in lines of at most `width` cells, broken between words where that is possible."""
    indent = " " * min(len(text) - len(text.lstrip(" ")), max(width // 2, 0))
    if indent:
        return [indent + line for line in wrap(text.lstrip(" "), width - len(indent))]
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        while cell_len(word) > width > 0:
            if line:
                lines.append(line)
                line = ""
            head = _head(word, width) or word[:1]
            lines.append(head)
            word = word[len(head) :]
        if line and cell_len(line) + 1 + cell_len(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line] if line or not lines else lines

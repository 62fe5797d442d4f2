"""How cells are drawn: pens, what of them is seen, and the shortest way from one to the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

from rich.color import ColorSystem
from rich.style import Style

_ERASERS: Final = ("xterm", "alacritty", "foot", "ghostty", "kitty", "konsole", "rxvt", "st-", "vte", "wezterm")
"""Kinds of terminals that erase in the colour that is set, by what TERM begins with."""
_INKED: Final = frozenset("479")
"""Attributes that are seen on a blank: underlined, reversed, struck through."""

_WEIGHTS: Final = frozenset("12")
_OFF: Final = {"1": "22", "2": "22", "3": "23", "4": "24", "7": "27", "9": "29"}
"""What switches an attribute off; bold and dim have one switch."""


class Pen(NamedTuple):
    """How a cell is drawn, as the parameters of SGR: attributes, foreground, background; empty means default."""

    attributes: str
    front: str
    back: str


PLAIN: Final = Pen("", "", "")

Cell: TypeAlias = tuple[str, Pen]
"""A character with its marks, and its pen. The second cell of a wide character has no text."""

UNKNOWN: Final[Cell] = ("", Pen("?", "?", "?"))
"""What a terminal shows of which nothing is known."""
BLANK: Final[Cell] = (" ", PLAIN)


def erases(environ: Mapping[str, str]) -> bool:
    """Whether the terminal is of a kind that erases cells in the colour that is set, as far as TERM tells."""
    return environ.get("TERM", "").startswith(_ERASERS)


def serves(pen: Pen, blank: Pen) -> bool:
    """Whether a blank of that pen looks the same drawn with this one."""
    return pen.back == blank.back and not blank.attributes and _INKED.isdisjoint(pen.attributes)


def blank_with(pen: Pen, blank: Pen) -> Pen:
    """The pen nearest to this one with which a blank of that pen looks as it should."""
    if blank.attributes or pen == UNKNOWN[1]:
        return blank
    if serves(pen, blank):
        return pen
    return Pen(pen.attributes if _INKED.isdisjoint(pen.attributes) else "", pen.front, blank.back)


@lru_cache(4096)
def turn(old: Pen, new: Pen) -> str:
    """The shortest SGR from one pen to another."""
    afresh = ["0" if old != PLAIN else "", *new]
    if old == UNKNOWN[1]:
        return _sgr(afresh)
    had, has = ({*pen.attributes.split(";")} - {""} for pen in (old, new))
    gone, come = had - has, has - had
    if gone & _WEIGHTS:
        come |= has & _WEIGHTS
    changed = [
        *sorted({_OFF[code] for code in gone}),
        *sorted(come),
        (new.front or "39") if new.front != old.front else "",
        (new.back or "49") if new.back != old.back else "",
    ]
    return min(_sgr(changed), _sgr(afresh), key=len)


def _sgr(codes: Iterable[str]) -> str:
    return f"\x1b[{';'.join(code for code in codes if code)}m"


@lru_cache(4096)
def bare_pen(pen: Pen) -> Pen:
    """The pen of a blank: what is seen of it."""
    return Pen("", "", pen.back) if _INKED.isdisjoint(pen.attributes) else pen


@lru_cache(4096)
def pen_of(style: Style, colours: ColorSystem) -> Pen:
    """The pen of a style on a terminal with so many colours."""
    flags = (style.bold, style.dim, style.italic, style.underline, style.reverse, style.strike)
    attributes = ";".join(code for code, on in zip("123479", flags, strict=True) if on)
    sides = [
        "" if colour is None or colour.is_default else ";".join(colour.downgrade(colours).get_ansi_codes(foreground))
        for colour, foreground in ((style.color, True), (style.bgcolor, False))
    ]
    return Pen(attributes, *sides)

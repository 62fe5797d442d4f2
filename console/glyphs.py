"""The signs of the console: one per state, and the lines that it draws, each with a form for terminals without Unicode.

Every sign is exactly one cell wide, so a column of states is a column. State glyphs are outside Unicode's class of
ambiguous width: a terminal that draws that class in two cells still shows them in one.
"""

from __future__ import annotations

from typing import NamedTuple


class Glyph(NamedTuple):
    """A state's sign: in Unicode, in ASCII, and the style token that it is drawn with."""

    unicode: str
    ascii: str
    token: str


STATES: dict[str, Glyph] = {
    "success": Glyph("✓", "+", "ok"),
    "running": Glyph("►", ">", "live"),
    "failed": Glyph("✘", "X", "bad bold"),
    "failures_allowed": Glyph("⚠", "w", "warn"),
    "up_for_retry": Glyph("↻", "r", "warn"),
    "upstream_failed": Glyph("↯", "u", "bad"),
    "awaiting_input": Glyph("?", "?", "warn"),
    "killing": Glyph("!", "!", "warn"),
    "cancelling": Glyph("!", "!", "warn"),
    "scheduled": Glyph("-", "-", "wait"),
    "queued": Glyph("=", "=", "wait"),
    "deferred": Glyph("~", "~", "wait"),
    "up_for_reschedule": Glyph("~", "~", "wait"),
    "none": Glyph(".", ".", "dim"),
    "skipped": Glyph("»", "s", "dim"),
    "cancelled": Glyph("x", "x", "dim"),
    "paused": Glyph("p", "p", "dim"),
    "removed": Glyph("0", "0", "dim"),
    "gap": Glyph("_", "_", "warn"),
    "timeout": Glyph("✘", "X", "bad bold"),
    "killed": Glyph("x", "x", "dim"),
    "lost": Glyph("⊘", "L", "bad bold"),
    "unspent": Glyph(".", ".", "dim"),
}
"""States of runs, task instances and gaps, and the outcomes of attempts, by their names. A run that succeeded although
tasks failed which may has a sign of its own."""

UNKNOWN = Glyph("?", "?", "bad")
"""For a state that this console does not know: an engine that is newer."""

BARS = "▁▂▃▄▅▆▇█"
"""Eight heights, for the durations of runs."""

INTENT = "⟶"
"""Stands between the true state and what has been asked for but is not committed."""

TO_ASCII: dict[str, str] = {
    **{glyph.unicode: glyph.ascii for glyph in STATES.values() if not glyph.unicode.isascii()},
    **dict.fromkeys("─━╌", "-"),
    **dict.fromkeys("│┃", "|"),
    **dict.fromkeys("╭╮╰╯┌┐└┘┍┑┕┙├┤┬┴┼", "+"),
    **dict.fromkeys("⟶→▸▶", ">"),
    **dict.fromkeys("←◂◀", "<"),
    **dict.fromkeys("•●", "*"),
    "·": ".",
    "∞": "*",
    **dict.fromkeys("“”", '"'),
    **dict.fromkeys("╷╵", "|"),
    **dict.fromkeys("╴╶−", "-"),
    "›": ">",
    "↑": "^",
    "↓": "v",
    **dict.fromkeys("–—", "-"),
    **dict(zip(BARS, "_.,-=+*#", strict=True)),
    "…": "~",
    "×": "x",
    "░": ".",
    "▏": "|",
    "◌": "o",
    "▾": "v",
    "▴": "^",
}
"""One ASCII cell for each sign that the console itself draws."""


def glyph(state: str, *, ascii_only: bool = False) -> str:
    """The sign of a state, one cell wide. Screens may always ask for Unicode: the terminal filter translates."""
    sign = STATES.get(state, UNKNOWN)
    return sign.ascii if ascii_only else sign.unicode


def token(state: str) -> str:
    """The style token in which a state's sign and word are drawn."""
    return STATES.get(state, UNKNOWN).token


def bar(value: float, most: float) -> str:
    """A column of one cell whose height is `value` of `most`."""
    if most <= 0:
        return BARS[0]
    return BARS[max(0, min(len(BARS) - 1, round(value / most * (len(BARS) - 1))))]


def to_ascii(text: str) -> str:
    """Sanitised text in ASCII, cell for cell: signs by their table, other characters as one `?` per cell."""
    if text.isascii():
        return text
    from console.text import cells

    return "".join(TO_ASCII.get(piece) or (piece if piece.isascii() else "?" * size) for piece, size in cells(text))

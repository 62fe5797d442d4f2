"""Finds out that rows have only moved up or down, so that the terminal can move them itself. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from console.pens import Cell

_FEWEST: Final = 6
"""Rows that have to have moved together: for fewer it is not worth the words."""


class Moved(NamedTuple):
    """The rows from `top` to `bottom`, both included, move up by so many (down, if negative)."""

    top: int
    bottom: int
    up: int

    @property
    def sequence(self) -> str:
        """What makes a terminal do it. It leaves the cursor in the corner, and nothing known of the rows that come."""
        at, step = (self.bottom, "\n") if self.up > 0 else (self.top, "\x1bM")
        return f"\x1b[{self.top + 1};{self.bottom + 1}r\x1b[{at + 1};1H{step * abs(self.up)}\x1b[r"

    def apply(self, rows: list[list[Cell]], new: Cell) -> None:
        """Does the same with a picture; the rows that come are made of `new` cells."""
        top, end, up = self.top, self.bottom + 1, self.up
        fresh = [[new] * len(rows[top]) for _ in range(abs(up))]
        rows[top:end] = [*rows[top + up : end], *fresh] if up > 0 else [*fresh, *rows[top : end + up]]


def moved(want: Sequence[list[Cell]], sent: Sequence[list[Cell]], dirty: Collection[int]) -> Moved | None:
    """The move that leaves least to be sent of the rows that changed; None where they have not moved together."""
    if len(dirty) < _FEWEST:
        return None
    first, last = min(dirty), max(dirty)
    texts: dict[str, int] = {}
    for y in range(first, last + 1):
        text = _text(sent[y])
        texts[text] = -1 if text in texts or not text.strip() else y
    steps: Counter[int] = Counter()
    found: dict[int, int] = {}
    for y in dirty:
        there = texts.get(_text(want[y]), -1)
        if there >= 0:
            found[y] = there - y
            steps[there - y] += 1
    if not steps:
        return None
    up, votes = max(steps.items(), key=lambda each: each[1])
    if not up or votes < _FEWEST or steps[0] + len(dirty) - len(found) > votes:
        return None
    rows = [y for y, step in found.items() if step == up]
    return Moved(min(*rows, min(rows) + up), max(*rows, max(rows) + up), up)


def _text(row: list[Cell]) -> str:
    return "".join([cell[0] for cell in row])

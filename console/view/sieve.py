"""Rows that fit a filter, of any list: what a view says of its rows, or else what can be read of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial
from typing import Protocol, runtime_checkable

from console.glyphs import STATES, glyph
from console.view.spans import Spans
from engine.model.moments import MINUTE, Micros
from engine.model.terms import Facts, Terms

_SIGNS: dict[str, tuple[str, ...]] = {}
for _state in STATES:
    _SIGNS[glyph(_state)] = (*_SIGNS.get(glyph(_state), ()), _state)


class Rows(Protocol):
    """Rows on demand, as a list shows them."""

    def __len__(self) -> int:
        """The number of rows."""

    def key(self, index: int) -> Hashable | None:
        """The key of the row at `index`; None for a heading."""

    def index(self, key: Hashable | None) -> int | None:
        """Where the row with that key is."""

    def row(self, index: int, width: int) -> Spans:
        """The content of the row at `index`."""


@runtime_checkable
class Told(Protocol):
    """Rows that say what they are about."""

    def facts(self, index: int) -> tuple[object, Callable[[], Facts]]:
        """What the row's facts depend on, compared by identity, and the facts."""


class Sifter:
    """A filter on one list. It remembers its verdicts, so that a frame looks again only at rows that have changed."""

    def __init__(self, terms: Terms, now: Micros) -> None:
        self.terms = terms
        self.now = now
        self._known: dict[Hashable, tuple[object, Micros, bool]] = {}
        self.shown = 0
        self.total = 0
        """Rows that can be stood on: those that fit, and all."""

    def __call__(self, rows: Rows, width: int) -> Sifted:
        """The rows that fit, with their headings, of a list of that width."""
        kept: list[int] = []
        headings: list[int] = []
        self.shown = self.total = 0
        for at in range(len(rows)):
            key = rows.key(at)
            if key is None:
                headings.append(at)
                continue
            self.total += 1
            if self._fits(rows, at, key, width):
                self.shown += 1
                kept += headings
                kept.append(at)
                headings = []
        return Sifted(rows, kept or headings[:1])

    def _fits(self, rows: Rows, at: int, key: Hashable, width: int) -> bool:
        if isinstance(rows, Told):
            basis, told = rows.facts(at)
        else:
            basis = spans = rows.row(at, width)
            told = partial(read, spans, key)
        beat = self.now // MINUTE if self.terms.timed else 0
        known = self._known.get(key)
        if known is not None and known[0] is basis and known[1] == beat:
            return known[2]
        verdict = self.terms.hold(told())
        self._known[key] = (basis, beat, verdict)
        return verdict


class Sifted:
    """Some rows of others, in their order."""

    def __init__(self, rows: Rows, kept: list[int]) -> None:
        self.rows = rows
        self._kept = kept
        self._where: dict[int, int] | None = None

    def __len__(self) -> int:
        return len(self._kept)

    def key(self, index: int) -> Hashable | None:
        """The key of a row that is left."""
        return self.rows.key(self._kept[index])

    def index(self, key: Hashable | None) -> int | None:
        """Where it is now; None when it does not fit."""
        at = self.rows.index(key)
        if at is None:
            return None
        if self._where is None:
            self._where = {kept: place for place, kept in enumerate(self._kept)}
        return self._where.get(at)

    def row(self, index: int, width: int) -> Spans:
        """Its content."""
        return self.rows.row(self._kept[index], width)


def read(spans: Spans, key: Hashable) -> Facts:
    """What can be read of a row: its text, the states whose signs stand in it, and the names in its key."""
    text = "".join(part for part, _ in spans)
    states = {state for part, _ in spans for state in _SIGNS.get(part.strip(), ())}
    states.update(
        state
        for sign, found in _SIGNS.items()
        if len(sign) == 1 and not sign.isascii() and sign in text
        for state in found
    )
    words = text.replace("/", " ").split()
    parts = key if isinstance(key, tuple) else (key,)
    names = tuple(part for part in parts[1:] if isinstance(part, str)) or tuple(words[:1])
    fields = {
        "state": tuple(states | {word for word in words if word in STATES}),
        **dict.fromkeys(("dag", "run", "task", "tag", "owner", "pool", "error", "by", "type"), (text,)),
    }
    return Facts(names, fields, text)

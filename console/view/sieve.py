"""Rows that fit a filter, of any list: what a view says of its rows, or else what can be read of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import NamedTuple, Protocol, runtime_checkable

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


@runtime_checkable
class Whole(Protocol):
    """Rows that say what all of them depend on."""

    @property
    def whole(self) -> tuple[object, ...]:
        """While these are the same objects, so are the facts of all rows, and their places."""


class Found(NamedTuple):
    """What a filter has left of a list: where it stands, how many rows can be stood on, and out of how many."""

    kept: Sequence[int]
    shown: int
    total: int


class Memory:
    """What the filters that follow each other on one list, letter by letter, have found out about it."""

    def __init__(self) -> None:
        self.facts: dict[Hashable, tuple[object, Facts]] = {}
        self._basis: tuple[tuple[object, ...], Micros] = (), 0
        self._found: dict[Terms, Found] = {}

    def about(self, whole: tuple[object, ...], beat: Micros) -> None:
        """Forgets what was found in other rows, or in these at another time."""
        if self._basis[1] != beat or not _same(self._basis[0], whole):
            self._basis, self._found = (whole, beat), {}

    def of(self, terms: Terms) -> Found | None:
        """What this very filter has left."""
        return self._found.get(terms)

    def around(self, terms: Terms) -> Found | None:
        """The least that a filter has left in which all that fits these terms must be."""
        wider = (found for other, found in self._found.items() if terms.narrows(other))
        return min(wider, key=lambda found: len(found.kept), default=None)

    def keep(self, terms: Terms, found: Found) -> None:
        """Remembers what a filter has left."""
        self._found[terms] = found


class Sifter:
    """A filter on one list. It remembers its verdicts, so that a frame looks again only at rows that have changed.

    From the filter `before`, as each letter that is typed makes a new one, it takes over what is known of the rows:
    a letter more looks only at what was left, and a letter less finds what was left then.
    """

    def __init__(self, terms: Terms, now: Micros, before: Sifter | None = None) -> None:
        self.terms = terms
        self.now = now
        self._known: dict[Hashable, tuple[object, Micros, bool]] = {}
        self._memory: Memory = Memory() if before is None else before._memory
        self.shown = 0
        self.total = 0
        """Rows that can be stood on: those that fit, and all."""

    def forget(self) -> None:
        """Looks at every row anew next time."""
        self._known, self._memory = {}, Memory()

    def __call__(self, rows: Rows, width: int) -> Sifted:
        """The rows that fit, with their headings, of a list of that width."""
        beat = self.now // MINUTE if self.terms.timed else 0
        found = None
        if isinstance(rows, Whole):
            self._memory.about(rows.whole, beat)
            found = self._memory.of(self.terms)
        if found is None:
            around = self._memory.around(self.terms) if isinstance(rows, Whole) else None
            found = self._sift(rows, width, beat, around)
            if isinstance(rows, Whole):
                self._memory.keep(self.terms, found)
        _, self.shown, self.total = found
        return Sifted(rows, found.kept)

    def _sift(self, rows: Rows, width: int, beat: Micros, around: Found | None) -> Found:
        """Looks at each row, or at those in which all that fits must be."""
        kept: list[int] = []
        headings: list[int] = []
        shown = total = 0
        told = rows if isinstance(rows, Told) else None
        for at in range(len(rows)) if around is None else around.kept:
            key = rows.key(at)
            if key is None:
                headings.append(at)
                continue
            total += 1
            if self._fits(rows, told, at, key, width, beat):
                shown += 1
                kept += headings
                kept.append(at)
                headings = []
        return Found(kept or headings[:1], shown, total if around is None else around.total)

    def _fits(self, rows: Rows, told: Told | None, at: int, key: Hashable, width: int, beat: Micros) -> bool:
        if told is not None:
            basis, tell = told.facts(at)
        else:
            basis = spans = rows.row(at, width)
            tell = partial(read, spans, key)
        known = self._known.get(key)
        if known is not None and known[0] is basis and known[1] == beat:
            return known[2]
        stored = self._memory.facts.get(key)
        if stored is None or stored[0] is not basis:
            stored = self._memory.facts[key] = (basis, tell())
        verdict = self.terms.hold(stored[1])
        self._known[key] = (basis, beat, verdict)
        return verdict


def _same(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))


class Sifted:
    """Some rows of others, in their order."""

    def __init__(self, rows: Rows, kept: Sequence[int]) -> None:
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

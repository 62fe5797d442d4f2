"""Terms: the small language in which people name many things at once, to filter them or to say what a change is about.

`state:failed since:2h dag:trades_* tag:close error:"db-1" pool:db load !test`: all terms have to hold, `!` before one
turns it round, and a word without a key fits a name that contains it or is abbreviated by it (`tus` is `trades_us`).
Alternatives of one term are joined by commas: `state:failed,running`. A text with a colon is written in quotes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import NamedTuple

from engine.model.moments import DAY, HOUR, MINUTE, SECOND, Micros, from_iso, to_datetime

KEYS = ("state", "dag", "run", "task", "tag", "owner", "pool", "error", "by", "type", "since", "before", "date")
"""What a term can be about. Dates are of the logical date; `since` and `before` are when it last happened."""

_TERM = re.compile(r'(!)(?=\s|$)|(!?)(?:([A-Za-z_]+):)?("[^"]*"?|[^\s"]+(?:"[^"]*"?)?)')
_NO_VALUE = re.compile(r"([A-Za-z_]+):\Z")
_UNITS: Mapping[str, Micros] = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}
_SPAN = re.compile(r"(\d{1,6})([smhdw])\Z")
_CLOCK = re.compile(r"\dt\d")
_PARTS = re.compile(r"[^a-z0-9]+")


class TermError(ValueError):
    """A term that means nothing; the text names it and what would."""


class Facts(NamedTuple):
    """What is known of one thing, to hold terms against. Fields that do not apply are empty."""

    names: tuple[str, ...] = ()
    """What it is called; words are sought here, and abbreviations."""
    fields: Mapping[str, tuple[str, ...]] = {}
    """By key of a term: `state`, `tag`, `pool`, …"""
    text: str = ""
    """Everything else that can be read of it; words are sought here too."""
    at: Micros | None = None
    """When it last happened."""
    logical: Micros | None = None
    """Its logical date."""


@dataclass(frozen=True, slots=True)
class Term:
    """One term. `low` and `high` bound a date, the higher one excluded."""

    key: str
    values: tuple[str, ...]
    inverted: bool = False
    low: Micros | None = None
    high: Micros | None = None

    def holds(self, facts: Facts) -> bool:
        """Whether the term fits."""
        return self.inverted != self._fits(facts)

    def narrows(self, other: Term) -> bool:
        """Whether what this one fits surely fits the other too: the same, or with one plain text that goes on."""
        if self == other:
            return True
        if self.key != other.key or self.inverted or other.inverted or not len(self.values) == len(other.values) == 1:
            return False
        mine, its = self.values[0], other.values[0]
        return mine.startswith(its) and not any(sign in mine for sign in "*?[~")

    def _fits(self, facts: Facts) -> bool:
        if self.key in ("since", "before", "date"):
            moment = facts.logical if self.key == "date" else facts.at
            if moment is None:
                return False
            return (self.low is None or moment >= self.low) and (self.high is None or moment < self.high)
        if self.key:
            found = facts.fields.get(self.key, ())
            inside = self.key not in _WHOLE
            return any(_like(value, each.lower(), inside=inside) for value in self.values for each in found)
        return any(_says(value, facts) for value in self.values)


@dataclass(frozen=True, slots=True)
class Terms:
    """Several terms, all of which have to hold; none hold always."""

    text: str = ""
    terms: tuple[Term, ...] = ()
    inverted: bool = field(default=False)

    def hold(self, facts: Facts) -> bool:
        """Whether all of it fits."""
        return not self.terms or self.inverted != all(term.holds(facts) for term in self.terms)

    def narrows(self, other: Terms) -> bool:
        """Whether all that fits here surely fits the other too, as when a filter is typed on. False when in doubt."""
        if self.inverted or other.inverted or len(self.terms) < len(other.terms):
            return False
        return all(mine.narrows(its) for mine, its in zip(self.terms, other.terms, strict=False))

    @property
    def timed(self) -> bool:
        """Whether what fits changes by time alone."""
        return any(term.low is not None or term.high is not None for term in self.terms)


def parse_terms(text: str, now: Micros, zone: str = "UTC", states: frozenset[str] | None = None) -> Terms:
    """Reads terms; `since:2h` counts back from `now`, dates are read in `zone`, and `states` are those there are.

    A lone `!` turns all of it round. Raises TermError naming the term.
    """
    found: list[Term] = []
    whole = False
    for match in _TERM.finditer(text):
        if match[1]:
            whole = True
            continue
        key, value = (match[3] or "").lower(), match[4].replace('"', "")
        bare = _NO_VALUE.match(match[4])
        if bare:
            key, value = bare[1].lower(), ""
        if key:
            _check(key, value)
        if value:
            found.append(_term(key, value.lower(), bool(match[2]), now, zone, states))
    return Terms(text.strip(), tuple(found), whole)


def _check(key: str, value: str) -> None:
    """A key that is mistyped must not be sought as a text: turned round, it would fit everything."""
    if key not in KEYS:
        raise TermError(f"no filter key {key!r}; there are {', '.join(KEYS)} (a text with a colon is put in quotes)")
    if not value:
        raise TermError(f"{key}: needs a value; in quotes it is a text")


def _term(key: str, value: str, inverted: bool, now: Micros, zone: str, states: frozenset[str] | None) -> Term:
    if key in ("since", "before"):
        moment = _moment(key, value, now, zone)
        return Term(key, (), inverted, *((moment, None) if key == "since" else (None, moment)))
    if key == "date":
        return Term(key, (), inverted, *_days(value, now, zone))
    values = tuple(part for part in value.split(",") if part) or (value,)
    if key == "state" and states is not None:
        values = tuple(part.replace("-", "_") for part in values)
        unknown = [part for part in values if not any(_like(part, state, inside=False) for state in states)]
        if unknown:
            raise TermError(f"no state {unknown[0]!r}; there are {', '.join(sorted(states))}")
    return Term(key, values, inverted)


def _moment(key: str, value: str, now: Micros, zone: str) -> Micros:
    span = _SPAN.match(value)
    if span:
        return now - int(span[1]) * _UNITS[span[2]]
    return _date(key, value, now, zone)


def _date(key: str, value: str, now: Micros, zone: str) -> Micros:
    day = to_datetime(now, zone).date()
    named = {"today": 0, "yesterday": 1}
    if value in named:
        value = str(type(day).fromordinal(day.toordinal() - named[value]))
    try:
        return from_iso(value.upper(), zone)
    except ValueError:
        raise TermError(
            f"{key}:{value} is no moment: write 15m, 2h, 3d, today, 2026-11-22 or 2026-11-22T01:00"
        ) from None


def _days(value: str, now: Micros, zone: str) -> tuple[Micros | None, Micros | None]:
    """`2026-11-22` is that day, `2026-11-01..2026-11-22` both and all between; either end may be left out."""
    first, dots, last = value.partition("..")
    if not dots:
        last = first
    low = _date("date", first, now, zone) if first else None
    high = _date("date", last, now, zone) if last else None
    if high is not None:
        high = _next_day(high, zone) if not _CLOCK.search(last) else high + (MINUTE if not dots else 0)
    return low, high


def _next_day(moment: Micros, zone: str) -> Micros:
    day = to_datetime(moment, zone).date()
    return from_iso(str(type(day).fromordinal(day.toordinal() + 1)), zone)


_WHOLE = frozenset({"state", "tag", "pool", "type", "by"})


def _like(pattern: str, text: str, *, inside: bool = True) -> bool:
    """With `*` or `?` the whole text has to fit; without, it has to begin with the pattern or, `inside`, contain it."""
    if any(sign in pattern for sign in "*?["):
        return fnmatchcase(text, pattern)
    return pattern in text if inside else text.startswith(pattern)


def _says(word: str, facts: Facts) -> bool:
    if any(word in name.lower() for name in facts.names) or word in facts.text.lower():
        return True
    if word.startswith("~"):
        return any(_in_order(word[1:], name.lower()) for name in facts.names)
    if "*" in word:
        return any(fnmatchcase(name.lower(), word) for name in facts.names)
    return len(word) > 1 and any(abbreviates(word, name) for name in facts.names)


def _in_order(letters: str, name: str) -> bool:
    rest = iter(name)
    return all(letter in rest for letter in letters)


def abbreviates(word: str, name: str) -> bool:
    """Whether the word is made of beginnings of the name's parts, in their order: `tus`, `trus` for `trades_us`."""
    parts = [part for part in _PARTS.split(name.lower()) if part]
    ends = {0}
    """How much of the word has been found after each part."""
    for part in parts:
        more = set(ends)
        for start in ends:
            length = 0
            while start + length < len(word) and length < len(part) and word[start + length] == part[length]:
                length += 1
                more.add(start + length)
        ends = more
        if len(word) in ends:
            return True
    return False

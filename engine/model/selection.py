"""One grammar for choosing many: `state:failed since:2h dag:trades_* tag:close error:"db-1" pool:db`, `!` inverts.

Terms are separated by spaces and all have to hold; several values of one key, as in `state:failed,cancelled`, are
alternatives. A word without a key is looked for in the ids and in the error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from engine.model.moments import Micros, from_iso

KEYS = ("state", "since", "dag", "task", "run", "tag", "owner", "pool", "error", "type", "reason")
_GLOBS = frozenset({"dag", "task", "run", "tag", "owner", "pool"})
_TERM = re.compile(r'(!?)(?:([a-z_]+):)?(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))(?=\s|$)')
_ESCAPED = re.compile(r"\\(.)")
_AGE = re.compile(r"([0-9]+(?:\.[0-9]+)?)(s|m|h|d|w)")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


class SelectionError(ValueError):
    """An expression that says nothing; the text says what is wrong with it and what would be right."""


@dataclass(frozen=True, slots=True)
class Term:
    """One condition: one of `values` for `key`, or, inverted, none of them. An empty key looks everywhere."""

    key: str
    values: tuple[str, ...]
    inverted: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """What an expression is held against. Empty where something does not apply."""

    dag_id: str
    run_id: str = ""
    task_id: str = ""
    state: str = ""
    reason: str = ""
    error: str = ""
    at: Micros = 0
    """When it moved into its state."""
    run_type: str = ""
    pool: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Selection:
    """A whole expression."""

    terms: tuple[Term, ...]

    def wanted(self, key: str) -> tuple[str, ...]:
        """The values that one term of this key asks for; empty when none restricts it, or patterns do."""
        found = next((term for term in self.terms if term.key == key and not term.inverted), None)
        return () if found is None else found.values

    def since(self, now: Micros) -> Micros | None:
        """The moment that `since` means, in an expression that is read now."""
        given = [_moment(term.values[0], now) for term in self.terms if term.key == "since" and not term.inverted]
        return max(given) if given else None

    def takes(self, row: Row, now: Micros) -> bool:
        """Whether all terms hold of a row."""
        return all(_holds(term, row, now) is not term.inverted for term in self.terms)


def parse(text: str, now: Micros = 0) -> Selection:
    """Reads an expression. Raises SelectionError when it is empty, has an unknown key or a value without meaning."""
    terms: list[Term] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        found = _TERM.match(text, at)
        if found is None:
            raise SelectionError(f'cannot read {text[at:]!r}: terms are key:value or key:"two words"')
        terms.append(_term(found, now))
        at = found.end()
    if not terms:
        raise SelectionError(f"an expression such as state:failed since:2h is needed; keys are {', '.join(KEYS)}")
    return Selection(tuple(terms))


def _term(found: re.Match[str], now: Micros) -> Term:
    inverted, key, quoted, plain = found.group(1) == "!", found.group(2) or "", found.group(3), found.group(4)
    if key and key not in KEYS:
        raise SelectionError(f"there is no key {key!r}; keys are {', '.join(KEYS)}")
    if quoted is not None:
        values: tuple[str, ...] = (_ESCAPED.sub(r"\1", quoted),)
    else:
        values = tuple(part for part in plain.split(",") if part) if key else (plain,)
    if not any(values) or (not key and quoted is None and plain.endswith(":")):
        raise SelectionError(f"{found.group(0)!r} has no value")
    if key == "since":
        _moment(values[0], now)
    return Term(key, values, inverted)


def _moment(text: str, now: Micros) -> Micros:
    age = _AGE.fullmatch(text)
    if age is not None:
        return now - int(float(age.group(1)) * _UNITS[age.group(2)] * 1_000_000)
    try:
        return from_iso(text, "UTC")
    except (ValueError, OverflowError) as error:
        raise SelectionError(f"since:{text} is neither an age such as 30m, 2h, 3d nor a date") from error


def matches(key: str, pattern: str, value: str) -> bool:
    """Whether a value fits: ids, tags and pools by pattern (`trades_*`), errors by what they hold, others exactly."""
    if key == "error":
        return pattern.casefold() in value.casefold()
    return fnmatchcase(value, pattern) if key in _GLOBS else value == pattern


def _holds(term: Term, row: Row, now: Micros) -> bool:
    if term.key == "since":
        return row.at >= _moment(term.values[0], now)
    if not term.key:
        everything = " ".join((row.dag_id, row.run_id, row.task_id, row.error)).casefold()
        return all(word.casefold() in everything for word in term.values)
    return any(matches(term.key, pattern, value) for pattern in term.values for value in _values(term.key, row))


def _values(key: str, row: Row) -> Iterable[str]:
    match key:
        case "tag":
            return row.tags
        case "dag" | "task" | "run":
            return (getattr(row, f"{key}_id"),)
        case "type":
            return (row.run_type,)
        case _:
            return (getattr(row, key),)

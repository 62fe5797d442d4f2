"""Sorting a table: by which column, which way round, how its title and its address say so. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from console.view.spans import ACCENT, Line, Spans
from engine.model.moments import Micros

S = TypeVar("S")
T = TypeVar("T")
Rank: TypeAlias = Callable[[T, Micros], Any]
"""The place of a row at a moment: rows with smaller ones come first, those without (None) always last."""

DOWN, UP = "▾", "▴"
"""Beside the title of the column: sorted as usual, and turned round."""


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """Something that rows can be sorted by. `first` and `last` say what comes first, as usual and turned round."""

    name: str
    """In addresses, and after `:sort`."""
    words: str
    first: str
    last: str
    heading: str = ""
    """The title over the column; empty where the table has no such column."""
    rank: Rank[T] | None = None
    """None: the order in which the rows are anyway."""


@dataclass(frozen=True, slots=True)
class Order(Generic[T]):
    """What a person chose to have a table sorted by."""

    column: Column[T]
    turned: bool = False

    @property
    def text(self) -> str:
        """The order in an address: `time`, or `-time` turned round."""
        return f"-{self.column.name}" if self.turned else self.column.name

    @property
    def words(self) -> str:
        """For the rule."""
        return f"by {self.column.words}, {self.column.last if self.turned else self.column.first}"

    def of(self, rows: Iterable[T], now: Micros) -> list[T]:
        """The rows in this order; rows of the same rank stay as they are."""
        return self.sort(rows, now, lambda row: row)

    def sort(self, rows: Iterable[S], now: Micros, what: Callable[[S], T]) -> list[S]:
        """The same for rows that hold `what` they are sorted by."""
        rank = self.column.rank
        if rank is None:
            return list(rows)[::-1] if self.turned else list(rows)
        ranked = [(rank(what(row), now), row) for row in rows]
        known = sorted((pair for pair in ranked if pair[0] is not None), key=lambda pair: pair[0], reverse=self.turned)
        return [row for _, row in known] + [row for place, row in ranked if place is None]

    def titled(self, titles: Spans) -> Spans:
        """A row of titles with a sign at the column that the rows are sorted by; nothing else of it moves."""
        text = "".join(part for part, _ in titles)
        heading = self.column.heading
        found = re.search(rf"(?<!\S){re.escape(heading)}(?!\S)", text) if heading else None
        if found is None:
            return titles
        start, end = found.span()
        sign = UP if self.turned else DOWN
        word = (
            heading + sign if text[end : end + 1] == " " else sign + heading if text[start - 1 : start] == " " else ""
        )
        if not word:
            return titles
        start -= word.startswith(sign)
        return _replaced(titles, start, word)


def _replaced(spans: Spans, start: int, word: str) -> Spans:
    """The row with other, bright text from a character on."""
    line, at, end = Line(), 0, start + len(word)
    for text, token in spans:
        line.add(text[: max(start - at, 0)], token)
        if at <= start < at + len(text):
            line.add(word, f"{ACCENT} bold")
        line.add(text[max(end - at, 0) :], token)
        at += len(text)
    return line.done()


def named(columns: Sequence[Column[Any]], text: str) -> Order[Any] | None:
    """The order that an address or a command names. Raises ValueError saying what there is."""
    for column in columns:
        if text.removeprefix("-") == column.name:
            order: Order[Any] = Order(column, text.startswith("-"))
            return plain(columns, order)
    known = ", ".join(column.name for column in columns) or "nothing"
    raise ValueError(f"rows here are sorted by {known}, and not by {text!r}")


def plain(columns: Sequence[Column[Any]], order: Order[Any]) -> Order[Any] | None:
    """The order, or None where it is the one that the table has by itself."""
    return None if order == Order(columns[0]) else order


def stepped(columns: Sequence[Column[Any]], order: Order[Any] | None, by: int) -> Order[Any] | None:
    """The order by the next column, or by the one before."""
    at = 0 if order is None else columns.index(order.column)
    return plain(columns, Order(columns[(at + by) % len(columns)]))


def chosen(columns: Sequence[Column[Any]], order: Order[Any] | None, name: str) -> Order[Any] | None:
    """The order by a column; the one that the rows are sorted by already is turned round."""
    column = next(column for column in columns if column.name == name)
    now = order or Order(columns[0])
    return plain(columns, Order(column, not now.turned if now.column == column else False))

"""Filtering long lists: what is known of a row is not found out again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from console.view.sieve import Sifter
from console.view.spans import Spans
from engine.model.moments import MINUTE
from engine.model.terms import Facts, parse_terms
from tests.support.console import NOW


class Names:
    """Rows of names, that count what is asked of them."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.told = 0

    def __len__(self) -> int:
        return len(self.names)

    def key(self, index: int) -> str:
        return self.names[index]

    def index(self, key: object) -> int | None:
        return self.names.index(str(key)) if key in self.names else None

    def row(self, index: int, width: int) -> Spans:
        return ((self.names[index], "text"),)

    def facts(self, index: int) -> tuple[object, Callable[[], Facts]]:
        return self.names[index], partial(self._tell, self.names[index])

    def _tell(self, name: str) -> Facts:
        self.told += 1
        return Facts((name,), at=NOW)


class WholeNames(Names):
    """Rows that say what all of them depend on."""

    looked = 0

    @property
    def whole(self) -> tuple[object, ...]:
        return (self.names,)

    def key(self, index: int) -> str:
        self.looked += 1
        return super().key(index)


def test_each_letter_of_a_filter_takes_over_what_is_known_of_the_rows() -> None:
    """Facts of rows that have not changed are found out once, whatever is typed; a row that has changed tells anew."""
    rows = Names("load", "clean", "report")
    first = Sifter(parse_terms("l", NOW), NOW)
    assert [first(rows, 80).key(at) for at in range(2)] == ["load", "clean"]
    second = Sifter(parse_terms("lo", NOW), NOW, first)
    assert second(rows, 80).key(0) == "load" and second.shown == 1
    assert rows.told == 3
    rows.names = ("load", "reload", "report")
    assert len(second(rows, 80)) == 2 and rows.told == 4


def test_rows_that_are_the_same_as_a_whole_are_not_looked_at_again() -> None:
    """A second look costs nothing while what all depend on is the same, until time alone may have changed it."""
    rows = WholeNames("load", "clean", "report")
    sifter = Sifter(parse_terms("since:1h", NOW), NOW)
    assert len(sifter(rows, 80)) == 3 and rows.looked == 3
    assert len(sifter(rows, 80)) == 3 and rows.looked == 3
    sifter.now = NOW + 2 * MINUTE
    assert len(sifter(rows, 80)) == 3 and rows.looked == 6
    rows.names = ("load", "clean")
    assert len(sifter(rows, 80)) == 2 and (sifter.shown, sifter.total) == (2, 2)


def test_a_letter_more_looks_at_what_was_left_and_a_letter_less_at_nothing() -> None:
    """Of a list that has not changed; the counts are those of the whole list all the same."""
    rows = WholeNames("load", "clean", "report", "reload")
    wide = Sifter(parse_terms("l", NOW), NOW)
    assert len(wide(rows, 80)) == 3 and rows.looked == 4
    narrow = Sifter(parse_terms("lo", NOW), NOW, wide)
    assert len(narrow(rows, 80)) == 2 and rows.looked == 4 + 3
    assert (narrow.shown, narrow.total) == (2, 4)
    back = Sifter(parse_terms("l", NOW), NOW, narrow)
    assert [back(rows, 80).index(name) for name in rows.names] == [0, 1, None, 2]
    assert (back.shown, back.total, rows.looked) == (3, 4, 7)
    rows.names = (*rows.names, "last")
    assert len(back(rows, 80)) == 4 and (back.shown, back.total) == (4, 5)

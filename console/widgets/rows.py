"""Rows of a list: what each is about and what it shows, given as a sequence or made on demand."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple, Protocol, TypeAlias, runtime_checkable

from console.widgets.spans import Spans

Key: TypeAlias = Hashable | None
"""What a row is about, so that it is found again when rows move. None: the cursor passes over the row."""


class Row(NamedTuple):
    """One row: its key and its content, as wide as the view's `row_width` at most."""

    key: Key
    spans: Spans


@runtime_checkable
class RowSource(Protocol):
    """Rows made on demand: a list of any length costs only its visible rows."""

    def __len__(self) -> int:
        """The number of rows."""

    def key(self, index: int) -> Key:
        """The key of the row at `index`."""

    def index(self, key: Key) -> int | None:
        """Where the row with that key is now; None when it has gone."""

    def row(self, index: int, width: int) -> Spans:
        """The content of the row at `index` for a view of that width. The same content should be the same object."""


Rows: TypeAlias = RowSource | Sequence[tuple[Key, Spans]]
"""What a view shows: rows made on demand, or a plain sequence of them."""


class _ListedRows:
    """A plain sequence of rows as a source."""

    def __init__(self, rows: Sequence[tuple[Key, Spans]]) -> None:
        self._rows = rows
        self._index: dict[Key, int] | None = None

    def __len__(self) -> int:
        return len(self._rows)

    def key(self, index: int) -> Key:
        return self._rows[index][0]

    def index(self, key: Key) -> int | None:
        if self._index is None:
            self._index = {row[0]: at for at, row in enumerate(self._rows)}
        return self._index.get(key)

    def row(self, index: int, width: int) -> Spans:
        return self._rows[index][1]


class Remembered:
    """How many rows there were, and which of them the cursor stood on: what is left of rows that nobody looks at."""

    def __init__(self, count: int, at: int, key: Key) -> None:
        self._count, self._at, self._key = count, at, key

    def __len__(self) -> int:
        return self._count

    def key(self, index: int) -> Key:
        return self._key if index == self._at else ("row", index)

    def index(self, key: Key) -> int | None:
        return self._at if key is not None and key == self._key else None

    def row(self, index: int, width: int) -> Spans:
        return ()


def as_source(rows: Rows) -> RowSource:
    """The rows as a source."""
    return rows if isinstance(rows, RowSource) else _ListedRows(rows)

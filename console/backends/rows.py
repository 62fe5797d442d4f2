"""What the readers of a store ask of it: its rows, by the names of statements."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol


class Rows(Protocol):
    """A store to read from: named statements, and one consistent state for several of them."""

    def all(self, file: str, name: str, values: Mapping[str, Any] = ..., /) -> list[tuple[Any, ...]]:
        """All rows of a statement."""

    def one(self, file: str, name: str, values: Mapping[str, Any] = ..., /) -> tuple[Any, ...] | None:
        """Its first row."""

    def snapshot(self) -> AbstractContextManager[int]:
        """Reads within see one state; gives the number of its last event."""

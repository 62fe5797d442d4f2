"""What waits to be handled in a turn of the scheduler, in the order in which it came."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TypeAlias

from engine.scheduler.turn import Turn

Work: TypeAlias = Callable[[Turn], None]
Dropped: TypeAlias = Callable[[Exception], None]


class Intake:
    """A queue of work. Whoever left word how to be told hears of it when what he brought is forgotten."""

    def __init__(self) -> None:
        self._items: deque[tuple[Work, Dropped | None]] = deque()

    def __len__(self) -> int:
        return len(self._items)

    def put(self, work: Work, dropped: Dropped | None = None) -> None:
        """Takes one item in, behind all others. `dropped` is called if it is forgotten."""
        self._items.append((work, dropped))

    def take(self) -> Work:
        """The item that came first. Raises IndexError when there is none."""
        return self._items.popleft()[0]

    def forget(self, why: Exception) -> None:
        """Drops everything, and tells whoever waits for it why."""
        forgotten, self._items = self._items, deque()
        for _, dropped in forgotten:
            if dropped is not None:
                dropped(why)

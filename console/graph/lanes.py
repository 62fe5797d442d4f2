"""Gives every wire and every task of a rail a lane, row by row, with as few lanes as it can.

A lane that a wire leaves on a row is free again on the next one only: on one row, a line that ends and one that starts
would look like one line. Nor does a task stand right under another one that it does not wait for, unless it hangs on a
fan-out; and one that hangs on a fan-out and waits for the task above it too stands beside that one's lane.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from console.graph.wires import Kind, Wire

_FAR = 1 << 30


class TooWide(Exception):
    """The graph takes more lanes than the limit allows."""


class Join(NamedTuple):
    """A wire in another lane than the task's, which bends into the row: from above, on below, or both."""

    lane: int
    wire: int
    up: bool
    down: bool


class Through(NamedTuple):
    """A wire in the task's own lane: from above into it, or from it on below."""

    wire: int
    down: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One task's lane, and what happens in the others. `passing` holds (lane, wire)."""

    node: int
    through: tuple[Through, ...]
    joins: tuple[Join, ...]
    passing: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Lanes:
    """A finished assignment. A better one has a smaller rank: narrower first, then fewer crossings."""

    rows: tuple[Row, ...]
    width: int
    crossings: int

    @property
    def rank(self) -> tuple[int, int]:
        return self.width, self.crossings


def lay_out(size: int, wires: Sequence[Wire], *, outer: bool, limit: int | None = None) -> Lanes:
    """Lanes for `size` rows. `outer`: of several lines that leave a task, the longest stays in its lane.

    Raises TooWide as soon as more than `limit` lanes are needed.
    """
    return _Assignment(size, wires, outer, limit).run()


class _Assignment:
    """The lanes as they stand below one row."""

    def __init__(self, size: int, wires: Sequence[Wire], outer: bool, limit: int | None) -> None:
        self.wires = wires
        self.outer = outer
        self.limit = limit
        self.lanes: list[int | None] = []
        self.width = 0
        self.crossings = 0
        self.dead_end: int | None = None
        """The lane of the task on the row before, when nothing leads on below it."""
        self.starting: list[list[int]] = [[] for _ in range(size)]
        self.ending: list[list[int]] = [[] for _ in range(size)]
        self.joining: list[list[int]] = [[] for _ in range(size)]
        for number, wire in enumerate(wires):
            self.starting[wire.start].append(number)
            self.ending[wire.end].append(number)
            for row in wire.rows:
                self.joining[row].append(number)

    def run(self) -> Lanes:
        rows = tuple(self._row(row) for row in range(len(self.starting)))
        return Lanes(rows, self.width, self.crossings)

    def _row(self, row: int) -> Row:
        ending = {self.wires[number].column: number for number in self.ending[row]}
        joining = {self.wires[number].column: number for number in self.joining[row]}
        node = self._node_lane(ending, joining, self._blocked(row, ending, joining))
        passing = tuple(
            (lane, wire)
            for lane, wire in enumerate(self.lanes)
            if wire is not None and lane not in ending and lane not in joining
        )
        through: list[Through] = []
        joins: list[Join] = []
        for lane, number in ending.items():
            self.lanes[lane] = None
            if lane == node:
                through.append(Through(number, False))
            else:
                joins.append(Join(lane, number, True, False))
        joins.extend(Join(lane, number, True, True) for lane, number in joining.items())
        under, aside = self._leaving(row)
        if under is not None:
            self._occupy(node, under)
            through.append(Through(under, True))
        self.dead_end = node if under is None else None
        taken = {node, *ending}
        for number in aside:
            lane = self._free_lane(node, taken, to_the_right=True)
            self._occupy(lane, number)
            joins.append(Join(lane, number, False, True))
        lanes = [join.lane for join in joins] + [node]
        self.crossings += sum(min(lanes) < lane < max(lanes) for lane, _ in passing)
        return Row(node, tuple(through), tuple(joins), passing)

    def _blocked(self, row: int, ending: dict[int, int], joining: dict[int, int]) -> int | None:
        """The lane in which this row's task would be misread: as following the task above, or as not doing so."""
        if any(self.wires[number].kind is Kind.FAN_OUT for number in joining.values()):
            return next((lane for lane, number in ending.items() if self.wires[number].start == row - 1), None)
        for number in ending.values():
            wire = self.wires[number]
            if row - 1 == wire.start or (wire.kind is Kind.FAN_IN and row - 1 in wire.rows[-1:]):
                return None
        return self.dead_end

    def _node_lane(self, ending: dict[int, int], joining: dict[int, int], blocked: int | None) -> int:
        """A task stays in the one lane that leads to it; where several do, it takes the leftmost that it can."""
        if len(ending) == 1:
            lane, number = next(iter(ending.items()))
            if self.wires[number].kind is not Kind.FAN_IN and lane != blocked:
                return lane
        if ending:
            return self._reserve(min(*(lane for lane in ending if lane != blocked), self._leftmost_free(blocked), _FAR))
        if joining:
            taken = set() if blocked is None else {blocked}
            return self._reserve(self._free_lane(min(joining), taken, to_the_right=False))
        return self._reserve(self._leftmost_free(blocked))

    def _leaving(self, row: int) -> tuple[int | None, list[int]]:
        """The wire that starts right under the task, and those that start in lanes beside it, nearest first."""
        numbers = self.starting[row]
        under = next((n for n in numbers if self.wires[n].kind is Kind.FAN_OUT), None)
        if under is None:
            edges = [n for n in numbers if self.wires[n].kind is Kind.EDGE]
            if edges:
                under = edges[-1] if self.outer else edges[0]
        aside = [n for n in numbers if n != under]
        if self.outer:
            aside.reverse()
        return under, aside

    def _leftmost_free(self, blocked: int | None) -> int:
        free = (lane for lane, wire in enumerate(self.lanes) if wire is None and lane != blocked)
        return next(free, len(self.lanes))

    def _free_lane(self, near: int, taken: set[int], *, to_the_right: bool) -> int:
        """The free lane nearest to another one; a new lane only when there is none."""
        free = [lane for lane, wire in enumerate(self.lanes) if wire is None and lane not in taken]
        right = [lane for lane in free if lane > near]
        if right and to_the_right:
            return right[0]
        if free:
            return min(free, key=lambda lane: (abs(lane - near), lane < near))
        lane = len(self.lanes)
        while lane in taken:
            lane += 1
        return lane

    def _reserve(self, lane: int) -> int:
        self._grow((lane,))
        return lane

    def _occupy(self, lane: int, number: int) -> None:
        self._grow((lane,))
        self.lanes[lane] = number
        self.wires[number].column = lane

    def _grow(self, lanes: Iterable[int]) -> None:
        for lane in lanes:
            while lane >= len(self.lanes):
                self.lanes.append(None)
            self.width = max(self.width, lane + 1)
            if self.limit is not None and self.width > self.limit:
                raise TooWide

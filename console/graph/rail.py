"""The rail: a DAG as a gutter of at most 24 columns, one row for each task, top to bottom.

How it is read: a line that ends at a row comes from above into that row's task, a line that starts there leaves it.
A line that starts right under a task and is joined on the way is that task's fan-out; one that starts at a corner and
is joined on the way collects the sources of the task at its end. A horizontal line touches only the verticals that it
bends into; a plain `│` on its way passes over it. A task right under another one follows it, unless it hangs on a
fan-out by a joint of its own. Tasks without any edge stand last, in one
lane, each with a dot before it: it follows none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from console.graph.lanes import Lanes, Row, TooWide, lay_out
from console.graph.order import breadth_first, depth_first, downstream_of, reachable
from console.graph.wires import Wire, wires

MOST_LANES = 12
"""Lanes are two columns apart; the last one stands for all that did not fit."""
COMFORTABLE_LANES = 7
_MANY_TASKS = 1500

NODE = "\0"
"""Stands in a row's text where the task's state glyph belongs."""
BEYOND = "…"
ALONE = "·"
"""Stands before a task that neither waits for another nor is waited for."""

_UP, _DOWN, _LEFT, _RIGHT = 1, 2, 4, 8
_GLYPHS = {
    _UP | _DOWN: "│",
    _LEFT | _RIGHT: "─",
    _DOWN | _LEFT: "╮",
    _DOWN | _RIGHT: "╭",
    _UP | _LEFT: "╯",
    _UP | _RIGHT: "╰",
    _UP | _DOWN | _LEFT: "┤",
    _UP | _DOWN | _RIGHT: "├",
    _DOWN | _LEFT | _RIGHT: "┬",
    _UP | _LEFT | _RIGHT: "┴",
    _UP | _DOWN | _LEFT | _RIGHT: "┼",
}


class RailRow(NamedTuple):
    """One row: `text` has NODE in place of the glyph; `lines[i]` are the wires drawn in column `i`."""

    text: str
    node: int
    lines: tuple[tuple[int, ...], ...]


class Rail:
    """A laid-out graph; its rows are drawn when they are asked for."""

    def __init__(self, order: Sequence[int], lanes: Lanes, wires: Sequence[Wire], alone: Sequence[int] = ()) -> None:
        self.order = (*order, *alone)
        """The number of the task on each row."""
        self.places = {number: place for place, number in enumerate(self.order)}
        """The row of each task."""
        self.wires = tuple(wires)
        self.lanes = max(lanes.width, 2 if alone else 0)
        """Lanes that the graph takes; those that are too many are drawn as `…`."""
        self.width = _columns(self.lanes)
        """Columns of every row."""
        self._rows = lanes.rows
        self._painted: dict[int, RailRow] = {}

    def __len__(self) -> int:
        return len(self.order)

    def row(self, place: int) -> RailRow:
        """One row of the picture."""
        found = self._painted.get(place)
        if found is None:
            linked = place < len(self._rows)
            found = _paint(self._rows[place], self.lanes) if linked else _paint_alone(self.width)
            self._painted[place] = found
        return found


def build(upstream: Sequence[Sequence[int]]) -> Rail:
    """Lays out the DAG whose task `i` waits for the tasks `upstream[i]`. Raises ValueError on a cycle.

    Of a depth-first and a breadth-first order the narrower is kept. The result depends on the structure alone.
    """
    downstream = downstream_of(upstream)
    alone = [task for task, sources in enumerate(upstream) if not sources and not downstream[task]]
    if len(upstream) == 1:
        alone = []
    apart = set(alone)
    orders = [
        [task for task in order if task not in apart]
        for order in (depth_first(upstream, downstream), breadth_first(upstream, downstream))
    ]
    best: tuple[Lanes, list[int], list[Wire]] | None = None
    for own in (True, False) if len(upstream) <= _MANY_TASKS else (False,):
        limit = COMFORTABLE_LANES if own else None
        for order in orders if own or len(upstream) <= _MANY_TASKS else orders[:1]:
            row = [0] * len(upstream)
            for place, task in enumerate(order):
                row[task] = place
            for outer in (False, True) if len(upstream) <= _MANY_TASKS else (False,):
                drawn = wires(upstream, downstream, row, own)
                try:
                    lanes = lay_out(len(order), drawn, outer=outer, limit=limit if best is None else best[0].width)
                except TooWide:
                    continue
                if best is None or lanes.rank < best[0].rank:
                    best = lanes, order, drawn
        if best is not None:
            break
    assert best is not None  # without a limit every graph can be laid out
    lanes, order, drawn = best
    return Rail(order, lanes, drawn, alone)


class Lit(Mapping[int, tuple[int, int]]):
    """The wires that lead to a task from above and on from it below, with their first and last row.

    Each is looked at when it is asked for: of thousands a screen shows some dozens.
    """

    def __init__(
        self, rail: Rail, upstream: Sequence[Sequence[int]], downstream: Sequence[Sequence[int]], task: int
    ) -> None:
        row = rail.places
        self._wires = rail.wires
        self._families = tuple(
            {row[number] for number in reachable(task, edges)} | {row[task]} for edges in (upstream, downstream)
        )
        self._known: dict[int, tuple[int, int] | None] = {}

    def __getitem__(self, number: int) -> tuple[int, int]:
        if number not in self._known:
            self._known[number] = self._span(self._wires[number])
        span = self._known[number]
        if span is None:
            raise KeyError(number)
        return span

    def __iter__(self) -> Iterator[int]:
        return (number for number in range(len(self._wires)) if number in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        return bool(self._wires)

    def _span(self, wire: Wire) -> tuple[int, int] | None:
        spans = []
        for family in self._families:
            sources = [r for r in (wire.start, *(wire.rows if wire.kind.name == "FAN_IN" else ())) if r in family]
            targets = [r for r in (*(wire.rows if wire.kind.name == "FAN_OUT" else ()), wire.end) if r in family]
            if sources and targets:
                spans.append((sources[0], targets[-1]))
        return (min(first for first, _ in spans), max(last for _, last in spans)) if spans else None


def _columns(lanes: int) -> int:
    return max(min(lanes, MOST_LANES) * 2 - 1, 0)


def _paint_alone(width: int) -> RailRow:
    return RailRow(f"{ALONE} {NODE}".ljust(width), 2, ((),) * width)


def _paint(row: Row, lanes: int) -> RailRow:
    last = MOST_LANES - 1 if lanes > MOST_LANES else lanes
    width = _columns(lanes)
    bits = [0] * width
    lines: list[tuple[int, ...]] = [()] * width
    node = min(row.node, last) * 2
    beyond = False
    passed = {lane for lane, _ in row.passing}
    for lane, wire in row.passing:
        if lane >= last:
            beyond = True
            continue
        bits[lane * 2] |= _UP | _DOWN
        lines[lane * 2] += (wire,)
    for lane, wire, up, down in row.joins:
        if lane >= last:
            beyond = True
        at = min(lane, last) * 2
        bits[at] |= (_UP if up else 0) | (_DOWN if down else 0) | (_LEFT if at > node else _RIGHT)
        lines[at] += (wire,)
        low, high = min(at, node), max(at, node)
        for between in range(low + 1, high):
            if between % 2 or between // 2 not in passed:
                bits[between] |= _LEFT | _RIGHT
                lines[between] += (wire,)
    lines[node] = tuple(wire for wire, *_ in row.through)
    text = [_GLYPHS.get(cell, " ") for cell in bits]
    if beyond:
        text[last * 2] = BEYOND
    text[node] = NODE
    return RailRow("".join(text), node, tuple(lines))

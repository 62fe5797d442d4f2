"""The run's graph as boxes: what stands in each, which part of it is in sight, and where the arrow keys lead. Pure."""

from __future__ import annotations

from collections.abc import Hashable
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from console.figures import countdown, duration
from console.graph.boxes import ARROW, GLYPHS, LEFT, Box, Edge, Picture, draw, neighbourhood
from console.model.runs import RunDetail, TaskCard
from console.model.snapshot import Scene
from console.text import cell_len, fit
from console.view.frame import Frame, group_card, group_counts
from console.view.spans import ACCENT, DIM, TEXT, WARN, Span, Spans
from console.view.words import over_usual, sign, took_words
from engine.model.moments import Micros

MOST_BOXES = 40
"""Above this the neighbourhood of the cursor is drawn."""
_NAME, _LIVE = 22, 7
_DONE = ("success", "skipped", "removed")


class Chart(NamedTuple):
    """A laid-out graph, kept for as long as the structure is the same: `nodes[i]` is the unit drawn as box `i`."""

    picture: Picture
    nodes: tuple[int, ...]
    whole: bool
    tall: bool
    upstream: tuple[tuple[int, ...], ...]

    def place(self, unit: int) -> int | None:
        """The box of a unit; None when it is out of the neighbourhood."""
        return self.nodes.index(unit) if unit in self.nodes else None


def lay_out(frame: Frame, centre: int, hops: int, height: int) -> Chart:
    """The chart of a run's frame: all of it, or what is at most so many hops from a unit.

    Boxes have three rows where that many fit below each other, else one.
    """
    size = len(frame.units)
    whole = size <= MOST_BOXES
    nodes = list(range(size)) if whole else neighbourhood(frame.upstream, centre, MOST_BOXES, hops)
    number = {unit: at for at, unit in enumerate(nodes)}
    upstream = [[number[above] for above in frame.upstream[unit] if above in number] for unit in nodes]
    names = [min(cell_len(name_of(frame, unit)), _NAME) for unit in nodes]
    widths = [name + _LIVE + 7 for name in names]
    picture = draw(upstream, widths, tall=True)
    tall = picture.height <= max(height, 12)
    if not tall:
        picture = draw(upstream, [width - 2 for width in widths], tall=False)
    return Chart(picture, tuple(nodes), whole, tall, tuple(map(tuple, upstream)))


def name_of(frame: Frame, unit: int) -> str:
    """A unit's name: a task's, or a folded group's."""
    found = frame.units[unit]
    return found if isinstance(found, str) else frame.plan[found].task_id


def unit_of(frame: Frame, key: Hashable) -> int:
    """The unit that a row's key belongs to; the first where it belongs to none."""
    if isinstance(key, tuple) and len(key) > 1:
        number = frame.numbers.get(key[1])
        if number is not None:
            return frame.unit_of[number]
        if key[1] in frame.units:
            return frame.units.index(key[1])
    return 0


def step(chart: Chart, at: int, columns: int, rows: int) -> int:
    """The box that an arrow key leads to: along an edge to the left or right, up or down within its layer."""
    picture = chart.picture
    if rows:
        layer = next(layer for layer in picture.layers if at in layer)
        place = layer.index(at) + rows
        return layer[max(0, min(place, len(layer) - 1))]
    if columns < 0:
        near = list(chart.upstream[at])
    else:
        near = [node for node, above in enumerate(chart.upstream) if at in above]
    middle = picture.boxes[at].middle
    return min(near, key=lambda node: abs(picture.boxes[node].middle - middle), default=at)


class Scroll(NamedTuple):
    """The upper left cell of what is in sight."""

    x: int
    y: int

    def holding(self, box: Box, picture: Picture, width: int, height: int) -> Scroll:
        """As little further as brings a box into sight; never beyond the picture, and in its middle where it fits."""
        x = min(max(self.x, box.x + box.width - width + 2), max(box.x - 2, 0))
        y = min(max(self.y, box.y + box.height - height + 1), max(box.y - 1, 0))
        return Scroll(max(0, min(x, picture.width - width)), max(0, min(y, picture.height - height)))


class Content(NamedTuple):
    """What stands in a box."""

    state: str
    name: str
    words: str
    token: str


def content(scene: Scene, run: RunDetail, frame: Frame, unit: int) -> Content:
    """A unit's state, name, and what is live about it: how long, until when, how many of how many."""
    found, now = frame.units[unit], scene.now
    if isinstance(found, str):
        counts = group_counts(run, found)
        return Content(group_card(run, found).state, found, _share(counts), DIM)
    name = frame.plan[found].task_id
    places = frame.places.get(name, ())
    if not places:
        return Content("none", name, "", DIM)
    card = run.tasks[places[0]]
    counts_of = run.index_counts.get(name)
    if counts_of:
        return Content(card.state, name, _share(dict(counts_of)), DIM)
    words, token = _live(card, now)
    return Content(card.state, name, words, token)


def _share(counts: dict[str, int]) -> str:
    total = sum(count for state, count in counts.items() if state != "removed")
    return f"{sum(counts.get(state, 0) for state in _DONE)}/{total}"


def _live(card: TaskCard, now: Micros) -> tuple[str, str]:
    if card.state == "up_for_retry" and card.retry_at is not None:
        return countdown(card.retry_at, now), WARN
    elapsed = card.elapsed(now)
    if card.state in ("running", "killing"):
        slow = over_usual(elapsed or 0, None if card.usual is None else card.usual.p95)
        return duration(elapsed or 0, tenths=False), WARN if slow else TEXT
    return ("" if elapsed is None else took_words(elapsed)), DIM


def rows(
    chart: Chart, contents: dict[int, Content], scroll: Scroll, cursor: int, critical: frozenset[str],
    width: int, height: int,
) -> list[Spans]:  # fmt: skip
    """The lines in sight: wires first, boxes over them; those of the cursor's box are brighter."""
    picture = chart.picture
    grid: list[list[Span]] = [[(" ", TEXT)] * width for _ in range(height)]
    for (x, y), wire in picture.wires.items():
        column, line = x - scroll.x, y - scroll.y
        if 0 <= column < width and 0 <= line < height:
            lit = any(cursor in edge for edge in wire.edges)
            glyph = ARROW if wire.bits == LEFT else GLYPHS[wire.bits]
            grid[line][column] = (
                glyph,
                ACCENT if lit else "rule" if not _hot(chart, wire.edges, contents, critical) else DIM,
            )
    for at, box in enumerate(picture.boxes):
        drawn = _box(contents[at], box, at == cursor, contents[at].name in critical)
        for down, spans in enumerate(drawn):
            line = box.y + down - scroll.y
            if 0 <= line < height:
                _put(grid[line], box.x - scroll.x, spans, width)
    return [_row(line) for line in grid]


def _hot(chart: Chart, edges: frozenset[Edge], contents: dict[int, Content], critical: frozenset[str]) -> bool:
    return any(contents[a].name in critical and contents[b].name in critical for a, b in edges)


def _box(found: Content, box: Box, here: bool, critical: bool) -> list[list[Span]]:
    """The cells of a box, line by line."""
    glyph, token = sign(found.state)
    room = box.width - (4 if box.height == 3 else 1)
    name = fit(found.name, max(room - 3 - _LIVE, 1), cut="middle")
    text = f"cursor{' bold' if critical else ''}" if here else f"{TEXT}{' bold' if critical else ''}"
    words = fit(found.words, min(_LIVE, max(room - 4, 0)), "right")
    inner: list[Span] = [(glyph, "cursor" if here else token), (" ", text), (name, text), (" ", text)]
    inner += [(words, "cursor" if here else found.token)]
    if box.height == 1:
        return [[*inner, (" ", TEXT)]]
    frame = f"{ACCENT} bold" if here else token if found.state in ("failed", "running", "up_for_retry") else DIM
    edge = "━" if critical else "─"
    corners = "┍┑┕┙" if critical else "┌┐└┘"
    top = (corners[0] + edge * (box.width - 2) + corners[1], frame)
    bottom = (corners[2] + edge * (box.width - 2) + corners[3], frame)
    return [[top], [("│ ", frame), *inner, (" │", frame)], [bottom]]


def _put(line: list[Span], column: int, spans: list[Span], width: int) -> None:
    for text, token in spans:
        for character in text:
            if 0 <= column < width:
                line[column] = character, token
            column += 1


def _row(cells: list[Span]) -> Spans:
    return tuple(("".join(character for character, _ in run), token) for token, run in groupby(cells, itemgetter(1)))

"""The boxes of the run's pane: a window on the graph that shares its cursor with the table."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from textual import events

from console.model.runs import RunDetail
from console.model.snapshot import Scene
from console.view import boxes as view
from console.view.frame import Frame
from console.widgets.lines import LineView

HOPS = 2


class Boxes(LineView, can_focus=True):
    """Draws the chart around the cursor's box. Moves are told to `moved`, which puts the cursor of the table there."""

    def __init__(self, moved: Callable[[Hashable], None]) -> None:
        super().__init__(cursor=False, gutter=False, id="boxes")
        self._moved = moved
        self._chart: view.Chart | None = None
        self._chart_for: object = None
        self._frame: Frame | None = None
        self._scroll = view.Scroll(0, 0)
        self._last: tuple[Scene, RunDetail, Frame, Hashable, frozenset[str]] | None = None
        self._drawn: object = None
        self.hops = HOPS

    def let_go(self) -> None:
        """The chart is kept: it depends on the structure alone."""
        super().let_go()
        self._last = self._drawn = None

    def draw_run(self, scene: Scene, run: RunDetail, frame: Frame, cursor: Hashable, critical: frozenset[str]) -> None:
        """Shows the run, with its critical path; nothing is laid out again while the structure is the same."""
        self._last = scene, run, frame, cursor, critical
        unit = view.unit_of(frame, cursor)
        height, width = self.size.height, self.size.width
        if not height or not width:
            return
        centre = unit if len(frame.units) > view.MOST_BOXES else -1
        wanted = (frame, centre, self.hops, height)
        if self._chart_for != wanted:
            self._chart_for, self._frame = wanted, frame
            self._chart = view.lay_out(frame, unit, self.hops, height)
            self._drawn = None
        chart = self._chart
        at = None if chart is None else chart.place(unit)
        if chart is None or at is None:
            return
        self._scroll = self._scroll.holding(chart.picture.boxes[at], chart.picture, width, height)
        contents = {place: view.content(scene, run, frame, unit) for place, unit in enumerate(chart.nodes)}
        drawn = (contents, at, self._scroll, critical, width, height)
        if drawn != self._drawn:
            self._drawn = drawn
            lines = view.rows(chart, contents, self._scroll, at, critical, width, height)
            self.show([(None, line) for line in lines])

    def on_resize(self, event: events.Resize) -> None:
        """Fit the new size: also the first one."""
        super().on_resize(event)
        if self._last is not None:
            self.draw_run(*self._last)

    @property
    def words(self) -> str:
        """What is shown of the graph, where it is not all of it."""
        chart, frame = self._chart, self._frame
        if chart is None or frame is None or chart.whole:
            return ""
        return f"{len(chart.nodes)} of {len(frame.units)} tasks, {self.hops} hop{'' if self.hops == 1 else 's'} (< >)"

    def step(self, columns: int, rows: int) -> None:
        """Moves the cursor along an edge, or within its layer."""
        if self._last is None or self._chart is None:
            return
        _, run, frame, cursor, _ = self._last
        at = self._chart.place(view.unit_of(frame, cursor))
        if at is None:
            return
        there = self._chart.nodes[view.step(self._chart, at, columns, rows)]
        name = view.name_of(frame, there)
        places = frame.places.get(name, ())
        self._moved(run.tasks[places[0]].key if places else ("task", name, -1))

    def widen(self, by: int) -> None:
        """More hops around the cursor, or fewer."""
        self.hops = max(1, min(self.hops + by, 9))

    def action_cursor_down(self) -> None:
        """The box below."""
        self.step(0, 1)

    def action_cursor_up(self) -> None:
        """The box above."""
        self.step(0, -1)

    def action_cursor_first(self) -> None:
        """The first box of the layer."""
        self.step(0, -(1 << 20))

    def action_cursor_last(self) -> None:
        """The last box of the layer."""
        self.step(0, 1 << 20)

    def action_half_page_down(self) -> None:
        """Some boxes down."""
        self.step(0, 4)

    def action_half_page_up(self) -> None:
        """Some boxes up."""
        self.step(0, -4)

    def action_page_down(self) -> None:
        """Many boxes down."""
        self.step(0, 8)

    def action_page_up(self) -> None:
        """Many boxes up."""
        self.step(0, -8)

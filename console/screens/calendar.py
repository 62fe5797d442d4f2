"""The calendar's pane: dates as cells under one cursor, a range of them, and what a backfill of it would do."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from textual import on
from textual.app import ComposeResult
from textual.widget import Widget

from console.actions.action import Ask
from console.actions.views.calendar import ask_plan
from console.model.asks import PreviewCard, Refused, Unreachable
from console.model.calendar import Calendar
from console.model.link import LinkState
from console.model.place import Place
from console.model.snapshot import Interest, Page, Scene
from console.model.targets import Target
from console.screens.pane import Bar, Desk, Pane
from console.view.calendar import (
    PANEL,
    CalendarRows,
    Chosen,
    about,
    heads,
    panel,
    row_end,
    row_of,
)
from console.view.spans import DIM, TEXT, Spans
from console.widgets.lines import LineView

if TYPE_CHECKING:
    from console.app import ConsoleApp

_REST = 0.15
"""Seconds for which a selection has to stay before its plan is asked for."""
_NEWEST = 1 << 40


class CalendarPane(Pane):
    """A year of one DAG. The cursor stays on its date while runs come."""

    view = "calendar"

    DEFAULT_CSS = f"CalendarPane > #days {{ height: 1; }} CalendarPane > #plan {{ height: {PANEL}; }}"

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self.heads = LineView(cursor=False, id="days")
        self.list = LineView(id="calendar")
        self.plan = LineView(cursor=False, id="plan")
        self.heads.can_focus = self.plan.can_focus = False
        self.dag_id, self.back = "", 0
        self.other: int | None = None
        """The other end of what is selected."""
        self.holding = False
        """Every movement selects."""
        self.order, self.again = "oldest", "none"
        self.most: int | None = None
        self._row = self._column = 0
        self._wanted: int | None = None
        self._rows: CalendarRows | None = None
        self._preview: PreviewCard | str = ""
        self._asked: object = None
        self._generation = 0

    @classmethod
    def made_for(cls, desk: Desk) -> CalendarPane:
        """The pane of an app."""
        return cls(desk)

    def compose(self) -> ComposeResult:
        """Days of the month, the months, and what is selected."""
        yield self.heads
        yield self.list
        yield self.plan

    def focus_inside(self) -> Widget:
        """The months."""
        return self.list

    @property
    def listed(self) -> LineView | None:
        """There is nothing to filter."""
        return None

    def arrive(self, place: Place) -> None:
        """The DAG of the place, at its newest date; whoever comes back finds the cursor where it was."""
        if place.dag_id != self.dag_id:
            self.dag_id, self.back, self._wanted, self._rows = place.dag_id or "", 0, _NEWEST, None
            self.list.show(())
            self.release()

    def interest(self) -> Interest:
        """The year in sight, and the DAG's runs."""
        return Interest(dag_id=self.dag_id or None, page=Page("calendar", (self.dag_id, self.back)))

    def page(self, scene: Scene) -> Calendar | None:
        """The year, once it has come."""
        found = scene.snapshot.paged
        wanted = self.interest().page
        return found if isinstance(found, Calendar) and scene.snapshot.page == wanted else None

    def chosen(self, scene: Scene, page: Calendar) -> Chosen:
        """The cursor and the selection, among the dates that have begun."""
        last = min(page.at(scene.now), page.until - 1)
        key = self.list.cursor_key
        start = key[1] if isinstance(key, tuple) else row_of(page, last)
        wanted, until = start + self._column, min(row_end(page, start) - 1, last)
        found = page.nearest(wanted, start, until)
        return Chosen(min(wanted, until) if found is None else found, self.other, last, page.due(scene.now))

    def draw(self, scene: Scene) -> None:
        """Shows the scene."""
        page = self.page(scene)
        if page is None or page.cells is None:
            if self._wanted is None and self._rows is not None:
                self._wanted = self._rows.chosen.cursor
            words = "reading" if page is None else "this DAG has no schedule, and so no dates: t starts a run by hand"
            self.heads.show(())
            self.plan.show(())
            self.list.show([(None, ((words, DIM),))])
            return
        chosen = self.chosen(scene, page)
        if self._wanted is not None:
            newest = max((cell for cell in (chosen.due, *page.cells) if cell <= chosen.last), default=-1)
            newest = chosen.last if newest < 0 else newest
            self.list.show(CalendarRows(page, chosen))
            place = page.nearest(min(self._wanted, newest), page.first, newest)
            self._place_at(page, min(self._wanted, newest) if place is None else place)
            self._wanted, chosen = None, self.chosen(scene, page)
        self._rows = CalendarRows(page, chosen, self._rows)
        self.heads.show([(None, heads(page, self.list.row_width))])
        self.list.show(self._rows)
        self._look(scene)
        choices = (self.order, self.again, self.most)
        said = panel(page, chosen, self._preview, choices, self.plan.row_width)
        self.plan.show([(None, line) for line in said])

    def let_go(self) -> None:
        """The rows hold the year they were made of; the cursor comes back to its date."""
        super().let_go()
        if self._wanted is None and self._rows is not None:
            self._wanted = self._rows.chosen.cursor
        self._rows = None

    def _place_at(self, page: Calendar, cell: int) -> None:
        cell = max(page.first, min(cell, page.until - 1))
        self._row = row_of(page, cell)
        self._column = cell - self._row
        self.list.move_to(("from", self._row))

    def title(self, scene: Scene, width: int) -> Bar:
        """What this is."""
        return ((f" {self.dag_id}", f"{TEXT} bold"), (" > calendar", TEXT)), ()

    def rule(self, scene: Scene, width: int) -> Spans:
        """The date under the cursor."""
        page = self.page(scene)
        if page is None or page.cells is None:
            return ()
        known = page.known_from
        more: Spans = () if known is None or self.other is not None else (("   older runs are not shown", DIM),)
        return (*about(page, self.chosen(scene, page)), *more)

    def target(self, scene: Scene) -> Target:
        """The selected dates; else the run of the date, the gap it belongs to, or the date alone."""
        page = self.page(scene)
        if page is None or page.cells is None:
            return Target(self.view, self.dag_id or None)
        chosen = self.chosen(scene, page)
        span = page.span(*chosen.ends)
        if chosen.anchor is not None:
            return Target(self.view, self.dag_id, span=span)
        found, gap = page.cells.get(chosen.cursor), page.gap_cells.get(chosen.cursor)
        if gap is not None:
            span = gap.first, gap.until - 1
        return Target(self.view, self.dag_id, None if found is None else found.run_id, span=span)

    # The cursor and the selection

    def step(self, step: int, *, select: bool = False) -> None:
        """To the date before or after, over days without one; selecting, what was passed over belongs to it."""
        scene = self._desk.scene()
        page = self.page(scene)
        if page is not None and page.cells is not None:
            chosen = self._from(self.chosen(scene, page), select)
            found = page.beside(chosen.cursor, step, chosen.last)
            if found is not None:
                self._place_at(page, found)
            self._desk.redraw()

    def step_row(self, rows: int) -> None:
        """Selects up to the same column of another row."""
        scene = self._desk.scene()
        page = self.page(scene)
        if page is not None and page.cells is not None:
            self._from(self.chosen(scene, page), True)
            self.list.move(rows)
            self._desk.redraw()

    def _from(self, chosen: Chosen, select: bool) -> Chosen:
        if not (select or self.holding):
            self.other = None
        elif self.other is None:
            self.other = chosen.cursor
        return chosen

    def touched(self, move: str = "") -> None:
        """The rows' own keys, or a click: what was selected is not any more, unless every movement selects."""
        if not self.holding:
            self.other = None

    @on(LineView.CursorMoved, "#calendar")
    def _moved(self, event: LineView.CursorMoved) -> None:
        """Another row has the cursor's cell; of rows without a date the next with one, else the cursor stays."""
        scene = self._desk.scene()
        page, key = self.page(scene), self.list.cursor_key
        if page is not None and page.cells is not None and isinstance(key, tuple) and self._rows is not None:
            self._row = self._row_with_dates(page, key[1], self._rows)
            self.list.move_to(("from", self._row))
        self._desk.redraw()

    def _row_with_dates(self, page: Calendar, row: int, rows: CalendarRows) -> int:
        step = 1 if row >= self._row else -1
        last = rows.chosen.last
        ahead = [start for start in rows.starts if (start - row) * step >= 0][::step]
        behind = [start for start in rows.starts if (start - row) * step < 0][::-step]
        with_dates = (
            start for start in (*ahead, *behind) if page.nearest(start, start, min(row_end(page, start) - 1, last))
        )
        return next(with_dates, row)

    def release(self) -> None:
        """Nothing is selected any more."""
        self.other, self.holding, self._preview, self._asked = None, False, "", None
        self._generation += 1

    def go_years(self, page: Calendar, back: int) -> None:
        """To about the same date of another year."""
        cursor = self.chosen(self._desk.scene(), page).cursor
        self._wanted, self.back = cursor - (back - self.back) * 365 * page.per_day, back
        self._rows = None
        self._desk.look_again()

    def select_here(self) -> None:
        """The cell under the cursor is where a selection begins."""
        scene = self._desk.scene()
        page = self.page(scene)
        if page is not None and page.cells is not None:
            self._from(self.chosen(scene, page), True)

    def unmark(self) -> bool:
        """Takes the selection away; False where there is none."""
        if self.other is None and not self.holding:
            return False
        self.release()
        return True

    def select_gap(self) -> bool:
        """Selects the next gap before the cursor, else the newest; False when there is none."""
        scene = self._desk.scene()
        page = self.page(scene)
        if page is None or not page.gap_cells:
            return False
        cells, low = sorted(page.gap_cells), self.chosen(scene, page).ends[0]
        last = max((cell for cell in cells if cell < low), default=cells[-1])
        gap = page.gap_cells[last]
        self.other = min(cell for cell in cells if page.gap_cells[cell] is gap)
        self.holding = False
        self._place_at(page, last)
        self._desk.redraw()
        return True

    def next_failure(self, scene: Scene, step: int) -> bool:
        """To the next date before this one (or after it) whose run failed."""
        page = self.page(scene)
        if page is None or page.cells is None:
            return False
        failed = sorted(cell for cell, found in page.cells.items() if found.state == "failed")
        if not failed:
            return False
        cursor = self.chosen(scene, page).cursor
        older = [cell for cell in failed if cell < cursor]
        newer = [cell for cell in failed if cell > cursor]
        self._place_at(page, (older or failed)[-1] if step > 0 else (newer or failed)[0])
        self._desk.redraw()
        return True

    # The plan

    def ask(self, scene: Scene, target: Target) -> Ask:
        """A backfill of what is selected, as it was chosen to be run."""
        ask = ask_plan(scene, target)
        args = dict(ask.args) | ({} if self.most is None else {"max_active": self.most})
        return replace(ask, args=args).switched(frozenset({self.order, self.again}))

    def _look(self, scene: Scene) -> None:
        """Asks for the plan of another selection once it has come to rest."""
        if self.other is None:
            return
        target = self.target(scene)
        wanted = (target.span, self.order, self.again, self.most, scene.link.state)
        if wanted == self._asked:
            return
        self._asked = wanted
        self._generation += 1
        if scene.link.state is not LinkState.UP:
            self._preview = "the engine is down: what a backfill would do is not known"
            return
        self._preview = "the plan follows"
        app = cast("ConsoleApp", self.app)
        app.spawn(self._fetch(self._generation, self.ask(scene, target)))

    async def _fetch(self, generation: int, ask: Ask) -> None:
        await asyncio.sleep(_REST)
        if generation != self._generation:
            return
        app = cast("ConsoleApp", self.app)
        found: PreviewCard | str
        try:
            found = await app.commands().preview(ask.verb, ask.selection, ask.arguments({}))
        except (Refused, Unreachable) as error:
            found = str(error)
        if generation == self._generation:
            self._preview = found
            self._desk.redraw()

    def entered(self, purpose: str, text: str) -> None:
        """The number of runs at a time was typed; nothing: as many as the DAG may have."""
        words = text.strip()
        if words and not (words.isdecimal() and 0 < int(words) <= 10_000):
            self._desk.say(f"{words!r} is not a number of runs", "warn")
            return
        self.most = int(words) if words else None
        self._desk.redraw()

"""The grid's pane: the tasks of a DAG as rows, its runs as columns, one cursor in both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.widget import Widget

from console.model.dags import RunMark
from console.model.grid import Grid
from console.model.place import Place
from console.model.snapshot import Interest, Page, Scene
from console.model.targets import Target
from console.screens.pane import Bar, Desk, Pane
from console.view import dag as dag_view
from console.view import grid as view
from console.view.spans import DIM, Spans
from console.widgets.lines import LineView

if TYPE_CHECKING:
    from console.app import ConsoleApp

_FAILED = ("failed", "upstream_failed")


class GridPane(Pane):
    """Runs × tasks of one DAG. The cursor stays on its run and its task while others come."""

    view = "grid"

    DEFAULT_CSS = "GridPane > #heads { height: 2; }"

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self.heads = LineView(cursor=False, id="heads")
        self.heads.can_focus = False
        self.list = LineView(id="grid")
        self.dag_id = ""
        self._shape: view.Shape | None = None
        self._rows: view.GridRows | None = None
        self._run_id: str | None = None
        self._first = 1 << 30
        self._wanted: str | None = None
        self._place: Place | None = None

    @classmethod
    def made_for(cls, desk: Desk) -> GridPane:
        """The pane of an app."""
        return cls(desk)

    def compose(self) -> ComposeResult:
        """Days and bars, which stay, above the tasks."""
        yield self.heads
        yield self.list

    def focus_inside(self) -> Widget:
        """The tasks."""
        return self.list

    def arrive(self, place: Place) -> None:
        """The DAG of the place, at its run and task; whoever comes back finds the cursor where it was."""
        if place is self._place:
            return
        self._place = place
        if place.dag_id != self.dag_id:
            self.dag_id, self._rows, self._run_id, self._first = place.dag_id or "", None, None, 1 << 30
            self.list.show(())
        if place.run_id is not None:
            self._run_id = place.run_id
        self._wanted = place.task_id

    def interest(self) -> Interest:
        """The DAG's grid."""
        return Interest(page=Page("grid", (self.dag_id,)))

    def grid(self, scene: Scene) -> Grid | None:
        """The grid, once it has come."""
        found = scene.snapshot.paged
        return found if isinstance(found, Grid) and found.dag_id == self.dag_id else None

    def draw(self, scene: Scene) -> None:
        """Shows the scene."""
        grid = self.grid(scene)
        if grid is None or not grid.runs:
            words = "reading" if grid is None else "this DAG has no runs yet: t starts one"
            self.heads.show(())
            self.list.show([(None, ((words, DIM),))])
            return
        self._run_id = grid.runs[self._cursor(grid)].run_id
        if self._shape is None or self._shape.plan != grid.plan:
            self._shape = view.Shape(grid.plan)
        width = self.list.row_width
        count = view.columns(width, self._shape)[2]
        window = view.Window.around(self._cursor(grid), self._first, len(grid.runs), count)
        self._first = window.first
        self._rows = view.GridRows(grid, self._shape, window, self._rows)
        self.heads.show(
            [(None, line) for line in view.heads(scene, grid, self._shape, window, self._zone(scene), width)]
        )
        self.list.show(self._rows)
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            self.list.move_to(("task", wanted))

    def let_go(self) -> None:
        """The rows hold the cells they were made of."""
        super().let_go()
        self._rows = None

    def _zone(self, scene: Scene) -> str:
        card = scene.snapshot.by_id.get(self.dag_id)
        return "UTC" if card is None else card.timezone

    def _cursor(self, grid: Grid) -> int:
        """The column of the run under the cursor; the newest where none was chosen, or it is gone."""
        last = len(grid.runs) - 1
        return next((at for at, run in enumerate(grid.runs) if run.run_id == self._run_id), last)

    def run(self, scene: Scene) -> RunMark | None:
        """The run under the cursor."""
        grid = self.grid(scene)
        return None if grid is None or not grid.runs else grid.runs[self._cursor(grid)]

    @property
    def task_id(self) -> str | None:
        """The task under the cursor."""
        key = self.list.cursor_key
        return key[1] if isinstance(key, tuple) and key[0] == "task" else None

    def step(self, columns: int) -> None:
        """Moves the cursor by columns; to either end with a number that is large enough."""
        scene = self._desk.scene()
        grid = self.grid(scene)
        if grid is None or not grid.runs:
            return
        at = max(0, min(self._cursor(grid) + columns, len(grid.runs) - 1))
        self._run_id = grid.runs[at].run_id
        self.draw(scene)
        self._desk.redraw_rule()

    @property
    def page(self) -> int:
        """Columns in sight."""
        return self._rows.window.count if self._rows is not None else 1

    @on(LineView.CursorMoved, "#grid")
    def _moved(self, event: LineView.CursorMoved) -> None:
        """The rule says what the cursor stands on."""
        self._desk.redraw_rule()

    def title(self, scene: Scene, width: int) -> Bar:
        """Which DAG, and when it runs."""
        return dag_view.title(scene, self.dag_id, width)

    def rule(self, scene: Scene, width: int) -> Spans:
        """What the cursor stands on."""
        grid, run = self.grid(scene), self.run(scene)
        if grid is None or run is None:
            return ()
        return view.about(scene, grid, run, self.task_id, self._zone(scene))

    def target(self, scene: Scene) -> Target:
        """The task of the run under the cursor."""
        run = self.run(scene)
        if run is None:
            return Target(self.view, self.dag_id or None)
        grid = self.grid(scene)
        gap = None if grid is None else grid.gap_before(self._cursor(grid))
        span = None if gap is None else (gap.first, gap.until - 1)
        return Target(self.view, self.dag_id, run.run_id, self.task_id, span=span)

    def next_failure(self, scene: Scene, step: int) -> bool:
        """To the next run, to the left, in which a task failed, and to that task."""
        grid = self.grid(scene)
        if grid is None or self._shape is None:
            return False
        size, start = len(grid.runs), self._cursor(grid)
        for distance in range(1, size + 1):
            run = grid.runs[(start - step * distance) % size]
            failed = next((t for t in self._shape.order if grid.state(run, t.task_id) in _FAILED), None)
            if failed is not None:
                self._run_id = run.run_id
                self.draw(scene)
                self._desk.redraw_rule()
                return self.list.move_to(("task", failed.task_id))
        return False


def _pane(app: ConsoleApp) -> GridPane:
    pane = app.stage.pane("grid")
    assert isinstance(pane, GridPane)
    return pane


def older(app: ConsoleApp, target: Target) -> None:
    """One run to the left."""
    _pane(app).step(-1)


def newer(app: ConsoleApp, target: Target) -> None:
    """One run to the right."""
    _pane(app).step(1)


def page_older(app: ConsoleApp, target: Target) -> None:
    """A page to the left."""
    _pane(app).step(-_pane(app).page)


def page_newer(app: ConsoleApp, target: Target) -> None:
    """A page to the right."""
    _pane(app).step(_pane(app).page)


def oldest(app: ConsoleApp, target: Target) -> None:
    """To the first run."""
    _pane(app).step(-(1 << 20))


def newest(app: ConsoleApp, target: Target) -> None:
    """To the last run."""
    _pane(app).step(1 << 20)


def order(app: ConsoleApp, target: Target) -> None:
    """Why there is nothing to sort by: whoever comes from a table presses its key."""
    app.say("a grid has no columns to sort: runs stand by date, tasks as in the graph")

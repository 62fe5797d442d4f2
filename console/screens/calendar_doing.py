"""What the keys of the calendar do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.actions.flow import Flow
from console.model.place import Place
from console.model.targets import Target
from console.screens.calendar import CalendarPane
from console.view.calendar import AGAIN

if TYPE_CHECKING:
    from console.app import ConsoleApp

_PARALLEL = "calendar.parallel"
_MOST_YEARS = 50


def _pane(app: ConsoleApp) -> CalendarPane:
    pane = app.stage.pane("calendar")
    assert isinstance(pane, CalendarPane)
    return pane


def enter(app: ConsoleApp, target: Target) -> None:
    """Opens the run of the date, or asks for a backfill of the range."""
    if target.run_id is not None:
        app.go(Place("run", target.dag_id, target.run_id))
    else:
        plan(app, target)


def plan(app: ConsoleApp, target: Target) -> None:
    """Shows the whole plan, and asks."""
    pane, scene = _pane(app), app.scene()
    if target.span is None:
        app.say("no date is selected", "warn")
        return

    def done() -> None:
        pane.release()
        app.redraw()

    Flow(app, pane.ask(scene, target), scene.snapshot.home.production, done).start()


def left(app: ConsoleApp, target: Target) -> None:
    """One date to the left."""
    _pane(app).step(-1)


def right(app: ConsoleApp, target: Target) -> None:
    """One date to the right."""
    _pane(app).step(1)


def select_left(app: ConsoleApp, target: Target) -> None:
    """Selects to the date before."""
    _pane(app).step(-1, select=True)


def select_right(app: ConsoleApp, target: Target) -> None:
    """Selects to the date after."""
    _pane(app).step(1, select=True)


def select_up(app: ConsoleApp, target: Target) -> None:
    """Selects to the row above."""
    _pane(app).step_row(-1)


def select_down(app: ConsoleApp, target: Target) -> None:
    """Selects to the row below."""
    _pane(app).step_row(1)


def select_range(app: ConsoleApp, target: Target) -> None:
    """From now on every movement selects, or none any more."""
    pane = _pane(app)
    pane.holding = not pane.holding
    if pane.holding:
        pane.select_here()
    app.redraw()


def next_gap(app: ConsoleApp, target: Target) -> None:
    """Selects the next gap."""
    if not _pane(app).select_gap():
        app.say("no date of this year was left out")


def older(app: ConsoleApp, target: Target) -> None:
    """A year back."""
    _year(app, 1)


def newer(app: ConsoleApp, target: Target) -> None:
    """A year on."""
    _year(app, -1)


def _year(app: ConsoleApp, step: int) -> None:
    pane = _pane(app)
    page = pane.page(app.scene())
    back = max(0, min(pane.back + step, _MOST_YEARS))
    if page is None or back == pane.back:
        return
    pane.go_years(page, back)


def order(app: ConsoleApp, target: Target) -> None:
    """Oldest or newest first."""
    pane = _pane(app)
    pane.order = "newest" if pane.order == "oldest" else "oldest"
    app.redraw()


def again(app: ConsoleApp, target: Target) -> None:
    """What runs again: the next choice."""
    pane = _pane(app)
    pane.again = AGAIN[(AGAIN.index(pane.again) + 1) % len(AGAIN)]
    app.redraw()


def parallel(app: ConsoleApp, target: Target) -> None:
    """Asks how many runs there may be at a time."""
    app.stage.ask_line(_PARALLEL, "runs at a time (nothing: as many as the DAG may have): ")

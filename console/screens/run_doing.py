"""What the keys of the run's view do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.actions.registry import BY_ID
from console.model.place import Place
from console.screens.doing import back
from console.screens.marking import toggle
from console.screens.run import BOXES, GANTT, RunPane
from console.screens.sorting import following, previous

if TYPE_CHECKING:
    from console.app import ConsoleApp
    from console.model.targets import Target


def boxes(app: ConsoleApp, target: Target) -> None:
    """The graph as boxes, or the table again."""
    _look(app, target, BOXES)


def gantt(app: ConsoleApp, target: Target) -> None:
    """The tasks over time, or the table again."""
    _look(app, target, GANTT)


def _look(app: ConsoleApp, target: Target, mode: str) -> None:
    """Another picture of the run; from another view, of the run that is meant there."""
    here = app.place.view == "run"
    if not here:
        app.go(Place.of("run", target))
    pane = app.stage.run_pane
    if here or pane.mode != mode:
        pane.look(mode)
    app.redraw()


def left(app: ConsoleApp, target: Target) -> None:
    """In the boxes against an edge; elsewhere one level back."""
    pane = app.stage.run_pane
    if pane.mode == BOXES:
        pane.boxes.step(-1, 0)
    else:
        back(app, target)


def right(app: ConsoleApp, target: Target) -> None:
    """In the boxes along an edge; elsewhere the log."""
    pane = app.stage.run_pane
    if pane.mode == BOXES:
        pane.boxes.step(1, 0)
    else:
        app.perform(BY_ID["open"], target)


def nearer(app: ConsoleApp, target: Target) -> None:
    """In the boxes fewer hops around the cursor; elsewhere sorted by the column before."""
    if _hops(app, -1):
        app.redraw()
    else:
        previous(app, target)


def wider(app: ConsoleApp, target: Target) -> None:
    """In the boxes more hops around the cursor; elsewhere sorted by the next column."""
    if _hops(app, 1):
        app.redraw()
    else:
        following(app, target)


def _hops(app: ConsoleApp, by: int) -> bool:
    pane = app.stage.run_pane
    if pane.mode == BOXES:
        pane.boxes.widen(by)
    return pane.mode == BOXES


def fold(app: ConsoleApp, target: Target) -> None:
    """Folds or unfolds the row under the cursor; one with nothing to fold is marked."""
    pane = app.stage.front
    if isinstance(pane, RunPane) and not pane.fold(app.scene()):
        toggle(app, target)

"""Marking rows: what then changes rows takes all that are marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from console.app import ConsoleApp
    from console.model.targets import Target
    from console.widgets.lines import LineView


def toggle(app: ConsoleApp, target: Target) -> None:
    """Marks the row under the cursor, or not any more."""
    view = app.stage.front.listed
    if view is None or view.cursor_key is None:
        app.say("there is no row to mark", "warn")
        return
    keys = app.stage.front.marks_of(view.cursor_key)
    if keys == (view.cursor_key,) and _can(app, view.cursor_key):
        view.toggle_mark()
        _marked(app)
    elif keys != (view.cursor_key,):
        view.set_marks(view.marks - set(keys) if view.marks.issuperset(keys) else view.marks | set(keys))
        _marked(app)


def mark_range(app: ConsoleApp, target: Target) -> None:
    """Marks the rows from the one that was marked last to the cursor."""
    view = app.stage.front.listed
    if view is None or view.cursor_key is None or not _can(app, view.cursor_key):
        return
    view.mark_range(view.marked_last if view.marked_last in view.shown_keys else view.cursor_key)
    _only_possible(app, view)
    _marked(app)


def mark_all(app: ConsoleApp, target: Target) -> None:
    """Marks every row that is shown; when all of them are marked, none any more."""
    pane = app.stage.front
    view = pane.listed
    if view is None:
        return
    scene = app.scene()
    shown = {key for key in view.shown_keys if pane.target_at(scene, key) is not None}
    view.set_marks(view.marks - shown if shown <= view.marks else view.marks | shown)
    _marked(app)


def _can(app: ConsoleApp, key: object) -> bool:
    if app.stage.front.target_at(app.scene(), key) is not None:
        return True
    app.say("this row cannot be marked: DAGs, runs and tasks can", "warn")
    return False


def _only_possible(app: ConsoleApp, view: LineView) -> None:
    """Takes the marks from rows that lie in between and are about something else."""
    pane, scene = app.stage.front, app.scene()
    view.set_marks({key for key in view.marks if pane.target_at(scene, key) is not None})


def _marked(app: ConsoleApp) -> None:
    app.stage.front.touched()
    app.redraw()

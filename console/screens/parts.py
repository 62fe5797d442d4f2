"""The parts of a view: going from one to the other, their size, the whole screen for one; and matches in lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from console.app import ConsoleApp
    from console.model.targets import Target


def next_part(app: ConsoleApp, target: Target) -> None:
    """To the next part of the view."""
    _part(app, 1)


def previous_part(app: ConsoleApp, target: Target) -> None:
    """The same backwards."""
    _part(app, -1)


def _part(app: ConsoleApp, step: int) -> None:
    pane = app.stage.front
    if not pane.other_part(app.scene(), step):
        app.say("there is nothing else to go to here", "warn")
        return
    pane.focus_inside().focus()
    app.redraw()


def larger(app: ConsoleApp, target: Target) -> None:
    """A line more for the lower part."""
    app.stage.run_pane.grow(1)
    app.redraw()


def smaller(app: ConsoleApp, target: Target) -> None:
    """A line less for it."""
    app.stage.run_pane.grow(-1)
    app.redraw()


def full(app: ConsoleApp, target: Target) -> None:
    """The whole screen for the list, or as it was. Header and rule stay: what is wrong is said there."""
    app.stage.toggle_class("full")
    app.call_after_refresh(app.redraw)


def wide(app: ConsoleApp, target: Target) -> None:
    """Names whole, at the cost of figures, or as it was."""
    pane = app.stage.front
    pane.wide = not pane.wide
    app.redraw()


def filter_out(app: ConsoleApp, target: Target) -> None:
    """Asks what the rows are not to have."""
    if app.stage.front.listed is None:
        app.say("there is no list to filter here", "warn")
        return
    app.stage.ask_line("filter", "/", app.stage.front.needle or "!")


def next_match(app: ConsoleApp, target: Target) -> None:
    """To the next row that the filter shows."""
    _match(app, 1)


def previous_match(app: ConsoleApp, target: Target) -> None:
    """To the one before."""
    _match(app, -1)


def _match(app: ConsoleApp, step: int) -> None:
    view = app.stage.front.listed
    if view is None or not app.stage.front.needle:
        app.say("nothing is looked for: / filters the rows", "warn")
        return
    app.stage.front.touched()
    keys = view.shown_keys
    at = keys.index(view.cursor_key) if view.cursor_key in keys else -1
    if keys:
        view.move_to(keys[(at + step) % len(keys)])

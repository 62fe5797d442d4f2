"""What the keys of the log's view do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.screens.wayfinding import bookmark as keep_place
from console.text import sanitise

if TYPE_CHECKING:
    from console.app import ConsoleApp
    from console.model.targets import Target


def error_next(app: ConsoleApp, target: Target) -> None:
    """To the next error line."""
    app.stage.log_pane.finder.next_error(1)


def error_previous(app: ConsoleApp, target: Target) -> None:
    """To the error line before."""
    app.stage.log_pane.finder.next_error(-1)


def search(app: ConsoleApp, target: Target) -> None:
    """Asks what to search."""
    app.stage.ask_line("search", "/")


def match_next(app: ConsoleApp, target: Target) -> None:
    """To the next match."""
    app.stage.log_pane.finder.next_match(1)


def match_previous(app: ConsoleApp, target: Target) -> None:
    """To the match before."""
    app.stage.log_pane.finder.next_match(-1)


def follow(app: ConsoleApp, target: Target) -> None:
    """Follows, or stops following."""
    window = app.stage.log_pane.log_view
    if window.following:
        window.action_scroll_lines(-1)
    else:
        window.action_follow()
    app.redraw()


def older(app: ConsoleApp, target: Target) -> None:
    """The log of the attempt before."""
    app.stage.log_pane.step_attempt(app.scene(), -1)


def newer(app: ConsoleApp, target: Target) -> None:
    """The log of the attempt after."""
    app.stage.log_pane.step_attempt(app.scene(), 1)


def wrap(app: ConsoleApp, target: Target) -> None:
    """Wraps long lines, or cuts them."""
    window = app.stage.log_pane.log_view
    window.wrap(not window.wrapped)


def only(app: ConsoleApp, target: Target) -> None:
    """Asks which lines to show."""
    app.stage.ask_line("only", "&", app.stage.log_pane.sieve.text)


def compare(app: ConsoleApp, target: Target) -> None:
    """The last good attempt's log beside it, or not any more."""
    app.stage.log_pane.beside.toggle()


def columns(app: ConsoleApp, target: Target) -> None:
    """Structured lines as columns, or not."""
    app.stage.log_pane.toggle_columns()


def copy(app: ConsoleApp, target: Target) -> None:
    """Copies lines through the terminal, as text that may be drawn."""
    lines = app.stage.log_pane.in_sight()
    app.copy("\n".join(sanitise(line) for line in lines), f"{len(lines)} line{'s' if len(lines) != 1 else ''}")


def bookmark(app: ConsoleApp, target: Target) -> None:
    """Keeps the line that was gone to, else the first in sight; a line that is kept is so no longer."""
    pane = app.stage.log_pane
    if not pane.log_view.mark():
        app.say("there is no line to bookmark", "warn")
        return
    keep_place(app, target)
    pane.read_bookmarks()

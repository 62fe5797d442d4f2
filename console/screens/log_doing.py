"""What the keys of the log's view do."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from console.app import ConsoleApp
    from console.model.targets import Target


def error_next(app: ConsoleApp, target: Target) -> None:
    """To the next error line."""
    app.stage.log_pane.next_error(1)


def error_previous(app: ConsoleApp, target: Target) -> None:
    """To the error line before."""
    app.stage.log_pane.next_error(-1)


def search(app: ConsoleApp, target: Target) -> None:
    """Asks what to search."""
    app.stage.ask_line("search", "/")


def match_next(app: ConsoleApp, target: Target) -> None:
    """To the next match."""
    app.stage.log_pane.next_match(1)


def match_previous(app: ConsoleApp, target: Target) -> None:
    """To the match before."""
    app.stage.log_pane.next_match(-1)


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

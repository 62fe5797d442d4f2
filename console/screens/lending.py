"""Lending the terminal to another program: a log in the operator's pager, a source file in their editor."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from console.actions.finding import logged_task
from console.model.snapshot import Interest
from console.pager import NoPager, at_line, command, edit, editor, lines_of, show
from console.screens.log import LogPane
from console.screens.source import SourcePane

if TYPE_CHECKING:
    from console.app import ConsoleApp
    from console.backends.port import Backend
    from console.model.targets import Target


def log(app: ConsoleApp, target: Target) -> None:
    """The log that is meant in the pager: the one in front, else that of the task under the cursor."""
    pane = app.stage.front
    found = logged_task(app.scene(), target)
    if isinstance(pane, LogPane):
        if pane.about is None:
            app.say("there is no log to open", "warn")
        else:
            _page_log(app, str(pane.about[-1]))
    elif found is not None and target.run_id is not None and app.backend is not None:
        app.spawn(_find_log(app, app.backend, target.run_id, found, target.attempt))


async def _find_log(app: ConsoleApp, backend: Backend, run_id: str, found: tuple[str, int], number: int | None) -> None:
    """The attempts of a run that is not in front have to be read first."""
    run = app.scene().snapshot.run
    if run is None or run.mark.run_id != run_id:
        run = (await backend.refresh(Interest(run_id=run_id))).run
    card = None if run is None else run.task(*found)
    attempts = () if card is None else card.attempts
    if not attempts:
        app.say(f"{found[0]} has not run yet: there is no log", "warn")
        return
    _page_log(app, next((each for each in attempts if each.number == number), attempts[-1]).id)


def _page_log(app: ConsoleApp, attempt_id: str) -> None:
    try:
        words = command(os.environ)
        bytes_of = app.open_attempt_log(attempt_id)
    except (NoPager, LookupError) as error:
        app.say(str(error), "warn")
        return
    try:
        _lend(app, lambda: show(words, lines_of(bytes_of), os.environ))
    finally:
        bytes_of.close()


def source(app: ConsoleApp, target: Target) -> None:
    """A copy of the file at the line under the cursor in the editor, or in the pager where there is none."""
    pane = app.stage.front
    found = pane.to_open(app.scene()) if isinstance(pane, SourcePane) else None
    if found is None:
        app.say("there is no file to open", "warn")
        return
    name, lines, number = found
    try:
        words = editor(os.environ) if number else None
        if words is not None:
            _lend(app, lambda: edit(words, name, lines, number, os.environ))
        else:
            pager = at_line(command(os.environ), "", number)
            _lend(app, lambda: show(pager, _encoded(lines), os.environ))
    except NoPager as error:
        app.say(str(error), "warn")


def _encoded(lines: Iterable[str]) -> Iterable[bytes]:
    return (line.encode() + b"\n" for line in lines)


def _lend(app: ConsoleApp, work: Callable[[], object]) -> None:
    """Stands back while another program has the terminal, and draws everything again after it."""
    try:
        with app.suspend():
            work()
    except (NoPager, SuspendNotSupported) as error:
        app.say(str(error) or "this terminal cannot be lent to another program", "warn")
    app.repaint()

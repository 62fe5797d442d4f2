"""Sorting the table in front: a menu of its columns, and stepping through them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from console.screens.chooser import Chooser
from console.view.sorting import Order, chosen, named, stepped
from console.view.spans import ACCENT, DIM, TEXT, Line, Spans

if TYPE_CHECKING:
    from console.app import ConsoleApp
    from console.model.targets import Target

_WORDS = 36


def choose(app: ConsoleApp, target: Target) -> None:
    """Asks which column the rows are to be sorted by; the one that they are sorted by already turns them round."""
    pane = app.stage.front
    columns = pane.columns()

    def rows(needle: str, width: int) -> list[tuple[str | None, Spans]]:
        now = pane.sorting or Order(columns[0])
        listed: list[tuple[str | None, Spans]] = []
        for column in columns:
            here = column == now.column
            first = column.last if here and not now.turned else column.first
            line = Line().add("• " if here else "  ", ACCENT).cell(column.words, min(_WORDS, width - 2), TEXT).gap(1)
            listed.append((column.name, line.cell(first, max(width - line.width, 0), DIM).done()))
        return listed

    def take(name: str | None) -> None:
        if name is not None:
            _sort(app, chosen(columns, pane.sorting, name))

    app.push_screen(Chooser("Sort by", rows, typing=False), take)


def following(app: ConsoleApp, target: Target) -> None:
    """By the next column."""
    _step(app, 1)


def previous(app: ConsoleApp, target: Target) -> None:
    """By the column before."""
    _step(app, -1)


def by_name(app: ConsoleApp, text: str) -> None:
    """By the column of a name, `-` before it turned round; or says what there is."""
    try:
        _sort(app, named(app.stage.front.columns(), text))
    except ValueError as error:
        app.say(str(error), "warn")


def _step(app: ConsoleApp, by: int) -> None:
    pane = app.stage.front
    _sort(app, stepped(pane.columns(), pane.sorting, by))


def _sort(app: ConsoleApp, order: Order[Any] | None) -> None:
    pane = app.stage.front
    pane.touched()  # the cursor stays on its row
    pane.sort_by(order)
    app.redraw()

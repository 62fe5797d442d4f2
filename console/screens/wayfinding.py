"""Finding one's way: back and forward, bookmarks, addresses, and the menu of what can be copied."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from console.actions.finding import dag_of, newest_running, state_of
from console.actions.views import VIEWS
from console.keep import BOOKMARKS
from console.model.place import Place, read_address
from console.model.targets import Target
from console.screens.chooser import Chooser, fuzzy
from console.view.spans import ACCENT, DIM, TEXT, Line, Spans
from engine.model.typed import dagdeck

if TYPE_CHECKING:
    from console.app import ConsoleApp
    from console.backends.port import Reads


def back(app: ConsoleApp, target: Target) -> None:
    """To where the operator was before."""
    if not app.step(-1):
        app.say("nothing was shown before this", "warn")


def forward(app: ConsoleApp, target: Target) -> None:
    """To where the operator went back from."""
    if not app.step(1):
        app.say("nothing was shown after this", "warn")


def last(app: ConsoleApp, target: Target) -> None:
    """To the view before this one; the same again comes back."""
    if not app.swap():
        app.say("no other view has been shown yet", "warn")


def failures(app: ConsoleApp, target: Target) -> None:
    """Only rows that failed or wait for a retry, or all again."""
    pane = app.stage.front
    pane.filter("" if pane.needle == pane.failing else pane.failing, app.scene())
    app.redraw()


def newest(app: ConsoleApp, target: Target) -> None:
    """The log of the task that began last."""
    found = newest_running(app.scene())
    if found is not None:
        app.go(Place.of("log", found))


def copy_address(app: ConsoleApp, target: Target) -> None:
    """Copies where this is."""
    address = app.here().address
    app.copy(address, f"{address}, for `dagdeck open`")


def visit(app: ConsoleApp, address: str) -> None:
    """Goes to an address or what its short form means, or says why not."""
    try:
        place = read_address(address.strip().strip("'\""), VIEWS)
    except ValueError as error:
        app.say(str(error), "warn")
        return
    if place.dag_id is not None and place.dag_id not in app.scene().snapshot.by_id:
        app.say(f"there is no DAG {place.dag_id!r} in this home", "warn")
    elif place.run_id is None or app.backend is None:
        app.go(place)
    else:
        app.spawn(_go_to_run(app, app.backend, place))


async def _go_to_run(app: ConsoleApp, backend: Reads, place: Place) -> None:
    """A run may be named in short: the store knows which one is meant."""
    try:
        found = await backend.locate(place)
    except LookupError as error:
        app.say(str(error), "warn")
        return
    app.go(found)


def bookmark(app: ConsoleApp, target: Target) -> None:
    """Keeps this place, or forgets it if it is kept."""
    address = app.here().address
    kept = address in app.keep.lines(BOOKMARKS)
    (app.keep.drop if kept else app.keep.add)(BOOKMARKS, address)
    app.spawn(_save(app))
    app.say(f"{'no longer ' if kept else ''}bookmarked: {address}")


async def _save(app: ConsoleApp) -> None:
    try:
        await asyncio.to_thread(app.keep.save)
    except OSError as error:
        app.say(f"not kept for the next console: {error}", "warn")


def remember(app: ConsoleApp, name: str, line: str) -> None:
    """Keeps a line that was typed, to be recalled."""
    if line.strip():
        app.keep.add(name, line.strip())
        app.spawn(_save(app))


def bookmarks(app: ConsoleApp, target: Target) -> None:
    """Shows the places that are kept, the newest first; Enter goes there."""
    kept = app.keep.lines(BOOKMARKS)[::-1]
    if not kept:
        app.say("no bookmarks yet: B makes one of this place", "warn")
        return

    pane = app.stage.front
    words = {each: pane.words_of(each) for each in kept}
    kept.sort(key=lambda each: not words[each])

    def rows(needle: str, width: int) -> list[tuple[str | None, Spans]]:
        """Those of the log in front stand above, with what the line says."""
        return [
            (each, ((words[each] or each, TEXT),))
            for each in kept
            if fuzzy(needle, f"{each} {words[each]}") is not None
        ]

    app.push_screen(Chooser("Bookmarks", rows, typing=True), lambda chosen: visit(app, chosen) if chosen else None)


def copy_menu(app: ConsoleApp, target: Target) -> None:
    """What can be copied here."""
    offered = _offers(app, target)

    def rows(needle: str, width: int) -> list[tuple[str | None, Spans]]:
        return [
            (name, Line().cell(name, 9, ACCENT).gap(2).cell(text.partition("\n")[0], max(width - 11, 1), DIM).done())
            for name, text in offered.items()
        ]

    def take(name: str | None) -> None:
        if name is not None:
            app.copy(offered[name], f"{name} {offered[name]}" if "\n" not in offered[name] else f"the {name}")

    def whole(name: str) -> str:
        return " ".join(offered[name].split())

    app.push_screen(Chooser("Copy", rows, typing=False, about=whole), take)


def _offers(app: ConsoleApp, target: Target) -> dict[str, str]:
    """Each thing that can be copied, by its name."""
    scene, address = app.scene(), app.here().address
    home = scene.snapshot.home.path
    offered = {
        "address": address,
        "command": dagdeck(home, "open", address),
        "DAG": target.dag_id or "",
        "run": target.run_id or "",
        "task": target.task_id or "",
        "state": state_of(scene, target) or "",
        "error": _error(app, target),
        "file": card.file if (card := dag_of(scene, target)) is not None else "",
        "screen": app.picture(),
    }
    return {name: text for name, text in offered.items() if text}


def _error(app: ConsoleApp, target: Target) -> str:
    for failure in app.scene().snapshot.failures:
        if failure.run_id == target.run_id and target.task_id in (None, failure.task_id):
            return failure.error
    return ""

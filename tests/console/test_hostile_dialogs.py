"""Dialogs, forms, previews, the palette, completions and messages: whatever stands in them, it stands there as text."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from textual import events

from console import wire
from console.actions.action import Action, Danger
from console.actions.many import why_not
from console.actions.registry import ACTIONS, BY_ID
from console.actions.views import VIEWS
from console.app import ConsoleApp
from console.keep import BOOKMARKS, COMMANDS, FILTERS, Keep
from console.model.place import Place
from console.model.targets import Target
from engine.model.moments import HOUR
from tests.support.console import NOW, Screen
from tests.support.hostile import EVIL, STATES, HostileWorld, refusal

SIZE = (80, 24)
UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe0f\ufeff\ud800-\udfff]")
CHANGING = [
    action
    for action in ACTIONS
    if action.danger is not Danger.NONE
    and action.id != "acknowledge"
    and not any(action.id in view.handlers for view in VIEWS.values())
]
"""All that ask by the common dialog before they do something."""
RUN = "trades_us@7"


def targets() -> Iterator[Target]:
    """What an action may be about, in the order in which it is tried."""
    for state in STATES:
        yield Target("run", "trades_us", RUN, state)
    yield Target("run", "trades_us", RUN)
    yield Target("dag", "trades_us", "trades_us@6")
    yield Target("overview", "asleep")
    yield Target("overview", attention="report:1")
    yield Target("backfills", "trades_us", backfill=1)
    yield Target("calendar", "trades_us", span=(NOW - HOUR, NOW))
    for key in ("pool:db", "breaker:db-1"):
        yield Target("limits", attention=key)
    yield Target("audit", attention="command:3")
    yield Target("trash", "trades_us", attention="trash:trades_us@3")


def harmless(app: ConsoleApp, what: str) -> str:
    """Looks at every cell of the screen: nothing unseen, nothing that follows a link, no line longer than it may be."""
    lines = []
    for strip in app.screen._compositor.render_strips():
        assert strip.cell_length == SIZE[0], what
        for text, style, control in strip:
            assert control is None, what
            found = UNSEEN.search(text)
            assert found is None, f"{what}: {found[0]!r} in {text[:80]!r}" if found else ""
            assert style is None or (style.link is None and "@click" not in style.meta), what
        lines.append(strip.text)
    return "\n".join(lines)


def spoken(text: str) -> bool:
    """Whether the attack can be read: an empty screen is harmless, too."""
    return any(part in text for part in ("[bold]no", "[bold red]", "\\u202e"))


@asynccontextmanager
async def hostile_console() -> AsyncIterator[Screen]:
    backend = HostileWorld()
    keep = Keep()
    for name in (BOOKMARKS, COMMANDS, FILTERS):
        keep.add(name, EVIL[:900])
    app = ConsoleApp(backend.home, lambda: backend, now=backend.now, keep=keep)
    try:
        async with app.run_test(size=SIZE) as pilot:
            screen = Screen(app, pilot, backend)
            await screen.until(lambda: not app.scene().loading, "the picture has come")
            yield screen
    finally:
        wire.uninstall()


async def test_all_dialogs_that_change_something_show_hostile_text_as_text() -> None:
    """What would change, warnings, differences of code and refusals: markup stands there as it was written."""
    async with hostile_console() as screen:
        app, backend = screen.app, screen.backend
        opened = set()
        for target in targets():
            app.go(Place(target.view, target.dag_id, target.run_id, target.task_id))
            front = app.stage
            await screen.until(lambda front=front, view=target.view: front.front.view == view, "the view is there")
            await screen.until(lambda app=app: app.stage.front.interest() == app.feed.interest, "it has been read")
            await screen.pilot.pause()
            harmless(app, target.view)
            for action in CHANGING:
                if action.id not in opened and why_not(action, app.scene(), target) is None:
                    opened.add(action.id)
                    await _open(screen, action, target)
        assert len(opened) > len(CHANGING) * 3 // 4, sorted({action.id for action in CHANGING} - opened)
        backend.refuse = refusal()
        await _open(screen, BY_ID["clear"], Target("run", "trades_us", RUN, "failed"))


async def _open(screen: Screen, action: Action, target: Target) -> None:
    app = screen.app
    app.perform(action, target)
    await screen.until(
        lambda: app.stage._prompt_open or (app.screen is not app.stage and spoken(screen.text)), f"{action.id} asks"
    )
    harmless(app, action.id)
    await screen.pilot.press("escape")
    await screen.until(lambda: app.screen is app.stage and not app.stage._prompt_open, f"{action.id} is closed")


async def test_all_that_is_only_looked_at_shows_hostile_text_as_text() -> None:
    """Why, details, help, palette, bookmarks, copies, completions, what is typed, forms and messages of every view."""
    async with hostile_console() as screen:
        app = screen.app

        async def look(what: str, *keys: str, paste: str = "", seen: bool = True) -> None:
            await screen.pilot.press(*keys)
            if paste:
                app.post_message(events.Paste(paste))
            await screen.pilot.pause()
            await screen.until(lambda: not seen or spoken(screen.text), what)
            harmless(app, what)

        for place in (
            Place("overview"), Place("run", "trades_us", RUN, "failed"), Place("task", "trades_us", RUN, "failed"),
            Place("inbox"), Place("limits"), Place("backfills"), Place("audit"), Place("trash"),
            Place("log", "trades_us", "trades_us@6", "failed"), Place("source", "trades_us"),
            Place("schedule", "trades_us"),
        ):  # fmt: skip
            app.go(place)
            await screen.until(lambda view=place.view: app.stage.front.view == view, f"{place.view} is there")
            await screen.until(lambda: app.feed and app.stage.front.interest() == app.feed.interest, "it has been read")
            await look(place.view, seen=place.view != "log")
        app.go(Place("run", "trades_us", RUN, "failed"))
        await screen.until(lambda: app.stage.front.view == "run", "the run is there")
        for what, key in (("why", "i"), ("help", "question_mark"), ("copy", "Y"), ("bookmarks", "'")):
            await look(what, key, seen=what != "help")
            await screen.pilot.press("escape")
        app.perform(BY_ID["details"])
        await look("details")
        await screen.pilot.press("escape")
        await look("palette", "ctrl+p", paste=EVIL)
        await screen.pilot.press("escape")
        await look("completions", "colon", *"open ")
        await look("a completion", "tab")
        await look("a command from before", "up")
        await screen.pilot.press("escape")
        await look("a filter", "slash", paste=EVIL)
        await look("a filter at work", "enter")
        await screen.pilot.press("escape")
        await look("a form", "t")
        await look("a form that was filled in", paste=EVIL)
        screen.backend.refuse = refusal()
        await look("a form that was refused", "enter")
        screen.backend.refuse = None
        await screen.pilot.press("escape")
        await look("a note", "c", "n", paste=EVIL)
        await screen.pilot.press("escape")
        app.say(EVIL)
        await look("a message")

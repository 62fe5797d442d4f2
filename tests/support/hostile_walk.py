"""A walk through everything that a console can show, by its registry: each view, its keys, dialogs, forms, messages."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from rich.style import Style
from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot

from console.actions.action import Action, Danger
from console.actions.many import why_not
from console.actions.registry import ACTIONS, BY_ID, actions_of
from console.actions.views import VIEWS
from console.app import ConsoleApp
from console.model.link import Link, LinkState
from console.model.place import Place
from console.model.targets import Target
from console.screens.looks import use_theme
from engine.home import Home
from engine.model.moments import HOUR
from engine.store.connection import connect_reader
from tests.support.attacks import UNSEEN
from tests.support.console import NOW
from tests.support.hostile import DAG, OVER, RUN, STATES, HostileWorld

_PATIENCE = 20.0
LEFT_OUT = frozenset(
    {"quit", "leave", "interrupt", "theme", "lofi", "mouse", "report", "freeze", "pager", "source.open"}
)
"""What ends the console, or changes how everything is drawn from then on; and what takes the terminal away."""
_TOLD = ("why", "details", "copy.menu", "bookmarks")
AT_ONCE = frozenset({"acknowledge"})
"""Changes that ask nothing."""
CHANGING = [action for action in ACTIONS if action.danger is not Danger.NONE and action.id not in AT_ONCE]

Cells = list[str]
"""Of each row the styles of its cells, in few words."""


def place_of(view: str) -> Place:
    """A view at the hostile run, or at its DAG."""
    task_id = "failed" if view in ("run", "task", "log", "grid") else None
    return Place(view, DAG, OVER if view in ("log", "source") else RUN, task_id)


def targets() -> Iterator[Target]:
    """What an action may be about, beside what the cursors of the views stand on."""
    for state in STATES:
        yield Target("run", DAG, RUN, state)
    yield Target("run", DAG, RUN)
    yield Target("dag", DAG, OVER)
    yield Target("overview", "asleep")
    yield Target("overview", attention="report:1")
    yield Target("backfills", DAG, backfill=1)
    yield Target("calendar", DAG, span=(NOW - HOUR, NOW))
    for key in ("pool:db", "breaker:db-1"):
        yield Target("limits", attention=key)
    yield Target("audit", attention="command:3")
    yield Target("trash", DAG, attention="trash:trades_us@3")


class Walk:
    """Goes through a console. `stops` is how every cell looked, whatever stood there, by what was looked at."""

    def __init__(
        self, app: ConsoleApp, pilot: Pilot[Any], text: str, places: Mapping[str, Place] | None = None
    ) -> None:
        self.app, self.pilot, self.text = app, pilot, text
        self.places = places or {view: place_of(view) for view in VIEWS}
        self._targets = targets() if places is None else ()
        self.stops: dict[str, Cells] = {}
        self.spoken: set[str] = set()
        """Where the attack could be read: an empty screen is harmless, too."""
        self.opened: set[str] = set()
        """Changes whose dialog was opened."""

    async def go(self, *, keys: bool = True) -> None:
        """Everything; without what the views' own keys lead to, unless `keys`."""
        await self.until(lambda: not self.app.scene().loading, "the picture has come")
        for view in VIEWS:
            await self.view(view)
        await self.changes()
        await self.looks()
        await self.typing()
        for view in VIEWS if keys else ():
            await self.keys(view)

    async def tour(self) -> None:
        """Every view, and what is told of what its cursor stands on."""
        await self.until(lambda: not self.app.scene().loading, "the picture has come")
        for view in VIEWS:
            await self.bring(view)
            for key in ("end", "home"):
                await self.press(key)
            await self.look(view)
            for name in _TOLD:
                await self.perform(BY_ID[name], f"{view}: {name}")
                if self.app.place.view != view:
                    await self.bring(view)

    async def view(self, view: str) -> None:
        """A view, and the changes that can be asked for there."""
        await self.bring(view)
        for key in ("pagedown", "pageup"):
            await self.press(key)
        await self.look(view)
        meant = self.app.meant()
        for action in actions_of(view):
            await self.ask(action, meant)

    async def keys(self, view: str) -> None:
        """What the view's own keys lead to."""
        await self.bring(view)
        for action in VIEWS[view].actions:
            if VIEWS[view].takes(action) and not action.opens and action.danger is Danger.NONE:
                await self.perform(action, f"{view}: {action.id}")
                if self.app.place.view != view:
                    await self.bring(view)

    async def changes(self) -> None:
        """Every change that is possible with one of the targets."""
        for target in self._targets:
            if any(self.possible(action, target) for action in CHANGING):
                await self.bring(target.view, Place(target.view, target.dag_id, target.run_id, target.task_id))
                for action in CHANGING:
                    await self.ask(action, target)

    def possible(self, action: Action, target: Target) -> bool:
        """Whether a change can be asked for and has not been."""
        return action in CHANGING and action.id not in self.opened and why_not(action, self.app.scene(), target) is None

    async def ask(self, action: Action, target: Target) -> None:
        """The dialog of a change, with what is typed into it, unless it was opened before."""
        if self.possible(action, target):
            self.opened.add(action.id)
            await self.perform(action, action.id, target)

    async def looks(self) -> None:
        """What is shared by all views: why, details, help, palette, copies, bookmarks, the line."""
        own = {action.id for view in VIEWS.values() for action in view.actions}
        for action in ACTIONS:
            if action.danger is Danger.NONE and action.id not in own and not action.opens and action.group != "move":
                if self.app.place.view != "run":
                    await self.bring("run")
                await self.perform(action, action.id)

    async def typing(self) -> None:
        """Completions, commands from before, a message, a refusal, and what a filter finds."""
        await self.bring("run")
        for what, keys in (("completions", (":", *"open ")), ("completed", ("tab",)), ("recalled", ("up",))):
            await self.press(*keys)
            await self.look(what)
        await self.close()
        self.app.say(self.text)
        await self.look("a message")

    # Steps

    async def bring(self, view: str, place: Place | None = None) -> None:
        """A view, read and drawn."""
        self.app.go(place or self.places[view])
        await self.until(lambda: self.app.stage.front.view == view, f"{view} is in front")
        await self.settle()

    async def perform(self, action: Action, what: str, target: Target | None = None) -> None:
        """Does it, looks at what comes; types the attack where something can be typed, and closes it."""
        if action.id in LEFT_OUT:
            return
        self.app.perform(action, target)
        await self.look(what)
        if self.asking:
            self.app.post_message(events.Paste(self.text))
            await self.look(f"{what}, filled in")
            if self.app.stage._prompt_open:
                await self.press("enter")
                await self.look(f"{what}, entered")
        await self.close()

    @property
    def asking(self) -> bool:
        """Whether a dialog or a prompt is open."""
        return self.app.screen is not self.app.stage or self.app.stage._prompt_open

    async def close(self) -> None:
        """Away with dialogs, prompt and filter."""
        for _ in range(6):
            if not self.asking:
                break
            await self.press("escape")
            await self.idle()
        assert not self.asking
        if self.app.stage.front.needle:
            self.app.stage.front.filter("", self.app.scene())
        self.app.redraw()

    async def look(self, what: str) -> None:
        """Looks at every cell: nothing unseen, nothing that follows a link, no line longer than the screen."""
        await self.settle()
        before, cells = [], self.cells(what)
        while cells != before:
            await self.idle()
            before, cells = cells, self.cells(what)
        self.stops[what] = cells

    def cells(self, what: str) -> Cells:
        """The screen as it is."""
        cells: Cells = []
        shown = []
        for strip in self.app.screen._compositor.render_strips():
            assert strip.cell_length == self.app.size.width, what
            row: list[tuple[str, int]] = []
            for segment in strip:
                assert segment.control is None, what
                found = UNSEEN.search(segment.text)
                assert found is None, f"{what}: {found[0]!r} in {segment.text[:80]!r}" if found else ""
                style = segment.style
                assert style is None or (style.link is None and "@click" not in style.meta), what
                name, size = _named(style), segment.cell_length
                if row and row[-1][0] == name:
                    size += row.pop()[1]
                row.append((name, size))
            cells.append(hashlib.md5(repr(row).encode()).hexdigest())
            shown.append(strip.text)
        if any(part in "\n".join(shown[1:]) for part in ("bold]no", "bold)no", "\\u202e")):
            self.spoken.add(what)
        return cells

    async def settle(self) -> None:
        """Waits until what is looked at has been read, and nothing is under way."""

        def settled() -> object:
            app = self.app
            busy = any(
                worker.group in ("work", "search", "layout") and not worker.is_finished for worker in app.workers
            )
            seen, wanted = app.scene().snapshot, app.stage.front.interest()
            read = seen.page == wanted.page and (
                wanted.run_id is None
                or seen.lacks(wanted.run_id)
                or (seen.run is not None and seen.run.mark.run_id == wanted.run_id)
            )
            return not busy and app.feed is not None and wanted == app.feed.interest and (read or seen.trouble)

        await self.idle()
        await self.until(settled, "everything has come")
        await self.idle()

    async def idle(self) -> None:
        """Waits until what is in front has done what it was told, and draws it: quicker than to ask every widget."""
        app, done = self.app, asyncio.Event()
        asked = [app, app.stage, *app.stage.front.walk_children(with_self=True)]
        if app.screen is not app.stage:
            asked = [app, *app.screen.walk_children(with_self=True)]
        if app.stage._prompt_open:
            asked.append(app.stage.prompt)
        left = 0

        def told() -> None:
            nonlocal left
            left -= 1
            if not left:
                done.set()

        for each in asked:
            left += each.call_later(told)
        await asyncio.wait_for(done.wait(), _PATIENCE)
        app.screen._on_timer_update()

    async def press(self, *keys: str) -> None:
        """Keys as a terminal sends them."""
        driver = self.app._driver
        assert driver is not None
        for key in keys:
            found = events.Key(_character_to_key(key) if len(key) == 1 else key, key if len(key) == 1 else None)
            found.set_sender(self.app)
            driver.send_message(found)
            await self.idle()

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Waits for a condition."""
        for _ in range(int(_PATIENCE / 0.01)):
            if condition():
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"not within {_PATIENCE:g} s: {what}")


@lru_cache
def _named(style: Style | None) -> str:
    return repr(style)


def never_opened(walk: Walk) -> set[str]:
    """Changes of which no dialog was seen."""
    return {action.id for action in CHANGING} - walk.opened


async def in_trouble(walk: Walk) -> None:
    """What is told of a store that cannot be read, of an engine that is gone or refuses, and of what is no theme."""
    app, backend, text = walk.app, walk.app.backend, walk.text
    assert isinstance(backend, HostileWorld)
    await walk.bring("overview")
    for state in (LinkState.DOWN, LinkState.REFUSED, LinkState.CONNECTING):
        backend.set_link(Link(state, NOW, NOW, message=text))
        await walk.until(lambda state=state: app.scene().link.state is state, f"the link is {state.value}")
        for view in ("overview", "run", "limits"):
            await walk.bring(view)
            await walk.look(f"{view}, {state.value}")
    backend.trouble = text
    backend.commit()
    await walk.until(lambda: app.scene().snapshot.trouble == text, "the trouble is known")
    await walk.look("trouble")
    backend.dags.clear()
    backend.commit()
    await walk.bring("overview")
    await walk.look("trouble, and nothing to show")
    use_theme(app, text)
    await walk.look("no such theme")


def places_of_home(root: Path) -> dict[str, Place]:
    """Every view of a home, at its newest run."""
    reading = connect_reader(Home(root).database)
    run_id, dag_id = reading.execute("SELECT run_id, dag_id FROM run ORDER BY id DESC").fetchone()
    failed = "SELECT task_id FROM attempt AS a, task_instance AS t WHERE t.id = task_instance AND a.outcome = 'failed'"
    task_id = reading.execute(failed).fetchone()[0]
    reading.close()
    return {view: Place(view, dag_id, run_id, task_id) for view in VIEWS}

"""The console: one app, one stage with a pane for each view, a feed that draws them, and the registry that moves it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import events
from textual.screen import Screen

from console.clipboard import osc52
from console.feed import Feed, wall_clock
from console.keep import BOOKMARKS, Keep
from console.model.home import HomeCard
from console.model.intents import Intent, Intents
from console.model.link import Link
from console.model.place import Place
from console.model.snapshot import Interest, Scene, Snapshot
from console.model.trail import Trail
from console.terminal import TerminalApp
from console.theming import Look, Palette
from engine.model.moments import SECOND, Micros

# What the first paint does not need is imported where it is first used: that is a third of the time to it.
if TYPE_CHECKING:
    from console.actions.action import Action
    from console.backends.port import Backend, Commands, LogBytes
    from console.clockwatch import ClockWatch
    from console.keymap import Keymap
    from console.model.targets import Target
    from console.screens.stage import Stage
    from console.view.keyline import Message
    from console.widgets.dialog import Dialog, DialogResult


class ConsoleApp(TerminalApp[None]):
    """The full-screen console of one home. `connect` makes the backend, in a thread, while the screen is made."""

    def __init__(
        self,
        home: HomeCard,
        connect: Callable[[], Backend],
        *,
        palette: Palette | None = None,
        look: Look | None = None,
        keymap: Keymap | None = None,
        now: Callable[[], Micros] = wall_clock,
        start: Place | None = None,
        keep: Keep | None = None,
        reports: Path | None = None,
        watch: ClockWatch | None = None,
    ) -> None:
        super().__init__(palette=palette, look=look)
        self._given_keymap = keymap
        self._opening: Future[Backend] = ThreadPoolExecutor(1, "backend").submit(connect)
        self._now = now
        self._backend: Backend | None = None
        self._feed: Feed | None = None
        self._intents = Intents()
        self._awaited: tuple[str, Place] | None = None
        """The command whose run is to be opened once it is made, and where that was asked."""
        self._message: Message | None = None
        self._scene = Scene(Snapshot(0, home), Link(), now(), loading=True)
        self._watch = watch
        self._offered = False
        self._trail = Trail(Place("overview"))
        self._start = start
        self.keep = keep or Keep()
        """Bookmarks, and what was typed."""
        self.reports = reports or Path.cwd()
        """Where reports and pictures are written."""
        self.frozen_at: Micros | None = None
        """Since when the picture is kept as it is; None while it lives."""
        self.typed: dict[str, Mapping[str, str]] = {}
        """What was typed into the form of each DAG last."""

    @cached_property
    def stage(self) -> Stage:
        """The screen."""
        from console.screens.stage import Stage

        return Stage(self)

    @cached_property
    def keymap_of(self) -> Keymap:
        """Which key does what."""
        from console.keymap import Keymap

        return self._given_keymap or Keymap()

    # Life

    def get_default_screen(self) -> Screen[None]:
        """The stage is the only screen but for dialogs."""
        return self.stage

    def on_mount(self) -> None:
        """Paint at once; what is read meanwhile comes right after it."""
        if self.wire_notice is not None:
            self.say(self.wire_notice, "warn")
        if self._given_keymap is not None:
            self.set_keymap({name: ",".join(keys) for name, keys in self._given_keymap.moves.items()})
            for notice in self._given_keymap.notices:
                self.say(notice, "warn")
        self.run_worker(self._live(), group="feed", name="feed", exit_on_error=True)

    async def _live(self) -> None:
        backend = await asyncio.wrap_future(self._opening)
        await backend.open()
        self._backend = backend
        feed = self._feed = Feed(backend, self._picture, drained=self.frame_sent, now=self._now)
        if self._start is not None:
            await self.stage.stands.wait()
            self.go(self._start)
        feed.look_at(self.stage.front.interest())
        from console.later import load_the_rest, sweep_in_pauses

        self.spawn(load_the_rest())
        self.run_worker(sweep_in_pauses(lambda: self.quiet_for), group="sweep", exit_on_error=True)
        try:
            await feed.run()
        finally:
            await backend.close()

    def on_app_focus(self, event: events.AppFocus) -> None:
        """Somebody looks again."""
        if self._feed is not None:
            self._feed.focused = True
            self._feed.hurry()

    def on_app_blur(self, event: events.AppBlur) -> None:
        """Nobody looks: one frame a second is enough."""
        if self._feed is not None:
            self._feed.focused = False

    # Pictures

    def _picture(self, snapshot: Snapshot, link: Link) -> None:
        backend = self._backend
        self._intents = self._intents.settle(snapshot.seq)
        verbs = frozenset() if backend is None else backend.verbs
        scene = Scene(snapshot, link, self._now(), self._intents, verbs)
        if self.frozen_at is None:
            self._show(scene)
        jump = None if self._watch is None else self._watch.look(scene.now)
        if jump is not None:
            self.say(jump, "warn")
        elif not self._offered and not self.lofi and self.link_slow():
            self._offered = True
            self.say("this link is slow: `:lofi` sends less")

    def _show(self, scene: Scene) -> None:
        self._scene = scene
        if self._message is not None and not self._message.shown(scene.now):
            self._message = None
        self.stage.draw(scene, self._message)

    def redraw(self) -> None:
        """Draws what is known, for this moment."""
        now = self._now() if self.frozen_at is None else self._scene.now
        self._show(replace(self._scene, now=now, intents=self._intents))

    def redraw_keys(self) -> None:
        """Says what can be done with the row under the cursor."""
        self.stage.draw_keys(self._scene, self._message, self.stage.size.width)

    def redraw_rule(self) -> None:
        """Draws the rule alone: what it says has changed."""
        self.stage.redraw_rule()

    def look_again(self) -> None:
        """What the view in front wants to have read has changed."""
        if self._feed is not None:
            self._feed.look_at(self.stage.front.interest())
        self.redraw()

    def scene(self) -> Scene:
        """What is on the screen."""
        return self._scene

    @property
    def ascii_only(self) -> bool:
        """Whether the terminal has no Unicode."""
        return self.look.ascii_only

    # What the flow of a change needs

    def commands(self) -> Commands:
        """Where changes are asked for."""
        assert self._backend is not None  # every change needs the link, which needs a backend
        return self._backend

    def say(self, text: str, token: str = "text") -> None:
        """Puts a message in the key line's place; longer ones stay longer."""
        from console.view.keyline import MESSAGE_FOR, Message

        self._message = Message(text, token, self._now(), max(MESSAGE_FOR, len(text) * SECOND // 15))
        self.redraw()

    def open_dialog(self, dialog: Dialog, then: Callable[[DialogResult | None], None]) -> None:
        """Shows a dialog."""
        self.push_screen(dialog, then)

    def spawn(self, work: Coroutine[Any, Any, object]) -> None:
        """Does something beside."""
        self.run_worker(work, group="work", exit_on_error=True)

    def add_intent(self, intent: Intent) -> None:
        """Shows that something was asked for."""
        self._intents = self._intents.add(intent)
        self.redraw()

    def settle_intent(self, command_id: str, seq: int | None, run_id: str | None = None) -> None:
        """The commit that carries it out, or that it came to nothing."""
        if seq is None:
            self._intents = self._intents.drop(command_id)
        else:
            self._intents = self._intents.commit(command_id, seq, run_id).settle(self._scene.snapshot.seq)
        self.redraw()
        if self._feed is not None:
            self._feed.hurry()
        awaited, self._awaited = self._awaited, None
        if awaited == (command_id, self.place) and run_id is not None and len(self.screen_stack) == 1:
            self.go(Place("run", run_id.partition("@")[0], run_id))

    def open_once_made(self, intent: Intent) -> None:
        """Opens the run that was asked for: now, or when the engine has made it, unless something else is opened."""
        if intent.run_id is not None:
            self.go(Place("run", intent.run_id.partition("@")[0], intent.run_id))
            return
        self._awaited = intent.command_id, self.place
        self.say("the new run opens as soon as it is committed")

    # Places

    @property
    def place(self) -> Place:
        """Where the operator is."""
        return self._trail.place

    def here(self) -> Place:
        """The same, with what the cursor stands on."""
        return self.stage.front.here(self._scene, self.place)

    def go(self, place: Place) -> None:
        """To another view."""
        self._trail.go(place, self.here())
        self._arrive()

    def back(self) -> bool:
        """A level up; False at the root."""
        return self._arrive_if(self._trail.up(self.here()))

    def step(self, by: int) -> bool:
        """Through the history; False at its end."""
        return self._arrive_if(self._trail.step(by, self.here()))

    def swap(self) -> bool:
        """To the view that was in front before; False where there is none."""
        return self._arrive_if(self._trail.swap(self.here()))

    def _arrive_if(self, moved: bool) -> bool:
        if moved:
            self._arrive()
        return moved

    def _arrive(self) -> None:
        self._message = None  # it was about the view that is left, and would hide the keys of this one
        self.stage.bring(self.place)
        self.look_again()

    # Keys and actions

    def press(self, key: str) -> bool:
        """Obeys a key. False when it is not the registry's to obey: then it is a widget's."""
        action = self.keymap_of.action(self.place.view, key)
        if action is None or action.group == "move":
            self.stage.moved_by(action)
            return False
        self.perform(action)
        return True

    def meant(self) -> Target:
        """What the cursor stands on, with the rows that are marked."""
        front = self.stage.front
        return replace(front.target(self._scene), marked=front.marked(self._scene))

    def perform(self, action: Action, target: Target | None = None, switches: frozenset[str] = frozenset()) -> None:
        """Does an action, or says why not. What it is about is fixed here and now."""
        from console.actions.many import why_not

        meant = target or self.meant()
        why = why_not(action, self._scene, meant)
        if why is not None:
            self.say(why, "warn")
            return
        from console.screens.doing import do

        do(self, action, meant, switches)

    def open_log(self, target: Target) -> None:
        """The log of the task that is meant."""
        from console.actions.finding import logged_task

        found = logged_task(self._scene, target)
        if found is not None:
            self.go(Place("log", target.dag_id, target.run_id, *found, target.attempt))

    def bookmarks(self) -> Sequence[str]:
        """The addresses that are kept, the oldest first."""
        return self.keep.lines(BOOKMARKS)

    def open_attempt_log(self, attempt_id: str) -> LogBytes:
        """The bytes of an attempt's log. Raises LookupError."""
        if self._backend is None:
            raise LookupError("the store has not been read yet")
        return self._backend.log(attempt_id)

    async def read(self, interest: Interest) -> Snapshot:
        """A picture for something else than the view in front."""
        assert self._backend is not None  # there is no row to ask from before the first picture
        return await self._backend.refresh(interest)

    def copy(self, text: str, words: str) -> None:
        """Copies a text through the terminal, and says what: whether the terminal takes it, it does not tell."""
        try:
            sequence = osc52(text, os.environ)
        except ValueError as error:
            self.say(f"not copied: {error}; o opens the log in $PAGER", "warn")
            return
        self._clipboard = text
        if self._driver is not None:
            self._driver.write(sequence)
        self.say(f"copied {words} ({len(text.encode())} bytes, through the terminal)")

    def picture(self) -> str:
        """The screen as text."""
        return "\n".join(strip.text.rstrip() for strip in self.stage._compositor.render_strips()) + "\n"

    @property
    def lofi(self) -> bool:
        """Whether the link is spared."""
        return self._feed is not None and self._feed.lofi

    @property
    def feed(self) -> Feed | None:
        """The feed, once the backend is there."""
        return self._feed

    @property
    def backend(self) -> Backend | None:
        """The backend, once it is there."""
        return self._backend

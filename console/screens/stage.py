"""The stage: header, rule, one pane, key line and prompt. It draws what the app shows and hands keys to it."""

from __future__ import annotations

import asyncio
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, cast

from textual import events
from textual.app import ComposeResult

from console.figures import clock
from console.keep import COMMANDS, FILTERS
from console.model.snapshot import Scene
from console.screens.overview import OverviewPane
from console.screens.pane import Pane
from console.screens.ruling import in_rule, ruled
from console.view.header import header
from console.view.spans import Spans
from console.widgets.fitted import Fitted
from console.widgets.status import BarLine
from engine.model.moments import SECOND

if TYPE_CHECKING:
    from console.actions.action import Action
    from console.app import ConsoleApp
    from console.model.place import Place
    from console.screens.log import LogPane
    from console.screens.run import RunPane
    from console.view.keyline import Message
    from console.widgets.lines import LineView
    from console.widgets.prompt import Prompt

MANY = 500
"""Rows from which on to filter them takes longer than a letter may."""


class Stage(Fitted[None], inherit_bindings=False):
    """The one screen. Panes that are not in front are not drawn."""

    DEFAULT_CSS = """
    Stage { overflow: hidden; }
    Stage > Pane { display: none; }
    Stage > Pane.front { display: block; }
    Stage > #title, Stage > Prompt { display: none; }
    Stage > #title.shown, Stage > Prompt.shown { display: block; }
    Stage > #keys.hidden { display: none; }
    Stage.full > #title.shown, Stage.full > #foot { display: none; }
    Stage.full RunPane > #attempts, Stage.full RunPane > #attempts-rule { display: none; }
    """

    AUTO_FOCUS = None

    def __init__(self, desk: ConsoleApp) -> None:
        super().__init__()
        self._desk = desk
        self.header = BarLine(id="header")
        self.title_line = BarLine(id="title")
        self.rule = BarLine(fill="─", fill_token="rule", id="rule")
        self.foot = BarLine(fill="─", fill_token="rule", id="foot")
        self.keys = BarLine(id="keys")
        self.overview = OverviewPane()
        self.front: Pane = self.overview
        self._panes: dict[str, Pane] = {"overview": self.overview}
        self._filtered: dict[str, tuple[str | None, str | None]] = {}
        """What each view's filter was about: for something else it does not stay."""
        self._prompt_for = ""
        self._prompt_open = False
        self._typed: str | None = None
        """What was typed as a filter and is still to be done."""
        self.stands = asyncio.Event()
        """Other panes can come in front from then on."""
        self._keys_known = False
        self._keys_for: object = None
        self._drawn_in: object = None
        """The size that the pane in front had when it was drawn."""

    # What the first paint does not need is made when it is first opened.

    @cached_property
    def prompt(self) -> Prompt:
        """The line for what is typed."""
        from console.widgets.prompt import Prompt

        return Prompt(id="prompt", complete=self._complete)

    def pane(self, view: str) -> Pane:
        """The pane of a view, made when it is first opened."""
        found = self._panes.get(view)
        if found is None:
            from console.actions.views import VIEWS

            module, _, name = VIEWS[view].pane.partition(":")
            made: Pane = getattr(import_module(module), name).made_for(self._desk)
            found = self._panes[view] = made
        return found

    @property
    def run_pane(self) -> RunPane:
        """One run."""
        return cast("RunPane", self.pane("run"))

    @property
    def log_pane(self) -> LogPane:
        """One attempt's log."""
        return cast("LogPane", self.pane("log"))

    def compose(self) -> ComposeResult:
        """Top to bottom, with what is known already: the first paint says which home this is."""
        scene = self._desk.scene()
        self.header.show(*header(scene, self.app.size.width))
        self.rule.show((), in_rule(self.front.rule(scene, self.app.size.width)))
        yield self.header
        yield self.title_line
        yield self.rule
        yield self.front
        yield self.foot
        yield self.keys

    def on_mount(self) -> None:
        """One pane is in front: the overview, unless the console was opened elsewhere and that was quicker."""
        self.front.add_class("front")
        self.set_focus(self.front.focus_inside())
        self.stands.set()

    def on_screen_suspend(self) -> None:
        """A dialog, a form or a list lies over the view: its keys do nothing until that is closed."""
        self._keys_anew()

    def on_screen_resume(self) -> None:
        """They work again."""
        self._keys_anew()

    def _keys_anew(self) -> None:
        if self.front.is_mounted and self.size.width:
            self._desk.redraw_keys()

    def on_resize(self, event: events.Resize) -> None:
        """Everything has another width."""
        self.call_after_refresh(self._desk.redraw)

    def on_pane_resized(self, event: Pane.Resized) -> None:
        """A layout may come after what was drawn for it: rows and heads that were made for two widths do not align."""
        if event.pane is self.front and event.pane.size != self._drawn_in:
            self._desk.redraw()

    # Drawing

    def draw(self, scene: Scene, message: Message | None) -> None:
        """Shows a scene; widgets repaint only the cells that changed."""
        width = self.size.width
        if not self.is_mounted or not width:
            return
        self.header.show(*header(scene, width))
        pane = self.front
        if not pane.is_mounted:
            return
        if pane.sifter is not None:
            pane.sifter.now = scene.now
        self._drawn_in = pane.size
        pane.draw(scene)
        line = pane.title(scene, width)
        if line is not None:
            self.title_line.show(*line)
        self.redraw_rule()
        self.draw_keys(scene, message, width)

    def draw_keys(self, scene: Scene, message: Message | None, width: int) -> None:
        if message is None and not self._keys_known:
            # The registry is read after the first picture stands there.
            if not scene.loading:
                self._keys_known = True
                self.call_after_refresh(self._desk.redraw)
            return
        from console.view.keyline import message_line

        if message is not None:
            self._keys_for = None
            self.keys.show(message_line(message, width))
            return
        if self.app.screen is not self:
            # The keys go to what lies over the view, and it names its own.
            self._keys_for = None
            self.keys.show(())
            return
        # Ten times a second would be too dear for what nobody reads that often: a key that is pressed asks anew.
        here, listed = self.front.target(scene), self.front.listed
        marks = None if listed is None else listed.marks
        wanted = (scene.now // SECOND, width, self.front.view, here, scene.link.state, marks)
        if wanted != self._keys_for:
            self._keys_for = wanted
            self.keys.show(self._key_line(scene, width))

    def redraw_rule(self) -> None:
        """Draws the rule alone."""
        if not self.is_mounted or not self.front.is_mounted:
            return
        facts = self.front.rule(self._desk.scene(), self.size.width)
        self.rule.show((), ruled(self._frozen(), self.front, facts, self.size.width))

    def _frozen(self) -> Spans:
        at = self._desk.frozen_at
        slow: Spans = (("lofi   ", "dim"),) if self._desk.lofi else ()
        return slow if at is None else ((f"FROZEN at {clock(at)}, Z lets it live   ", "warn bold"), *slow)

    def _key_line(self, scene: Scene, width: int) -> Spans:
        from console.actions import many
        from console.actions.registry import actions_of
        from console.view.keyline import key_line

        keymap, view = self._desk.keymap_of, self.front.view
        target = self._desk.meant()
        offered = [action for action in actions_of(view) if action.rank]
        offered.sort(key=lambda action: -action.rank)
        pairs = []
        for action in offered:
            key = keymap.shown(action.id, view)
            if key and action.opens != view and many.is_offered(action, scene, target):
                pairs.append((key, many.title(action, scene, target)))
        return key_line(pairs, width)

    # Places

    def bring(self, place: Place) -> None:
        """Puts the pane of a place in front."""
        pane = self.pane(place.view)
        pane.arrive(place)
        self._bring_front(pane)
        subject = (place.dag_id if place.view != "overview" else None, place.run_id)
        if place.filter or self._filtered.get(place.view, subject) != subject:
            pane.filter(place.filter, self._desk.scene())
        self._filtered[place.view] = subject
        if place.sort is not None:
            self._sort(pane, place.sort)

    def _sort(self, pane: Pane, text: str) -> None:
        from console.view.sorting import named

        try:
            pane.sort_by(named(pane.columns(), text) if text else None)
        except ValueError as error:
            self._desk.say(str(error), "warn")

    def _bring_front(self, pane: Pane) -> None:
        if not pane.is_attached:
            self.mount(pane, before=self.foot)
        if self.front is not pane:
            self.front.remove_class("front")
            self.front.leave()
            self.front.let_go()
        self.front = pane
        pane.add_class("front")
        self.title_line.set_class(pane is not self.overview, "shown")
        self.set_focus(pane.focus_inside())
        self.call_after_refresh(self._desk.redraw)

    # Keys

    def on_key(self, event: events.Key) -> None:
        """The registry's keys; all others are the widgets'.

        While the prompt is open all keys are its own, and come to it this way: with the focus on it, newer keys would
        overtake those that are still on their way here. Those that follow the one that opened a dialog are nobody's.
        """
        if self._prompt_open:
            if event.key == "enter":
                # At once: a key behind it is about what the line leads to, and no part of it.
                event.stop()
                event.prevent_default()
                self._submit(self.prompt.text)
            else:
                self.prompt.on_key(event)
            return
        if self.app.screen is not self:
            event.stop()
            event.prevent_default()
            return
        typed = event.is_printable and event.character and event.character != " "
        key = event.character if typed and event.character else event.key
        if self._desk.press(key):
            event.stop()
            event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        """What is pasted is the open prompt's."""
        if self._prompt_open:
            self.prompt.on_paste(event)

    def on_click(self, event: events.Click) -> None:
        """A click puts the cursor where a person wants it."""
        self.front.touched()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel does, too."""
        self.front.touched()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Up as well as down."""
        self.front.touched()

    def moved_by(self, action: Action | None) -> None:
        """A movement key was pressed: the cursor is where a person wants it."""
        if action is not None:
            self.front.touched(action.id)

    def on_line_view_cursor_moved(self, event: LineView.CursorMoved) -> None:
        """The key line says what can be done with the row under the cursor."""
        self._keys_anew()

    # The prompt

    def ask_line(self, purpose: str, prefix: str, text: str = "") -> None:
        """Opens the prompt in the key line's place: `/` to filter or search, `:` for a command."""
        self._prompt_for = purpose
        if not self.prompt.is_attached:
            self.mount(self.prompt)
        self._prompt_open = True
        self.prompt.open(prefix, text, self._recalled())
        self.prompt.add_class("shown")
        self.keys.add_class("hidden")

    def _recalled(self) -> list[str]:
        """What up recalls: commands, or filters and searches."""
        return self._desk.keep.lines(COMMANDS if self._prompt_for == "command" else FILTERS)

    def _complete(self, text: str) -> list[str]:
        from console.screens.commanding import completions

        return completions(self._desk, text) if self._prompt_for == "command" else []

    def _close_prompt(self) -> None:
        self._prompt_open = False
        self.prompt.remove_class("shown")
        self.keys.remove_class("hidden")
        self.set_focus(self.front.focus_inside())

    def on_prompt_changed(self, event: Prompt.Changed) -> None:
        """A filter works while it is typed; with many rows each letter is first seen, and the last of them counts."""
        if self._prompt_for != "filter" or not self._prompt_open:
            return
        listed, self._typed = self.front.listed, event.text
        if listed is not None and len(listed.given) > MANY:
            self.call_after_refresh(self._filter_typed)
        else:
            self._filter_typed()

    def _filter_typed(self) -> None:
        """Narrows the rows to what was typed last, unless that has been done."""
        typed, self._typed = self._typed, None
        if typed is not None:
            self.front.filter(typed, self._desk.scene())
            self._desk.redraw()

    def _submit(self, text: str) -> None:
        """Does what was asked for."""
        from console.screens.commanding import obey_line
        from console.screens.wayfinding import remember

        self._close_prompt()
        if self._prompt_for == "command":
            obey_line(self._desk, text)
            return
        if self._prompt_for in ("filter", "search"):
            remember(self._desk, FILTERS, text)
        if self._prompt_for == "search":
            self.front.search(text)
            self._desk.redraw()
        else:
            if self._prompt_for == "filter":
                self._typed = text
                self._filter_typed()
            else:
                self.front.entered(self._prompt_for, text)
            self._desk.redraw()

    def on_prompt_cancelled(self, event: Prompt.Cancelled) -> None:
        """As it was before."""
        self._close_prompt()
        self._typed = None
        if self._prompt_for == "filter":
            self.front.filter("", self._desk.scene())
        self._desk.redraw()

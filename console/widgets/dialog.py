"""The one mould of every dialog that changes something: what would change, switches, a note, and Enter that waits.

Enter is dead until the content is complete and has been on the screen for a quarter of a second: nobody confirms what
was not there to be read; keys typed before are dropped. While the note is written Enter ends the note alone. Esc always
cancels.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType

from console.widgets.dialog_layout import DialogContent, DialogResult, DialogState, Field, Option, box_size, lay_out
from console.widgets.lines import LineView
from console.widgets.sheet import Sheet

__all__ = ["SEEN_FOR", "Dialog", "DialogContent", "DialogResult", "Option"]

SEEN_FOR: Final = 0.25
"""Seconds that complete content stands on the screen before Enter works."""

_RESERVED: Final = frozenset("jkgGn")
_LOOK_AGAIN: Final = 0.05


class _Box(LineView, can_focus=False):
    DEFAULT_CSS = "_Box { width: auto; height: auto; }"
    BINDINGS: ClassVar[list[BindingType]] = []


class Dialog(Sheet[DialogResult | None], inherit_bindings=False):
    """A dialog; push it with `push_screen(Dialog(content), callback)`. The result is None when it was cancelled.

    `on_options` hears every change of the switches, after which Enter is dead until `show` brings the content that
    belongs to them. `on_screen` says whether what was drawn has left for the terminal.
    """

    DEFAULT_CSS = "Dialog { align: center middle; background: transparent; overflow: hidden; }"

    def __init__(
        self,
        content: DialogContent,
        *,
        on_options: Callable[[Dialog, Mapping[str, bool]], None] | None = None,
        on_screen: Callable[[], bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._content = content
        self._on_options = on_options
        self._on_screen = on_screen
        self._clock = clock
        self._state = DialogState()
        self._box = _Box(cursor=False, gutter=False)
        self._opened = False
        self._seen_since: float | None = None
        self._generation = 0
        self._adopt(content)

    # What is shown

    def show(self, content: DialogContent) -> None:
        """Show other content. Unless it has the same tag and was complete before, Enter has to wait again."""
        before = self._content
        same = content.tag == before.tag if content.tag is not None else content == before
        self._adopt(content)
        if not (same and before.ready and content.ready):
            self._wait_again()
        self._redraw()

    @property
    def values(self) -> Mapping[str, bool]:
        """The switches as they stand."""
        return dict(self._state.values)

    @property
    def armed(self) -> bool:
        """Whether the content may be confirmed: complete, not refused, and seen for long enough."""
        content = self._content
        return (
            bool(content.verb)
            and content.ready
            and not content.refusal
            and self._seen_since is not None
            and self._clock() - self._seen_since >= SEEN_FOR
        )

    def _adopt(self, content: DialogContent) -> None:
        taken = _RESERVED if content.note else _RESERVED - {"n"}
        keys = [option.key for option in content.options]
        if len(set(keys)) < len(keys) or any(len(key) != 1 or key in taken for key in keys):
            raise ValueError(
                f"dialog {content.title!r}: option keys {keys} must be single, different, none of {sorted(taken)}"
            )
        self._content = content
        state = self._state
        state.values = {option.name: state.values.get(option.name, option.on) for option in content.options}
        if state.at not in self._fields():
            state.at = "body"

    def _wait_again(self) -> None:
        """Make Enter wait until what is shown now has been painted and seen; what was typed for the old is void."""
        self._seen_since = None
        self._generation += 1
        self._state.typed.set("")
        if self._content.ready and self._opened:
            self.call_after_refresh(self._painted, self._generation)

    def _painted(self, generation: int) -> None:
        if generation != self._generation:
            return
        if self._on_screen is not None and not self._on_screen():
            self.set_timer(_LOOK_AGAIN, lambda: self._painted(generation))
            return
        self._seen_since = self._clock()
        self.set_timer(SEEN_FOR, self._redraw)

    # Layout

    def compose(self) -> ComposeResult:
        """The box alone."""
        yield self._box

    def on_mount(self) -> None:
        """Nothing that was typed before the dialog stood there counts for it."""
        self._redraw()
        self.call_after_refresh(self._open)

    def _open(self) -> None:
        self._opened = True
        self._wait_again()

    def on_resize(self, event: events.Resize) -> None:
        """Fit the new size."""
        self._redraw()

    def _redraw(self) -> None:
        if not self.is_mounted or not self.size:
            return
        width, height = box_size(self._content, self._state, *self.size)
        self._box.styles.width, self._box.styles.height = width, height
        lines = lay_out(self._content, self._state, width, height, armed=self.armed and self._met())
        self._box.show(list(enumerate(lines)))

    # Keys

    def on_key(self, event: events.Key) -> None:
        """Every key is the dialog's own."""
        event.stop()
        event.prevent_default()
        if event.key == "escape":
            self.dismiss(None)
        elif not self._opened:
            return
        elif event.key == "enter" and self._state.at == "note":
            self._state.at = "body"
        elif event.key == "enter":
            self._confirm()
        elif event.key in ("tab", "shift+tab"):
            fields = self._fields()
            step = 1 if event.key == "tab" else -1
            self._state.at = fields[(fields.index(self._state.at) + step) % len(fields)]
        elif self._state.at == "note":
            self._state.note.key(event.key, event.character)
        elif self._state.at == "challenge":
            self._type(event)
        else:
            self._body_key(event)
        self._redraw()

    def on_paste(self, event: events.Paste) -> None:
        """Paste goes into the note only: a challenge is typed."""
        event.stop()
        if self._opened and self._state.at == "note":
            self._state.note.insert(event.text)
            self._redraw()

    def _body_key(self, event: events.Key) -> None:
        key, state, page = event.key, self._state, max(self._box.size.height - 6, 1)
        moves = {"j": 1, "down": 1, "k": -1, "up": -1, "pagedown": page, "pageup": -page}
        moves |= {"ctrl+d": page // 2, "ctrl+u": -page // 2, "g": -(10**9), "home": -(10**9), "G": 10**9, "end": 10**9}
        option = next((each for each in self._content.options if each.key == event.character), None)
        if option is not None:
            self._switch(option)
        elif key in moves:
            state.scroll = max(state.scroll + moves[key], 0)
        elif key == "n" and self._content.note:
            state.at = "note"
        elif self._content.challenge and event.character and event.is_printable:
            state.at = "challenge"
            self._type(event)

    def _type(self, event: events.Key) -> None:
        if self.armed:
            self._state.typed.key(event.key, event.character)

    def _switch(self, option: Option) -> None:
        values = self._state.values
        if not option.enabled or (option.group and values[option.name]):
            return
        if option.group:
            values.update({each.name: False for each in self._content.options if each.group == option.group})
        values[option.name] = not values[option.name]
        if self._on_options is not None:
            self._content = replace(self._content, ready=False)
            self._wait_again()
            self._on_options(self, self.values)

    def _met(self) -> bool:
        return not self._content.challenge or self._state.typed.text == self._content.challenge

    def _confirm(self) -> None:
        if not self.armed:
            return
        if not self._met():
            self._state.at = "challenge"
            return
        self.dismiss(DialogResult(self.values, self._state.note.text.strip(), self._content.tag))

    def _fields(self) -> list[Field]:
        fields: list[Field] = ["body"]
        if self._content.note:
            fields.append("note")
        if self._content.challenge:
            fields.append("challenge")
        return fields

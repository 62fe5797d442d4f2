"""A one-line prompt, as for `/` and `:`, with history and completion. What is typed is never read as markup."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import events
from textual.message import Message
from textual.strip import Strip

from console.text import cell_len, fit
from console.widgets.edit import LineEdit
from console.widgets.spans import Painted, Spans, draw, spans_width

_HINTED = 8
"""Ways to go on that are shown at once."""


class Prompt(Painted, can_focus=True):
    """A prompt: Enter submits, Esc cancels, up and down recall, Tab completes. It takes every letter that reaches it,
    by its focus or handed on by its screen.
    """

    DEFAULT_CSS = "Prompt { height: 1; width: 1fr; }"

    class Changed(Message):
        """The text is another one."""

        def __init__(self, prompt: Prompt, text: str) -> None:
            super().__init__()
            self.prompt, self.text = prompt, text

        @property
        def control(self) -> Prompt:
            """The prompt, for `@on(Prompt.Changed, "#id")`."""
            return self.prompt

    class Submitted(Changed):
        """Enter was pressed."""

    class Cancelled(Changed):
        """Esc was pressed; the text is what stood there."""

    def __init__(
        self,
        prefix: str = "",
        *,
        complete: Callable[[str], Sequence[str]] | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._prefix = prefix
        self._complete = complete
        self._edit = LineEdit()
        self._history: list[str] = []
        self._recalled = 0
        self._draft = ""
        self._candidates: tuple[str, ...] = ()
        self._candidate = 0
        self._ways: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What stands in the prompt."""
        return self._edit.text

    def open(self, prefix: str, text: str = "", history: Sequence[str] = ()) -> None:
        """Start anew: another prefix, a text to begin with, what up recalls (oldest first)."""
        self._prefix = prefix
        self._history, self._recalled, self._draft = list(history), len(history), text
        self._candidates = self._ways = ()
        self._edit.set(text)
        self.refresh()

    def on_key(self, event: events.Key) -> None:
        """Every key of an editor is the prompt's; others (function keys, palette) go on to the screen."""
        if event.key == "enter":
            self.post_message(self.Submitted(self, self.text))
        elif event.key == "escape":
            self.post_message(self.Cancelled(self, self.text))
        elif event.key == "tab":
            self._next_candidate()
        elif event.key in ("up", "ctrl+p", "down", "ctrl+n"):
            self._recall(-1 if event.key in ("up", "ctrl+p") else 1)
        elif self._edit.key(event.key, event.character):
            self._candidates = ()
            self._changed()
        else:
            return
        event.stop()
        event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        """Take the first line of what is pasted."""
        event.stop()
        event.prevent_default()
        self._edit.insert(event.text)
        self._changed()

    def render_line(self, y: int) -> Strip:
        """The prompt as a strip."""
        width = self.size.width
        prefix: Spans = ((self._prefix, "accent bold"),)
        edit = self._edit.spans(width - spans_width(prefix), focused=True)
        hint = self._hint(width // 2 if cell_len(self.text) + spans_width(prefix) + 2 < width // 2 else 0)
        if hint:
            edit = self._edit.spans(width - spans_width(prefix) - spans_width(hint), focused=True)
        return draw((*prefix, *edit, *hint) if y == 0 else (), width, self.palette.style)

    def _hint(self, width: int) -> Spans:
        """The ways in which what is typed can go on, in at most `width` cells."""
        shown = "  ".join(self._ways)
        return ((" " + fit(shown, min(width - 1, cell_len(shown))), "dim"),) if shown and width > 1 else ()

    def _changed(self) -> None:
        found = [] if self._complete is None or not self.text.strip() else self._complete(self.text)
        self._ways = tuple(way for way in found[:_HINTED] if way != self.text)
        self.refresh()
        self.post_message(self.Changed(self, self.text))

    def _recall(self, step: int) -> None:
        if self._recalled == len(self._history):
            self._draft = self.text
        self._recalled = max(0, min(self._recalled + step, len(self._history)))
        self._edit.set(self._history[self._recalled] if self._recalled < len(self._history) else self._draft)
        self._changed()

    def _next_candidate(self) -> None:
        if self._complete is None:
            return
        if not self._candidates:
            self._candidates, self._candidate = tuple(self._complete(self.text)), 0
            if not self._candidates:
                return
        else:
            self._candidate = (self._candidate + 1) % len(self._candidates)
        self._edit.set(self._candidates[self._candidate])
        self._changed()

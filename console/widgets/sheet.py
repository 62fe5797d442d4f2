"""What lies over a screen until it is answered: it ends once."""

from __future__ import annotations

from typing import TypeVar

from textual import events
from textual.await_complete import AwaitComplete
from textual.message import Message
from textual.screen import ModalScreen

from console.widgets.fitted import Fitted

Answer = TypeVar("Answer")

_ENDING = ("escape", "enter", "q", "question_mark")


class Sheet(Fitted[Answer], ModalScreen[Answer], inherit_bindings=False):
    """A dialog, form or list.

    Keys that end sheets, and are on their way to it when it ends, are nobody's: they end nothing else, and no app.
    Others that were typed behind the Esc, and came in one piece with it, are for what lies below.
    """

    def dismiss(self, result: Answer | None = None) -> AwaitComplete:
        """Ends it with an answer; does nothing when it has ended."""
        if not self.is_active:
            return AwaitComplete()
        typed = self._typed_behind()
        over = super().dismiss(result)
        below = self.app.screen
        if result is None and not isinstance(below, Sheet):
            for event in typed:
                (below.focused or below)._forward_event(event)
        return over

    def _typed_behind(self) -> list[events.Key]:
        """Takes the keys that wait for this sheet, but for those that only end one; in their order."""
        found: list[events.Key] = []
        others: list[Message] = []
        while (message := self._peek_message()) is not None:
            self._pending_message = None
            if not isinstance(message, events.Key):
                others.append(message)
            elif found or message.key not in _ENDING:
                found.append(events.Key(message.key, message.character))
        for other in others:
            self._message_queue.put_nowait(other)
        return found

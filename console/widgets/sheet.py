"""What lies over a screen until it is answered: it ends once."""

from __future__ import annotations

from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen

Answer = TypeVar("Answer")


class Sheet(ModalScreen[Answer], inherit_bindings=False):
    """A dialog, form or list. Keys on their way to it when it ends are nobody's: they end nothing else, and no app."""

    def dismiss(self, result: Answer | None = None) -> AwaitComplete:
        """Ends it with an answer; does nothing when it has ended."""
        if not self.is_active:
            return AwaitComplete()
        return super().dismiss(result)

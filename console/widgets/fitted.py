"""A screen that is always laid out for the size of its terminal."""

from __future__ import annotations

from textual.geometry import Size
from textual.screen import Screen, ScreenResultType


class Fitted(Screen[ScreenResultType], inherit_bindings=False):
    """Every layout tells a screen its own size, by the same event that tells it the terminal's.

    In a storm of sizes two of them would follow each other for ever, or the newest be taken for an older one.
    """

    def _screen_resized(self, size: Size) -> None:
        """Lay out for the terminal, whatever the event says."""
        super()._screen_resized(self.app.size)

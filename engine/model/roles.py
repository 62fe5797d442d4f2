"""What a person may ask of a home."""

from __future__ import annotations

from enum import IntEnum


class Role(IntEnum):
    """The more it is, the more it may."""

    VIEWER = 0
    """Looks."""
    OPERATOR = 1
    """Changes runs, tasks and schedules."""
    ADMIN = 2
    """Also the engine and the sizes of pools."""

    @property
    def word(self) -> str:
        """As it stands in `dagdeck.toml`."""
        return self.name.lower()

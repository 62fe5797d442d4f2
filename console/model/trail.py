"""Where an operator has been: the levels that Esc goes up, and the history that back and forward go through."""

from __future__ import annotations

from console.model.place import Place

_MOST = 100


class Trail:
    """Levels are nested views, the overview outermost. History is every set of levels that was in front."""

    def __init__(self, first: Place) -> None:
        self._levels: tuple[Place, ...] = (first,)
        self._history: list[tuple[Place, ...]] = [self._levels]
        self._at = 0
        self._last: tuple[Place, ...] | None = None

    @property
    def place(self) -> Place:
        """Where the operator is."""
        return self._levels[-1]

    def go(self, place: Place, left: Place) -> None:
        """To another view; `left` is the present one, with its cursor. The overview is always the outermost level."""
        self._arrive((place,) if place.view == "overview" else (*self._levels, place), left)

    def up(self, left: Place) -> bool:
        """One level up; False at the outermost."""
        if len(self._levels) == 1:
            return False
        self._arrive(self._levels[:-1], left)
        return True

    def step(self, by: int, left: Place) -> bool:
        """Back (negative) or forward through the history; False at its end."""
        at = self._at + by
        if not 0 <= at < len(self._history):
            return False
        self._leave(left)
        self._at = at
        self._levels = self._history[at]
        return True

    def swap(self, left: Place) -> bool:
        """To where the operator was last; the same again comes back. False where there is no such view."""
        if self._last is None:
            return False
        self._arrive(self._last, left)
        return True

    def _arrive(self, levels: tuple[Place, ...], left: Place) -> None:
        self._leave(left)
        del self._history[self._at + 1 :]
        self._history.append(levels)
        del self._history[:-_MOST]
        self._at = len(self._history) - 1
        self._levels = levels

    def _leave(self, left: Place) -> None:
        """Keeps where the cursor was."""
        self._last = self._history[self._at] = (*self._levels[:-1], left)

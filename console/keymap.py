"""Which key does what where. Keys are data: any action may be given other keys, or none, by its id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from console.actions.action import Action, Key
from console.actions.registry import ACTIONS, BY_ID, views_of
from console.actions.views import VIEWS

_NAMES = {
    "enter": "enter", "escape": "esc", "ctrl+p": "^P", "ctrl+k": "^K", "ctrl+l": "^L", "ctrl+q": "^Q", "ctrl+d": "^D",
    "ctrl+u": "^U", "pagedown": "pgdn", "pageup": "pgup", "down": "↓", "up": "↑", "left": "←", "right": "→",
    "f1": "F1", "space": "space", "home": "home", "end": "end",
}  # fmt: skip


class KeymapError(ValueError):
    """A mapping of keys that cannot be used; the text names the action or the key."""


class Keymap:
    """Keys by view. Where two actions of one view share a key, a view's own has it, else the later one."""

    def __init__(self, changes: Mapping[str, Sequence[Key]] | None = None) -> None:
        unknown = sorted(set(changes or {}) - BY_ID.keys())
        if unknown:
            raise KeymapError(f"there is no action {unknown[0]!r}; `?` lists them")
        self._keys = {action.id: tuple((changes or {}).get(action.id, action.keys)) for action in ACTIONS}
        self._by_view: dict[tuple[str, Key], Action] = {}
        given: dict[tuple[str, Key], str] = {}
        own = {action.id for view in VIEWS.values() for action in view.actions}
        for action in sorted(ACTIONS, key=lambda action: action.id in own):
            for view in views_of(action):
                for key in self._keys[action.id]:
                    changed = action.id in (changes or {})
                    other = given.get((view, key))
                    if changed and other is not None:
                        raise KeymapError(f"key {key!r} is given to both {other} and {action.id}")
                    if changed:
                        given[view, key] = action.id
                    elif other is not None:
                        continue
                    self._by_view[view, key] = action

    def action(self, view: str, key: Key) -> Action | None:
        """What a key does in a view."""
        return self._by_view.get((view, key))

    def keys(self, action_id: str) -> tuple[Key, ...]:
        """The keys of an action."""
        return self._keys[action_id]

    def shown(self, action_id: str, view: str) -> str:
        """Its first key that works in a view, as the key line writes it; empty when there is none."""
        for key in self._keys[action_id]:
            if self._by_view.get((view, key)) is BY_ID[action_id]:
                return _NAMES.get(key, key)
        return ""

    def shown_key(self, action_id: str, key: Key, view: str) -> str:
        """One key of an action as people read it; empty where it belongs to another action."""
        return _NAMES.get(key, key) if self._by_view.get((view, key)) is BY_ID[action_id] else ""

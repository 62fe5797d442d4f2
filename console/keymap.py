"""Which key does what where. Keys are data: any action may be given other keys, or none, by its id."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from console.actions.action import Action, Key
from console.actions.registry import ACTIONS, BY_ID, views_of
from console.actions.views import VIEWS
from console.presets import PRESETS, KeymapError

_NAMES = {
    "enter": "enter", "escape": "esc", "ctrl+p": "^P", "ctrl+k": "^K", "ctrl+l": "^L", "ctrl+q": "^Q", "ctrl+d": "^D",
    "ctrl+u": "^U", "pagedown": "pgdn", "pageup": "pgup", "down": "↓", "up": "↑", "left": "←", "right": "→",
    **{f"f{number}": f"F{number}" for number in range(1, 13)}, "space": "space", "home": "home", "end": "end",
    "delete": "del", "tab": "tab", "shift+tab": "shift+tab",
    "shift+left": "shift+←", "shift+right": "shift+→", "shift+up": "shift+↑", "shift+down": "shift+↓",
}  # fmt: skip


_KEY = re.compile(r"(ctrl\+[a-z]|f([1-9]|1[0-2])|tab|shift\+tab|delete|insert|backspace)\Z")


class Keymap:
    """Keys by view. Where two actions of one view share a key, a changed one has it, then a view's own."""

    def __init__(self, changes: Mapping[str, Sequence[Key]] | None = None, preset: str = "default") -> None:
        if preset not in PRESETS:
            raise KeymapError(f"there is no preset {preset!r}; there are {', '.join(PRESETS)}")
        own = dict(changes or {})
        unknown = sorted(own.keys() - BY_ID.keys())
        if unknown:
            near = get_close_matches(unknown[0], BY_ID, n=3)
            hint = f": did you mean {' or '.join(near)}?" if near else "; `?` in the console lists them"
            raise KeymapError(f"there is no action {unknown[0]!r}{hint}")
        merged = {**PRESETS[preset], **own}
        self._keys = {action.id: tuple(merged.get(action.id, action.keys)) for action in ACTIONS}
        self.moves = {name: keys for name, keys in self._keys.items() if name in merged and BY_ID[name].group == "move"}
        """Movements with other keys than the widgets know."""
        self.notices: tuple[str, ...] = ()
        """Actions that lost a key to one that was given it."""
        self._by_view: dict[tuple[str, Key], Action] = {}
        self._assign(own, merged)

    @classmethod
    def of(cls, table: Mapping[str, object], file: str) -> Keymap:
        """The keys that a `[keys]` table says: `preset`, and keys by action, where none unbinds.

        Raises KeymapError naming the file and the entry.
        """
        changes: dict[str, tuple[Key, ...]] = {}
        preset = table.get("preset", "default")
        try:
            if not isinstance(preset, str):
                raise KeymapError(f"preset = {preset!r} should be one of {', '.join(PRESETS)}")
            for name, value in table.items():
                if name != "preset":
                    changes[name] = tuple(_key(name, key) for key in _listed(value))
            return cls(changes, preset)
        except KeymapError as error:
            raise KeymapError(f"{file}: [keys] {error}") from error

    def _assign(self, own: Mapping[str, Sequence[Key]], merged: Mapping[str, Sequence[Key]]) -> None:
        """Who has which key in which view: what the person gave, then the preset, then a view's own, then the rest."""
        declared = {action.id for view in VIEWS.values() for action in view.actions}
        alone = {action.id for action in ACTIONS if len(views_of(action)) == 1}
        ranks = sorted(
            ACTIONS,
            key=lambda action: (
                action.id not in own, action.id not in merged, action.id not in alone, action.id not in declared,
            ),
        )  # fmt: skip
        lost: dict[tuple[str, Key], tuple[str, str]] = {}
        for action in ranks:
            for view in views_of(action):
                for key in self._keys[action.id]:
                    holder = self._by_view.setdefault((view, key), action)
                    if holder is action:
                        continue
                    if action.id in own and holder.id in own:
                        raise KeymapError(f"key {key!r} is given to both {holder.id} and {action.id}")
                    if holder.id in own:
                        lost[action.id, key] = (holder.id, view)
        self.notices = tuple(
            f"key {key} is {holder}'s now; {name} has {self._left(name, key) or 'none'}"
            for (name, key), (holder, _) in lost.items()
        )

    def _left(self, name: str, lost: Key) -> str:
        """The keys that an action still has, and of the one that it has lost where it has it all the same."""
        where = {
            key: [view for view in VIEWS if self._by_view.get((view, key)) is BY_ID[name]] for key in self._keys[name]
        }
        kept = [f"it in {', '.join(VIEWS[view].title for view in where[lost])}"] if where[lost] else []
        return " ".join([*(_NAMES.get(key, key) for key in where if key != lost and where[key]), *kept])

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


def _listed(value: object) -> list[object]:
    """A key, a list of keys, or nothing: an empty text, `false`."""
    if value is False or value == "":
        return []
    return list(value) if isinstance(value, list) else [value]


def _key(name: str, value: object) -> Key:
    """A key as the console names it; `Ctrl-D`, `^D` and `c-d` are `ctrl+d`. Raises KeymapError."""
    if isinstance(value, str) and len(value) == 1 and value.isprintable() and value != " ":
        return value
    text = value.lower().replace("-", "+") if isinstance(value, str) else ""
    if text.startswith("^") and len(text) == 2:
        text = f"ctrl+{text[1]}"
    text = {"c+": "ctrl+"}.get(text[:2], text[:2]) + text[2:]
    text = {"esc": "escape", "pgdn": "pagedown", "pgup": "pageup", " ": "space", "return": "enter"}.get(text, text)
    if text in _NAMES or _KEY.match(text):
        return text
    raise KeymapError(f'{name} = {value!r} is no key: write "x", "ctrl+x", "f5", "enter", or "" for none')

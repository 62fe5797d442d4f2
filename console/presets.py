"""Sets of keys that people's fingers know from elsewhere, by name: what each changes of the default."""

from __future__ import annotations

from collections.abc import Mapping

PRESETS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "default": {},
    # The web interface of Apache Airflow marks with Shift.
    "airflow": {
        "mark_success": ("S",),
        "mark_failed": ("F",),
        "newest": (),
        "schedule": (),
        "log.follow": ("s",),
    },
    # l and y as in k9s: logs from anywhere, and all that is known of a thing; c copies, so clear keeps its capital.
    "k9s": {
        "log": ("L", "l"),
        "enter": ("right",),
        "details": ("d", "y"),
        "task": ("d",),
        "task.back": ("d",),
        "copy": ("c",),
        "log.copy": ("c",),
        "clear": ("C",),
    },
    # Without letters for movement: arrows, and function keys for what is needed most.
    "arrows": {
        "move.down": ("down",),
        "move.up": ("up",),
        "move.first": ("home",),
        "move.last": ("end",),
        "grid.older": ("left",),
        "grid.newer": ("right",),
        "calendar.left": ("left",),
        "calendar.right": ("right",),
        "run.left": ("left",),
        "run.right": ("right",),
        "enter": ("right",),
        "back": ("escape", "left"),
        "log": ("L", "f4"),
        "why": ("i", "f5"),
        "filter": ("/", "f6"),
        "line": (":", "f9"),
        "leave": ("q", "f10"),
    },
}


class KeymapError(ValueError):
    """Keys that cannot be used; the text names the action or the key."""

"""The table of every action that changes something: its key, its verb on the command line, and its effect."""

from __future__ import annotations

import inspect

from console.actions.action import Action, Danger
from console.actions.registry import ACTIONS, views_of
from console.keymap import Keymap
from engine.control.verbs import VERBS

LINES: dict[str, tuple[str, ...]] = {
    "trigger": ("trigger",),
    "backfill_create": ("backfill create",),
    "backfill_pause": ("backfill pause",),
    "backfill_resume": ("backfill resume",),
    "backfill_cancel": ("backfill cancel",),
    "backfill_retry": ("backfill retry",),
    "rerun": ("rerun",),
    "clear": ("clear",),
    "mark": ("mark",),
    "retry": ("retry",),
    "kill": ("kill",),
    "cancel": ("cancel",),
    "stack": ("stack",),
    "pause": ("pause", "dags pause"),
    "resume": ("resume", "dags resume"),
    "prioritize": ("prioritize",),
    "delete": ("runs delete", "dags delete"),
    "restore": ("runs restore",),
    "claim": ("inbox claim", "inbox release"),
    "resolve": ("inbox resolve",),
    "recover": ("recover",),
    "resize": ("pools resize",),
    "remove": ("pools remove",),
    "trip": ("breakers trip",),
    "reset": ("breakers reset",),
    "answer": ("answer",),
    "hold": ("hold",),
    "release": ("release",),
    "stop": ("engine stop",),
    "drain": ("engine drain",),
    "acknowledge": ("engine acknowledge",),
    "prune": ("prune",),
    "undo": ("undo",),
}
"""By what the engine calls it: how the command line does."""

_MIXED: dict[str, tuple[str, ...]] = {
    "again": ("retry", "clear", "rerun"),
    "stop": ("kill", "cancel"),
    "pause": ("pause", "resume"),
    "pause_run": ("pause", "resume"),
    "hold": ("hold", "release"),
    "backfill.pause": ("backfill_pause", "backfill_resume"),
}
"""Actions of the console that are one thing or another, as the row asks for."""


def actions() -> str:
    """All verbs of the engine, each with the actions of the console that ask for it."""
    keymap = Keymap()
    lines = ["| key | action | verb | what it does |", "|---|---|---|---|"]
    for name, verb in VERBS.items():
        mine = [action for action in ACTIONS if action.danger is not Danger.NONE and name in _verbs_of(action)]
        keys = " ".join(dict.fromkeys(key for action in mine for key in _keys(keymap, action)))
        titles = ", ".join(dict.fromkeys(action.title for action in mine)) or "–"
        spelled = ", ".join(f"`dagdeck {line}`" for line in LINES[name])
        text = " ".join((inspect.getdoc(verb) or "").split()).partition(" Argument")[0]
        lines.append(f"| {keys} | {titles} | {spelled} | {text.replace('|', chr(92) + '|')} |")
    return "\n".join(lines) + "\n"


def _verbs_of(action: Action) -> tuple[str, ...]:
    if action.id in _MIXED:
        return _MIXED[action.id]
    if action.verb is not None:
        return (action.verb,)
    return (action.id.replace(".", "_"),)


def _keys(keymap: Keymap, action: Action) -> list[str]:
    found = [
        keymap.shown_key(action.id, key, view) for key in keymap.keys(action.id) for view in sorted(views_of(action))
    ]
    return [f"`{key}`".replace("|", "\\|") for key in dict.fromkeys(filter(None, found))] or [f"`:{action.id}`"]

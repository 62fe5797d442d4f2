"""The actions of a view to choose from: by key in the help, by name in the palette."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.actions.action import Action
from console.actions.registry import BY_ID, actions_of
from console.model.snapshot import Scene
from console.model.targets import Target
from console.screens.chooser import Chooser, fuzzy
from console.view import help as help_view
from console.view.spans import Spans

if TYPE_CHECKING:
    from console.app import ConsoleApp


def _keys_of(app: ConsoleApp, action: Action) -> str:
    view = app.place.view
    return "  ".join(
        shown for key in app.keymap_of.keys(action.id) if (shown := app.keymap_of.shown_key(action.id, key, view))
    )


def show_help(app: ConsoleApp, target: Target) -> None:
    """What the keys of this view do."""
    scene = app.scene()
    listed = [(action, keys) for action in actions_of(app.place.view) if (keys := _keys_of(app, action))]

    def rows(needle: str, width: int) -> list[tuple[str | None, Spans]]:
        return help_view.help_rows(listed, scene, target, width)

    title = f"Keys here: {app.place.view}"
    chooser = Chooser(title, rows, typing=False, about=lambda name: _about(BY_ID[name], scene, target))
    app.push_screen(chooser, lambda name: _chosen(app, name, target))


def _about(action: Action, scene: Scene, target: Target) -> str:
    """What an action does, and why it does not just now."""
    why = action.why_not(scene, target)
    return action.help if why is None else f"{action.help} Not now: {why}."


def show_palette(app: ConsoleApp, target: Target) -> None:
    """All actions of this view by name, those that are possible first."""
    scene = app.scene()
    listed = [action for action in actions_of(app.place.view) if action.group != "move" and action.id != "palette"]

    def rows(needle: str, width: int) -> list[tuple[str | None, Spans]]:
        ranked = [
            (cost, a) for a in listed if (cost := fuzzy(needle, f"{a.title_for(scene, target)} {a.id}")) is not None
        ]
        ranked.sort(key=lambda pair: (pair[1].why_not(scene, target) is not None, pair[0] if needle else 0))
        columns = (6, max((len(a.title_for(scene, target)) for a in listed), default=8))
        return [
            (a.id, help_view.action_row(a, _keys_of(app, a).partition("  ")[0], scene, target, columns, width))
            for _, a in ranked
        ]

    chooser = Chooser("Actions", rows, typing=True, about=lambda name: _about(BY_ID[name], scene, target))
    app.push_screen(chooser, lambda name: _chosen(app, name, target))


def _chosen(app: ConsoleApp, name: str | None, target: Target) -> None:
    if name is not None and BY_ID[name].group != "move":
        app.perform(BY_ID[name], target)

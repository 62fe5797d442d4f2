"""How the console looks, and what it sends and hears for that: theme, low bandwidth, freezing, the mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.text import sanitise
from console.theming import Palette, ThemeError, available, load_theme

if TYPE_CHECKING:
    from console.app import ConsoleApp
    from console.model.targets import Target


def next_theme(app: ConsoleApp, target: Target) -> None:
    """The theme after the present one."""
    names, present = available(), app.palette.theme.name
    use_theme(app, names[(names.index(present) + 1) % len(names)] if present in names else names[0])


def use_theme(app: ConsoleApp, name: str) -> None:
    """The theme of that name, or why there is none."""
    try:
        theme = load_theme(name)
    except ThemeError as error:
        app.say(sanitise(str(error)), "warn")
        return
    app.use_palette(Palette(theme, monochrome=app.look.monochrome))
    app.say(f"theme {name}")


def toggle_lofi(app: ConsoleApp, target: Target) -> None:
    """Fewer frames and slower timers, or not any more."""
    feed = app.feed
    if feed is not None:
        feed.lofi = not feed.lofi
        if feed.lofi and app.hears_mouse:
            app.listen_to_mouse()
        app.spare_colours(feed.lofi)
        spared = "low bandwidth: timers every 5 s, four frames a second, 256 colours, no mouse"
        app.say(spared if feed.lofi else "full rate")


def toggle_freeze(app: ConsoleApp, target: Target) -> None:
    """Keeps the picture, or lets it live again."""
    app.frozen_at = app.scene().now if app.frozen_at is None else None
    app.redraw()
    if app.feed is not None:
        app.feed.hurry()


def toggle_mouse(app: ConsoleApp, target: Target) -> None:
    """Listens to the mouse, or leaves it to the terminal."""
    on = app.listen_to_mouse()
    app.say("clicks select, the wheel scrolls; Shift selects text" if on else "the mouse is the terminal's")


def repaint(app: ConsoleApp, target: Target) -> None:
    """Sends every cell again."""
    app.repaint()

"""Starting the full-screen console of a home on this terminal."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from textual import constants

from console.app import ConsoleApp
from console.clockwatch import ClockWatch
from console.keep import FILE, Keep
from console.model.home import HomeCard
from console.terminal import run_console as run
from console.text import sanitise
from console.theming import Look, Palette, as_started, default_theme, detect_look, load_theme

if TYPE_CHECKING:
    from console.backends.port import Backend
    from console.model.place import Place
    from engine.home import Home

_SWITCH = 0.001
"""Seconds after which reading in its thread lets a key through."""
_ESCAPE = 0.05
"""Seconds to wait for the rest of a sequence that Escape begins: Textual's own tenth makes every Escape slow."""


def run_console(
    home: Home,
    *,
    theme: str | None = None,
    look: Look | None = None,
    read_only: bool = False,
    start: Place | None = None,
    keys: Mapping[str, object] | None = None,
    mouse: bool = False,
) -> int:
    """The full-screen console of a home, on this terminal, until it is left; gives the exit code.

    It opens at `start`, else on the overview. With `read_only` the engine refuses whatever this console might ask for.

    `keys` is what the home's `[keys]` says. Works with the engine up, stopped or killed. Raises ThemeError for a theme
    that cannot be used, and KeymapError for keys that cannot.
    """
    keymap = None
    if keys:
        from console.keymap import Keymap

        keymap = Keymap.of(keys, str(home.config))
    sys.setswitchinterval(_SWITCH)
    if "ESCDELAY" not in os.environ:
        vars(constants)["ESCAPE_DELAY"] = _ESCAPE
    found = look or detect_look(as_started(os.environ), sys.stdout.encoding or "ascii")
    palette = Palette(load_theme(theme or default_theme(os.environ)), monochrome=found.monochrome)

    def connect() -> Backend:
        from console.backends.local import LocalBackend

        backend = LocalBackend(home, read_only=read_only)
        backend.read_ahead()
        return backend

    return run(
        ConsoleApp(
            HomeCard(sanitise(home.name), sanitise(str(home.root))),
            connect,
            palette=palette,
            look=found,
            start=start,
            keep=Keep(home.root / FILE),
            reports=home.root / "reports",
            watch=ClockWatch(lambda: time.monotonic_ns() // 1000),
            keymap=keymap,
        ),
        mouse=mouse,
    )

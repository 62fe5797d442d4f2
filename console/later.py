"""What has time until after the first picture: imports, so that no key is slow, and sweeping, while nobody types."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from importlib import import_module

from engine.collector import calm, sweep

_LATER = (
    "console.keymap",
    "console.screens.doing",
    "console.screens.menus",
    "console.screens.run",
    "console.screens.log",
    "console.screens.dag",
)
_BREATH = 0.15
"""Seconds between two of them: keys and pictures come first."""
_PAUSE, _LONGEST = 2.0, 60.0
"""Seconds without a key after which nobody waits for a picture; and between two sweeps, whatever is typed."""


async def load_the_rest() -> None:
    """Imports what the first picture did not need, so that the first key that does need it is not slow."""
    for name in _LATER:
        await asyncio.sleep(_BREATH)
        await asyncio.to_thread(import_module, name)
    from console.actions.views import VIEWS

    paths = [path for view in VIEWS.values() for path in (view.pane, *view.handlers.values())]
    for name in dict.fromkeys(path.partition(":")[0] for path in paths):
        if name not in sys.modules:
            await asyncio.sleep(_BREATH)
            await asyncio.to_thread(import_module, name)
    calm()


async def sweep_in_pauses(quiet_for: Callable[[], float]) -> None:
    """Sweeps in the pauses that somebody makes, and once a minute in any case. Until cancelled.

    Screens that are gone are garbage with everything they have drawn: a person who opens dialogs makes much of it.
    """
    since = 0.0
    while True:
        await asyncio.sleep(_PAUSE)
        since += _PAUSE
        if since >= _LONGEST or _PAUSE <= quiet_for() < since:
            sweep()
            since = 0.0

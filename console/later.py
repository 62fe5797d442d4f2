"""What the first picture does not need, imported after it, so that the first key that does need it is not slow."""

from __future__ import annotations

import asyncio
import sys
from importlib import import_module

from engine.collector import calm

_LATER = (
    "console.keymap",
    "console.screens.doing",
    "console.screens.run",
    "console.screens.log",
    "console.screens.dag",
)
_BREATH = 0.15
"""Seconds between two of them: keys and pictures come first."""


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

"""The views of the console, one module each: what a view is called, which pane draws it, and what can be done there.

A module of this package declares `VIEW`; being here is all it takes: keys, help, palette, `:` line and docs follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from console.actions.action import View


def _found() -> Mapping[str, View]:
    names = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem != "__init__")
    views: list[View] = [import_module(f"{__name__}.{name}").VIEW for name in names]
    return {view.id: view for view in sorted(views, key=lambda view: (view.order, view.id))}


VIEWS = _found()
"""All views by their ids, in the order in which people list them."""

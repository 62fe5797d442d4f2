"""One run."""

from __future__ import annotations

from console.actions.action import RUN, View

VIEW = View(RUN, "run", "console.screens.run:RunPane", 3)

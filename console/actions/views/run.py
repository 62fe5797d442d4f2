"""One run."""

from __future__ import annotations

from console.actions.action import RUN, Action, View

FOLD = Action(
    "fold", "fold", "Unfolds the indexes of a mapped task or a task group into rows, or folds them into one.",
    ("space",), frozenset({RUN}), rank=20,
)  # fmt: skip

VIEW = View(
    RUN, "run", "console.screens.run:RunPane", 3, actions=(FOLD,), handlers={"fold": "console.screens.run:fold"}
)

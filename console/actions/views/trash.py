"""Deleted runs, and the way back."""

from __future__ import annotations

from console.actions import possible
from console.actions.action import LISTS, Action, Ask, Danger, View
from console.model.asks import Selection
from console.model.snapshot import Scene
from console.model.targets import Target
from console.model.trash import Trash

_HERE = frozenset({"trash"})


def _run_of(target: Target) -> str:
    return (target.attention or "").removeprefix("trash:")


def _restorable(scene: Scene, target: Target) -> str | None:
    """Needs a deleted run whose place is free."""
    found, run_id = scene.snapshot.paged, _run_of(target)
    cards = found.cards if isinstance(found, Trash) else ()
    card = next((card for card in cards if card.run_id == run_id), None)
    if card is None:
        return "no deleted run is selected"
    return f"{run_id} cannot come back: another run has its place, or its code is gone" if card.taken else None


def ask_restore(scene: Scene, target: Target) -> Ask:
    """Put the run back as it was."""
    run_id = _run_of(target)
    refs = frozenset({(run_id, "", -1)})
    return Ask("restore", f"Restore ── {run_id}", Selection(run_ids=(run_id,)), "restore requested", refs)


VIEW = View(
    "trash",
    "trash",
    "console.screens.trash:TrashPane",
    12,
    frozenset(),
    (
        Action("trash", "trash", "Deleted runs, and who deleted them; for a week they can be restored.", ("delete",),
               LISTS, opens="trash"),
        Action("trash.restore", "restore", "Puts the run back as it was.", ("enter", "r"), _HERE, Danger.CHANGES,
               "restore", 90, possible.change("restore", _restorable), ask_restore, group="change"),
        Action("trash.back", "back", "Back to where it was opened.", ("escape", "h", "left"), _HERE),
    ),
    {
        "trash.back": "console.screens.doing:back",
    },
)  # fmt: skip

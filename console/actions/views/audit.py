"""Who asked for what, and what came of it."""

from __future__ import annotations

from console.actions import possible
from console.actions.action import EVERYWHERE, Action, Ask, Danger, View
from console.model.asks import Selection
from console.model.audit import Audit, AuditCard
from console.model.snapshot import Scene
from console.model.targets import Target
from engine.model.moments import MINUTE

_HERE = frozenset({"audit"})


def _card(scene: Scene, target: Target) -> AuditCard | None:
    found, number = scene.snapshot.paged, (target.attention or "").removeprefix("command:")
    if not isinstance(found, Audit):
        return None
    return next((card for card in found.cards if str(card.number) == number), None)


def a_command(scene: Scene, target: Target) -> str | None:
    """Needs a command."""
    return None if _card(scene, target) is not None else "no command is selected"


def _recent(scene: Scene, target: Target) -> str | None:
    """Needs a command that can perhaps be taken back."""
    card = _card(scene, target)
    if card is None:
        return "no command is selected"
    if card.outcome != "done":
        return f"{card.verb} was refused: there is nothing to take back"
    return "over a minute ago: too late to take it back" if scene.now - card.at > MINUTE else None


def ask_undo(scene: Scene, target: Target) -> Ask:
    """Take back this command."""
    card = _card(scene, target)
    assert card is not None
    title = f"Undo ── {card.verb} of {card.user}, command {card.number}"
    return Ask("undo", title, Selection(), "undo requested", frozenset(), {"command": card.number})


VIEW = View(
    "audit",
    "audit",
    "console.screens.audit:AuditPane",
    11,
    frozenset(),
    (
        Action("audit", "audit", "Who asked for what, when, and what came of it; newest first.", ("@", "7"),
               EVERYWHERE, rank=9, opens="audit"),
        Action("audit.open", "open", "What the command was about.", ("enter", "l", "right"), _HERE, rank=90,
               why_not=a_command),
        Action("audit.details", "details", "All that is known of the command: from where, with what, what came of it.",
               ("i", "d"), _HERE, rank=70, why_not=a_command),
        Action("audit.back", "back", "Back to where it was opened.", ("escape", "h", "left"), _HERE),
        Action("audit.undo", "undo", "Takes this command back, as far as nothing of it has started.", ("u",), _HERE,
               Danger.CHANGES, "undo", 80, possible.change("undo", _recent), ask_undo, group="change"),
    ),
    {
        "audit.open": "console.screens.audit:open_subject",
        "audit.details": "console.screens.audit:show_details",
        "audit.back": "console.screens.doing:back",
    },
)  # fmt: skip

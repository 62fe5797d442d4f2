"""What actions on backfills ask the engine for."""

from __future__ import annotations

from console.actions.action import Ask, Switch, WhyNot
from console.model.asks import Selection
from console.model.backfills import BackfillCard, Backfills
from console.model.snapshot import Scene
from console.model.targets import Target

_PLAN = (
    Switch("oldest", "o", "oldest first", on=True, group="order"),
    Switch("newest", "w", "newest first", group="order"),
    Switch("none", "l", "leave runs alone", on=True, group="reprocess"),
    Switch("failed", "f", "failed ones again", group="reprocess"),
    Switch("completed", "a", "all again", group="reprocess"),
)


def backfill_of(scene: Scene, target: Target) -> BackfillCard | None:
    """The backfill that a target names, as it is shown."""
    found = scene.snapshot.paged
    if not isinstance(found, Backfills) or target.backfill is None:
        return None
    return next((card for card in found.cards if card.id == target.backfill), None)


def a_backfill(*states: str) -> WhyNot:
    """Needs a backfill in one of these states."""

    def check(scene: Scene, target: Target) -> str | None:
        card = backfill_of(scene, target)
        if card is None:
            return "no backfill is selected"
        return None if card.state in states else f"backfill {card.id} is {card.state.replace('_', ' ')}"

    return check


def with_failures(scene: Scene, target: Target) -> str | None:
    """Needs a backfill of which something failed or was cancelled."""
    card = backfill_of(scene, target)
    if card is None:
        return "no backfill is selected"
    return None if card.failed or card.cancelled else f"nothing of backfill {card.id} has failed"


def create(scene: Scene, target: Target) -> Ask:
    """A new backfill; its dates are typed before, and order and what runs again are chosen in the plan."""
    selection = Selection(dag_ids=(target.dag_id or "",))
    title = f"Backfill ── {target.dag_id}"
    return Ask("backfill_create", title, selection, "backfill requested", frozenset(), switches=_PLAN)


def pause(scene: Scene, target: Target) -> Ask:
    """Pause it, or go on."""
    card = backfill_of(scene, target)
    verb = "backfill_pause" if card is not None and card.state == "running" else "backfill_resume"
    return _ask(verb, target, f"{verb.partition('_')[2]} requested")


def pause_label(scene: Scene, target: Target) -> str:
    """What `p` would do."""
    card = backfill_of(scene, target)
    return "pause" if card is None or card.state == "running" else "resume"


def cancel(scene: Scene, target: Target) -> Ask:
    """Drop what has not started."""
    return _ask("backfill_cancel", target, "cancel requested", Switch("running", "r", "also runs under way"))


def retry(scene: Scene, target: Target) -> Ask:
    """What failed again."""
    return _ask("backfill_retry", target, "retry requested")


def _ask(verb: str, target: Target, words: str, *switches: Switch) -> Ask:
    title = f"{verb.partition('_')[2].capitalize()} ── backfill {target.backfill} of {target.dag_id}"
    return Ask(verb, title, Selection(), words, frozenset(), {"id": target.backfill}, switches)

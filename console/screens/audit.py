"""The pane of the audit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from console.model.audit import Audit, AuditCard
from console.model.place import Place
from console.model.snapshot import Interest, Page, Scene
from console.model.targets import Target
from console.screens.explaining import tell
from console.screens.pane import Bar, ListPane
from console.view import audit as view
from console.view.columns import COMMANDS
from console.view.sorting import Column
from console.view.spans import DIM, TEXT, Spans
from engine.model.ids import split_name

if TYPE_CHECKING:
    from console.app import ConsoleApp

PAGE = Page("audit")


class AuditPane(ListPane):
    """Commands, newest first."""

    view = "audit"
    failing = '"refused:"'

    def interest(self) -> Interest:
        """What this view reads for itself."""
        return Interest(page=PAGE)

    def columns(self) -> tuple[Column[Any], ...]:
        """What commands can be sorted by."""
        return COMMANDS

    def draw(self, scene: Scene) -> None:
        """Shows the scene. Until somebody moves it, the cursor stays on the newest command."""
        found = scene.snapshot.paged
        if not isinstance(found, Audit):
            self.show_words("reading")
            return
        lines = view.rows(scene, found, self.list.row_width, self.sorting)
        if not lines:
            self.show_words("no command yet")
            return
        self.list.show(lines)
        self.stay_on_top()

    def title(self, scene: Scene, width: int) -> Bar:
        """What this is."""
        return ((" audit", f"{TEXT} bold"),), ()

    def rule(self, scene: Scene, width: int) -> Spans:
        """How much is listed."""
        found = scene.snapshot.paged
        return (
            ((f"{len(found.cards)} command{'s' if len(found.cards) != 1 else ''}", DIM),)
            if isinstance(found, Audit)
            else ()
        )

    def card(self, scene: Scene) -> AuditCard | None:
        """The command under the cursor."""
        found, key = scene.snapshot.paged, self.list.cursor_key
        if not isinstance(found, Audit) or not isinstance(key, tuple):
            return None
        return next((card for card in found.cards if card.number == key[1]), None)

    def is_failing(self, scene: Scene, key: object) -> bool:
        """A command that was refused."""
        found = scene.snapshot.paged
        cards = found.cards if isinstance(found, Audit) else ()
        return any(card.outcome == "refused" and key == ("command", card.number) for card in cards)

    def target(self, scene: Scene) -> Target:
        """The command itself: what it was about is opened, and nothing else is done with it."""
        card = self.card(scene)
        return Target(self.view) if card is None else Target(self.view, attention=f"command:{card.number}")


def show_details(app: ConsoleApp, target: Target) -> None:
    """All that is known of the command."""
    pane = app.stage.front
    card = pane.card(app.scene()) if isinstance(pane, AuditPane) else None
    if card is None:
        app.say("no command is selected", "warn")
        return
    tell(app, *view.details(card))


def open_subject(app: ConsoleApp, target: Target) -> None:
    """What the command was about."""
    pane = app.stage.front
    card = pane.card(app.scene()) if isinstance(pane, AuditPane) else None
    if card is None:
        app.say("no command is selected", "warn")
    elif card.run_id is not None:
        task_id, index = (None, None) if card.task is None else split_name(card.task)
        app.go(Place("run", card.dag_id, card.run_id, task_id, -1 if index is None else index))
    elif card.dag_id is not None:
        app.go(Place("dag", card.dag_id))
    else:
        app.say(f"{card.verb} was about no DAG and no run", "warn")

"""The pane of the trash."""

from __future__ import annotations

from typing import Any

from console.model.snapshot import Interest, Page, Scene
from console.model.targets import Target
from console.model.trash import Trash
from console.screens.pane import Bar, ListPane
from console.view import trash as view
from console.view.columns import TRASHED
from console.view.sorting import Column
from console.view.spans import DIM, TEXT, Spans

PAGE = Page("trash")


class TrashPane(ListPane):
    """Deleted runs, newest first."""

    view = "trash"

    def interest(self) -> Interest:
        """What this view reads for itself."""
        return Interest(page=PAGE)

    def columns(self) -> tuple[Column[Any], ...]:
        """What deleted runs can be sorted by."""
        return TRASHED

    def draw(self, scene: Scene) -> None:
        """Shows the scene. Until somebody moves it, the cursor stays on what was deleted last."""
        found = scene.snapshot.paged
        if not isinstance(found, Trash):
            self.show_words("reading")
        elif not found.cards:
            self.show_words("the trash is empty")
        else:
            self.list.show(view.rows(scene, found, self.list.row_width, self.sorting))
            self.stay_on_top()

    def title(self, scene: Scene, width: int) -> Bar:
        """What this is."""
        return ((" trash", f"{TEXT} bold"),), ()

    def rule(self, scene: Scene, width: int) -> Spans:
        """How much is in it."""
        found = scene.snapshot.paged
        count = len(found.cards) if isinstance(found, Trash) else 0
        return ((f"{count} deleted run{'s' if count != 1 else ''}, kept for {view.KEPT_DAYS} days", DIM),)

    def target(self, scene: Scene) -> Target:
        """The run under the cursor."""
        return self.target_at(scene, self.list.cursor_key) or Target(self.view)

    def target_at(self, scene: Scene, key: object) -> Target | None:
        """The run of a row; it is known by its name alone, for its place among runs is empty."""
        found = scene.snapshot.paged
        if not isinstance(found, Trash) or not isinstance(key, tuple):
            return None
        card = next((card for card in found.cards if card.run_id == key[1]), None)
        return None if card is None else Target(self.view, card.dag_id, attention=f"trash:{card.run_id}")

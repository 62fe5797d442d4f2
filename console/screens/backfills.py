"""The pane of the backfills, and of the gaps that they could fill."""

from __future__ import annotations

from typing import Any

from console.model.backfills import Backfills
from console.model.snapshot import Interest, Page, Scene
from console.model.targets import Target
from console.screens.pane import Bar, ListPane
from console.view import backfills as view
from console.view.columns import BACKFILLS
from console.view.sorting import Column
from console.view.spans import DIM, TEXT, Spans

PAGE = Page("backfills")


class BackfillsPane(ListPane):
    """All backfills with their progress."""

    view = "backfills"

    def interest(self) -> Interest:
        """What this view reads for itself."""
        return Interest(page=PAGE)

    def columns(self) -> tuple[Column[Any], ...]:
        """What backfills can be sorted by."""
        return BACKFILLS

    def draw(self, scene: Scene) -> None:
        """Shows the scene. Until somebody moves it, the cursor stays on the first row."""
        found = scene.snapshot.paged
        if not isinstance(found, Backfills):
            self.show_words("reading")
            return
        lines = view.rows(scene, found, self.list.row_width, self.sorting)
        if not lines:
            self.show_words("no backfills, and no gaps: b on a DAG starts one")
            return
        self.list.show(lines)
        self.stay_on_top()

    def title(self, scene: Scene, width: int) -> Bar:
        """What this is."""
        return ((" backfills", f"{TEXT} bold"),), ()

    def rule(self, scene: Scene, width: int) -> Spans:
        """How much there is."""
        found = scene.snapshot.paged
        return ((view.summary(found), DIM),) if isinstance(found, Backfills) else ()

    def target(self, scene: Scene) -> Target:
        """What the row under the cursor is about."""
        found, key = scene.snapshot.paged, self.list.cursor_key
        if not isinstance(found, Backfills) or not isinstance(key, tuple):
            return Target(self.view)
        if key[0] == "backfill":
            card = next((card for card in found.cards if card.id == key[1]), None)
            return Target(self.view) if card is None else Target(self.view, card.dag_id, backfill=card.id)
        gap = next((gap for gap in found.gaps if (gap.dag_id, gap.first) == key[1:]), None)
        return Target(self.view) if gap is None else Target(self.view, gap.dag_id, span=view.range_of(gap))

    def is_failing(self, scene: Scene, key: object) -> bool:
        """One of which dates have failed."""
        found = scene.snapshot.paged
        cards = found.cards if isinstance(found, Backfills) else ()
        return any(card.failed and key == ("backfill", card.id) for card in cards)

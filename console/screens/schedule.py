"""The pane of a DAG's schedule."""

from __future__ import annotations

from console.model.place import Place
from console.model.schedule_page import SchedulePage
from console.model.snapshot import Interest, Page, Scene
from console.model.targets import Target
from console.screens.pane import Bar, ListPane
from console.view import schedule as view
from console.view.backfills import range_of
from console.view.spans import TEXT


class SchedulePane(ListPane):
    """What comes next, and what was left out."""

    view = "schedule"

    def __init__(self) -> None:
        super().__init__()
        self.dag_id = ""

    def arrive(self, place: Place) -> None:
        """The DAG of the place."""
        self.dag_id = place.dag_id or ""

    def interest(self) -> Interest:
        """What this view reads for itself."""
        return Interest(page=Page("schedule", (self.dag_id,)))

    def _page(self, scene: Scene) -> SchedulePage | None:
        found = scene.snapshot.paged
        return found if isinstance(found, SchedulePage) and found.dag_id == self.dag_id else None

    def draw(self, scene: Scene) -> None:
        """Shows the scene."""
        page = self._page(scene)
        if page is None:
            self.show_words("reading")
        else:
            self.list.show(view.rows(scene, page, self.list.row_width))

    def title(self, scene: Scene, width: int) -> Bar:
        """What this is."""
        return ((f" {self.dag_id}", f"{TEXT} bold"), (" > schedule", TEXT)), ()

    def target(self, scene: Scene) -> Target:
        """What the row under the cursor is about."""
        page, key = self._page(scene), self.list.cursor_key
        if page is not None and isinstance(key, tuple) and key[0] == "gap":
            gap = next((gap for gap in page.gaps if gap.first == key[2]), None)
            if gap is not None:
                return Target(self.view, self.dag_id, span=range_of(gap))
        return Target(self.view, self.dag_id or None)

"""The pane of a DAG's durations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from console.model.durations import Durations, Series
from console.model.place import Place
from console.model.snapshot import Interest, Page, Scene
from console.model.targets import Target
from console.screens.pane import Bar, ListPane
from console.view import durations as view
from console.view.columns import SERIES
from console.view.sorting import Column, Order
from console.view.spans import DIM, TEXT, Spans

if TYPE_CHECKING:
    from console.app import ConsoleApp


class DurationsPane(ListPane):
    """Runs and tasks of one DAG."""

    view = "durations"

    def __init__(self) -> None:
        super().__init__()
        self.dag_id = ""
        self.backfills = False
        """Whether the runs of backfills count."""

    def arrive(self, place: Place) -> None:
        """The DAG of the place."""
        if place.dag_id != self.dag_id:
            self.dag_id = place.dag_id or ""
            self.list.show(())

    def interest(self) -> Interest:
        """What this view reads for itself."""
        return Interest(page=Page("durations", (self.dag_id, self.backfills)))

    @property
    def _order(self) -> Order[Series]:
        """What tasks are sorted by: unless somebody chose otherwise, the slowest stand above."""
        return self.sorting or Order(SERIES[0])

    def _page(self, scene: Scene) -> Durations | None:
        found = scene.snapshot.paged
        wanted = isinstance(found, Durations) and scene.snapshot.page == self.interest().page
        return found if isinstance(found, Durations) and wanted else None

    def columns(self) -> tuple[Column[Any], ...]:
        """What tasks can be sorted by."""
        return SERIES

    def draw(self, scene: Scene) -> None:
        """Shows the scene."""
        page = self._page(scene)
        if page is None:
            self.show_words("reading")
        else:
            self.list.show(view.rows(scene, page, self._order, self.list.row_width))

    def title(self, scene: Scene, width: int) -> Bar:
        """What this is."""
        return ((f" {self.dag_id}", f"{TEXT} bold"), (" > durations", TEXT)), ()

    def rule(self, scene: Scene, width: int) -> Spans:
        """Of what."""
        counted = "with those of backfills" if self.backfills else "without backfills"
        words = "" if self.sorting is not None else f"tasks {self._order.column.first}"
        if width >= 100:
            return ((f"{words}   last 100 successes of 30 days, {counted}".lstrip(), DIM),)
        return ((f"{words}, {counted}" if words else counted, DIM),)

    def target(self, scene: Scene) -> Target:
        """The task under the cursor, in the DAG's newest run."""
        card, key = scene.snapshot.by_id.get(self.dag_id), self.list.cursor_key
        newest = card.recent[-1].run_id if card is not None and card.recent else None
        task = key[1] if isinstance(key, tuple) and key[0] == "task" and newest is not None else None
        return Target(self.view, self.dag_id or None, newest, task)


def backfills(app: ConsoleApp, target: Target) -> None:
    """Counts the runs of backfills, or does not."""
    pane = app.stage.pane("durations")
    assert isinstance(pane, DurationsPane)
    pane.backfills = not pane.backfills
    app.look_again()

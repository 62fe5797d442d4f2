"""The overview's pane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from console.actions.finding import attention_of
from console.model.attention import Attention
from console.model.dags import DagCard
from console.model.place import Place
from console.model.snapshot import Scene
from console.model.targets import Target
from console.screens.pane import ListPane
from console.view.overview import Overview, best_run, summary
from console.view.spans import DIM, Spans

if TYPE_CHECKING:
    from console.view.sorting import Column


class OverviewPane(ListPane):
    """The attention list, then every DAG."""

    view = "overview"

    def __init__(self) -> None:
        super().__init__()
        self._wanted: str | None = None
        self._rows: Overview | None = None

    def columns(self) -> tuple[Column[Any], ...]:
        """What DAGs can be sorted by."""
        from console.view.columns import DAGS

        return DAGS

    def draw(self, scene: Scene) -> None:
        """Shows the scene. Until somebody moves it, the cursor stays on the first row: what needs a person."""
        self._rows = rows = Overview(scene, self._rows, self.sorting, uncut=self.wide)
        self.list.show(rows)
        wanted, self._wanted = self._wanted, None
        if wanted is not None and self.list.move_to(("dag", wanted)):
            self._moved = True
        self.stay_on_top()

    def leave(self) -> None:
        """Whoever comes again finds the cursor where it was."""

    def let_go(self) -> None:
        """The rows hold the cards they were made of."""
        super().let_go()
        self._rows = None

    def arrive(self, place: Place) -> None:
        """At the DAG of the place, if it names one."""
        self._wanted = place.dag_id

    def here(self, scene: Scene, place: Place) -> Place:
        """The overview at a DAG."""
        key = self.list.cursor_key
        dag_id = key[1] if isinstance(key, tuple) and key[0] == "dag" else None
        return Place(self.view, dag_id, filter=self.needle, sort=self.sorted_by)

    def rule(self, scene: Scene, width: int) -> Spans:
        """How many DAGs there are."""
        words = "reading the store" if scene.loading else summary(scene.snapshot)
        if scene.snapshot.trouble:
            return ((scene.snapshot.trouble[: max(width - 20, 10)], "bad"),)
        return ((words, DIM),)

    def target(self, scene: Scene) -> Target:
        """The DAG with the run that is most worth looking at, or the attention row with its first instance."""
        key = self.list.cursor_key
        if not isinstance(key, tuple):
            return Target(self.view)
        kind, name = key
        if kind == "dag":
            return target_of(self.view, scene.snapshot.by_id.get(name))
        row = attention_of(scene, Target(self.view, attention=name))
        return Target(self.view) if row is None else _of_attention(self.view, row, scene)

    def target_at(self, scene: Scene, key: object) -> Target | None:
        """A DAG; causes are recovered as a whole, and not marked."""
        if not isinstance(key, tuple) or key[0] != "dag":
            return None
        card = scene.snapshot.by_id.get(key[1])
        return None if card is None else target_of(self.view, card)

    def other_part(self, scene: Scene, step: int) -> bool:
        """From what needs a person to the DAGs, and back."""
        key, rows = self.list.cursor_key, self._rows
        here = key[0] if isinstance(key, tuple) else ""
        found = (rows.key(at) for at in range(len(rows))) if rows is not None else iter(())
        there = next((each for each in found if isinstance(each, tuple) and each[0] != here), None)
        self.touched()
        return there is not None and self.list.move_to(there)

    def next_failure(self, scene: Scene, step: int) -> bool:
        """To the next DAG of which something has failed."""
        if self._rows is None:
            return False
        failed = {failure.dag_id for failure in scene.snapshot.failures}
        size, start = len(self._rows), self.list.cursor_index or 0
        for distance in range(1, size + 1):
            key = self._rows.key((start + step * distance) % size)
            if isinstance(key, tuple) and key[0] == "dag" and key[1] in failed:
                return self.list.move_to(key)
        return False


def target_of(view: str, card: DagCard | None) -> Target:
    """A DAG as a target, with its run that is most worth looking at."""
    if card is None:
        return Target(view)
    mark = best_run(card)
    return Target(view, card.dag_id, None if mark is None else mark.run_id)


def _of_attention(view: str, row: Attention, scene: Scene) -> Target:
    if not row.where:
        return Target(view, attention=row.key)
    dag, run, task, index = row.where[0]
    return Target(view, dag, run or None, task or None, index, attention=row.key)

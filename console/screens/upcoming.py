"""The pane of the upcoming runs."""

from __future__ import annotations

from typing import Any

from console.model.snapshot import Scene
from console.model.targets import Target
from console.screens.pane import Bar, ListPane
from console.view import upcoming as view
from console.view.columns import COMING
from console.view.overview import best_run
from console.view.sorting import Column
from console.view.spans import DIM, TEXT, Spans
from engine.model.terms import Terms


class UpcomingPane(ListPane):
    """Runs that are due, and retries that wait, in their order."""

    view = "upcoming"

    def __init__(self) -> None:
        super().__init__()
        self._terms = Terms()
        self._found: list[view.Coming] = []

    def columns(self) -> tuple[Column[Any], ...]:
        """What comes can be sorted by."""
        return COMING

    def draw(self, scene: Scene) -> None:
        """Shows the scene. Until somebody moves it, the cursor stays on the first row."""
        self._found = view.coming(scene, self._terms)
        if self.sorting is not None:
            self._found = self.sorting.of(self._found, scene.now)
        if not self._found:
            words = (
                f"nothing matches {self.needle}"
                if self.needle
                else "nothing is due: no DAG that is not paused has a schedule"
            )
            self.show_words(words)
            return
        self.list.show(view.rows(scene, self._found, self.list.row_width, self.sorting))
        self.stay_on_top()

    def let_go(self) -> None:
        """The runs are found anew."""
        super().let_go()
        self._found = []

    def sift(self, terms: Terms, scene: Scene) -> None:
        """Shows only what comes of DAGs that fit."""
        self._terms = terms
        self.draw(scene)

    def title(self, scene: Scene, width: int) -> Bar:
        """What this is."""
        return ((" upcoming runs", f"{TEXT} bold"),), ()

    def rule(self, scene: Scene, width: int) -> Spans:
        """How much there is."""
        return ((f"{len(self._found)} coming", DIM),)

    def target(self, scene: Scene) -> Target:
        """What the row under the cursor is about."""
        return self._target(self.list.cursor_key, scene)

    def target_at(self, scene: Scene, key: object) -> Target | None:
        """A DAG that is due, or a task that waits for its retry."""
        return self._target(key, scene) if isinstance(key, tuple) else None

    def is_failing(self, scene: Scene, key: object) -> bool:
        """A retry is of a task that failed."""
        return isinstance(key, tuple) and key[3] is not None

    def _target(self, key: object, scene: Scene) -> Target:
        if not isinstance(key, tuple):
            return Target(self.view)
        _, dag_id, run_id, task_id, index = key
        card = scene.snapshot.by_id.get(dag_id)
        if run_id is None and card is not None:
            mark = best_run(card)
            run_id = None if mark is None else mark.run_id
        return Target(self.view, dag_id, run_id, task_id, index)

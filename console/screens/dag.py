"""The DAG's pane: its runs."""

from __future__ import annotations

from typing import Any

from console.model.place import Place
from console.model.runs import DagDetail
from console.model.snapshot import Interest, Scene
from console.model.targets import Target
from console.screens.pane import Bar, ListPane
from console.view import dag as view
from console.view.columns import RUNS
from console.view.sorting import Column
from console.view.spans import DIM, Spans


class DagPane(ListPane):
    """The runs of one DAG, newest first."""

    view = "dag"

    def __init__(self) -> None:
        super().__init__()
        self.dag_id: str | None = None
        self._rows: view.DagRows | None = None
        self._wanted: str | None = None

    def arrive(self, place: Place) -> None:
        """The DAG of the place, at its run if it names one."""
        self.open(place.dag_id or "")
        self._wanted = place.run_id

    def open(self, dag_id: str) -> None:
        """Shows another DAG."""
        if dag_id != self.dag_id:
            self.dag_id, self._rows = dag_id, None
            self.unmark()
            self.list.show(())

    def interest(self) -> Interest:
        """The DAG."""
        return Interest(dag_id=self.dag_id)

    def detail(self, scene: Scene) -> DagDetail | None:
        """The DAG, once its picture has come."""
        dag = scene.snapshot.dag
        return dag if dag is not None and dag.dag_id == self.dag_id else None

    def columns(self) -> tuple[Column[Any], ...]:
        """What runs can be sorted by."""
        return RUNS

    def draw(self, scene: Scene) -> None:
        """Shows the scene."""
        detail = self.detail(scene)
        if detail is None:
            self.show_words("reading")
            return
        self._rows = view.DagRows(scene, detail, self._rows, self.sorting)
        self.list.show(self._rows)
        if self._wanted is not None and self.list.move_to(("run", self._wanted)):
            self._wanted = None

    def let_go(self) -> None:
        """The rows hold the runs they were made of."""
        super().let_go()
        self._rows = None

    def touched(self, move: str = "") -> None:
        """A person has moved the cursor: it is not taken anywhere else any more."""
        self._wanted = None

    def title(self, scene: Scene, width: int) -> Bar:
        """Which DAG, and when it runs."""
        return view.title(scene, self.dag_id or "", width)

    def rule(self, scene: Scene, width: int) -> Spans:
        """How many runs are listed."""
        detail = self.detail(scene)
        count = 0 if detail is None else len(detail.runs)
        newest = "newest " if detail is not None and detail.more else ""
        return ((f"{newest}{count} run{'s' if count != 1 else ''}", DIM),)

    def target(self, scene: Scene) -> Target:
        """The run under the cursor."""
        key = self.list.cursor_key
        run_id = key[1] if isinstance(key, tuple) else None
        return Target(self.view, self.dag_id, run_id)

    def target_at(self, scene: Scene, key: object) -> Target | None:
        """A run."""
        return Target(self.view, self.dag_id, key[1]) if isinstance(key, tuple) else None

    def next_failure(self, scene: Scene, step: int) -> bool:
        """To the next run that failed."""
        detail = self.detail(scene)
        if detail is None or not detail.runs or self._rows is None:
            return False
        runs = self._rows.runs
        size, start = len(runs), (self.list.cursor_index or 1) - 1
        for distance in range(1, size + 1):
            mark = runs[(start + step * distance) % size]
            if mark.state == "failed":
                return self.list.move_to(("run", mark.run_id))
        return False

"""The pane of the failure inbox."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from console.model.attention import Attention
from console.model.dags import Failure
from console.model.snapshot import Scene
from console.model.targets import Target
from console.screens.pane import Bar, ListPane
from console.view import inbox as view
from console.view.columns import CAUSES
from console.view.sorting import Column
from console.view.spans import DIM, TEXT, Spans
from engine.model.terms import Terms


class InboxPane(ListPane):
    """What has failed and nobody has put right, by cause."""

    view = "inbox"

    def __init__(self) -> None:
        super().__init__()
        self._terms = Terms()
        self._found: list[tuple[Attention, list[Failure]]] = []

    def columns(self) -> tuple[Column[Any], ...]:
        """What causes can be sorted by."""
        return CAUSES

    def draw(self, scene: Scene) -> None:
        """Shows the scene. Until somebody moves it, the cursor stays on the first row."""
        self._found = view.in_order(view.groups(scene.snapshot, self._terms), self.sorting, scene.now)
        if not self._found:
            words = f"nothing matches {self.needle}" if self.needle else "nothing has failed"
            self.show_words(words)
            return
        self.list.show(view.rows(scene, self._found, self.list.row_width))
        self.stay_on_top()

    def let_go(self) -> None:
        """The failures are found anew."""
        super().let_go()
        self._found = []

    def sift(self, terms: Terms, scene: Scene) -> None:
        """Shows only instances that fit, below their causes."""
        self._terms = terms
        self.draw(scene)

    def title(self, scene: Scene, width: int) -> Bar:
        """What this is."""
        return ((" failure inbox", f"{TEXT} bold"),), ()

    def rule(self, scene: Scene, width: int) -> Spans:
        """How much there is."""
        return ((view.summary(self._found), DIM),)

    def target(self, scene: Scene) -> Target:
        """What the row under the cursor is about."""
        return self._target(self.list.cursor_key, scene)

    def _target(self, key: object, scene: Scene) -> Target:
        if not isinstance(key, tuple):
            return Target(self.view)
        if key[0] == "cause":
            row = next((row for row, _ in self._found if row.key == key[1]), None)
            if row is None or not row.where:
                return Target(self.view)
            dag, run, task, index = row.where[0]
            return Target(self.view, dag, run or None, task or None, index, attention=row.key)
        _, run_id, task_id, index = key
        dag_id = next((f.dag_id for _, each in self._found for f in each if f.run_id == run_id), None)
        return Target(self.view, dag_id, run_id, task_id or None, index)

    def target_at(self, scene: Scene, key: object) -> Target | None:
        """An instance that failed; a cause stands for its instances."""
        return self._target(key, scene) if isinstance(key, tuple) and key[0] == "failure" else None

    def marks_of(self, key: Hashable) -> tuple[Hashable, ...]:
        """A cause is marked as its instances."""
        if not isinstance(key, tuple) or key[0] != "cause":
            return (key,)
        members = next((each for row, each in self._found if row.key == key[1]), [])
        return tuple(("failure", f.run_id, f.task_id, f.map_index) for f in members[: view.MEMBERS])

    def next_failure(self, scene: Scene, step: int) -> bool:
        """To the next instance that failed."""
        keys = [("failure", f.run_id, f.task_id, f.map_index) for _, each in self._found for f in each[: view.MEMBERS]]
        if not keys:
            return False
        here = self.list.cursor_key
        at = keys.index(here) + step if here in keys else 0
        return self.list.move_to(keys[at % len(keys)])

"""The pane of one task instance: all that is known of it, and its attempts to choose from."""

from __future__ import annotations

from console.model.keys import UNMAPPED
from console.model.place import Place
from console.model.runs import RunDetail, TaskCard
from console.model.snapshot import Interest, Page, Scene
from console.model.targets import Target
from console.model.task_page import TaskPage
from console.screens.pane import Bar, ListPane
from console.view import task as view
from console.view.spans import DIM, TEXT, Spans


class TaskPane(ListPane):
    """A task of a run, by its id and map index."""

    view = "task"

    def __init__(self) -> None:
        super().__init__()
        self._where: tuple[str | None, str, str, int] = (None, "", "", UNMAPPED)
        self._fresh = True

    def arrive(self, place: Place) -> None:
        """The task of the place."""
        where = (place.dag_id, place.run_id or "", place.task_id or "", place.map_index)
        if where != self._where:
            self._where, self._fresh = where, True
            self.list.show(())

    def interest(self) -> Interest:
        """The run, and what only this view shows."""
        return Interest(run_id=self._where[1], page=Page("task", self._where[1:]))

    def detail(self, scene: Scene) -> RunDetail | None:
        """The run, once its picture has come."""
        run = scene.snapshot.run
        return run if run is not None and run.mark.run_id == self._where[1] else None

    def card(self, scene: Scene) -> TaskCard | None:
        """The task instance."""
        run = self.detail(scene)
        return None if run is None else run.task(*self._where[2:])

    def draw(self, scene: Scene) -> None:
        """Shows the scene."""
        run, card = self.detail(scene), self.card(scene)
        if run is None or card is None:
            absent = scene.snapshot.lacks(self._where[1])
            words = f"this run has no task {self._where[2]}" if run is not None else "reading"
            words = f"there is no run {self._where[1]}" if absent else words
            self.show_words(words)
            return
        page = scene.snapshot.paged if scene.snapshot.page == self.interest().page else None
        found = page if isinstance(page, TaskPage) else None
        self.list.show(view.rows(scene, run, card, found, self.list.row_width))
        if self._fresh and self.list.size.height:
            # Before it has a size, the window would be as if it had one line, and begin at the cursor.
            self._fresh = False
            self.list.action_cursor_first()
            newest = card.attempts[-1].number if card.attempts else None
            if newest is not None:
                self.list.move_to(("attempt", newest))

    def title(self, scene: Scene, width: int) -> Bar:
        """Which task, and how it stands."""
        run, card = self.detail(scene), self.card(scene)
        if run is None or card is None:
            return ((f" {self._where[1]} > {self._where[2]}", TEXT),), ()
        return view.title(scene, run, card, width)

    def rule(self, scene: Scene, width: int) -> Spans:
        """How many attempts there were."""
        card = self.card(scene)
        count = 0 if card is None else len(card.attempts)
        return ((f"{count} attempt{'s' if count != 1 else ''}", DIM),)

    def is_failing(self, scene: Scene, key: object) -> bool:
        """An attempt that ended badly."""
        card = self.card(scene)
        attempts = () if card is None else card.attempts
        return any(each.outcome not in (None, "success") and key == ("attempt", each.number) for each in attempts)

    def target(self, scene: Scene) -> Target:
        """The task, and the attempt under the cursor."""
        dag_id, run_id, task_id, map_index = self._where
        key = self.list.cursor_key
        number = key[1] if isinstance(key, tuple) and key[0] == "attempt" else None
        return Target(self.view, dag_id, run_id, task_id, map_index, number)

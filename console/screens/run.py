"""The run's pane: graph and tasks on the same rows, and the attempts of the task under the cursor."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.widget import Widget

from console.model.critical import CriticalPath
from console.model.eta import eta
from console.model.keys import UNMAPPED
from console.model.place import Place
from console.model.runs import RunDetail, TaskCard
from console.model.snapshot import Interest, Scene
from console.model.targets import Target
from console.screens.pane import Bar, Desk, Pane
from console.screens.run_boxes import Boxes
from console.view import folding, run_title
from console.view import run as view
from console.view.attempts import attempt_rows
from console.view.columns import TASKS
from console.view.frame import Folds, Frame
from console.view.gantt import GanttRows, legend
from console.view.sorting import Column
from console.view.spans import DIM, TEXT, Spans
from console.widgets.lines import LineView
from console.widgets.status import BarLine, rule
from engine.model.moments import SECOND, Micros

_ETA_EVERY: Micros = 2 * SECOND
TABLE, GANTT, BOXES = "table", "gantt", "boxes"
LAID_OUT_AT_ONCE = 300
"""Tasks up to which a graph is laid out within a frame."""


class RunPane(Pane):
    """One run, named by its run id."""

    view = "run"

    DEFAULT_CSS = """
    RunPane > #attempts { height: 4; }
    RunPane > #boxes { display: none; }
    RunPane.boxes > #boxes { display: block; }
    RunPane.boxes > #tasks { display: none; }
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.list = LineView(id="tasks")
        self.boxes = Boxes(self._to)
        self.mode = TABLE
        self._path = CriticalPath()
        self.attempts_rule = BarLine(fill="─", fill_token="rule", id="attempts-rule")
        self.attempts = LineView(id="attempts")
        self.attempts.can_focus = False
        self._below = False
        """The keys go to the tries."""
        self._more = 0
        self.run_id: str | None = None
        self._place: Place | None = None
        self._scene: Scene | None = None
        self._rows: view.RunRows | None = None
        self._frame: Frame | None = None
        self._laying: object = None
        self._wanted: Hashable = None
        self._folds = Folds()
        self._eta: tuple[object, tuple[Micros, Micros] | None] = (None, None)

    @classmethod
    def made_for(cls, desk: Desk) -> RunPane:
        """The pane of an app."""
        return cls(desk)

    def compose(self) -> ComposeResult:
        """Tasks above, attempts below."""
        yield self.list
        yield self.boxes
        yield self.attempts_rule
        yield self.attempts

    def focus_inside(self) -> Widget:
        """The tasks, their boxes, or the tries below."""
        return self.attempts if self._below else self.boxes if self.mode == BOXES else self.list

    @property
    def listed(self) -> LineView:
        """The tasks: behind the boxes, too, they are the list."""
        return self.list

    def arrive(self, place: Place) -> None:
        """The run of the place, at its task; whoever comes back finds the cursor where it was."""
        if place is self._place and place.run_id == self.run_id:
            return
        self._place = place
        self.open(place.run_id or "", place.task_id, place.map_index)

    def open(self, run_id: str, task_id: str | None = None, map_index: int = UNMAPPED) -> None:
        """Shows another run, with the cursor on a task once it is there."""
        if run_id != self.run_id:
            self._rows, self.run_id = None, run_id
            self._eta, self._below = (None, None), False
            self.unmark()
            self.list.show(())
        self._wanted = ("task", task_id, map_index) if task_id else ("first",)
        if task_id and map_index != UNMAPPED:
            self._folds = self._folds._replace(unfolded=self._folds.unfolded | {task_id})

    def interest(self) -> Interest:
        """The run."""
        return Interest(run_id=self.run_id)

    def detail(self, scene: Scene) -> RunDetail | None:
        """The run, once its picture has come."""
        run = scene.snapshot.run
        return run if run is not None and run.mark.run_id == self.run_id else None

    def columns(self) -> tuple[Column[Any], ...]:
        """What tasks can be sorted by."""
        return TASKS

    def draw(self, scene: Scene) -> None:
        """Shows the scene."""
        self._scene = scene
        run = self.detail(scene)
        if run is None:
            words = f"there is no run {self.run_id}" if scene.snapshot.lacks(self.run_id) else "reading"
            self.list.show([(None, ((words, DIM),))])
            self.attempts.show(())
            return
        if not self._laid_out(run):
            self.list.show([(None, ((f"laying out {len(run.tasks):,} tasks", DIM),))])
            return
        self._draw_rows(scene, run, self.list.cursor_key)
        if self._wanted is not None:
            self._place_cursor(run)
        self._draw_boxes(scene, run)
        self._draw_attempts(scene, run)

    def let_go(self) -> None:
        """A run may have ten thousand tasks: of what was shown only the layout is kept."""
        super().let_go()
        self._rows = self._scene = None

    def _draw_rows(self, scene: Scene, run: RunDetail, cursor: Hashable) -> None:
        """Graph with table or bars. Behind the boxes they are drawn too: it is their cursor."""
        before = self._rows
        if self.mode == GANTT:
            self._rows = GanttRows(scene, run, before, cursor, self._frame, self._path.at(run, scene.now), self.sorting)
        else:
            known = None if isinstance(before, GanttRows) else before
            self._rows = view.RunRows(scene, run, known, cursor, self._frame, uncut=self.wide, order=self.sorting)
        self.list.show(self._rows)

    def _draw_boxes(self, scene: Scene, run: RunDetail) -> None:
        if self.mode == BOXES and self._rows is not None:
            path = self._path.at(run, scene.now)
            self.boxes.draw_run(scene, run, self._rows.frame, self.list.cursor_key, path)

    def _to(self, key: Hashable) -> None:
        """Puts the cursor on a row, in the table and so in the boxes."""
        self.list.move_to(key)

    def look(self, mode: str) -> None:
        """Another picture of the same run, with the same cursor; the one that is shown gives way to the table."""
        self.mode, self._below = TABLE if self.mode == mode else mode, False
        self.set_class(self.mode == BOXES, "boxes")
        self.focus_inside().focus()
        if self._scene is not None:
            self.call_after_refresh(self._draw_again)

    def _draw_again(self) -> None:
        if self._scene is not None:
            self.draw(self._scene)

    def _laid_out(self, run: RunDetail) -> bool:
        """Whether the run's graph has a place for every task. A large one is laid out beside, so that keys go on."""
        if self._frame is not None and self._frame.fits(run, self._folds):
            return True
        if len(run.plan) <= LAID_OUT_AT_ONCE:
            self._frame = Frame(run, self._folds)
            return True
        wanted = (run.plan, self._folds)
        if self._laying != wanted:
            self._laying = wanted
            self.run_worker(self._lay_out(run, wanted), group="layout", exit_on_error=True)
        return False

    async def _lay_out(self, run: RunDetail, wanted: object) -> None:
        frame = await asyncio.to_thread(Frame, run, self._folds)
        if self._laying is wanted:
            self._frame, self._laying = frame, None
            if self._scene is not None:
                self.draw(self._scene)

    def _place_cursor(self, run: RunDetail) -> None:
        """On the task that was asked for, else where something is wrong or runs."""
        wanted, self._wanted = self._wanted, None
        if wanted != ("first",) and self.list.move_to(wanted):
            return
        for states in (("failed",), ("up_for_retry",), ("running", "killing")):
            found = next((card for card in run.tasks if card.state in states), None)
            if found is not None and self._frame is not None:
                self.list.move_to(self._frame.visible(found))
                return
        self.list.action_cursor_first()

    def _draw_attempts(self, scene: Scene, run: RunDetail) -> None:
        most = 8 if self.size.height >= 40 else 5 if self.size.height >= 24 else 3
        most = max(1, min((self.size.height // 2 if self._below else most) + self._more, self.size.height - 4))
        height = self.attempts.styles.height
        if height is None or height.value != most:
            self.attempts.styles.height = most
        card = self.card(scene)
        if card is None:
            self.attempts_rule.show(*rule())
            self.attempts.show(())
            return
        self.attempts_rule.show(*rule(card.name, token=f"{TEXT} bold"))
        plan = self._rows.plan(card) if self._rows is not None else None
        self.attempts.can_focus = self._below
        known = len(card.attempts) if self._below else 0
        lines = attempt_rows(scene, run, card, plan, self.attempts.row_width, max(most, known + 2))
        keys = [("try", attempt.number) for attempt in card.attempts[:known]]
        self.attempts.show([(keys[at] if at < known else None, line) for at, line in enumerate(lines)])

    @on(LineView.CursorMoved, "#tasks")
    def _moved(self, event: LineView.CursorMoved) -> None:
        """Lights the lines of the task under the cursor, and shows its attempts."""
        scene = self._scene
        run = None if scene is None else self.detail(scene)
        if scene is not None and run is not None:
            self._draw_rows(scene, run, event.key)
            self._draw_boxes(scene, run)
            self._draw_attempts(scene, run)
            if self.mode == BOXES:
                self.desk.redraw_rule()

    def card(self, scene: Scene) -> TaskCard | None:
        """The task instance under the cursor."""
        index = self.list.cursor_index
        if self._rows is None or not index or self.detail(scene) is None or index >= len(self._rows):
            return None
        return self._rows.card(index)

    def title(self, scene: Scene, width: int) -> Bar:
        """Which run, and how it goes."""
        run = self.detail(scene)
        if run is None:
            return ((f" {self.run_id}", TEXT),), ()
        beat = (scene.now // _ETA_EVERY, run.mark.state, scene.intents.of((run.mark.run_id, "", UNMAPPED)))
        if self._eta[0] != beat:
            ending = beat[2] is not None and beat[2].verb == "cancel"
            self._eta = (beat, None if ending else eta(run, scene.now))
        return run_title.title(scene, run, width, self._eta[1])

    def rule(self, scene: Scene, width: int) -> Spans:
        """Tasks by state."""
        run = self.detail(scene)
        if scene.snapshot.trouble:
            return ((scene.snapshot.trouble[: max(width - 20, 10)], "bad"),)
        if run is None:
            return ()
        counts = run_title.summary(scene, run)
        if self.mode == GANTT and isinstance(self._rows, GanttRows) and width >= 110:
            return (*legend(run, self._rows), ("   ", DIM), *counts)
        words = self.boxes.words if self.mode == BOXES else ""
        return ((f"{words}   ", DIM), *counts) if words else counts

    def target(self, scene: Scene) -> Target:
        """The task under the cursor."""
        run, card = self.detail(scene), self.card(scene)
        dag_id = run.mark.dag_id if run is not None else None
        if card is None:
            return Target(self.view, dag_id, self.run_id if run is not None else None)
        key = self.attempts.cursor_key if self._below else None
        number = key[1] if isinstance(key, tuple) else None
        return Target(self.view, dag_id, self.run_id, card.task_id, card.map_index, number)

    def other_part(self, scene: Scene, step: int) -> bool:
        """From the tasks to the tries of the one under the cursor, and back."""
        card = self.card(scene)
        if not self._below and (card is None or not card.attempts):
            return False
        self._below = not self._below
        if card is not None and self._below:
            self.draw(scene)
            self.attempts.action_cursor_last()
        return True

    def unmark(self) -> bool:
        """Back from the tries to the tasks; else takes all marks away. False where there is neither."""
        if not self._below:
            return super().unmark()
        self._below = False
        self.focus_inside().focus()
        return True

    def grow(self, lines: int) -> None:
        """More or fewer lines for the tries."""
        self._more = max(-8, min(self._more + lines, 40))

    def target_at(self, scene: Scene, key: object) -> Target | None:
        """A task instance, a folded row of them, or a folded group."""
        run = self.detail(scene)
        if run is None or not isinstance(key, tuple):
            return None
        return Target(self.view, run.mark.dag_id, self.run_id, key[1], key[2])

    def fold(self, scene: Scene, *, only_open: bool = False) -> bool:
        """Folds or unfolds what the cursor stands on: a mapped task, an index of one, a task group, a task in one.

        With `only_open` a folded row is unfolded and nothing is folded. False where there is nothing to do.
        """
        card, run = self.card(scene), self.detail(scene)
        if card is None or run is None or self._rows is None or self._below:
            return False
        found = folding.unfold(self._folds, run, card)
        if found is None and not only_open:
            plan = self._rows.plan(card)
            found = folding.fold(self._folds, card, None if plan is None else plan.group)
        if found is None:
            return False
        self._folds, self._wanted = found
        self.draw(scene)
        return True

    def unfold(self, scene: Scene) -> bool:
        """Unfolds the mapped task or the task group under the cursor."""
        return self.fold(scene, only_open=True)

    def next_failure(self, scene: Scene, step: int) -> bool:
        """To the next task that failed or waits for a retry."""
        if self._rows is None or self.detail(scene) is None:
            return False
        size, start = len(self._rows), self.list.cursor_index or 0
        for distance in range(1, size + 1):
            index = (start + step * distance) % size
            if index and self._rows.is_failure(index):
                return self.list.move_to(self._rows.card(index).key)
        return False

"""The source's pane: the code of one version of a DAG, or what has changed from it to the current version."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from console.model.place import Place
from console.model.snapshot import Interest, Page, Scene
from console.model.source import SourceCard
from console.model.targets import Target
from console.screens.pane import Bar, Desk, ListPane
from console.view import source as view
from console.view.spans import Spans

if TYPE_CHECKING:
    from console.app import ConsoleApp


class SourcePane(ListPane):
    """One version: that of the run it was opened from, at the task's line; from there to its neighbours."""

    view = "source"

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.comparing = False
        self._desk = desk
        self._place = Place("source")
        self._number: int | None = None
        self._left: Hashable | None = None
        """Where the cursor stood in the source before the difference was looked at."""
        self._toggled = False
        self._shown: tuple[object, ...] = ()
        self._rows: view.Rows = []

    @classmethod
    def made_for(cls, desk: Desk) -> SourcePane:
        """The pane of an app."""
        return cls(desk)

    def arrive(self, place: Place) -> None:
        """The version that the place's run used, or the current one."""
        self._place, self._number, self.comparing, self._shown = place, None, False, ()
        self._left = None

    def interest(self) -> Interest:
        """One page, by DAG, run and number."""
        place = self._place
        return Interest(page=Page("source", (place.dag_id, place.run_id, self._number)))

    def card(self, scene: Scene) -> SourceCard | None:
        """The version, once it has been read."""
        snapshot = scene.snapshot
        found = snapshot.paged if snapshot.page == self.interest().page else None
        return found if isinstance(found, SourceCard) else None

    def draw(self, scene: Scene) -> None:
        """Shows the lines; a version that is shown for the first time begins at the task."""
        card = self.card(scene)
        if card is None:
            waiting = scene.snapshot.page != self.interest().page
            self._shown = ()
            self.show_words("reading" if waiting else "no version of it was ever loaded")
            return
        width = max(self.list.size.width - 1, 1)
        wanted = (card, self.comparing, width)
        if wanted == self._shown:
            return
        opened = not self._shown
        self._shown = wanted
        self._rows = view.source_rows(card, self.comparing, width)
        self.list.show(self._rows)
        line = card.task_lines.get(self._place.task_id or "")
        if opened and line is not None and not self.comparing:
            self.list.move_to(("line", card.file, line))
        elif self._toggled and self.comparing:
            self.list.move_to(next((key for key, _ in self._rows if key is not None), None))
        elif self._toggled:
            self.list.move_to(self._left)
        self._toggled = False

    def let_go(self) -> None:
        """The lines are made anew."""
        super().let_go()
        self._shown, self._rows = (), []

    def title(self, scene: Scene, width: int) -> Bar:
        """Which version of which DAG."""
        used = self._place.run_id if self._number is None else None
        return view.title(self.card(scene), self._place.dag_id or "", used, width)

    def rule(self, scene: Scene, width: int) -> Spans:
        """How much there is."""
        return view.facts(self.card(scene), self.comparing)

    def target(self, scene: Scene) -> Target:
        """The DAG and the run it was opened from."""
        place = self._place
        return Target(self.view, place.dag_id, place.run_id, place.task_id, place.map_index)

    def compare(self) -> None:
        """The difference, from its beginning; or the source again, where it was left."""
        if not self.comparing:
            self._left = self.list.cursor_key
        self.comparing, self._toggled = not self.comparing, True

    def step_version(self, scene: Scene, step: int) -> None:
        """To the version before or after."""
        card = self.card(scene)
        number = None if card is None else card.older if step < 0 else card.newer
        if number is None:
            self._desk.say("this is the first version" if step < 0 else "this is the current version", "warn")
            return
        self._number, self._shown = number, ()
        self._desk.look_again()

    def step_part(self, step: int) -> None:
        """To the next (or previous) file, or hunk of a difference."""
        starts = [key for key, spans in self._rows if key is not None and self._begins(key, spans)]
        at = self.list.cursor_index or 0
        places = [index for index, (key, _) in enumerate(self._rows) if key in starts]
        ahead = [index for index in places if index > at] if step > 0 else [index for index in places if index < at]
        if not ahead:
            self._desk.say("there is no further one", "warn")
            return
        key = self._rows[ahead[0] if step > 0 else ahead[-1]][0]
        self.list.move_to(key)

    def to_open(self, scene: Scene) -> tuple[str, tuple[str, ...], int] | None:
        """The name, the lines and the number of the line of what the cursor stands on; 0 for a difference."""
        card, key = self.card(scene), self.list.cursor_key
        if card is None or card.trouble:
            return None
        if self.comparing:
            return "difference", card.diff.lines, 0
        name, number = (str(key[1]), int(key[2])) if isinstance(key, tuple) else (card.file, 1)
        found = next((lines for file, lines in card.files if file == name), None)
        return None if found is None else (name, found, max(number, 1))

    def _begins(self, key: tuple[str, str, int], spans: Spans) -> bool:
        return key[0] in ("file", "task") or (key[0] == "diff" and spans[0][0].startswith("@@"))


def _pane(app: ConsoleApp) -> SourcePane:
    pane = app.stage.front
    assert isinstance(pane, SourcePane)  # its actions are those of its view
    return pane


def compare(app: ConsoleApp, target: Target) -> None:
    """The difference to the current version, or the whole source again."""
    _pane(app).compare()
    app.redraw()


def older(app: ConsoleApp, target: Target) -> None:
    """The version before."""
    _pane(app).step_version(app.scene(), -1)


def newer(app: ConsoleApp, target: Target) -> None:
    """The version after."""
    _pane(app).step_version(app.scene(), 1)


def next_part(app: ConsoleApp, target: Target) -> None:
    """To the next file or change."""
    _pane(app).step_part(1)


def previous_part(app: ConsoleApp, target: Target) -> None:
    """To the file or change before."""
    _pane(app).step_part(-1)

"""What every view's pane can do: draw a scene, and say what its cursor stands on."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widget import Widget

from console.backends.port import LogBytes
from console.feed import Feed
from console.glyphs import STATES
from console.model.place import Place
from console.model.snapshot import Interest, Scene, Snapshot
from console.model.targets import Target
from console.view.sieve import Sifter
from console.view.spans import DIM, Spans
from console.widgets.lines import LineView
from engine.model.terms import TermError, Terms, parse_terms

if TYPE_CHECKING:
    from console.view.sorting import Column, Order

Bar = tuple[Spans, Spans]
"""The left and right side of a line."""


class Desk(Protocol):
    """What a pane may ask of the app."""

    def scene(self) -> Scene:
        """What is on the screen."""

    def say(self, text: str, token: str = "text") -> None:
        """Tells the operator."""

    def redraw(self) -> None:
        """Draws what is known, for this moment."""

    def redraw_rule(self) -> None:
        """Draws the rule alone: what it says has changed."""

    def look_again(self) -> None:
        """What the view in front wants to have read has changed."""

    def bookmarks(self) -> Sequence[str]:
        """The addresses that are kept, the oldest first."""

    @property
    def feed(self) -> Feed | None:
        """What draws the pictures, once there are some."""

    def open_attempt_log(self, attempt_id: str) -> LogBytes:
        """The bytes of an attempt's log. Raises LookupError."""


class Pane(Vertical):
    """One view. Only the pane in front is drawn."""

    DEFAULT_CSS = "Pane { height: 1fr; width: 1fr; }"

    view = ""
    needle = ""
    """What the rows are filtered by."""
    sifter: Sifter | None = None
    """The filter at work."""
    wide = False
    """Names are shown whole, at the cost of figures."""
    sorting: Order[Any] | None = None
    """What the rows are sorted by; None: as they are by themselves."""
    failing = "state:failed,up_for_retry,upstream_failed"
    """The filter of what has failed."""
    fault = ""
    """What is wrong with what was typed as a filter."""
    _meant: tuple[Snapshot, frozenset[Hashable], tuple[Target, ...]] | None = None
    """What was marked when it was last asked for: there may be thousands, and the key line asks every second."""

    class Resized(Message):
        """The pane has another size: what was drawn for the one before no longer fits."""

        def __init__(self, pane: Pane) -> None:
            super().__init__()
            self.pane = pane

    @classmethod
    def made_for(cls, desk: Desk) -> Pane:
        """The pane of an app, made when the view is first opened."""
        return cls()

    def on_resize(self, event: events.Resize) -> None:
        """Tells the stage."""
        self.post_message(self.Resized(self))

    def arrive(self, place: Place) -> None:
        """The view is opened, or opened for something else."""

    def draw(self, scene: Scene) -> None:
        """Shows the scene; cells that did not change cost nothing."""
        raise NotImplementedError

    def title(self, scene: Scene, width: int) -> Bar | None:
        """The line under the header; None where the view needs none."""
        return None

    def rule(self, scene: Scene, width: int) -> Spans:
        """What stands in the rule, on its right."""
        return ()

    def target(self, scene: Scene) -> Target:
        """What the cursor stands on."""
        return Target(self.view)

    def here(self, scene: Scene, place: Place) -> Place:
        """The place in front, with what the cursor stands on and what the rows are filtered by."""
        found = self.target(scene)
        return replace(
            place,
            dag_id=found.dag_id or place.dag_id,
            run_id=found.run_id or place.run_id,
            task_id=found.task_id or place.task_id,
            map_index=found.map_index if found.task_id else place.map_index,
            attempt=found.attempt or place.attempt,
            filter=self.needle,
            sort=self.sorted_by,
        )

    def target_at(self, scene: Scene, key: object) -> Target | None:
        """What the row with that key is about; None where such rows cannot be marked."""
        return None

    def marks_of(self, key: Hashable) -> tuple[Hashable, ...]:
        """The rows that are marked with a row: of one that stands for others, these."""
        return (key,)

    def marked(self, scene: Scene) -> tuple[Target, ...]:
        """What the marked rows are about, in their order."""
        view = self.listed
        marks: frozenset[Hashable] = frozenset() if view is None else view.marks
        if view is None or not marks:
            return ()
        if self._meant is None or self._meant[0] is not scene.snapshot or self._meant[1] != marks:
            found = (self.target_at(scene, key) for key in view.marked)
            self._meant = scene.snapshot, marks, tuple(target for target in found if target is not None)
        return self._meant[2]

    def unmark(self) -> bool:
        """Takes all marks away; False where there are none."""
        view = self.listed
        if view is None or not view.marks:
            return False
        view.set_marks(())
        return True

    def interest(self) -> Interest:
        """What has to be in the picture for this view."""
        return Interest()

    def focus_inside(self) -> Widget:
        """The widget that takes the keys."""
        raise NotImplementedError

    @property
    def listed(self) -> LineView | None:
        """The list that a filter works on; None where there is none."""
        found = self.focus_inside()
        return found if isinstance(found, LineView) else None

    def filter(self, needle: str, scene: Scene) -> None:
        """Shows only the rows that fit; all of them while what is typed means nothing."""
        self.needle, self.fault = needle.strip(), ""
        try:
            terms = parse_terms(needle, scene.now, scene.snapshot.home.timezone, frozenset(STATES))
        except TermError as error:
            self.fault, terms = str(error), Terms()
        self.sift(terms, scene)

    def sift(self, terms: Terms, scene: Scene) -> None:
        """Shows only the rows that fit these terms."""
        view = self.listed
        if view is not None:
            self.sifter = Sifter(terms, scene.now, self.sifter) if terms.terms else None
            view.sift(self.sifter)

    def columns(self) -> tuple[Column[Any], ...]:
        """What the rows can be sorted by; nothing where they have one order alone."""
        return ()

    def sort_by(self, order: Order[Any] | None) -> None:
        """Sorts the rows from the next picture on."""
        self.sorting = order

    @property
    def sorted_by(self) -> str | None:
        """The order as an address has it, empty for that of the rows themselves; None where nothing can be sorted."""
        return None if not self.columns() else "" if self.sorting is None else self.sorting.text

    def search(self, text: str) -> None:
        """Looks for a text in what is shown."""

    def words_of(self, address: str) -> str:
        """What stands at a bookmark, where it is one of what is shown; empty where it is not."""
        return ""

    def entered(self, purpose: str, text: str) -> None:
        """A line was typed for a purpose of this view's own."""

    def touched(self, move: str = "") -> None:
        """A person moves the cursor; `move` is the id of the movement's action."""

    def leave(self) -> None:
        """Another pane comes in front."""

    def let_go(self) -> None:
        """Keeps where it was, and lets go of what it showed: a console stays open for weeks, and runs are large."""
        self._meant = None
        if self.sifter is not None:
            self.sifter.forget()
        for view in self.query(LineView):
            view.let_go()

    def unfold(self, scene: Scene) -> bool:
        """Unfolds the row under the cursor; False when it is not folded."""
        return False

    def other_part(self, scene: Scene, step: int) -> bool:
        """Goes to the next part of the view (or the one before); False where there is only one."""
        return False

    def next_failure(self, scene: Scene, step: int) -> bool:
        """Puts the cursor on the next (or previous) failure; False when there is none."""
        return False


class ListPane(Pane):
    """A pane that is one list, known to style sheets by the name of its view."""

    def __init__(self) -> None:
        super().__init__()
        self.list = LineView(id=self.view)
        self._moved = False

    def compose(self) -> ComposeResult:
        """One list."""
        yield self.list

    def focus_inside(self) -> Widget:
        """The list."""
        return self.list

    def touched(self, move: str = "") -> None:
        """From now on the cursor stays where it is put."""
        self._moved = True

    def leave(self) -> None:
        """Whoever comes again begins at the top."""
        self._moved = False

    def other_part(self, scene: Scene, step: int) -> bool:
        """To the first row under the next heading, and round."""
        parts, key = self.list.sections(), self.list.cursor_key
        at = max((at for at, part in enumerate(parts) if key in part), default=-1)
        if len(parts) < 2 or at < 0:
            return False
        self.touched()
        return self.list.move_to(parts[(at + step) % len(parts)][0])

    def is_failing(self, scene: Scene, key: object) -> bool:
        """Whether the row with that key is one of a failure."""
        return False

    def next_failure(self, scene: Scene, step: int) -> bool:
        """To the next row of a failure, and round."""
        keys, here = self.list.shown_keys, self.list.cursor_key
        start = keys.index(here) if here in keys else 0
        around = (keys[(start + step * distance) % len(keys)] for distance in range(1, len(keys) + 1))
        found = next((key for key in around if self.is_failing(scene, key)), None)
        return found is not None and self.list.move_to(found)

    def stay_on_top(self) -> None:
        """Puts the cursor on the first row unless somebody has moved it: newest and most pressing rows come on top."""
        if not self._moved:
            self.list.action_cursor_first()

    def show_words(self, words: str) -> None:
        """Shows a sentence instead of rows: nothing is there, or nothing is there yet."""
        self.list.show([(None, ((words, DIM),))])

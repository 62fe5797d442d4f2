"""The log's pane: one attempt's log, opened at its first error if it failed, else at its end.

Searching, listing, counting and comparing are done in threads; what they are at stands in the rule.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widget import Widget

from console.backends.port import LogBytes
from console.feed import DEAREST
from console.model.place import Place
from console.model.runs import AttemptCard, RunDetail, TaskCard
from console.model.snapshot import Interest, Scene
from console.model.targets import Target
from console.screens.log_bookmarks import lines_kept
from console.screens.log_compare import Beside
from console.screens.log_numbers import Numbers
from console.screens.log_search import Attempt, Finder, other_attempts
from console.screens.log_sieve import Sieve
from console.screens.loglines import FileLines
from console.screens.pane import Bar, Desk, Pane
from console.text import sanitise
from console.view import log as view
from console.view.spans import ACCENT, DIM, TEXT, Spans
from console.view.structured import LONGEST, columns
from console.widgets.log import LogLine, LogView
from console.widgets.log_lines import read_line

_POLL = 0.1
_GUTTER = 8
"""Cells of the line numbers; a mark follows."""
_BEHIND = 1024 * 1024  # bytes: a log that grows is told as of its last count, if no more was written since
_FAILED = ("failed", "timeout", "lost", "killed")


class LogPane(Pane):
    """The log of a task's attempt."""

    view = "log"

    DEFAULT_CSS = """
    LogPane #good { display: none; }
    LogPane.comparing #good { display: block; margin-left: 2; }
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.log_view = LogView(read=self._read, decorate=self._gutter, id="log")
        self.good_view = LogView(read=self._read, id="good")
        self.good_view.can_focus = False
        self.lines: FileLines | None = None
        self.finder, self.sieve, self.beside = Finder(self), Sieve(self), Beside(self)
        self.numbers = Numbers(self)
        self.as_columns = True
        self._where: tuple[str | None, str | None, str | None, int] = (None, None, None, -1)
        self._wanted: int | None = None
        self._at: int | None = None
        self._attempt: AttemptCard | None = None
        self._bytes: LogBytes | None = None
        self._kept: dict[int, str] = {}
        """The addresses of its bookmarked lines, by where they begin."""
        self._grown = 0.0
        """When lines were last taken that had come meanwhile."""
        self._early: Callable[[], object] | None = None

    @classmethod
    def made_for(cls, desk: Desk) -> LogPane:
        """The pane of an app."""
        return cls(desk)

    def compose(self) -> ComposeResult:
        """One window on the log, and one beside it for the log that it is compared with."""
        with Horizontal():
            yield self.log_view
            yield self.good_view

    def on_mount(self) -> None:
        """A log grows without commits: look at it ten times a second while it is in front."""
        self.set_interval(_POLL, self._poll)

    def focus_inside(self) -> Widget:
        """The window."""
        return self.log_view

    # What is shown

    def arrive(self, place: Place) -> None:
        """The log of the place's attempt, or of the newest."""
        self._where = (place.dag_id, place.run_id, place.task_id, place.map_index)
        self._wanted, self._at, self._attempt = place.attempt, place.at, None
        self.finder.text = self.sieve.text = ""
        self._early = None
        self.beside.end()
        self._close()

    def leave(self) -> None:
        """Gives the files back."""
        self._attempt = None
        self.beside.end()
        self._close()
        self.log_view.show(None)

    def _close(self) -> None:
        self.finder.cancel()
        self.sieve.forget()
        if self._bytes is not None:
            self._bytes.close()
        self._bytes = self.lines = None
        self.numbers.forget()

    def here(self, scene: Scene, place: Place) -> Place:
        """The attempt that is shown, at the line that was gone to."""
        return replace(super().here(scene, place), filter="", at=self.log_view.current)

    def interest(self) -> Interest:
        """The run, for its attempts."""
        return Interest(run_id=self._where[1], page=self.beside.page)

    def detail(self, scene: Scene) -> RunDetail | None:
        """The run, once its picture has come."""
        run = scene.snapshot.run
        return run if run is not None and run.mark.run_id == self._where[1] else None

    def card(self, scene: Scene) -> TaskCard | None:
        """The task instance."""
        run = self.detail(scene)
        return None if run is None or self._where[2] is None else run.task(self._where[2], self._where[3])

    @property
    def ended(self) -> bool:
        """Whether nothing more is written to the log that is shown."""
        return self._attempt is not None and self._attempt.state == "ended"

    @property
    def about(self) -> tuple[object, ...] | None:
        """DAG, task, map index and attempt of the log that is shown."""
        return None if self._attempt is None else (self._where[0], *self._where[2:], self._attempt.id)

    def draw(self, scene: Scene) -> None:
        """Opens the log once the attempts are known; what it says is drawn as it grows."""
        run, card = self.detail(scene), self.card(scene)
        if run is not None and card is not None and self._attempt is None:
            card = run.logged(card)
            self._where = (*self._where[:3], card.map_index)
        if card is None or not card.attempts:
            known = self.detail(scene) is not None or scene.snapshot.lacks(self._where[1])
            if known and self._attempt is None:
                self.log_view.show(None)
            return
        if self._attempt is None:
            number = self._wanted if self._wanted is not None else card.attempts[-1].number
            at, self._at = self._at, None
            found = next((attempt for attempt in card.attempts if attempt.number == number), card.attempts[-1])
            self._show(found, at)
        else:
            number = self._attempt.number
            self._attempt = next((attempt for attempt in card.attempts if attempt.number == number), self._attempt)
        self.beside.draw(scene)

    def _show(self, attempt: AttemptCard, at: int | None = None) -> None:
        """Opens an attempt's log: at a line, else at its first error if it failed, else at its end."""
        self._close()
        self._attempt = attempt
        try:
            self._bytes = self.desk.open_attempt_log(attempt.id)
        except LookupError as error:
            self.tell(str(error))
            return
        lines = self.lines = FileLines(self._bytes)
        lines.look()
        self.numbers.begin(lines)
        self.log_view.highlight(self.finder.pattern(self.finder.text))
        self.log_view.show(lines)
        self.read_bookmarks()
        self.numbers.go_on()
        early, self._early = self._early, None
        if self.sieve.text:
            self.sieve.set(self.sieve.text)
        if early is not None:
            early()
        elif at is not None:
            self.log_view.go_to(at)
        elif attempt.outcome in _FAILED:
            self.finder.first_error(lines)

    def step_attempt(self, scene: Scene, step: int) -> None:
        """To the log of an earlier or later attempt."""
        card = self.card(scene)
        if card is None or self._attempt is None:
            return
        numbers = [attempt.number for attempt in card.attempts]
        at = numbers.index(self._attempt.number) + step if self._attempt.number in numbers else -1
        if not 0 <= at < len(numbers):
            self.desk.say("this is the first attempt" if step < 0 else "this is the newest attempt", "warn")
            return
        self.beside.end()
        self._show(card.attempts[at])

    def others(self, step: int) -> Sequence[Attempt]:
        """The task's other attempts, in the order in which a search goes on."""
        scene = self.desk.scene()
        run, card = self.detail(scene), self.card(scene)
        if run is None or card is None or self._attempt is None:
            return ()
        return other_attempts(run, card, self._attempt.number, step)

    def turn_to(self, there: Attempt, at: int) -> None:
        """Shows a line of another attempt."""
        card, attempt = there
        self._where = (*self._where[:3], card.map_index)
        self.beside.end()
        self._show(attempt, at)
        self.desk.redraw()
        self.desk.say(f"in {card.name}, try {attempt.number}")

    def tell(self, text: str) -> None:
        """Tells the operator, once what is being drawn stands there."""
        self.call_later(self.desk.say, text, "warn")

    def set_comparing(self, on: bool) -> None:
        """Two windows, or one."""
        self.set_class(on, "comparing")
        if self.log_view.is_attached:
            self.log_view.reread()

    def _poll(self) -> None:
        lines, feed, now = self.lines, self.desk.feed, time.monotonic()
        if lines is None or not self.has_class("front"):
            return
        if (feed is None or now - self._grown >= min(feed.gap, DEAREST) - _POLL / 2) and lines.look():
            self._grown = now
            self.numbers.fit(lines)
            self.log_view.grown()
            self.numbers.go_on()
            self.desk.redraw_rule()
        self.sieve.go_on()
        if self.finder.busy:
            self.desk.redraw_rule()

    @on(LogView.Moved)
    def _moved(self, event: LogView.Moved) -> None:
        """The window stands elsewhere: the rule says whether it follows, and the log beside it comes along."""
        event.stop()
        if event.view is self.log_view:
            self.beside.scroll_along()
            self.desk.redraw_rule()

    def touched(self, move: str = "") -> None:
        """A person moves: nothing that is found later takes the window away. A move that comes early is not lost."""
        if self.lines is None and move in ("move.first", "move.last"):
            self._early = self.log_view.action_first if move == "move.first" else self.log_view.action_follow
            self.desk.say("the log is being opened")
        elif move and self.finder.busy:
            self.finder.cancel()
            self.desk.redraw_rule()

    # Lines as they are drawn

    def _read(self, line: LogLine) -> Spans:
        raw = line.raw
        if self.as_columns and len(raw) <= LONGEST and (raw[:1] == b"{" or b"=" in raw):
            width = self.log_view.size.width - _GUTTER - 1
            made = columns(raw.decode("utf-8", "replace"), None if self.log_view.wrapped or width < 1 else width)
            if made is not None:
                return made
        return read_line(line)

    def toggle_columns(self) -> None:
        """Structured lines as columns, or as they were written."""
        self.as_columns = not self.as_columns
        self.log_view.reread()
        self.good_view.reread()
        self.desk.say("structured lines as columns" if self.as_columns else "lines as they were written")

    def in_sight(self) -> list[bytes]:
        """The lines in sight, as they were written; the one that was gone to alone where there is one."""
        source = self.sieve.matches or self.lines
        if source is None:
            return []
        at = self.log_view.current
        found = source.after(self.log_view.top if at is None else at, self.log_view.size.height if at is None else 1)
        return [line.raw for line in found]

    def _gutter(self, line: LogLine) -> Spans:
        number = self.numbers.of(line)
        sign = ("•", ACCENT) if line.offset in self._kept else (" ", DIM)
        return ((f"{'' if number is None else number:>{_GUTTER - 1}}", DIM), sign, *self.beside.mark(line))

    def read_bookmarks(self) -> None:
        """Which lines of this log are bookmarked."""
        self._kept = lines_kept(self.desk.bookmarks(), self.target(self.desk.scene()))
        self.log_view.reread()

    def words_of(self, address: str) -> str:
        """The line of a bookmark of this log."""
        at = next((at for at, kept in self._kept.items() if kept == address), None)
        found = () if at is None or self.lines is None else self.lines.after(at, 1)
        return "" if not found else f"line {self.numbers.of(found[0]) or '?'}  {sanitise(found[0].raw)}"

    # Search

    def search(self, text: str) -> None:
        """Marks all matches, and goes to the next one; a search that comes before the log is open waits for it."""
        if self.lines is None:
            self._early = lambda: self.search(text)
            self.desk.say("the log is being opened, then searched")
            return
        self.log_view.highlight(self.finder.pattern(text))
        self.finder.search(text)

    def entered(self, purpose: str, text: str) -> None:
        """What was typed after `&`."""
        self.sieve.set(text)

    # The frame around it

    def title(self, scene: Scene, width: int) -> Bar:
        """Whose log, and which attempts there are."""
        run, card = self.detail(scene), self.card(scene)
        if run is None or card is None:
            return ((f" {self._where[1]} > {self._where[2]}", TEXT),), ()
        number = None if self._attempt is None else self._attempt.number
        return view.title(scene, run, card, number, width, self.beside.good)

    def rule(self, scene: Scene, width: int) -> Spans:
        """Lines, bytes, following, and what the threads are at."""
        lines, count = self.lines, self.numbers.count
        if self._attempt is None and scene.snapshot.lacks(self._where[1]):
            return ((f"there is no run {self._where[1]}", DIM),)
        if lines is None or count is None:
            card = self.card(scene)
            unread = "opening the log" if card is None or card.attempts else "it has not run: there is no log"
            return ((unread if self._attempt is None else "no log", DIM),)
        near = count.counted > 0 and lines.size - count.counted < _BEHIND
        return view.facts(
            view.LogFacts(
                size=count.counted if near else lines.size,
                lines=count.lines_counted if near else None,
                counted=count.counted / max(lines.size, 1),
                following=self.log_view.following,
                growing=not self.ended,
                search=self.finder.text,
                busy=self.finder.words,
                only=self.sieve.words,
                fault=lines.fault,
            )
        )

    def target(self, scene: Scene) -> Target:
        """The task whose log this is."""
        dag_id, run_id, task_id, map_index = self._where
        attempt = None if self._attempt is None else self._attempt.number
        return Target(self.view, dag_id, run_id, task_id, map_index, attempt)

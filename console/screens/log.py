"""The log's pane: one attempt's log, opened at its first error if it failed, else at its end."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

from textual import on
from textual.app import ComposeResult
from textual.widget import Widget

from console.backends.port import LogBytes
from console.model.place import Place
from console.model.runs import AttemptCard, RunDetail, TaskCard
from console.model.snapshot import Interest, Scene
from console.model.targets import Target
from console.screens.loglines import ERROR, FileLines, LineCount, find
from console.screens.pane import Bar, Desk, Pane
from console.view import log as view
from console.view.spans import DIM, TEXT, Spans
from console.widgets.log import LogLine, LogView

_POLL = 0.1
_COUNT_SLICE = 32 * 1024 * 1024


class LogPane(Pane):
    """The log of a task's attempt. `open_log` gives the bytes of an attempt by its id;
    `changed` hears when what the rule says is no longer true."""

    view = "log"

    def __init__(
        self, open_log: Callable[[str], LogBytes], say: Callable[[str, str], None], changed: Callable[[], None]
    ) -> None:
        super().__init__()
        self._changed = changed
        self.log_view = LogView(decorate=self._number, id="log")
        self._open_log = open_log
        self._say = say
        self._where: tuple[str | None, str | None, str | None, int] = (None, None, None, -1)
        self._wanted: int | None = None
        self._attempt: AttemptCard | None = None
        self._bytes: LogBytes | None = None
        self._lines: FileLines | None = None
        self._count: LineCount | None = None
        self._numbers: dict[int, int] = {}
        self._search = ""
        self._searching = False
        self._generation = 0
        self._counting = False

    @classmethod
    def made_for(cls, desk: Desk) -> LogPane:
        """The pane of an app."""
        return cls(desk.open_attempt_log, desk.say, desk.redraw_rule)

    def compose(self) -> ComposeResult:
        """One window on the log."""
        yield self.log_view

    def on_mount(self) -> None:
        """A log grows without commits: look at it ten times a second while it is in front."""
        self.set_interval(_POLL, self._poll)

    def focus_inside(self) -> Widget:
        """The window."""
        return self.log_view

    # What is shown

    def arrive(self, place: Place) -> None:
        """The log of the place's attempt, or of the newest."""
        assert place.run_id is not None and place.task_id is not None  # the action needs a task with a log
        self.open(place.dag_id, place.run_id, place.task_id, place.map_index, place.attempt)

    def open(self, dag_id: str | None, run_id: str, task_id: str, map_index: int, attempt: int | None) -> None:
        """The log of a task: of an attempt by its number, or of the newest."""
        self._where = (dag_id, run_id, task_id, map_index)
        self._wanted, self._attempt = attempt, None
        self._search = ""
        self._close()

    def leave(self) -> None:
        """Gives the file back."""
        self._attempt = None
        self._close()

    def _close(self) -> None:
        self._generation += 1
        if self._bytes is not None:
            self._bytes.close()
        self._bytes = self._lines = self._count = None
        self._numbers = {}

    def interest(self) -> Interest:
        """The run, for its attempts."""
        return Interest(run_id=self._where[1])

    def detail(self, scene: Scene) -> RunDetail | None:
        """The run, once its picture has come."""
        run = scene.snapshot.run
        return run if run is not None and run.mark.run_id == self._where[1] else None

    def card(self, scene: Scene) -> TaskCard | None:
        """The task instance."""
        run = self.detail(scene)
        return None if run is None or self._where[2] is None else run.task(self._where[2], self._where[3])

    def draw(self, scene: Scene) -> None:
        """Opens the log once the attempts are known; what it says is drawn as it grows."""
        card = self.card(scene)
        if card is None or not card.attempts:
            return
        if self._attempt is None:
            number = self._wanted if self._wanted is not None else card.attempts[-1].number
            chosen = next((attempt for attempt in card.attempts if attempt.number == number), card.attempts[-1])
            self._show(chosen)
        else:
            number = self._attempt.number
            self._attempt = next((attempt for attempt in card.attempts if attempt.number == number), self._attempt)

    def _show(self, attempt: AttemptCard) -> None:
        self._close()
        self._attempt = attempt
        try:
            self._bytes = self._open_log(attempt.id)
        except LookupError as error:
            self._say(str(error), "warn")
            return
        self._lines = FileLines(self._bytes)
        self._lines.look()
        self._count = LineCount(self._lines)
        self.log_view.highlight(None)
        self.log_view.show(self._lines)
        self._count_on()
        if attempt.outcome in ("failed", "timeout", "lost", "killed"):
            self._seek(ERROR, 0, backwards=False, miss=None)

    def step_attempt(self, scene: Scene, step: int) -> None:
        """To the log of an earlier or later attempt."""
        card = self.card(scene)
        if card is None or self._attempt is None:
            return
        numbers = [attempt.number for attempt in card.attempts]
        at = numbers.index(self._attempt.number) + step if self._attempt.number in numbers else -1
        if not 0 <= at < len(numbers):
            self._say("this is the first attempt" if step < 0 else "this is the newest attempt", "warn")
            return
        self._show(card.attempts[at])

    def _poll(self) -> None:
        lines = self._lines
        if lines is None or not self.has_class("front"):
            return
        if lines.look():
            if self._count is not None and lines.size < self._count.counted:
                self._count = LineCount(lines)
                self._numbers = {}
            self.log_view.grown()
            self._count_on()
            self._changed()

    @on(LogView.Moved)
    def _moved(self, event: LogView.Moved) -> None:
        """The window stands elsewhere: the rule says whether it follows."""
        event.stop()
        self._changed()

    # Line numbers

    def _number(self, line: LogLine) -> Spans:
        number = self._numbers.get(line.offset)
        if number is None and self._count is not None:
            before = self._numbers.get(-line.offset - 1)
            number = before if before is not None else self._count.number(line.offset)
            if number is not None:
                if len(self._numbers) > 5000:
                    self._numbers.clear()
                self._numbers[line.offset] = number
                self._numbers[-line.end - 1] = number + 1
        return ((f"{'' if number is None else number:>7}  ", DIM),)

    def _count_on(self) -> None:
        if self._count is not None and not self._counting and self._count.counted < self._count.lines.size:
            self._counting = True
            self.run_worker(self._counter(self._count), group="count", exit_on_error=True)

    async def _counter(self, count: LineCount) -> None:
        try:
            while count is self._count and count.counted < count.lines.size:
                before = count.counted
                await asyncio.to_thread(count.advance, _COUNT_SLICE)
                if count.counted == before:
                    break
        finally:
            self._counting = False
        if count is self._count:
            self.log_view.reread()
            self._changed()

    # Search

    def search(self, text: str) -> None:
        """Marks all matches, and goes to the next one."""
        self._search = text
        if not text:
            self.log_view.highlight(None)
            return
        flags = 0 if any(letter.isupper() for letter in text) else re.IGNORECASE
        self.log_view.highlight(re.compile(re.escape(text), flags))
        self._seek(self._needle(), self.log_view.top, backwards=False, miss=f"nothing matches {text!r} from here on")

    def _needle(self) -> re.Pattern[bytes]:
        flags = 0 if any(letter.isupper() for letter in self._search) else re.IGNORECASE
        return re.compile(re.escape(self._search.encode()), flags)

    def next_match(self, step: int) -> None:
        """To the next match, or the one before."""
        if not self._search:
            self._say("nothing is searched: press /", "warn")
            return
        self._from_here(self._needle(), step, f"no {'further' if step > 0 else 'earlier'} match")

    def next_error(self, step: int) -> None:
        """To the next line that looks like an error, or the one before."""
        self._from_here(ERROR, step, f"no {'further' if step > 0 else 'earlier'} error line")

    def _from_here(self, pattern: re.Pattern[bytes], step: int, miss: str) -> None:
        lines = self._lines
        if lines is None:
            return
        start = self.log_view.current
        if start is None:
            start = self.log_view.top
        elif step > 0:
            here = lines.after(start, 1)
            start = here[0].end if here else start
        self._seek(pattern, start, backwards=step < 0, miss=miss)

    def _seek(self, pattern: re.Pattern[bytes], start: int, *, backwards: bool, miss: str | None) -> None:
        self._generation += 1
        self._searching = True
        self.run_worker(self._find(self._generation, pattern, start, backwards, miss), group="search")

    async def _find(
        self, generation: int, pattern: re.Pattern[bytes], start: int, backwards: bool, miss: str | None
    ) -> None:
        lines = self._lines
        if lines is None:
            return
        found = await asyncio.to_thread(find, lines, pattern, start, backwards=backwards)
        if generation != self._generation or lines is not self._lines:
            return
        self._searching = False
        self._changed()
        if found is not None:
            self.log_view.go_to(found)
        elif miss is not None:
            self._say(miss, "warn")

    # The frame around it

    def title(self, scene: Scene, width: int) -> Bar:
        """Whose log, and which attempts there are."""
        run, card = self.detail(scene), self.card(scene)
        if run is None or card is None:
            return ((f" {self._where[1]} > {self._where[2]}", TEXT),), ()
        return view.title(scene, run, card, None if self._attempt is None else self._attempt.number, width)

    def rule(self, scene: Scene, width: int) -> Spans:
        """Lines, bytes, following."""
        lines, attempt = self._lines, self._attempt
        if lines is None:
            return (("no log", DIM),)
        count = self._count
        known = None if count is None or count.counted < lines.size else count.total
        growing = attempt is not None and attempt.state != "ended"
        return view.facts(
            view.LogFacts(
                lines.size, known, self.log_view.following, growing, self._search, self._searching, lines.fault
            )
        )

    def target(self, scene: Scene) -> Target:
        """The task whose log this is."""
        dag_id, run_id, task_id, map_index = self._where
        attempt = None if self._attempt is None else self._attempt.number
        return Target(self.view, dag_id, run_id, task_id, map_index, attempt)

"""Searching logs in a thread, one search at a time: a newer one, a move, or a closed log ends an older one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from console.model.runs import AttemptCard, RunDetail, TaskCard
from console.screens.loglines import SEARCH_BLOCK, FileLines, find
from console.screens.needles import ERRORS, Needle, needle

if TYPE_CHECKING:
    from console.screens.log import LogPane

Attempt = tuple[TaskCard, AttemptCard]
NEAR_END = 1024 * 1024


class Finder:
    """The search under way in a pane's log. `busy` says in words what is looked for, empty when nothing is."""

    def __init__(self, pane: LogPane) -> None:
        self._pane = pane
        self._generation = 0
        self.busy = ""
        self.text = ""
        self._blocks = self._of = 0

    def cancel(self) -> None:
        """What is looked for is not wanted any more."""
        self._generation += 1
        self.busy = ""

    @property
    def words(self) -> str:
        """What is looked for, and how far it has come; empty when nothing is."""
        return (
            f"{self.busy} {min(self._blocks * 100 // max(self._of, 1), 99)}%" if self.busy and self._of else self.busy
        )

    def pattern(self, text: str) -> re.Pattern[str] | None:
        """What is marked in the lines in sight."""
        if not text:
            return None
        return re.compile(re.escape(text), 0 if any(letter.isupper() for letter in text) else re.IGNORECASE)

    # What the keys ask for

    def first_error(self, lines: FileLines) -> None:
        """To the first line that looks like an error, if there is one.

        Of a large log what made the attempt fail most often stands near its end: that is shown while the rest is read.
        """
        self._start(self._first(lines))

    def search(self, text: str) -> None:
        """To the next match from the top of the window on."""
        self.text = text
        if text:
            self._start(self._match(1, f"nothing matches {text!r} from here on", from_top=True))

    def next_match(self, step: int) -> None:
        """To the next match, or the one before."""
        if not self.text:
            self._pane.desk.say("nothing is searched: press /", "warn")
            return
        self._start(self._match(step, f"no {'further' if step > 0 else 'earlier'} match"))

    def next_error(self, step: int) -> None:
        """To the next line that looks like an error, or the one before; then on through the task's other attempts."""
        self._start(self._error(step))

    # How it is done

    def _start(self, work: Coroutine[Any, Any, object]) -> None:
        self._pane.run_worker(work, group="search", exit_on_error=True)

    async def _first(self, lines: FileLines) -> None:
        if lines.size > 8 * NEAR_END:
            near = await self._find("looking for the error", lines, ERRORS, lines.size - NEAR_END, backwards=False)
            if near is None or lines is not self._pane.lines:
                return
            if near >= 0:
                self._pane.log_view.go_to(near)
        await self._seek("looking for the first error", lines, ERRORS, 0)

    async def _match(self, step: int, miss: str, *, from_top: bool = False) -> None:
        pane, lines = self._pane, self._pane.lines
        if lines is None:
            return
        start = pane.log_view.top if from_top else self._from_here(lines, step)
        found = await self._seek(f"searching /{self.text}", lines, needle(self.text), start, backwards=step < 0)
        if found is False:
            pane.desk.say(miss, "warn")

    async def _error(self, step: int) -> None:
        pane, lines, back = self._pane, self._pane.lines, step < 0
        if lines is None:
            return
        start = self._from_here(lines, step)
        if await self._seek("looking for the next error", lines, ERRORS, start, backwards=back) is not False:
            return
        there = await self._elsewhere(pane.others(step), backwards=back)
        pane.desk.redraw_rule()
        if there is not None:
            pane.turn_to(*there)
        elif lines is pane.lines:
            pane.desk.say(f"no {'earlier' if back else 'further'} error line in any attempt", "warn")

    async def _seek(
        self, words: str, lines: FileLines, wanted: Needle, start: int, *, backwards: bool = False
    ) -> bool | None:
        """Goes to the next match. True when there is one, False when not, None when it was not wanted to its end."""
        pane = self._pane
        there = await self._find(words, lines, wanted, start, backwards=backwards)
        pane.desk.redraw_rule()
        if there is None or lines is not pane.lines:
            return None
        if there < 0:
            return False
        pane.log_view.go_to(there)
        return True

    async def _find(self, words: str, lines: FileLines, wanted: Needle, start: int, *, backwards: bool) -> int | None:
        """The offset of the line; -1 when there is none, None when it was not wanted to its end."""
        self.cancel()
        mine, self.busy = self._generation, words

        left = start if backwards else lines.size - start
        self._blocks, self._of = 0, max(left // SEARCH_BLOCK, 0)

        def going() -> bool:
            if mine != self._generation:
                return False
            self._blocks += 1
            return True

        self._pane.desk.redraw_rule()
        found = await asyncio.to_thread(find, lines, wanted, start, backwards=backwards, wanted=going)
        if mine != self._generation:
            return None
        self.busy = ""
        return -1 if found is None else found

    async def _elsewhere(self, logs: Sequence[Attempt], *, backwards: bool) -> tuple[Attempt, int] | None:
        """The first of several logs that has an error, and where; None when none has, or it is not wanted any more."""
        for card, attempt in logs:
            try:
                data = self._pane.desk.open_attempt_log(attempt.id)
            except LookupError:
                continue  # its directory is gone
            try:
                lines = FileLines(data)
                lines.look()
                words = f"searching {card.name} try {attempt.number}"
                start = lines.size if backwards else 0
                found = await self._find(words, lines, ERRORS, start, backwards=backwards)
            finally:
                data.close()
            if found is None:
                return None
            if found >= 0:
                return (card, attempt), found
        return None

    def _from_here(self, lines: FileLines, step: int) -> int:
        start = self._pane.log_view.current
        if start is None:
            return self._pane.log_view.top
        here = lines.after(start, 1) if step > 0 else []
        return here[0].end if here else start


def other_attempts(run: RunDetail, card: TaskCard, number: int, step: int) -> Sequence[Attempt]:
    """All other attempts of a task, over its map indexes, in the order in which a search goes on through them.

    After the last one comes the first.
    """
    known: list[Attempt] = [
        (each, attempt)
        for each in sorted((t for t in run.tasks if t.task_id == card.task_id), key=lambda t: t.map_index)
        for attempt in each.attempts
    ]
    here = next((at for at, (each, a) in enumerate(known) if each.id == card.id and a.number == number), 0)
    order = known[here + 1 :] + known[:here]
    return order if step > 0 else order[::-1]

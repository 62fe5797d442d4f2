"""How much may be on its way to the terminal: between the two can lie a link that stores far more than it carries.

A pseudo terminal takes whatever SSH takes, and SSH takes more than a hundred kilobytes: on a slow link those are many
seconds of old pictures ahead of the one that a key asks for. So after some bytes the terminal is asked to answer
(`CSI 5 n`, to which terminals answer `CSI 0 n`), and while more than a window of bytes has not been answered for, no
frame is made. Answers that come at once widen the window where it was in use; a late one makes it twice what the link
has carried of late in the time of a quick one. A terminal that never answers is written to as fast as it takes it.
"""

from __future__ import annotations

from threading import Lock
from typing import Final

ASK: Final = "\x1b[5n"
ANSWER: Final = "\x1b[0n"

LEAST, FIRST, MOST = 3_072, 4_096, 262_144
"""Bytes that may be on their way: on the slowest link, at the beginning, and on the quickest."""
_EVERY = 1_024
"""Bytes after which the terminal is asked."""
_EARLY, _LATE = 0.05, 0.25
"""Seconds beyond the quickest answer ever: sooner than one the link is idle, later than the other it is filled."""
_SHORTEST = 0.05
"""Seconds of an answer's time that are counted at least: a terminal takes some to draw."""
_SLOW, _SLOW_WITHIN = 3, 60.0
"""So many late answers in so many seconds make a slow link."""


class Flight:
    """What was written to a terminal and not yet shown by it. Moments are seconds of a clock that nobody sets."""

    patience = 5.0
    """Seconds after which an answer is not waited for any more."""

    def __init__(self) -> None:
        self.window = FIRST
        self.speaks = False
        """Whether the terminal has ever answered."""
        self._lock = Lock()
        self._sent = self._shown = 0
        self._asked: tuple[float, int] | None = None
        self._quickest = float("inf")
        self._last = self._since = 0.0
        self._behind = False
        """The question stands right behind what was written, so that its answer tells how long that took."""
        self._late: list[float] = []

    def begin(self, now: float) -> str:
        """What to write before anything else: how soon the terminal answers when nothing is in its way."""
        with self._lock:
            self._asked = now, 0
        return ASK

    def wrote(self, size: int, now: float) -> bool:
        """Notes bytes that are about to be written. True: ask the terminal right behind them."""
        with self._lock:
            if self._sent == self._shown:
                self._since = now
            self._sent += size
            if not self._ask(now):
                return False
            self._behind = True
            return True

    def answered(self, now: float) -> bool:
        """Notes an answer. True: ask again now, for so much was written meanwhile."""
        with self._lock:
            self.speaks = True
            if self._asked is None:
                return False
            asked, sent = self._asked
            carried, during = sent - self._shown, max(now - max(self._last, self._since), 1e-6)
            self._asked, self._shown, self._last = None, sent, now
            self._quickest = min(self._quickest, now - asked)
            late = now - asked - self._quickest
            if late > _LATE:
                fitting = int(2 * carried / during * max(self._quickest, _SHORTEST))
                self.window = max(min(fitting, self.window), LEAST)
            elif late < _EARLY and self._behind and carried * 2 >= self.window:
                self.window = min(2 * self.window, MOST)
            self._behind = False
            self._note(late, now)
            return self._sent - self._shown >= self.window and self._ask(now)

    def waited(self, seconds: float, now: float) -> None:
        """Notes for how long the terminal's line took nothing."""
        with self._lock:
            self._note(seconds, now)

    def room(self, now: float) -> bool:
        """Whether another frame may be made."""
        with self._lock:
            if self._asked is None or not self.speaks or now - self._asked[0] > self.patience:
                return True
            return self._sent - self._shown < self.window

    def outstanding(self, now: float) -> bool:
        """Whether an answer is still to come, as far as that is likely: who reads it must not have left."""
        with self._lock:
            return self._asked is not None and now - self._asked[0] < (self.patience if self.speaks else 2 * _LATE)

    def slow(self, now: float) -> bool:
        """Whether the link has been slow to take what was written, several times of late."""
        with self._lock:
            return len(self._late) >= _SLOW and now - self._late[-_SLOW] <= _SLOW_WITHIN

    def _ask(self, now: float) -> bool:
        if self._asked is not None or self._sent - self._shown < _EVERY:
            return False
        self._asked = now, self._sent
        return True

    def _note(self, late: float, now: float) -> None:
        if late > _LATE:
            self._late = [*self._late[1 - _SLOW :], now]

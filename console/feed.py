"""The feed: turns news into frames. Newer news replaces older, timers share one beat, and nothing new draws nothing.

At most ten frames a second while somebody looks, four while the terminal is slow to take them, two while the frames
are dear, one while they are too dear even so, and after the window has lost its focus. What a person does (another
screen, a key) is never held back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from console.model.link import Link
from console.model.snapshot import Interest, Snapshot
from engine.model.moments import SECOND, Micros

if TYPE_CHECKING:
    from console.backends.port import Source

FOCUSED, DRAINING, DEAREST, BLURRED = 0.1, 0.25, 0.5, 1.0
_DRAIN_LOOK = 0.05
DEAR, TOO_DEAR = 0.03, 0.05
"""Shares of a core from which on a console draws less often: the host's processor belongs to its tasks."""


def wall_clock() -> Micros:
    """Now, in microseconds UTC."""
    return time.time_ns() // 1000


class Feed:
    """Reads a source and hands pictures to `show(snapshot, link)`; without a new one, the last again on every beat.

    `drained` says whether the terminal has taken the last frame.
    """

    def __init__(
        self,
        source: Source,
        show: Callable[[Snapshot, Link], None],
        *,
        drained: Callable[[], bool] = lambda: True,
        now: Callable[[], Micros] = wall_clock,
    ) -> None:
        self._source = source
        self._show = show
        self._drained = drained
        self._now = now
        self._interest = Interest()
        self._link = Link()
        self._seq = -1
        self._snapshot: Snapshot | None = None
        self._wake = asyncio.Event()
        self._stale = True
        self._urgent = True
        self._slow = False
        self._beat: Micros = 0
        self._last_frame = 0.0
        self.focused = True
        self.lofi = False
        self._gap = FOCUSED
        self._spent = (time.monotonic(), time.process_time())
        self.frames = 0
        """Frames shown so far."""

    @property
    def interest(self) -> Interest:
        """What is looked at."""
        return self._interest

    @property
    def gap(self) -> float:
        """Seconds between two frames that nobody waits for: more while they are dear, or nobody looks."""
        return self._gap if self.focused else BLURRED

    def look_at(self, interest: Interest) -> None:
        """From now on this is looked at; its picture is taken at once."""
        if interest != self._interest:
            self._interest = interest
            self.hurry()

    def hurry(self) -> None:
        """Take a picture at once: a person waits for it."""
        self._stale = self._urgent = True
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        pump = asyncio.get_running_loop().create_task(self._pump())
        try:
            while True:
                await self._next_frame()
                if pump.done():
                    pump.result()
        finally:
            pump.cancel()

    async def _pump(self) -> None:
        while True:
            news = await self._source.news()
            before, self._link = self._link, news.link
            if news.seq > self._seq or news.link.state is not before.state:
                self._seq = max(self._seq, news.seq)
                self._stale = True
                self._wake.set()

    async def _next_frame(self) -> None:
        await self._wait()
        beat = self._now() // self._beat_length()
        if not self._stale and beat == self._beat:
            return
        await self._pace()
        self._beat = self._now() // self._beat_length()
        if self._stale or self._snapshot is None:
            self._stale = self._urgent = False
            interest = self._interest
            snapshot = await self._source.refresh(interest)
            if interest != self._interest:
                return  # another screen was opened meanwhile; its picture is already asked for
            self._snapshot = snapshot
            if snapshot.filling:
                self._stale = True
                self._wake.set()
        self._last_frame = time.monotonic()
        self._weigh()
        self.frames += 1
        self._show(self._snapshot, self._link)

    def _beat_length(self) -> Micros:
        return 5 * SECOND if self.lofi else SECOND

    async def _wait(self) -> None:
        """For news, or the next beat."""
        length = self._beat_length()
        left = (length - self._now() % length) / SECOND
        try:
            async with asyncio.timeout(left + 0.002):
                await self._wake.wait()
        except TimeoutError:
            pass  # the beat
        self._wake.clear()

    def _weigh(self) -> None:
        """Once a second: what this console has cost of late. Dear pictures are drawn less often."""
        moment, processor = self._last_frame, time.process_time()
        passed = moment - self._spent[0]
        if passed < 1:
            return
        share = (processor - self._spent[1]) / passed
        self._spent = moment, processor
        if share > DEAR:
            self._gap = min(self._gap * 1.5, BLURRED if share > TOO_DEAR else max(self._gap, DEAREST))
        elif share < DEAR / 2:
            self._gap = max(self._gap / 1.5, FOCUSED)

    async def _pace(self) -> None:
        """Keeps frames apart, more so when the terminal is slow, unless a person waits."""
        while not self._urgent:
            if not self._drained():
                self._slow = True
                await asyncio.sleep(_DRAIN_LOOK)
                continue
            gap = self.gap
            if self._slow or self.lofi:
                gap = max(gap, DRAINING)
            left = self._last_frame + gap - time.monotonic()
            if left <= 0:
                self._slow = False
                return
            await asyncio.sleep(min(left, DRAINING))

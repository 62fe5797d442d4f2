"""The feed: frames are few, in time, and never for nothing."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from console.feed import BLURRED, FOCUSED, Feed
from console.model.link import Link
from console.model.snapshot import Interest, Snapshot
from tests.support.console import NOW, trades, world
from tests.support.fake_backend import FakeBackend

PATIENCE = 20.0


class Watcher:
    """Records what a feed shows, and when."""

    def __init__(self, backend: FakeBackend) -> None:
        self.backend = backend
        self.shown: list[tuple[float, Snapshot, Link]] = []
        self.drained = True
        self.drawn = asyncio.Event()
        self.now = NOW
        self.feed = Feed(backend, self._show, drained=lambda: self.drained, now=lambda: self.now)

    def _show(self, snapshot: Snapshot, link: Link) -> None:
        self.shown.append((time.monotonic(), snapshot, link))
        self.drawn.set()

    async def next(self, patience: float = PATIENCE) -> bool:
        """Waits for one more frame; False when none comes in time."""
        self.drawn.clear()
        try:
            await asyncio.wait_for(self.drawn.wait(), patience)
        except TimeoutError:
            return False
        return True

    async def until(self, seq: int) -> None:
        """Waits until a commit has been shown."""
        while not self.shown or self.shown[-1][1].seq < seq:
            assert await self.next(), f"commit {seq} was never shown"


@asynccontextmanager
async def watching(backend: FakeBackend) -> AsyncIterator[Watcher]:
    """A feed that runs on a backend; its clock stands still, so that there are no beats."""
    watcher = Watcher(backend)
    task = asyncio.create_task(watcher.feed.run())
    try:
        await watcher.until(backend.seq)
        yield watcher
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_many_commits_make_few_frames_and_the_last_is_shown() -> None:
    """A hundred commits in a burst become a handful of frames, at most ten a second, and none is missed in the end."""
    backend = world(trades())
    async with watching(backend) as watcher:
        before = len(watcher.shown)
        for _ in range(100):
            backend.commit()
            await asyncio.sleep(0)
        await watcher.until(backend.seq)
        frames = [at for at, _, _ in watcher.shown[before - 1 :]]
        gaps = [later - earlier for earlier, later in itertools.pairwise(frames)]
        assert len(frames) - 1 <= 4
        assert all(gap >= FOCUSED * 0.9 for gap in gaps)


async def test_a_person_is_never_held_back() -> None:
    """Looking at something else takes a picture at once, whatever was shown just before."""
    backend = world(trades())
    async with watching(backend) as watcher:
        backend.commit()
        await watcher.until(backend.seq)
        watcher.feed.look_at(Interest(run_id="trades_us@7"))
        assert await watcher.next(FOCUSED / 2)
        assert watcher.shown[-1][1].run is not None


async def test_without_focus_one_frame_a_second_is_enough() -> None:
    """A window that nobody looks at gets its next frame a second later, with everything in it."""
    backend = world(trades())
    async with watching(backend) as watcher:
        watcher.feed.focused = False
        backend.commit()
        start = watcher.shown[-1][0]
        await watcher.until(backend.seq)
        assert watcher.shown[-1][0] - start >= BLURRED * 0.9


async def test_a_slow_terminal_gets_no_frame_before_it_has_taken_the_last() -> None:
    """While the terminal has not drained nothing is drawn; then the newest state is, and nothing in between."""
    backend = world(trades())
    async with watching(backend) as watcher:
        watcher.drained = False
        before = len(watcher.shown)
        for _ in range(5):
            backend.commit()
            await asyncio.sleep(0)
        assert not await watcher.next(0.3)
        watcher.drained = True
        await watcher.until(backend.seq)
        assert len(watcher.shown) == before + 1


async def test_nothing_new_draws_nothing() -> None:
    """With no news and no beat the feed shows nothing, so that nothing goes over the wire."""
    backend = world(trades())
    async with watching(backend) as watcher:
        assert not await watcher.next(0.3)


async def test_timers_share_one_beat() -> None:
    """When the clock's second changes, the last picture is shown again for the new moment, without another read."""
    backend = world(trades())
    async with watching(backend) as watcher:
        watcher.now = NOW + 1_000_000 - 2_000
        watcher.feed.hurry()
        assert await watcher.next()
        watcher.now += 5_000
        assert await watcher.next()
        assert watcher.shown[-1][1] is watcher.shown[-2][1]


async def test_a_picture_of_a_screen_that_was_left_is_dropped() -> None:
    """An answer for another screen than the one that is looked at now is never shown."""
    backend = world(trades())
    gate = asyncio.Event()
    original = backend.refresh

    async def refresh(interest: Interest) -> Snapshot:
        snapshot = await original(interest)
        if interest.run_id is not None:
            await gate.wait()
        return snapshot

    async with watching(backend) as watcher:
        backend.refresh = refresh  # type: ignore[method-assign]  # a store that answers late
        watcher.feed.look_at(Interest(run_id="trades_us@7"))
        await asyncio.sleep(0)
        watcher.feed.look_at(Interest(dag_id="trades_us"))
        gate.set()
        assert await watcher.next()
        assert watcher.shown[-1][1].dag is not None
        assert all(snapshot.run is None for _, snapshot, _ in watcher.shown)

"""Watching attempts whose runner does not answer to this engine: by lock, files, and pidfd where possible."""

from __future__ import annotations

import asyncio
import os
import resource
import time
from collections.abc import Callable

from engine.execution import directory as files
from engine.execution import sessions
from engine.execution.process import proc

_PASS_SECONDS = 0.2
_CHUNK = 100
_FULL_LOOK_SECONDS = 5.0
_LOST_AFTER_SECONDS = 1.0
"""A waiter may still be writing the status of a process that has just ended."""
_SPARE_DESCRIPTORS = 512


class _Watched:
    __slots__ = ("claim", "looked", "lost_since", "path", "pidfd")

    def __init__(self, path: str, claim: files.Claim | None) -> None:
        self.path = path
        self.claim = claim
        self.pidfd = -1
        self.looked = 0.0
        self.lost_since: float | None = None


class Watch:
    """Looks at all watched attempts five times a second; a look at one that is surely alive costs next to nothing.

    `begun(id, claim)` is called once for an attempt that has a claim, `over(id)` when a status stands (again at each
    pass until it is dropped), `unbegun(id, lost)` when the attempt was lost or has never begun.
    """

    def __init__(
        self,
        boot_id: str,
        counter: sessions.Counter,
        begun: Callable[[str, files.Claim], None],
        over: Callable[[str], None],
        unbegun: Callable[[str, bool], None],
    ) -> None:
        self._boot_id = boot_id
        self._counter = counter
        self._begun = begun
        self._over = over
        self._unbegun = unbegun
        self._watched: dict[str, _Watched] = {}
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None
        self._pidfds = 0
        self._most_pidfds = max(0, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - _SPARE_DESCRIPTORS) // 2

    def __contains__(self, attempt_id: str) -> bool:
        return attempt_id in self._watched

    def add(self, attempt_id: str, path: str, claim: files.Claim | None = None) -> None:
        """Watches an attempt from the next pass on. A claim that is known counts, even if its file is gone."""
        if attempt_id not in self._watched:
            self._watched[attempt_id] = _Watched(path, claim)
            if self._task is None or self._task.done():
                self._task = self._loop.create_task(self._run())

    def drop(self, attempt_id: str) -> None:
        """Watches it no more."""
        watched = self._watched.pop(attempt_id, None)
        if watched is not None:
            self._close_pidfd(watched)

    def close(self) -> None:
        """Watches nothing any more."""
        if self._task is not None:
            self._task.cancel()
        for attempt_id in list(self._watched):
            self.drop(attempt_id)

    async def _run(self) -> None:
        while self._watched:
            suspects: list[str] = []
            for index, attempt_id in enumerate(list(self._watched)):
                watched = self._watched.get(attempt_id)
                if watched is not None and self._try_to_look(attempt_id, watched):
                    suspects.append(attempt_id)
                if index % _CHUNK == _CHUNK - 1:
                    await asyncio.sleep(0)
            if suspects:
                await self._judge(suspects)
            await asyncio.sleep(_PASS_SECONDS)

    def _try_to_look(self, attempt_id: str, watched: _Watched) -> bool:
        try:
            return self._look(attempt_id, watched)
        except OSError:
            return False  # no descriptor is left, for instance: it is looked at again, and so are all others

    def _look(self, attempt_id: str, watched: _Watched) -> bool:
        """One look at one attempt. True if it seems to be lost, and only a census can tell."""
        now = time.monotonic()
        if watched.claim is not None and now - watched.looked < _FULL_LOOK_SECONDS and _seems_alive(watched):
            return False
        watched.looked = now
        seen = files.survey(watched.path)
        if seen.claim is not None and watched.claim is None:
            watched.claim = seen.claim
            self._begun(attempt_id, seen.claim)
        if seen.state == "ended":
            self._over(attempt_id)
        elif seen.state == "never_started" and watched.claim is None:
            self._unbegun(attempt_id, False)
        elif seen.state == "running":
            watched.lost_since = None
            self._take_pidfd(attempt_id, watched)
        else:
            return self._is_suspect(attempt_id, watched, now)
        return False

    def _is_suspect(self, attempt_id: str, watched: _Watched, now: float) -> bool:
        """Lock free, claimed, no status: lost, unless a waiter writes one soon or a process of it lives unlocked."""
        if watched.claim is not None and watched.claim.boot_id != self._boot_id:
            self._unbegun(attempt_id, True)
            return False
        if watched.lost_since is None:
            watched.lost_since = now
        watched.looked = 0.0
        return now - watched.lost_since >= _LOST_AFTER_SECONDS

    async def _judge(self, suspects: list[str]) -> None:
        try:
            census = await self._counter.census()
        except (OSError, RuntimeError):
            return  # no descriptor or no thread is left for it: they stay suspects, and the next pass asks again
        for attempt_id in suspects:
            watched = self._watched.get(attempt_id)
            if watched is not None:
                try:
                    self._judge_one(attempt_id, watched, census)
                except OSError:
                    continue  # the same

    def _judge_one(self, attempt_id: str, watched: _Watched, census: sessions.Census) -> None:
        pid, started = (watched.claim.pid, watched.claim.started) if watched.claim is not None else (0, 0)
        if census.members(attempt_id, pid, started):
            watched.looked = time.monotonic()
            self._take_pidfd(attempt_id, watched)
        elif files.read_status(watched.path) is None:
            self._unbegun(attempt_id, True)

    def _take_pidfd(self, attempt_id: str, watched: _Watched) -> None:
        """Asks the kernel to say when the attempt's process ends, after making sure that it is that process."""
        claim = watched.claim
        if claim is None or watched.pidfd >= 0 or self._pidfds >= self._most_pidfds:
            return
        handle = sessions.open_process(claim.pid, claim.started, claim.boot_id, self._boot_id)
        if handle is None:
            watched.looked = 0.0
            return
        watched.pidfd = handle
        self._pidfds += 1
        self._loop.add_reader(handle, self._process_ended, attempt_id)

    def _process_ended(self, attempt_id: str) -> None:
        watched = self._watched.get(attempt_id)
        if watched is None:
            return
        self._close_pidfd(watched)
        watched.looked = 0.0
        if files.read_status(watched.path) is not None:
            self._over(attempt_id)

    def _close_pidfd(self, watched: _Watched) -> None:
        if watched.pidfd >= 0:
            self._loop.remove_reader(watched.pidfd)
            os.close(watched.pidfd)
            watched.pidfd = -1
            self._pidfds -= 1


def _seems_alive(watched: _Watched) -> bool:
    """A cheap look between full ones; a reused pid is told apart by the next full one."""
    if watched.looked == 0.0 or watched.claim is None:
        return False
    return watched.pidfd >= 0 or proc.exists(watched.claim.pid)

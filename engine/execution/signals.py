"""Ending attempts: SIGTERM to all of it, after the grace SIGKILL until nothing is left, and only then the news."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable

from engine.execution import directory as files
from engine.execution import sessions
from engine.execution.process import proc
from engine.model.attempt_files import AttemptStatus
from engine.model.states import Reason

_FIRST_LOOK_SECONDS = 0.01
_LONGEST_LOOK_SECONDS = 0.25
_WAITER_SECONDS = 1.0
"""How long whoever waits for the attempt's process may take to write its status."""
_SWEEP_GRACE = 5.0
_AGAIN_SECONDS = 1.0
"""Before what the kernel has refused is tried again."""
UNKILLABLE_SECONDS = 3.0
"""How long something may outlive SIGKILL before it is said to be unkillable."""
_SAY_AGAIN_SECONDS = 5.0


class _Kill:
    __slots__ = ("deadline", "nearer", "task")

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.nearer = asyncio.Event()
        self.task: asyncio.Task[None] | None = None


class Killer:
    """All kills under way. `done(id)` is called when nothing of the attempt is left.

    By then a status stands, unless the attempt had been lost before: what was not killed here is not said to have been.
    """

    def __init__(
        self,
        boot_id: str,
        counter: sessions.Counter,
        done: Callable[[str], None],
        stuck: Callable[[str, str], None],
        patience: float = UNKILLABLE_SECONDS,
    ) -> None:
        """`stuck(id, why)` is called, again while it lasts, when something outlives SIGKILL by `patience` seconds."""
        self._boot_id = boot_id
        self._counter = counter
        self._done = done
        self._stuck = stuck
        self._patience = patience
        self._kills: dict[str, _Kill] = {}

    def has(self, attempt_id: str) -> bool:
        """True while the attempt is being ended."""
        return attempt_id in self._kills

    def kill(self, attempt_id: str, path: str, grace: float) -> None:
        """Ends an attempt. A second call with less grace brings its SIGKILL forward."""
        deadline = time.monotonic() + max(0.0, grace)
        kill = self._kills.get(attempt_id)
        if kill is None:
            kill = self._kills[attempt_id] = _Kill(deadline)
            kill.task = asyncio.get_running_loop().create_task(self._run(attempt_id, path, kill))
        elif deadline < kill.deadline:
            kill.deadline = deadline
            kill.nearer.set()

    def sweep(self, attempt_id: str, path: str) -> None:
        """Ends what a failed attempt left running, so that no later attempt meets it."""
        self.kill(attempt_id, path, _SWEEP_GRACE)

    def leaves_traces(self, claim: files.Claim) -> bool:
        """True if something of the attempt's process group may be left after its leader's end."""
        return claim.boot_id == self._boot_id and claim.pid > 0 and sessions.has_group(claim.pid)

    async def close(self) -> None:
        """Stops all kills where they are; the next engine takes them up again."""
        tasks = [kill.task for kill in self._kills.values() if kill.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._kills.clear()

    async def _run(self, attempt_id: str, path: str, kill: _Kill) -> None:
        said = ""
        while True:
            try:
                await self._see_through(attempt_id, path, kill)
                break
            except (OSError, RuntimeError) as problem:  # no room, no descriptor, no thread: there may be again
                why = f"it cannot be ended yet: {getattr(problem, 'strerror', None) or problem}"
                if why != said:
                    self._stuck(attempt_id, why)
                said = why
            await asyncio.sleep(_AGAIN_SECONDS)
        del self._kills[attempt_id]
        self._done(attempt_id)

    async def _see_through(self, attempt_id: str, path: str, kill: _Kill) -> None:
        """The whole of a kill, or what an earlier try has left of it. Raises OSError or RuntimeError."""
        claim = await asyncio.to_thread(_claim_or_forbid, path)
        if claim is not None:
            last_sent = await self._end(attempt_id, claim, kill)
            if last_sent is not None:
                await self._see_status(path, last_sent)

    async def _end(self, attempt_id: str, claim: files.Claim, kill: _Kill) -> signal.Signals | None:
        """Returns once no process of the attempt is alive: the last signal that was needed, None if there was none."""
        if claim.boot_id != self._boot_id:
            return None
        sent: signal.Signals | None = None
        leader = sessions.open_process(claim.pid, claim.started, claim.boot_id, self._boot_id)
        try:
            if leader is not None:
                sent = signal.SIGTERM
                sessions.signal_group(leader, claim.pid, claim.started, signal.SIGTERM)
                sessions.signal_group(leader, claim.pid, claim.started, signal.SIGCONT)
            told: set[tuple[int, int]] = set()
            pause = _FIRST_LOOK_SECONDS
            say_at = kill.deadline + self._patience
            while alive := await self._members(attempt_id, claim):
                if time.monotonic() >= kill.deadline:
                    sent = signal.SIGKILL
                    if leader is not None:
                        sessions.signal_group(leader, claim.pid, claim.started, signal.SIGKILL)
                    for member in alive:
                        sessions.signal_member(member, signal.SIGKILL)
                    if time.monotonic() >= max(say_at, kill.deadline + self._patience):
                        say_at = time.monotonic() + _SAY_AGAIN_SECONDS
                        self._stuck(attempt_id, await asyncio.to_thread(sessions.why_alive, alive))
                else:
                    sent = sent or signal.SIGTERM
                    for member in alive:
                        if (member.pid, member.started) not in told and member.pid != claim.pid:
                            sessions.signal_member(member, signal.SIGTERM)
                        told.add((member.pid, member.started))
                await self._pause(kill, pause)
                pause = min(pause * 1.5, _LONGEST_LOOK_SECONDS)
        finally:
            if leader is not None:
                os.close(leader)
        return sent

    async def _members(self, attempt_id: str, claim: files.Claim) -> list[sessions.Member]:
        census = await self._counter.census()
        return census.members(attempt_id, claim.pid, claim.started)

    async def _pause(self, kill: _Kill, longest: float) -> None:
        left = kill.deadline - time.monotonic()
        kill.nearer.clear()
        try:
            await asyncio.wait_for(kill.nearer.wait(), min(longest, left) if left > 0 else longest)
        except TimeoutError:
            pass

    async def _see_status(self, path: str, last_sent: signal.Signals) -> None:
        """Waits for the waiter's status; writes one where nobody waited."""
        deadline = time.monotonic() + _WAITER_SECONDS
        pause = 0.002
        while files.read_status(path) is None:
            if time.monotonic() >= deadline:
                status = AttemptStatus(128 + last_sent, "engine", signal=int(last_sent), outcome="failed")
                status.error, status.ended = f"ended by signal {int(last_sent)}", time.time_ns() // 1000
                files.settle_status(path, status.dumps())
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, 0.05)


def _claim_or_forbid(path: str) -> files.Claim | None:
    """The attempt's claim; None if it had not begun, and now never will: the claim is taken in its process's place."""
    os.makedirs(path, 0o700, exist_ok=True)
    directory = files.open_directory(path)
    try:
        files.make_claim(directory, 0, 0, proc.boot_id(), time.time_ns() // 1000)
    finally:
        os.close(directory)
    deadline = time.monotonic() + _WAITER_SECONDS
    while (claim := files.read_claim(path)) is None and time.monotonic() < deadline:
        time.sleep(0.002)
    if claim is not None and claim.pid == 0:
        status = AttemptStatus(143, "engine", signal=int(signal.SIGTERM), outcome="failed")
        status.error, status.reason = "stopped before it began", Reason.KILL_REQUESTED.value
        files.settle_status(path, status.dumps())
        return None
    return claim if claim is not None else files.Claim(0, 0, proc.boot_id(), 0)

"""The processes of an attempt, wherever they moved, and signals that cannot hit a stranger.

A process belongs to an attempt if it is in the session that the attempt's process leads, carries the attempt's id in
its environment, or descends from one of these. A stored pid is never signalled: a pidfd is taken first, then the
process behind it is checked.
"""

from __future__ import annotations

import asyncio
import errno
import os
import re
import signal

from engine.execution.process import proc
from engine.execution.process.spawn import TAG

_GROUP_FLAG = 4
"""PIDFD_SIGNAL_PROCESS_GROUP, Linux 6.9."""
_TAG = re.compile(rb"(?:^|\0)" + TAG.encode() + rb"=([0-9A-Z]{26})\0")


class Member:
    """One live process of an attempt."""

    __slots__ = ("pid", "started")

    def __init__(self, pid: int, started: int) -> None:
        self.pid = pid
        self.started = started


class Census:
    """All live processes of a moment, by what tells whose they are. Takes a while: it belongs on a thread."""

    def __init__(self) -> None:
        self._by_session: dict[int, list[Member]] = {}
        self._by_tag: dict[str, list[Member]] = {}
        self._by_parent: dict[int, list[Member]] = {}
        self._started: dict[int, int] = {}
        own = os.getpid()
        for pid in proc.processes():
            seen = proc.stat(pid)
            if seen is None or pid == own:
                continue
            self._started[pid] = seen.started
            if seen.dead:
                continue
            member = Member(pid, seen.started)
            self._by_parent.setdefault(seen.parent, []).append(member)
            for number in {seen.session, seen.group}:
                self._by_session.setdefault(number, []).append(member)
            found = _TAG.search(proc.environment(pid))
            if found is not None:
                self._by_tag.setdefault(found[1].decode(), []).append(member)

    def members(self, attempt_id: str, leader: int, started: int) -> list[Member]:
        """The processes of an attempt whose own process had this pid and start time; pid 0: it is not known.

        No pid is given to a new process while it still names a session or group: if another process has the leader's
        now, nothing is left of the session.
        """
        found = {member.pid: member for member in self._by_tag.get(attempt_id, ())}
        if leader and self._started.get(leader, started) == started:
            for member in self._by_session.get(leader, ()):
                if member.started >= started:
                    found[member.pid] = member
        waiting = [*found, leader] if leader and self._started.get(leader) == started else list(found)
        while waiting:
            for child in self._by_parent.get(waiting.pop(), ()):
                if child.pid not in found:
                    found[child.pid] = child
                    waiting.append(child.pid)
        return list(found.values())


class Counter:
    """Takes censuses on a thread, one at a time: whoever asks while one is being taken shares the next."""

    def __init__(self) -> None:
        self._one_at_a_time = asyncio.Lock()
        self._next: asyncio.Task[Census] | None = None

    async def census(self) -> Census:
        """A census that begins after this call."""
        if self._next is None:
            self._next = asyncio.get_running_loop().create_task(self._take())
        return await asyncio.shield(self._next)

    async def _take(self) -> Census:
        async with self._one_at_a_time:
            self._next = None
            return await asyncio.to_thread(Census)


def open_process(pid: int, started: int, boot_id: str, present_boot: str) -> int | None:
    """A pidfd of the process that had this pid, start time and boot; None when it is gone. The caller closes it."""
    if boot_id != present_boot or pid <= 0:
        return None
    try:
        handle = os.pidfd_open(pid)
    except OSError as problem:
        if problem.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
            raise
        return None
    if proc.is_alive(pid, started):
        return handle
    os.close(handle)
    return None


def signal_member(member: Member, number: int) -> None:
    """Signals one process, if it still is the one that was seen."""
    try:
        handle = os.pidfd_open(member.pid)
    except OSError:
        return
    try:
        if proc.is_alive(member.pid, member.started):
            _send(handle, number, 0)
    finally:
        os.close(handle)


def signal_group(handle: int, leader: int, started: int, number: signal.Signals) -> None:
    """Signals the whole process group of the leader behind a pidfd, in one go."""
    if _send(handle, number, _GROUP_FLAG):
        return
    if proc.is_alive(leader, started):
        try:
            os.killpg(leader, number)
        except (ProcessLookupError, PermissionError):
            pass


def _send(handle: int, number: int, flags: int) -> bool:
    """True if the signal was sent, or there was nobody left to send it to; False if the kernel knows no such flag."""
    try:
        signal.pidfd_send_signal(handle, number, None, flags)
    except ProcessLookupError:
        return True
    except PermissionError:
        return True  # of another user: it cannot be ended from here, which is said once it outlives the rest
    except OSError as problem:
        if problem.errno == errno.EINVAL:
            return False
        raise
    return True


def why_alive(members: list[Member]) -> str:
    """Why processes may have outlived SIGKILL, one line: the first of them, what it is and what it waits in."""
    member = members[0]
    more = f"; {len(members) - 1} more" if len(members) > 1 else ""
    name, seen = proc.name(member.pid), proc.stat(member.pid)
    if seen is None:
        return f"process {member.pid} does not end{more}"
    if proc.owner(member.pid) not in (None, os.geteuid()) and os.geteuid() != 0:
        return (
            f"process {member.pid} ({name}) belongs to another user, whose processes cannot be killed from here{more}"
        )
    where = proc.wait_channel(member.pid)
    where = f" in {where}" if where else ""
    if seen.state == "D":
        return (
            f"process {member.pid} ({name}) is in uninterruptible sleep{where}: the kernel lets no signal end it{more}"
        )
    return f"process {member.pid} ({name}) was sent SIGKILL and is still there (state {seen.state}{where}){more}"


def has_group(leader: int) -> bool:
    """True if a process group of this number exists: something of the leader's may be left. One system call."""
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

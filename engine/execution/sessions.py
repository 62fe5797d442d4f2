"""The processes of an attempt, wherever they moved, and signals that cannot hit a stranger.

A process belongs to an attempt if it is in the session that the attempt's process leads, or carries the attempt's id in
its environment. A stored pid is never signalled: a pidfd is taken first, then the process behind it is checked.
"""

from __future__ import annotations

import errno
import os
import signal

from engine.execution.process import proc
from engine.execution.process.spawn import TAG

_GROUP_FLAG = 4
"""PIDFD_SIGNAL_PROCESS_GROUP, Linux 6.9."""


class Member:
    """One live process of an attempt."""

    __slots__ = ("pid", "started")

    def __init__(self, pid: int, started: int) -> None:
        self.pid = pid
        self.started = started


def members(attempt_id: str, leader: int, started: int) -> list[Member]:
    """All live processes of an attempt whose process had this pid and start time; pid 0: it is not known.

    Reads all of /proc, so it belongs on a thread. No pid is given to a new process while it still names a session: if
    another process has the leader's now, nothing is left of the session.
    """
    tag = f"{TAG}={attempt_id}".encode()
    found = []
    own = os.getpid()
    present = proc.stat(leader) if leader else None
    if present is not None and present.started != started:
        leader = 0
    for pid in proc.processes():
        if pid == own:
            continue
        seen = proc.stat(pid)
        if seen is None or seen.dead:
            continue
        in_session = leader and leader in (seen.session, seen.group) and seen.started >= started
        if in_session or tag in proc.environment(pid):
            found.append(Member(pid, seen.started))
    return found


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


def signal_member(member: Member, number: signal.Signals) -> None:
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
        except ProcessLookupError:
            pass


def _send(handle: int, number: signal.Signals, flags: int) -> bool:
    """True if the signal was sent, or there was nobody left to send it to; False if the kernel knows no such flag."""
    try:
        signal.pidfd_send_signal(handle, number, None, flags)
    except ProcessLookupError:
        return True
    except OSError as problem:
        if problem.errno == errno.EINVAL:
            return False
        raise
    return True


def has_group(leader: int) -> bool:
    """True if a process group of this number exists: something of the leader's may be left. One system call."""
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

"""What whoever waited for an attempt's process does: says how it ended, where the process itself did not."""

from __future__ import annotations

import os
import time
from typing import Literal

from engine.execution import directory as files
from engine.execution.process import proc
from engine.model.attempt_files import STATUS, AttemptStatus

Waiter = Literal["host", "runner", "engine"]


def has_status(path: str) -> bool:
    """True if a status stands that is not empty: enough for a process that ended with 0. One system call."""
    try:
        return os.lstat(f"{path}/{STATUS}").st_size > 0
    except OSError:
        return False


def settle(path: str, pid: int, wait_status: int, by: Waiter, used: float | None, stands_over: bool) -> str:
    """After the attempt's process `pid` was waited for: makes sure that its end is on disk, if it can be told.

    Returns `ended`, `not_mine` (another process has claimed the attempt), `unclaimed` (it ended before it began) or
    `alive`: the process only stood over the task (`stands_over`), and that still runs, so nothing is known yet.
    """
    if files.read_status(path) is not None:
        return "ended"
    claim = files.read_claim(path)
    if claim is None:
        return "not_mine" if files.has_claim(path) else "unclaimed"
    if claim.pid != pid:
        return "not_mine"
    if stands_over and _goes_on(path, pid):
        return "alive"
    status = verdict(wait_status, by)
    status.started, status.ended, status.cpu_seconds = claim.at, time.time_ns() // 1000, used
    files.settle_status(path, status.dumps())
    return "ended"


def _goes_on(path: str, session: int) -> bool:
    directory = files.open_directory(path)
    try:
        return files.is_locked(directory) or proc.has_session(session)
    finally:
        os.close(directory)


def verdict(wait_status: int, by: Waiter) -> AttemptStatus:
    """What a process's end says where the process itself said nothing. Never success: it had more to say."""
    code = os.waitstatus_to_exitcode(wait_status)
    if code < 0:
        return AttemptStatus(128 - code, by, signal=-code, outcome="failed", error=f"ended by signal {-code}")
    line = f"the process ended with exit code {code} before the task was over"
    return AttemptStatus(code or 1, by, outcome="failed", error=line)

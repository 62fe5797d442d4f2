"""From an attempt's files to evidence for the scheduler."""

from __future__ import annotations

import time
from typing import Any

from engine.clock import Clock
from engine.execution import directory as files
from engine.execution.port import Claimed, Finding, Finished, Lost, NeverStarted, Running
from engine.model.attempt_files import AttemptStatus

_FILE_TIME_LAG = 10_000
"""Microseconds by which the time of a file may lag behind: the kernel takes it from one of its last ticks."""


def claimed(attempt_id: str, claim: files.Claim, clock: Clock) -> Claimed:
    """The evidence that an attempt has begun."""
    return Claimed(attempt_id, claim.pid, claim.started, claim.boot_id, clock.from_system(claim.at))


def status_of(path: str, clock: Clock) -> AttemptStatus | None:
    """The status that stands in the directory, its moments by the engine's clock; None when none is whole."""
    found = files.read_status_at(path)
    if found is None:
        return None
    data, written = found
    try:
        status = AttemptStatus.loads(data)
    except (ValueError, TypeError, IndexError) as problem:
        return AttemptStatus(1, "engine", outcome="failed", error=f"its status cannot be read: {problem}")
    if status.by == "shim":
        _complete(status, files.read_claim(path), written)
    if status.started is not None:
        status.started = clock.from_system(status.started)
    if status.ended is not None:
        status.ended = clock.from_system(status.ended)
    return status


def add_measurements(status: AttemptStatus, measured: list[Any], clock: Clock) -> None:
    """What the runner measured of a shell attempt: its duration, processor time and peak memory, and when it ended."""
    duration, used, peak, ended = measured
    status.duration, status.cpu_seconds, status.peak_bytes = duration, used, peak
    status.ended = clock.from_system(ended)


def _complete(status: AttemptStatus, claim: files.Claim | None, written: int) -> None:
    """A shell has no cheap clock: the times of its files are its times, which lag behind.

    The end is rounded up instead: what was ended at a limit must not look as if it had ended before.
    """
    status.ended = min(written + _FILE_TIME_LAG, time.time_ns() // 1000)
    status.outcome = "success" if status.code == 0 else "failed"
    if claim is not None:
        status.started = claim.at
        status.duration = max(0, status.ended - claim.at)
    if status.signal is not None:
        status.error = f"ended by signal {status.signal}"
    elif status.code:
        status.error = f"exit code {status.code}"


def finding(path: str, clock: Clock) -> Finding:
    """What the directory says now. Where it cannot be looked at it may run: whoever watches it finds out."""
    try:
        seen = files.survey(path)
        if seen.state == "ended":
            status = status_of(path, clock)
            return Finished(status) if status is not None else Lost()
    except OSError:
        return Running(None, None, None)
    if seen.state == "running":
        claim = seen.claim
        return Running(claim.pid, claim.started, claim.boot_id) if claim is not None else Running(None, None, None)
    return Lost() if seen.state == "lost" else NeverStarted()

"""Memory limits of attempts, and whether it was for want of memory that one was killed."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from engine.execution import groups
from engine.execution.directory import Claim
from engine.model.attempt_files import AttemptSpec, AttemptStatus
from engine.model.states import FailureClass, Reason

_KILLED = 137
"""Exit code of what SIGKILL ended."""
_KERNEL_SAYS = re.compile(
    r"^\d+,\d+,(\d+),[^;]*;.*(?:Killed process|Memory cgroup out of memory: Killed process) (\d+) "
)
_TICK_MICROS = 1_000_000 // os.sysconf("SC_CLK_TCK")
_MOST_RECORDS = 20_000
_TIDY_SECONDS = 60.0


class Memory:
    """Keeps limits by control groups where there are any, and looks for the kernel's traces after a SIGKILL."""

    def __init__(self, attempts: str = "") -> None:
        """`attempts` is the home's folder of attempts."""
        self._groups = groups.find(attempts)
        self._mine: dict[str, int | None] = dict.fromkeys(self._groups.standing()) if self._groups is not None else {}
        """Limits of the attempts that have groups; None where an earlier engine made them."""
        self._tidy_at = time.monotonic() + _TIDY_SECONDS
        self._host_kills = host_kills()
        self._grew_at = 0.0
        self._logged, self._records = 0, list[str]()

    def prepare(self, spec: AttemptSpec) -> None:
        """Gives an attempt with a limit its group. Without one, its processes limit themselves one by one."""
        if spec.memory_limit is not None and self._groups is not None:
            spec.cgroup = self._groups.make(spec.attempt_id, spec.memory_limit)
            if spec.cgroup is not None:
                self._mine[spec.attempt_id] = spec.memory_limit

    def sample(self, live: Collection[str]) -> None:
        """Notes whether the kernel has ended processes for want of memory; to be called every few seconds.

        A while after the start it also takes away groups that no live attempt has.
        """
        now = time.monotonic()
        if live:
            self._look_at_host(now)
        if now >= self._tidy_at:
            self._tidy_at = now + _TIDY_SECONDS
            for attempt_id in [each for each in self._mine if each not in live]:
                self._let_go(attempt_id)

    def _look_at_host(self, now: float) -> None:
        seen = host_kills()
        if seen > self._host_kills:
            self._host_kills, self._grew_at = seen, now

    def _log(self) -> list[str]:
        """What the kernel's log says of kills; read again only when there have been more of them."""
        if self._logged != self._host_kills:
            self._logged = self._host_kills
            self._records = [record for record in kernel_log() if "Killed process" in record]
        return self._records

    def _let_go(self, attempt_id: str) -> None:
        limit = self._mine.pop(attempt_id)
        if self._groups is not None and not self._groups.remove(attempt_id):
            self._mine[attempt_id] = limit  # something of the attempt still runs there

    def judge(
        self, attempt_id: str, claim: Claim | None, since: float, status: AttemptStatus | None, *, asked: bool
    ) -> AttemptStatus | None:
        """The status of an attempt that is over, with what is known of memory. Takes its group away.

        `since` is when the attempt was started, by the monotonic clock; `asked`: somebody asked for its end.
        """
        kills, limit = None, self._mine.get(attempt_id)
        if self._groups is not None and attempt_id in self._mine:
            kills = self._groups.kills(attempt_id)
            self._let_go(attempt_id)
        if status is None or status.code == 0 or asked:
            return status
        named = grew = False
        if status.code == _KILLED and not kills:
            self._look_at_host(time.monotonic())
            grew = self._grew_at >= since
            named = claim is not None and claim.pid in kernel_named(self._log(), claim.started * _TICK_MICROS)
        return verdict(status, kills or 0, named, grew, limit)


def verdict(
    status: AttemptStatus, group_kills: int, named: bool, host_grew: bool, limit: int | None = None
) -> AttemptStatus:
    """What the traces say: certain by the attempt's own group or the kernel's log, else only probable.

    `named`: the kernel's log names the attempt's process; `host_grew`: it has ended processes of this host meanwhile.
    """
    if status.code == 0 or status.reason == Reason.OUT_OF_MEMORY:
        return status
    killed = status.code == _KILLED
    of = f" of {limit >> 20} MB" if limit else ""
    if group_kills and killed:
        words = f"killed by the kernel: over its memory limit{of}"
    elif group_kills:
        many = "one of its processes" if group_kills == 1 else f"{group_kills} of its processes"
        words = f"{status.error or 'failed'}, after the kernel killed {many}: over the memory limit{of}"
    elif killed and named:
        words = "killed by the kernel: out of memory"
    elif killed and host_grew:
        words = "probably out of memory: killed by signal 9 while the kernel was ending processes for want of it"
    else:
        return status
    reason, kind = Reason.OUT_OF_MEMORY.value, FailureClass.INFRASTRUCTURE.value
    return replace(status, error=words, reason=reason, failure_class=kind)


def host_kills(path: str = "/proc/vmstat") -> int:
    """Processes that the kernel has ended for want of memory since boot; 0 where it does not say."""
    try:
        with open(path) as source:
            return groups.counted(source.read(), "oom_kill") or 0
    except OSError:
        return 0


def kernel_named(records: Iterable[str], since: int) -> set[int]:
    """Pids that the kernel's log says it ended for want of memory, from `since` (microseconds after boot) on."""
    found = (_KERNEL_SAYS.match(record) for record in records)
    return {int(match[2]) for match in found if match is not None and int(match[1]) >= since}


def kernel_log(path: str = "/dev/kmsg") -> Iterator[str]:
    """The records of the kernel's log; none where it may not be read."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return
    try:
        for _ in range(_MOST_RECORDS):
            try:
                record = os.read(handle, 8192)
            except BrokenPipeError:
                continue  # records were overwritten while they were read
            except OSError:
                return
            if not record:
                return
            yield record.decode("utf-8", "replace")
    finally:
        os.close(handle)

"""Named points at which a test may kill this process, to prove that recovery works from there.

`DAGDECK_FAILPOINT=name:n` kills the process with SIGKILL at the n-th hit of `name` (n is 1 when left out).
`DAGDECK_FAILPOINT=@path` takes what is armed from that file at every hit, so that it may change while processes run;
hits of the armed name are counted in `path.tally`, over all processes, so that exactly one of them dies.
`DAGDECK_FAILPOINT_LOG=path` appends the name of every point that is hit. Without either, a hit is one comparison.
Standard library only: task processes use it too.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping


class _Armed:
    def __init__(self, target: str, log: str) -> None:
        self.target = target
        self.log = log
        self.hits = 0

    def hit(self, name: str) -> None:
        if self.log:
            with open(self.log, "a") as out:
                out.write(f"{name}\n")
        shared = self.target.startswith("@")
        armed, _, count = (self._read() if shared else self.target).partition(":")
        if name == armed and (self._number() if shared else self._own_number()) == int(count or 1):
            os.kill(os.getpid(), signal.SIGKILL)

    def _read(self) -> str:
        try:
            with open(self.target[1:]) as armed:
                return armed.read().strip()
        except FileNotFoundError:
            return ""

    def _own_number(self) -> int:
        self.hits += 1
        return self.hits

    def _number(self) -> int:
        """Which hit this is; the place of an appended byte is a number that no two processes share."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        handle = os.open(f"{self.target[1:]}.tally", flags, 0o600)
        try:
            os.write(handle, b".")
            return os.lseek(handle, 0, os.SEEK_CUR)
        finally:
            os.close(handle)


def _arm(environ: Mapping[str, str]) -> _Armed | None:
    target, log = environ.get("DAGDECK_FAILPOINT", ""), environ.get("DAGDECK_FAILPOINT_LOG", "")
    return _Armed(target, log) if target or log else None


_armed = _arm(os.environ)


def rearm(environ: Mapping[str, str]) -> None:
    """Takes the points from another environment than that of this process's start."""
    global _armed
    _armed = _arm(environ)


def mute() -> _Armed | None:
    """Marks no points any more; gives what `unmute` needs to go on. For what only looks like work."""
    global _armed
    armed, _armed = _armed, None
    return armed


def unmute(armed: _Armed | None) -> None:
    """Ends what `mute` began."""
    global _armed
    _armed = armed


def hit(name: str) -> None:
    """Marks the point `name`, such as `attempt.spec.written`."""
    if _armed is not None:
        _armed.hit(name)

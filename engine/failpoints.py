"""Named points at which a test may kill this process, to prove that recovery works from there.

`DAGDECK_FAILPOINT=name:n` kills the process with SIGKILL at the n-th hit of `name` (n is 1 when left out).
`DAGDECK_FAILPOINT_LOG=path` appends the name of every point that is hit. Without either, a hit is one comparison.
Standard library only: task processes use it too.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping


class _Armed:
    def __init__(self, target: str, log: str) -> None:
        name, _, count = target.partition(":")
        self.name = name
        self.left = int(count or 1)
        self.log = log

    def hit(self, name: str) -> None:
        if self.log:
            with open(self.log, "a") as out:
                out.write(f"{name}\n")
        if name == self.name:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def _arm(environ: Mapping[str, str]) -> _Armed | None:
    target, log = environ.get("DAGDECK_FAILPOINT", ""), environ.get("DAGDECK_FAILPOINT_LOG", "")
    return _Armed(target, log) if target or log else None


_armed = _arm(os.environ)


def hit(name: str) -> None:
    """Marks the point `name`, such as `attempt.spec.written`."""
    if _armed is not None:
        _armed.hit(name)

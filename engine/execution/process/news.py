"""The lines that children, shims and hosts write to the runner's pipe: JSON arrays, each written in one piece.

They only wake: whoever reads one looks at the attempt's files before believing it. A full or broken pipe is no error.
"""

from __future__ import annotations

import json
import os

CLAIMED = "c"
"""`["c", attempt, pid, start ticks]`, by the attempt's own process."""
ENDED = "e"
"""`["e", attempt]`, by the host that waited for it."""
FAILED = "f"
"""`["f", attempt, error]`: it could not begin, nothing has been claimed."""
NOT_MINE = "d"
"""`["d", attempt]`: somebody else had claimed it."""
HOST = "h"
"""`["h", host number, state, pid, start ticks]`. States: `importing`, `ready`, `broken` (its bundle does not load) and
`cold` (it must not fork)."""


def tell(pipe: int, *message: object) -> None:
    """Writes one line."""
    try:
        os.write(pipe, json.dumps(message, separators=(",", ":")).encode() + b"\n")
    except (BlockingIOError, BrokenPipeError):
        pass


def claimed(pipe: int, attempt_id: str, pid: int, started: int) -> None:
    """The line of a claim, made without the encoder: it is on every attempt's way."""
    try:
        os.write(pipe, b'["c","%s",%d,%d]\n' % (attempt_id.encode(), pid, started))
    except (BlockingIOError, BrokenPipeError):
        pass


def ended(pipe: int, attempt_ids: list[str]) -> None:
    """The lines of attempts whose process is gone."""
    try:
        os.write(pipe, "".join([f'["e","{attempt_id}"]\n' for attempt_id in attempt_ids]).encode())
    except (BlockingIOError, BrokenPipeError):
        pass

"""What a report of a run tells beside the run itself: who did what to it, and what its failures wrote last."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from console.text import sanitise_lines
from engine.model.moments import Micros

EXCERPT_BYTES = 64 * 1024
"""How much of a log's end is looked at."""
_LINES = 25
_BEFORE = 3
_LONGEST = 400
_FAULT = re.compile(rb"(?i)(?:error|exception|\bfatal|\bpanic|\bcritical|traceback|\bfailed|\bkilled)\b")


class Act(NamedTuple):
    """One command that changed something of the run."""

    at: Micros
    who: str
    verb: str
    outcome: str
    message: str
    note: str


class Retelling(NamedTuple):
    """All that is told of a run beside its picture; `excerpts` are lines by attempt."""

    acts: tuple[Act, ...] = ()
    excerpts: Mapping[str, tuple[str, ...]] = {}


def excerpt(data: bytes) -> tuple[str, ...]:
    """Of a log's end: from shortly before its first line that speaks of a fault, or else its last lines; sanitised."""
    raw = data.split(b"\n")
    if raw and not raw[-1]:
        raw.pop()
    first = next((at for at, line in enumerate(raw) if _FAULT.search(line)), None)
    start = max(len(raw) - _LINES, 0) if first is None else max(first - _BEFORE, 0)
    chosen = raw[start : start + _LINES]
    lines = [line for each in chosen for line in sanitise_lines(each[:_LONGEST].decode("utf-8", "replace"), 1)]
    left = len(raw) - start - len(chosen)
    return (*lines, f"… {left} more lines") if left else tuple(lines)

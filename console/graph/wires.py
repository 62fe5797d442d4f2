"""Which edges share a line. A wire is one vertical line of the rail; every edge runs on exactly one.

An edge has a wire of its own while the fans on both its ends are small. Otherwise it joins the wire of its source when
that has at least as many targets as its target has sources, and else the wire of its target: a fan-out of 200 and the
fan-in after it are then one line each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

SMALL_FAN = 3


class Kind(Enum):
    """How a wire is read: from one source to one target, from one source to many, from many sources to one."""

    EDGE = "edge"
    FAN_OUT = "fan-out"
    FAN_IN = "fan-in"


@dataclass(slots=True)
class Wire:
    """One vertical line, by rows: from its first source to its last target; `rows` in between join it."""

    kind: Kind
    start: int
    end: int
    rows: list[int] = field(default_factory=list)
    column: int = -1


def wires(
    upstream: Sequence[Sequence[int]], downstream: Sequence[Sequence[int]], row: Sequence[int], own: bool
) -> list[Wire]:
    """The wires of a graph whose task `i` stands on `row[i]`. `own`: small fans get one wire for each edge."""
    shared: dict[tuple[Kind, int], list[int]] = {}
    found: list[Wire] = []
    for target, sources in enumerate(upstream):
        for source in sources:
            fan_out, fan_in = len(downstream[source]), len(sources)
            if own and fan_out <= SMALL_FAN and fan_in <= SMALL_FAN:
                found.append(Wire(Kind.EDGE, row[source], row[target]))
            elif fan_out >= fan_in:
                shared.setdefault((Kind.FAN_OUT, row[source]), []).append(row[target])
            else:
                shared.setdefault((Kind.FAN_IN, row[target]), []).append(row[source])
    for (kind, end), others in shared.items():
        others.sort()
        if kind is Kind.FAN_OUT:
            wire = Wire(kind, end, others[-1], others[:-1])
        else:
            wire = Wire(kind, others[0], end, others[1:])
        if not wire.rows:
            wire.kind = Kind.EDGE
        found.append(wire)
    found.sort(key=lambda wire: (wire.start, wire.end))
    return found

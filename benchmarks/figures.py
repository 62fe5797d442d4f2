"""What a benchmark answers: a figure, its limit, and whether it is kept."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value beside its limit. `peers` holds what else was measured for comparison in the same run."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    at_least: bool = False
    """The limit is a floor; otherwise it is a ceiling."""
    peers: dict[str, float] = field(default_factory=dict)

    @property
    def kept(self) -> bool | None:
        """Whether the value is on the right side of its limit; None where there is none."""
        if self.limit is None:
            return None
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def as_json(self) -> dict[str, Any]:
        """The figure for the report."""
        return {
            "name": self.name,
            "value": round(self.value, 3),
            "unit": self.unit,
            "limit": None if self.limit is None else round(self.limit, 3),
            "limit_is": None if self.limit is None else "at least" if self.at_least else "at most",
            "kept": self.kept,
            "peers": {name: round(value, 3) for name, value in self.peers.items()},
        }


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile of some values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1))]


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return statistics.median(values)

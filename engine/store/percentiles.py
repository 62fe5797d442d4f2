"""Percentiles by linear interpolation (type 7), on lists as SQLite's group_concat gives them."""

from __future__ import annotations

from collections.abc import Sequence

from engine.store.rows_out import Usual

NOTHING = Usual(None, None, 0)


def percentile(ordered: Sequence[int], share: float) -> int:
    """The value below which `share` of an ascending, non-empty sequence lies, between two values in proportion."""
    position = (len(ordered) - 1) * share
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return round(ordered[low] + (ordered[high] - ordered[low]) * (position - low))


def usual(durations: str | None) -> Usual:
    """p50 and p95 of durations written with commas between; none at all when there are none."""
    if not durations:
        return NOTHING
    ordered = sorted(map(int, durations.split(",")))
    return Usual(percentile(ordered, 0.50), percentile(ordered, 0.95), len(ordered))

"""Percentiles by linear interpolation (type 7), on lists as SQLite's group_concat gives them."""

from __future__ import annotations

from collections.abc import Sequence

from engine.store.rows_out import Usual

LEAST_SAMPLES = 5
"""With fewer there is no percentile: one slow run would be all that is known."""
NOTHING = Usual(None, None, 0)


def percentile(ordered: Sequence[int], share: float) -> int:
    """The value below which `share` of an ascending, non-empty sequence lies, between two values in proportion."""
    position = (len(ordered) - 1) * share
    low = int(position)
    high = min(low + 1, len(ordered) - 1)
    return round(ordered[low] + (ordered[high] - ordered[low]) * (position - low))


def usual(durations: str | None) -> Usual:
    """Percentiles of durations written with commas between; none at all when there are too few."""
    if not durations:
        return NOTHING
    ordered = sorted(map(int, durations.split(",")))
    if len(ordered) < LEAST_SAMPLES:
        return Usual(None, None, len(ordered))
    p50, p95, p99 = (percentile(ordered, share) for share in (0.50, 0.95, 0.99))
    return Usual(p50, p95, len(ordered), p99)

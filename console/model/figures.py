"""Percentiles of durations: linear interpolation between the two nearest ranks, and nothing below five samples."""

from __future__ import annotations

from collections.abc import Sequence

LEAST_SAMPLES = 5


def percentile(ordered: Sequence[int], share: float) -> int | None:
    """The percentile (`share` from 0 to 1) of ascending values; None when there are too few to say."""
    if len(ordered) < LEAST_SAMPLES:
        return None
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return int(ordered[low] + (ordered[high] - ordered[low]) * (place - low))


def durations(joined: str | None) -> list[int]:
    """Durations from their comma-separated form, ascending."""
    return sorted(int(value) for value in joined.split(",")) if joined else []


SLOWER, FASTER = 1.25, 0.8
"""From where on the newest are said to be slower, or faster, than those before."""
_NEWEST = 10


def trend(took: Sequence[int]) -> float | None:
    """The median of the newest ten over that of those before, oldest first; None when there are fewer than twenty."""
    if len(took) < 2 * _NEWEST:
        return None
    late, early = sorted(took[-_NEWEST:]), sorted(took[:-_NEWEST])
    before = early[len(early) // 2]
    return late[_NEWEST // 2] / before if before else None

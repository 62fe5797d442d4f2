"""Figures over hours: what is sampled of a home and its processes, and whether it grows."""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Sample:
    """One look. `figures` has a value for each name that could be read just then."""

    at: float
    """Seconds since the beginning."""
    life: int
    """Which engine it was."""
    figures: dict[str, float]


@dataclass(frozen=True, slots=True)
class Growth:
    """How one figure went over a time, beside what is allowed."""

    name: str
    first: float
    last: float
    most: float
    per_hour: float
    """Slope between the medians of the thirds at both ends: a peak somewhere between is no growth."""
    limit: float | None
    """Of `per_hour`; None: only told."""

    @property
    def kept(self) -> bool:
        """Whether it stayed within its limit."""
        return self.limit is None or self.per_hour <= self.limit

    def as_json(self) -> dict[str, object]:
        """The figure for a report."""
        told = {"figure": self.name, "first": self.first, "last": self.last, "most": self.most}
        rounded = {key: round(value, 2) if isinstance(value, float) else value for key, value in told.items()}
        return {**rounded, "per_hour": round(self.per_hour, 3), "limit_per_hour": self.limit, "kept": self.kept}


def growth(name: str, points: Sequence[tuple[float, float]], limit: float | None) -> Growth:
    """The growth of (second, value) pairs; at least three are needed."""
    third = max(1, len(points) // 3)
    begin, end = points[:third], points[-third:]
    first, last = statistics.median(value for _, value in begin), statistics.median(value for _, value in end)
    hours = (statistics.fmean(at for at, _ in end) - statistics.fmean(at for at, _ in begin)) / 3600
    slope = (last - first) / hours if hours > 0 else 0.0
    return Growth(name, first, last, max(value for _, value in points), slope, limit)


def resident(pid: int) -> float | None:
    """Resident memory of a process in MB; None when it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / MB
    except OSError:
        return None


def descriptors(pid: int) -> float | None:
    """How many files a process has open; None when it is gone."""
    try:
        return float(sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()))
    except OSError:
        return None


def threads(pid: int) -> float | None:
    """How many threads a process has; None when it is gone."""
    try:
        return float(sum(1 for _ in Path(f"/proc/{pid}/task").iterdir()))
    except OSError:
        return None


def size(path: Path) -> float:
    """A file's length in MB, 0 where there is none."""
    try:
        return path.stat().st_size / MB
    except OSError:
        return 0.0


def taken(paths: Iterable[Path]) -> float:
    """What folders take on the disk, in MB. What vanishes meanwhile is left out."""
    total, waiting = 0, [str(path) for path in paths]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_blocks * 512
        except OSError:
            continue
    return total / MB

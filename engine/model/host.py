"""Figures of the host that an engine runs on, and of what the engine takes of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HostFigures:
    """One moment. Sizes are bytes, shares per cent; what could not be measured is None."""

    cpu_percent: float
    """Of all cores together."""
    cores: int
    load: float | None
    """Processes that ran or wanted to, over the last minute."""
    disk_free: int
    """On the file system of the home."""
    disk_total: int
    descriptors: int | None = None
    """That the engine has open."""
    most_descriptors: int | None = None
    store_bytes: int = 0
    wal_bytes: int = 0
    """The store's write-ahead log."""

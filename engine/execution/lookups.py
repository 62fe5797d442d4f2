"""Secrets of attempts, looked up off the loop just before their processes start."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from engine.connections import ConnectionUnusable, Resolved
from engine.model.attempt_files import AttemptStatus

Wanted: TypeAlias = Mapping[str, Mapping[str, Any]]
Resolve: TypeAlias = Callable[[Wanted], Resolved]


def not_configured(wanted: Wanted) -> Resolved:
    """For executors that were given no way to look anything up. Raises ConnectionUnusable."""
    raise ConnectionUnusable(f"connection {next(iter(wanted))}: nothing looks connections up here")


async def look_up(resolve: Resolve, wanted: Wanted) -> dict[str, Any] | AttemptStatus:
    """What the attempt is to be given; or how it has ended, for good, because that cannot be had."""
    try:
        found = await asyncio.to_thread(resolve, wanted)
    except ConnectionUnusable as problem:
        return AttemptStatus(1, "engine", outcome="failed", failure_class="permanent", error=str(problem))
    return {"connections": found.values, "secrets": found.secrets}

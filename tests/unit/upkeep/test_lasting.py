"""Parts that fail take nothing along."""

from __future__ import annotations

import asyncio

import pytest
import structlog

from engine.upkeep import lasting as module
from engine.upkeep.lasting import lasting


async def test_a_part_that_fails_is_told_and_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that nobody expected is logged with the part's name; the part goes on, and can be cancelled."""
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0)
    log, runs, again = structlog.testing.CapturingLogger(), 0, asyncio.Event()

    async def run() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise KeyError("surprise")
        again.set()
        await asyncio.Event().wait()

    part = asyncio.create_task(lasting("night", run, log))  # type: ignore[arg-type]
    await asyncio.wait_for(again.wait(), 5)
    part.cancel()
    with pytest.raises(asyncio.CancelledError):
        await part
    assert [(call.args, call.kwargs["part"]) for call in log.calls] == [(("part_failed",), "night")]

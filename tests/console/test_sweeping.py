"""Garbage goes while nobody waits."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from console import later


class Ring:
    """Something that only the collector frees."""

    def __init__(self) -> None:
        self.itself = self


async def swept(monkeypatch: pytest.MonkeyPatch, quiet: list[float], longest: float) -> bool:
    """Whether a ring that was dropped is gone after as many looks at the keys as there are times in `quiet`."""
    monkeypatch.setattr(later, "_PAUSE", 0.01)
    monkeypatch.setattr(later, "_LONGEST", longest)
    looks = iter(quiet)
    over = asyncio.Event()

    def quiet_for() -> float:
        found = next(looks, None)
        if found is None:
            over.set()
        return 0.0 if found is None else found

    gc.disable()
    try:
        dropped = weakref.ref(Ring())
        sweeping = asyncio.create_task(later.sweep_in_pauses(quiet_for))
        async with asyncio.timeout(30):
            await over.wait()
        sweeping.cancel()
        return dropped() is None
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("quiet", "longest", "expected"),
    [([0.005] * 3, 60.0, False), ([0.005, 0.015], 60.0, True), ([0.005] * 5, 0.03, True), ([9.0] * 3, 60.0, False)],
    ids=["typing", "a pause", "typing for long", "nobody there"],
)
async def test_garbage_is_swept_in_pauses(
    monkeypatch: pytest.MonkeyPatch, quiet: list[float], longest: float, expected: bool
) -> None:
    """A pause behind keys sweeps, and so does a long time with or without keys; typing is not disturbed before."""
    assert await swept(monkeypatch, quiet, longest) is expected

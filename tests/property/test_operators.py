"""Many operators at once: a random history of thousands of commands leaves no anomaly."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.operators import VERBS, Operators

COMMANDS = 1_250
"""For each history; `make soak` runs others."""


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
async def test_a_random_history_of_many_operators_has_no_anomaly(tmp_path: Path, seed: int) -> None:
    """After each step all runs are sound, no task has two processes, slots are those that are taken; what is
    acknowledged stands once in the audit, committed; what had moved since its operator looked was left alone.
    """
    world = Operators(tmp_path, seed)
    await world.prepare()
    while world.done.total() + world.refused.total() < COMMANDS:
        await world.step()
    assert set(world.done) == set(VERBS)
    assert world.refused["stale"] > 0

"""Mapped tasks that never get an index: nothing to map over, or nothing that can be mapped over."""

from __future__ import annotations

import pytest

from engine.model.states import Reason, RunState
from tests.support.lifecycle import World, mapped, task


@pytest.mark.parametrize(
    ("size", "state", "reason", "below"),
    [(0, "skipped", Reason.NO_ITEMS, "skipped"), ("it is text", "failed", Reason.NOT_MAPPABLE, "upstream_failed")],
)
def test_what_cannot_be_expanded_ends_at_its_summary_row(
    size: int | str, state: str, reason: Reason, below: str
) -> None:
    """No items is a skip; what is no list is a failure that says why; what is below follows."""
    world = World(task("make"), mapped("each", "make"), task("sum", "each"))
    world.items.sizes["each"] = size
    world.finish("make")
    assert world.states() == {"make": "success", "each": state, "sum": below}
    assert (world.ti("each").reason, world.ti("each").last_error) == (reason, size if isinstance(size, str) else None)
    assert world.run.state is (RunState.FAILED if state == "failed" else RunState.SUCCESS)

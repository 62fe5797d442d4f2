"""Clock jumps are told, drift is not."""

from __future__ import annotations

import pytest

from console.clockwatch import ClockWatch
from engine.model.moments import HOUR, MINUTE, SECOND
from tests.support.console import NOW


@pytest.mark.parametrize(
    ("wall", "steady", "words"),
    [
        (MINUTE, MINUTE, None),
        (MINUTE + 2 * SECOND, MINUTE, None),
        (2 * HOUR, SECOND, "jumped forward by 1h59m, to 04:14:07 UTC"),
        (-HOUR, SECOND, "jumped back by 1h00m, to 01:14:07 UTC"),
        (HOUR, HOUR + 10 * SECOND, "jumped back by 10s"),
    ],
)
def test_a_clock_that_was_set_is_told(wall: int, steady: int, words: str | None) -> None:
    """By how much, in which way, and what time it is now; a suspended machine's steady clock may run on alone."""
    now = [0]
    watch = ClockWatch(lambda: now[0])
    assert watch.look(NOW) is None
    now[0] = steady
    told = watch.look(NOW + wall)
    assert told is None if words is None else words in (told or "")
    assert watch.look(NOW + wall) is None, "it is told once"

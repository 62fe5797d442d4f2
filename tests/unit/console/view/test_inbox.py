"""The failure inbox as text: what its rows say of a cause, at each width."""

from __future__ import annotations

import pytest

from console.model.dags import Failure
from console.view.inbox import groups, rows
from console.view.spans import plain, width_of
from engine.model.moments import DAY
from tests.support.console import NOW, dag, scene

ERROR = "ConnectionError: db-1:5432 refused"
STORM = tuple(
    Failure(f"d{number}", number, f"d{number}@{number}", "load", -1, "failed", ERROR, NOW - 4 * DAY + number)
    for number in range(1000)
)


@pytest.mark.parametrize("width", [80, 120, 160, 200])
def test_a_cause_says_how_far_it_reaches_and_since_when_without_a_cut(width: int) -> None:
    """Where there is no room for both moments the first one stands, and on small screens neither."""
    found = scene(*(dag(failure.dag_id) for failure in STORM), failures=STORM)
    key, spans = rows(found, groups(found.snapshot), width)[0]
    text = plain(spans)
    assert key is not None and width_of(spans) <= width
    assert "1000 tasks in 1000 DAGs" in text.replace("…", "") and "…" not in text
    assert (" first " in text) == (width >= 120) and (" last " in text) == (width >= 160)

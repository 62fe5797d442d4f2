"""Sorting the overview."""

from __future__ import annotations

import pytest

from console.view.overview import in_order
from engine.model.moments import HOUR, SECOND
from tests.support.console import NOW, console, dag, mark, scene, world


@pytest.mark.parametrize(
    ("by", "names"), [("name", "abcd"), ("state", "cabd"), ("last", "bacd"), ("duration", "cbad"), ("next", "bcad")]
)
def test_dags_are_sorted_by_what_was_chosen(by: str, names: str) -> None:
    """Failed first, newest first, longest first, soonest first; what is paused stays below."""
    a = mark(1, "a")._replace(started_at=NOW - 2 * HOUR, ended_at=NOW - 2 * HOUR + SECOND)
    b = mark(2, "b")._replace(started_at=NOW - HOUR, ended_at=NOW - HOUR + 5 * SECOND)
    c = mark(3, "c", "failed")._replace(started_at=NOW - 3 * HOUR, ended_at=NOW - 3 * HOUR + 9 * SECOND)
    found = scene(
        dag("a", recent=(a,), next_run_after=NOW + 3 * HOUR), dag("b", recent=(b,), next_run_after=NOW + SECOND),
        dag("c", recent=(c,), next_run_after=NOW + HOUR), dag("d", paused_at=NOW),
    )  # fmt: skip
    assert "".join(card.dag_id for card in in_order(found.snapshot, by)) == names


async def test_s_asks_for_the_order_and_the_rule_says_it() -> None:
    """`s` opens the orders; Enter takes one, and the rows stand in it."""
    backend = world()
    backend.put_dag(dag("alpha", next_run_after=NOW + HOUR))
    backend.put_dag(dag("beta", next_run_after=NOW + SECOND))
    async with console(backend) as screen:
        await screen.press("s", "G", "enter")
        assert "by next" in screen.lines()[1]
        assert screen.text.index("beta") < screen.text.index("alpha")

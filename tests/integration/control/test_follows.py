"""A preview also lists what nobody named but what would move: what trigger rules had decided below."""

from __future__ import annotations

import pytest

from engine.control import protocol as p
from tests.support.engine import Site

pytestmark = pytest.mark.processes


@pytest.mark.parametrize(("verb", "args"), [("clear", {}), ("mark", {"state": "success"})])
async def test_rows_that_follow_are_listed_as_following(site: Site, verb: str, args: dict[str, str]) -> None:
    """Clearing or marking one failed task takes back what failed because of it, and the preview says so, row by row."""
    run_id = await site.trigger("wide")
    assert await site.over(run_id) == "failed"
    async with site.client() as client:
        shown = await client.preview(verb, p.Selector(run_ids=[run_id], task_ids=["first"]), args)
    assert (shown.total, shown.counts) == (451, {"failed": 1})
    assert shown.rows[0].task_id == "first"
    following = shown.rows[1:]
    assert {(row.state, row.detail) for row in following} == {("upstream_failed", "follows from it")}
    assert {row.becomes for row in following} == ({"none"} if verb == "clear" else {"scheduled"})
    assert "450 more tasks follow" in shown.sentence

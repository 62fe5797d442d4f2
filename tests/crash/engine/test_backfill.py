"""A backfill over real data, with the engine killed in the middle of it."""

from __future__ import annotations

import pytest

from tests.crash.engine.conftest import OpenSite
from tests.support.weather import backfill, faults, start_weather, warehouse

pytestmark = pytest.mark.processes

QUARTER = "2012-01-01..2012-03-31"


async def test_a_backfill_killed_in_the_middle_leaves_what_an_undisturbed_one_leaves(open_site: OpenSite) -> None:
    """A quarter of days, oldest first and undisturbed, then newest first with two kills of the engine: every date has
    one run, each task was started once, and the warehouses are equal.
    """
    async with open_site(None) as calm, open_site(None) as wild:
        await start_weather(calm)
        assert faults(calm, await backfill(calm, QUARTER, "oldest", kills=0)) == []
        await calm.stop()
        await start_weather(wild)
        assert faults(wild, await backfill(wild, QUARTER, "newest", kills=2)) == []
        assert len(warehouse(calm)["day"]) == 91
        assert warehouse(wild) == warehouse(calm)

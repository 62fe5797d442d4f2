"""A backfill over a year of real data, with the engine killed in the middle of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.crash.engine.conftest import OpenSite
from tests.support.weather import backfill, faults, start_weather, undisturbed, warehouse

pytestmark = pytest.mark.processes

FIRST, LAST = "2012-01-01", "2012-12-31"


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the year leaves behind when nobody disturbs it."""
    found = undisturbed(tmp_path_factory.mktemp("undisturbed") / "warehouse", FIRST, LAST)
    assert (len(found["day"]), len(found["month"]), len(found)) == (366, 12, 14)
    return found


@pytest.mark.parametrize("order", ["oldest", "newest"])
async def test_a_year_killed_in_the_middle_leaves_what_an_undisturbed_one_leaves(
    open_site: OpenSite, expected: dict[str, Any], order: str
) -> None:
    """Its engine is killed twice and started again: every day has one run, each task was started once, and tables and
    reports of the warehouse are those of the same days one after the other.
    """
    async with open_site(None) as site:
        await start_weather(site)
        assert faults(site, await backfill(site, f"{FIRST}..{LAST}", order, kills=2)) == []
        assert warehouse(site) == expected

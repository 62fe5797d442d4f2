"""Random kills of engine, runner, hosts, shims and tasks while short and long, Python and shell tasks run."""

from __future__ import annotations

import pytest

from tests.crash.engine.conftest import OpenSite
from tests.support.engine_soak import CONFIG, soak
from tests.support.workload import MIX

pytestmark = pytest.mark.processes

KILLS = 32


@pytest.mark.parametrize("seed", [20261122, 7])
async def test_random_kills_lose_nothing_and_repeat_nothing(open_site: OpenSite, seed: int) -> None:
    """Whatever is killed whenever: no attempt begins twice, no success is without its status, every acknowledged
    command has its effect, and every run ends as its tasks' behaviour and the kills demand.
    """
    async with open_site(MIX, CONFIG) as site:
        await site.start()
        result = await soak(site, seed, KILLS)
        assert sum(result.kills.values()) >= KILLS
        assert not result.problems, f"seed {seed}: {result}\n{site.log()}"

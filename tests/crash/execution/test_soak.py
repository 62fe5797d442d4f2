"""Random kills of everything there is, while attempts are launched, run and end."""

from __future__ import annotations

import pytest

from tests.support.execution import Stage
from tests.support.soak import Soak

pytestmark = pytest.mark.processes


@pytest.mark.parametrize("seed", [11, 12])
async def test_whatever_is_killed_no_attempt_runs_twice_and_none_is_forgotten(stage: Stage, seed: int) -> None:
    """Runners, hosts, templates, tasks and executors die: each attempt ends once, success means that it ran, once."""
    soak = Soak(stage, seed)
    await soak.run(kills=30)
    assert soak.kills.total() >= 30, soak.kills
    assert set(soak.orders) == set(soak.ends)
    assert {attempt_id: codes for attempt_id, codes in soak.ends.items() if len(codes) != 1} == {}
    ran = {attempt_id: soak.marks(attempt_id) for attempt_id in soak.orders}
    assert {attempt_id: count for attempt_id, count in ran.items() if count > 1} == {}
    assert [attempt_id for attempt_id, codes in soak.ends.items() if codes == [0] and ran[attempt_id] != 1] == []

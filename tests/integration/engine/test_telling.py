"""A real engine that tells of failures, lives through a restart in between, and never waits for anybody."""

from __future__ import annotations

import json
import time

import pytest

from tests.integration.engine.conftest import DAGS, MakeSite
from tests.support.engine import until

pytestmark = pytest.mark.processes


async def test_failures_are_told_in_one_message_also_over_a_restart(make_site: MakeSite) -> None:
    """Runs that fail while a message gathers are one message; what failed just before the engine was killed is told by
    the next one; and a command that hangs holds up nothing.
    """
    site = await make_site({"plain.py": DAGS["plain.py"]})
    said = site.root / "said"
    site.configure(
        f"""
        [on_failure]
        command = ["/bin/sh", "-c", "cat >> {said}; echo >> {said}; sleep 20"]
        gather_seconds = 3
        apart_seconds = 0
        """
    )
    await site.start()
    runs = [await site.trigger("steps") for _ in range(3)]
    for run_id in runs:
        assert await site.over(run_id) == "failed"
    await until(said.exists, "a message comes")
    await until(lambda: said.read_text().strip(), "it is written")
    message = json.loads(said.read_text().split("\n")[0])
    assert message["total"] == 3
    assert {run["run_id"] for run in message["runs"]} == set(runs)
    assert message["runs"][0]["task_id"] == "fails"
    assert await site.over(await site.trigger("steps")) == "failed"
    await site.crash()
    before = len(said.read_text().splitlines())
    await site.start()
    await until(lambda: len(said.read_text().splitlines()) > before, "what was not told is told")
    began = time.monotonic()
    assert await site.stop() == 0
    assert time.monotonic() - began < 5

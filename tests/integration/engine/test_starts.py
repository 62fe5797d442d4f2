"""Attempts that cannot be started: what lacks may come back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.integration.engine.conftest import MakeSite
from tests.support.engine import Site, until

pytestmark = pytest.mark.processes

FILE = {
    "plain.py": """
        @dag()
        def plain():
            shell("only", "true")
    """
}


def obstruct(site: Site) -> list[Path]:
    """Files where the folders of today's and tomorrow's attempts would be."""
    site.home.attempts.mkdir(exist_ok=True)
    today = datetime.now(UTC)
    days = [site.home.attempts / f"{today + timedelta(days=ahead):%Y%m%d}" for ahead in (0, 1)]
    for day in days:
        day.write_text("in the way")
    return days


async def test_a_start_that_fails_is_tried_again_after_a_pause(make_site: MakeSite) -> None:
    """The same attempt, unspent, starts once what was in its way is gone: its task succeeds at the first try."""
    site = await make_site(FILE)
    days = obstruct(site)
    await site.start()
    run_id = await site.trigger("plain")
    await until(lambda: site.value("SELECT requeues FROM task_instance") == 1, "one start has failed")
    for day in days:
        day.unlink()
    assert await site.over(run_id) == "success"
    assert [attempt["number"] for attempt in site.attempts(run_id, "only")] == [1]


async def test_a_start_that_keeps_failing_fails_the_task_with_the_reason(make_site: MakeSite) -> None:
    """After three failed starts the task is stuck in its queue, and says what was in the way."""
    site = await make_site(FILE)
    obstruct(site)
    await site.start()
    run_id = await site.trigger("plain")
    assert await site.over(run_id) == "failed"
    reason, error = site.rows("SELECT reason, last_error FROM task_instance")[0]
    assert reason == "stuck_in_queue"
    assert "directory cannot be made" in error

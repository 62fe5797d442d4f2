"""What becomes of runs when nobody interferes: results, retries, timeouts, callbacks."""

from __future__ import annotations

import json

import pytest

from engine.model.moments import SECOND
from tests.integration.engine.conftest import MakeSite
from tests.support.engine import Site, until

pytestmark = pytest.mark.processes


async def test_a_triggered_run_passes_results_down_and_succeeds(site: Site) -> None:
    """Results go to Python tasks as arguments and to shell tasks through the environment, small and large ones."""
    run_id = await site.trigger("results")
    assert await site.over(run_id) == "success"
    found = site.rows(
        "SELECT t.task_id, r.value, r.in_file FROM task_result r JOIN task_instance t ON t.id = r.task_instance "
        "JOIN run ON run.id = t.run WHERE run.run_id = ? ORDER BY t.task_id",
        run_id,
    )
    assert [(name, value and json.loads(value), in_file) for name, value, in_file in found] == [
        ("double", 14, 0),
        ("large", None, 1),
        ("make", {"n": 7}, 0),
        ("measure", 200_000, 0),
    ]
    assert len(site.bodies()) == 3


async def test_exponential_retries_follow_their_delays(site: Site) -> None:
    """A task that fails twice is tried again after its delay, then after twice its delay, counted from each end."""
    run_id = await site.trigger("backoff")
    assert await site.over(run_id) == "success"
    first, second, third = site.attempts(run_id, "third_time")
    assert [attempt["outcome"] for attempt in (first, second, third)] == ["failed", "failed", "success"]
    assert first["error"] == "ConnectionError: db-1:5432 refused"
    assert 600_000 <= second["started_at"] - first["ended_at"] < 1_100_000
    assert 1_200_000 <= third["started_at"] - second["ended_at"] < 1_900_000


async def test_a_retry_time_is_absolute_across_a_restart(site: Site) -> None:
    """An engine that is killed while a retry timer runs keeps the timer's moment, and the retry happens then."""
    run_id = await site.trigger("soon")
    await site.state(run_id, "once_more", "up_for_retry")
    stored = site.value("SELECT retry_at FROM task_instance WHERE task_id = 'once_more'")
    await site.crash()
    await site.start()
    assert site.value("SELECT retry_at FROM task_instance WHERE task_id = 'once_more'") == stored
    assert await site.over(run_id) == "success"
    first, second = site.attempts(run_id, "once_more")
    assert stored == first["ended_at"] + 3 * SECOND
    assert stored <= second["started_at"] < stored + SECOND


async def test_a_retry_that_came_due_while_the_engine_was_down_happens_once(site: Site) -> None:
    """A timer that ran out without an engine fires at the next start, once."""
    run_id = await site.trigger("soon")
    await site.state(run_id, "once_more", "up_for_retry")
    stored = site.value("SELECT retry_at FROM task_instance WHERE task_id = 'once_more'")
    await site.crash()
    await site.start(DAGDECK_CLOCK_OFFSET="3600")
    assert await site.over(run_id) == "success"
    assert len(site.attempts(run_id, "once_more")) == len(site.bodies()) == 2
    assert site.attempts(run_id, "once_more")[1]["started_at"] > stored


async def test_a_timeout_ends_all_of_a_task_before_its_state_changes(site: Site) -> None:
    """After execution_timeout come SIGTERM, the grace, SIGKILL; the task fails once every process of it is gone."""
    run_id = await site.trigger("timed")
    for name in ("python", "family"):
        await site.state(run_id, name, "failed")
        assert site.attempts(run_id, name)[0]["outcome"] == "timeout"
        attempt = site.attempts(run_id, name)[0]["id"]
        assert [text for text in site.processes().values() if attempt in text] == []
    assert await site.over(run_id) == "failed"
    python = site.attempts(run_id, "python")[0]
    assert python["signal"] == 9
    assert 800_000 <= python["ended_at"] - python["started_at"] < 3_000_000


async def test_a_permanent_failure_is_not_retried(site: Site) -> None:
    """PermanentError ends a task at once, whatever its retries; the DAG's on_failure_callback runs in its context."""
    run_id = await site.trigger("hopeless_dag")
    assert await site.over(run_id) == "failed"
    assert len(site.attempts(run_id, "hopeless")) == 1
    await until(lambda: site.bodies("called-dag"), "the callback's body runs")
    await until(lambda: site.value("SELECT outcome FROM callback") == "success", "the callback is booked")


async def test_a_callback_whose_engine_is_killed_before_it_begins_runs_under_the_next(make_site: MakeSite) -> None:
    """A run's end and its callback are one commit: the next engine starts the callback of a run that is over."""
    site = await make_site()
    engine = await site.start(DAGDECK_FAILPOINT="scheduler.before_launch:2")
    run_id = await site.trigger("called")
    await engine.ended()
    assert (site.run_state(run_id), site.value("SELECT state FROM callback")) == ("success", "queued")
    await site.start()
    await until(lambda: site.bodies("called-dag"), "the callback's body runs")
    await until(lambda: site.value("SELECT state FROM callback") == "ended", "the callback is booked")
    assert len(site.bodies("called-dag")) == 1

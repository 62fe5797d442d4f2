"""Runs that the schedule creates: one per slot, whatever happens to the engine."""

from __future__ import annotations

import signal
import time
from itertools import pairwise

import pytest

from engine.control import protocol as p
from engine.model.moments import MINUTE, SECOND
from tests.integration.engine.conftest import MakeSite
from tests.support.engine import Site, until

pytestmark = pytest.mark.processes

FILE = {
    "clock.py": """
        @dag(schedule="* * * * *")
        def minutely():
            shell("only", NOTE + "note begin")
    """
}


def offset_to(moment: int) -> dict[str, str]:
    """An environment in which the engine's clock says `moment` (in microseconds) now."""
    return {"DAGDECK_CLOCK_OFFSET": str(moment / SECOND - time.time())}


def slots(site: Site) -> list[tuple[int, str]]:
    """Logical date and run id of all scheduled runs, oldest first."""
    return site.rows("SELECT logical_date, run_id FROM run WHERE run_type = 'scheduled' ORDER BY logical_date")


async def test_every_slot_gets_one_run_across_kills_and_gaps(make_site: MakeSite) -> None:
    """A DAG that runs every minute gets a run for each minute that ended since it was first seen, and never a second
    one for the same minute: not from an engine that is killed right after, nor from one that finds slots missing.
    """
    site = await make_site(FILE)
    enabled = site.value("SELECT enabled_at FROM schedule_state")
    first = enabled - enabled % MINUTE + MINUTE  # the first whole minute after the DAG was first seen
    await site.start(**offset_to(first + 2 * MINUTE - SECOND))
    await until(lambda: len(slots(site)) >= 2, "the minutes that ended have their runs")
    await until(lambda: site.value("SELECT count(*) FROM run WHERE state = 'success'") >= 2, "they run")
    await site.crash()
    for minutes in (2, 2, 4):
        engine = await site.start(**offset_to(first + minutes * MINUTE + 30 * SECOND), DAGDECK_FAILPOINT="")
        await until(lambda minutes=minutes: len(slots(site)) >= minutes, f"{minutes} slots have runs")
        engine.kill()
        await engine.ended()
    await site.start(**offset_to(first + 4 * MINUTE + 40 * SECOND))
    found = [date for date, _ in slots(site)]
    assert found == [found[0] + number * MINUTE for number in range(len(found))]
    assert found[-1] == first + 3 * MINUTE
    assert found[0] in (first, first - MINUTE)
    await until(
        lambda: site.value("SELECT count(*) FROM run WHERE state = 'success'") == len(found), "all of them succeed"
    )
    assert len(site.bodies()) == len(set(site.bodies())) == len(found)


@pytest.mark.parametrize("point", ["store.before_commit", "store.after_commit"])
async def test_a_kill_around_the_commit_of_a_slot_makes_no_second_run(make_site: MakeSite, point: str) -> None:
    """The schedule moves on in the transaction that creates the run: killed on either side of it, one run comes."""
    site = await make_site(FILE)
    enabled = site.value("SELECT enabled_at FROM schedule_state")
    moment = enabled - enabled % MINUTE + 2 * MINUTE + 30 * SECOND
    engine = site.launch(**offset_to(moment), DAGDECK_FAILPOINT=point)
    await engine.ended()
    await site.start(**offset_to(moment + SECOND))
    await until(lambda: slots(site), "there is a run")
    await until(lambda: not site.rows("SELECT 1 FROM run WHERE state <> 'success'"), "all runs succeed")
    dates = [date for date, _ in slots(site)]
    assert len(dates) == len(set(dates))
    assert dates[-1] == enabled - enabled % MINUTE + MINUTE
    assert len(site.bodies()) == len(dates)


async def test_a_slot_that_comes_while_the_engine_runs_is_run_on_time(make_site: MakeSite) -> None:
    """The run of a minute is created when the minute ends, not at some later look at the clock."""
    site = await make_site(FILE)
    enabled = site.value("SELECT enabled_at FROM schedule_state")
    boundary = enabled - enabled % MINUTE + 5 * MINUTE
    await site.start(**offset_to(boundary - 2 * SECOND))
    await until(lambda: any(date == boundary - MINUTE for date, _ in slots(site)), "the minute has its run")
    created = site.value("SELECT created_at FROM run WHERE logical_date = ?", boundary - MINUTE)
    assert 0 <= created - boundary < 5 * SECOND


async def test_a_clock_that_goes_back_makes_no_second_run(make_site: MakeSite) -> None:
    """A slot that has had its run keeps it alone, although the clock passes its moment again."""
    site = await make_site(FILE)
    enabled = site.value("SELECT enabled_at FROM schedule_state")
    moment = enabled - enabled % MINUTE + 3 * MINUTE + 5 * SECOND
    await site.start(**offset_to(moment))
    await until(lambda: len(slots(site)) >= 2, "the minutes have their runs")
    before = slots(site)
    await site.stop()
    await site.start(**offset_to(moment - MINUTE - 6 * SECOND))
    assert await site.over(await site.trigger("minutely", parallel=True)) == "success"
    assert slots(site) == before


CATCHING_UP = {
    "past.py": """
        @dag(schedule="@daily", start_date="2026-01-01", end_date="2026-01-08", catchup=True, max_active_runs=2,
             paused=True)
        def past():
            shell("only", NOTE + "note begin; sleep 0.1")
    """
}


async def test_catching_up_goes_on_after_a_kill(make_site: MakeSite) -> None:
    """All days of the past run once each, oldest first, no more of them made than may wait, over a kill."""
    site = await make_site(CATCHING_UP)
    await site.start()
    await site.command("resume", p.Selector(dag_ids=["past"]))
    await until(lambda: len(slots(site)) >= 3, "some days have runs")
    assert site.value("SELECT count(*) FROM run WHERE state = 'queued'") <= 2
    await site.crash()
    await site.start()
    await until(lambda: site.value("SELECT count(*) FROM run WHERE state = 'success'") == 8, "all days have run")
    order = site.rows("SELECT logical_date FROM run ORDER BY id")
    assert order == sorted(order)
    assert len(site.bodies()) == len(set(site.bodies())) == 8
    assert site.rows("SELECT count(*) FROM schedule_gap") == [(0,)]


async def test_a_clock_set_forward_runs_what_was_missed_and_keeps_the_rest_as_a_gap(make_site: MakeSite) -> None:
    """Three hours later the newest 24 minutes have runs, and the others are one gap that says how many."""
    site = await make_site(FILE)
    enabled = site.value("SELECT enabled_at FROM schedule_state")
    await site.start(**offset_to(enabled + 180 * MINUTE))
    await until(lambda: len(slots(site)) >= 24, "the newest have runs")
    ((why, count, first, until_),) = site.rows("SELECT why, count, first, until FROM schedule_gap")
    assert (why, until_) == ("missed", slots(site)[0][0])
    assert count == (until_ - first) // MINUTE
    assert 150 <= count <= 160


SECONDLY = {
    "clock.py": """
        @dag(schedule="every 1s", start_date="2026-01-01", max_active_runs=200)
        def secondly():
            shell("only", "true")
    """
}


async def test_an_engine_that_was_suspended_runs_what_came_due_meanwhile(make_site: MakeSite) -> None:
    """Stopped for three seconds, as by a host that sleeps, it makes up for them: each second has one run, or is in a
    gap that says so.
    """
    site = await make_site(SECONDLY)
    engine = await site.start()
    await until(lambda: len(slots(site)) >= 2, "seconds have their runs")
    engine.kill(signal.SIGSTOP)
    before, awake = len(slots(site)), time.monotonic() + 3
    await until(lambda: time.monotonic() > awake, "it sleeps")
    engine.kill(signal.SIGCONT)
    await until(lambda: len(slots(site)) >= before + 4, "the seconds of its sleep have their runs")
    dates = [date for date, _ in slots(site)]
    gaps = site.rows("SELECT first, until FROM schedule_gap")
    for one, two in pairwise(dates):
        assert two - one == SECOND or any(first == one + SECOND and until_ == two for first, until_ in gaps)

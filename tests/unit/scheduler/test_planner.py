"""Runs that are due: one per slot, created in the commit that moves the schedule on."""

from __future__ import annotations

from typing import Any

import pytest

from engine.control.plans import Refusal
from engine.dagfiles.updates import Broken, Gone
from engine.model.dag import ImportFailure, ParamSpec, ScheduleSpec
from engine.model.moments import HOUR, MINUTE, from_iso, to_iso
from engine.scheduler.planner import manual_slot
from tests.support.lifecycle import T0, task
from tests.support.scheduler import Rig

HOURLY = ScheduleSpec("0 * * * *")
NEXT_HOUR = 2800
"""Seconds from the rig's first moment (22:13:20) to the next hour."""


def dates(rig: Rig) -> list[str]:
    """The logical dates of the scheduled runs, in the order of their making."""
    runs = [run for changes in rig.changes() for run in changes.new_runs if run.run_type == "scheduled"]
    assert len({run.run_id for run in runs}) == len(runs)
    return [to_iso(run.logical_date)[11:16] for run in runs]


async def test_the_first_run_is_that_of_the_interval_in_which_the_dag_was_first_seen(rig: Rig) -> None:
    """Nothing that ended before is run; the interval of now is, when it has ended, once."""
    await rig.dag(task("a"), schedule=HOURLY)
    assert dates(rig) == []
    await rig.later(NEXT_HOUR - 1)
    assert dates(rig) == []
    await rig.later(1)
    assert dates(rig) == ["22:00"]
    await rig.later(60)
    assert dates(rig) == ["22:00"]
    run = next(run for changes in rig.changes() for run in changes.new_runs)
    assert run.run_id == "etl@20231114T220000Z"
    assert (run.interval_end - run.interval_start, run.run_after) == (HOUR, run.interval_end)


async def test_the_schedule_moves_on_in_the_commit_that_creates_the_run(rig: Rig) -> None:
    """Run and schedule are one batch: killed on either side of its commit, the engine creates the run once."""
    await rig.dag(task("a"), schedule=HOURLY)
    await rig.later(NEXT_HOUR)
    batch = next(batch for batch in rig.writer.committed if batch.changes and batch.changes.new_runs)
    puts = [values for name, values in batch.rows if name == "schedule.put"]
    assert [to_iso(int(str(values["next_start"])))[11:16] for values in puts] == ["23:00"]


async def test_code_is_imported_shortly_before_its_run(rig: Rig) -> None:
    """Three seconds ahead the executor is told to warm a host; a DAG of shells alone needs none."""
    await rig.dag(task("a"), schedule=HOURLY)
    await rig.dag(task("b", command=["true"]), dag_id="plain")
    await rig.later(NEXT_HOUR - 4)
    assert rig.executor.warmed == []
    await rig.later(1)
    assert [bundle.file for bundle in rig.executor.warmed] == ["etl.py"]


async def test_slots_missed_while_nobody_looked_are_run_up_to_a_limit(rig: Rig) -> None:
    """A host that slept five hours runs the five; one that slept for three days runs the latest 24 and says how many
    it left out.
    """
    await rig.dag(task("a"), schedule=HOURLY, max_active_runs=1)
    await rig.later(NEXT_HOUR + 4 * 3600)
    assert dates(rig) == ["22:00", "23:00", "00:00", "01:00", "02:00"]
    await rig.later(72 * 3600)
    assert len(dates(rig)) == 5 + 24
    assert any(reason == "missed_ticks" and "48 due slots" in str(detail) for _, reason, detail in rig.notes("dag"))


async def test_a_trigger_schedule_runs_the_latest_of_what_it_missed(rig: Rig) -> None:
    """For a schedule without intervals, older moments that were missed have no use."""
    await rig.dag(task("a"), schedule=ScheduleSpec("0 * * * *", kind="trigger"))
    await rig.later(NEXT_HOUR + 4 * 3600)
    assert dates(rig) == ["03:00"]


async def test_catchup_runs_what_was_due_before_the_dag_was_seen(rig: Rig) -> None:
    """With `catchup=all` the slots since the start date are run at once, with the params' defaults."""
    schedule = ScheduleSpec("0 * * * *", start_date="2023-11-14T19:00:00Z", catchup="all")
    await rig.dag(task("a"), schedule=schedule, params={"rows": ParamSpec(default=3)})
    assert dates(rig) == ["19:00", "20:00", "21:00"]
    assert {str(run.params) for changes in rig.changes() for run in changes.new_runs} == {"{'rows': 3}"}


async def test_a_paused_dag_gets_no_runs_and_starts_afresh(rig: Rig) -> None:
    """What was due during the pause is left out by default; the interval in which it is resumed is run."""
    await rig.dag(task("a"), schedule=HOURLY)
    await rig.command("pause", dags=("etl",))
    await rig.later(NEXT_HOUR + 2 * 3600)
    assert dates(rig) == []
    await rig.command("resume", dags=("etl",))
    assert dates(rig) == []
    await rig.later(3600)
    assert dates(rig) == ["01:00"]


@pytest.mark.parametrize(("on_broken", "wanted"), [("keep", ["22:00"]), ("hold", [])])
async def test_a_broken_file_keeps_or_holds_its_schedule(rig: Rig, on_broken: Any, wanted: list[str]) -> None:
    """With `keep` runs go on with the last good version, with `hold` they wait until the file loads again."""
    entry = await rig.dag(task("a"), schedule=HOURLY, on_broken=on_broken)
    await rig.load(Broken("etl.py", (ImportFailure("etl.py", "SyntaxError: no", 3),)))
    assert entry.broken_since == rig.clock.now()
    await rig.later(NEXT_HOUR)
    assert dates(rig) == wanted
    await rig.dag(task("a"), schedule=HOURLY, on_broken=on_broken)
    assert dates(rig) == ["22:00"]


async def test_the_dag_of_a_file_that_is_gone_gets_no_runs(rig: Rig) -> None:
    """It is inactive; put back later, it goes on from there."""
    await rig.dag(task("a"), schedule=HOURLY)
    await rig.load(Gone("etl.py"))
    await rig.later(NEXT_HOUR)
    assert dates(rig) == []
    with pytest.raises(Refusal, match=r"etl is inactive: its file etl.py is gone"):
        await rig.command("trigger", dags=("etl",))


async def test_a_changed_schedule_makes_no_date_twice(rig: Rig) -> None:
    """From every hour to every half hour: the next slot begins where the last one ended."""
    await rig.dag(task("a"), schedule=HOURLY)
    await rig.later(NEXT_HOUR)
    await rig.dag(task("a"), schedule=ScheduleSpec("*/30 * * * *"), bundle="b2")
    assert dates(rig) == ["22:00"]
    await rig.later(3600)
    assert dates(rig) == ["22:00", "23:00", "23:30"]


async def test_a_clock_that_goes_back_makes_no_date_twice(rig: Rig) -> None:
    """The slot that was created stays the last one, whatever the clock says."""
    await rig.dag(task("a"), schedule=HOURLY)
    await rig.later(NEXT_HOUR)
    await rig.later(-1800)
    await rig.later(1800)
    assert dates(rig) == ["22:00"]
    await rig.later(3600)
    assert dates(rig) == ["22:00", "23:00"]


async def test_a_manual_run_lies_where_its_date_says(rig: Rig) -> None:
    """A date is moved back to the point of the schedule at or before it; none means the last completed interval."""
    entry = await rig.dag(task("a"), schedule=HOURLY)
    slot, inferred = manual_slot(entry, from_iso("2023-11-10T07:45:00Z"), T0)
    assert (to_iso(slot.interval_start), to_iso(slot.interval_end)) == ("2023-11-10T07:00:00Z", "2023-11-10T08:00:00Z")
    assert not inferred
    slot, inferred = manual_slot(entry, None, T0)
    assert (to_iso(slot.logical_date), inferred) == ("2023-11-14T21:00:00Z", True)
    plain = await rig.dag(task("a"), dag_id="plain")
    slot, _ = manual_slot(plain, None, T0)
    assert (slot.logical_date, slot.interval_start, slot.interval_end) == (T0, T0, T0)


async def test_an_automated_run_that_is_under_way_is_not_doubled_by_hand(rig: Rig) -> None:
    """A trigger for its date is refused, unless it is asked for in parallel; once it is over it may be repeated."""
    await rig.dag(task("a"), schedule=HOURLY)
    await rig.later(NEXT_HOUR + MINUTE // 1_000_000)
    scheduled = rig.run("etl@20231114T220000Z")
    with pytest.raises(Refusal, match="etl@20231114T220000Z is running for that date"):
        await rig.command("trigger", dags=("etl",))
    parallel = await rig.trigger(parallel=True)
    assert parallel.run.logical_date == scheduled.run.logical_date
    assert parallel.run.run_id.startswith("etl@20231114T220000Z~")
    await rig.finish(scheduled, "a")
    assert await rig.trigger(logical_date="2023-11-14T22:10")

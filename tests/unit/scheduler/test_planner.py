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
from tests.support.scheduler import FAILED, Rig

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


async def test_catching_up_makes_no_more_runs_than_may_wait(rig: Rig) -> None:
    """With catch-up, runs of the past come oldest first and a few at a time, each when there is room for it, and what
    falls due meanwhile comes after them.
    """
    schedule = ScheduleSpec("0 * * * *", start_date="2023-11-14T12:00:00+00:00", catchup="all")
    entry = await rig.dag(task("a"), schedule=schedule, max_active_runs=2)
    assert dates(rig) == ["12:00", "13:00", "14:00", "15:00"]
    assert entry.postponed == 6
    await rig.finish(rig.run("etl@20231114T120000Z"), "a")
    assert dates(rig) == ["12:00", "13:00", "14:00", "15:00", "16:00"]
    await rig.later(NEXT_HOUR + 30 * 3600)
    for hour in [*range(13, 24), *range(12)]:
        day = 14 if hour > 12 else 15
        await rig.finish(rig.run(f"etl@202311{day}T{hour:02}0000Z"), "a")
    found = dates(rig)
    assert found[:4] == ["12:00", "13:00", "14:00", "15:00"]
    assert len(found) == len(set(found)) + len([date for date in found if found.count(date) > 1]) // 2
    assert rig.stored("gap.put") == []


async def test_catching_up_goes_on_after_a_pause_of_the_dag(rig: Rig) -> None:
    """A resumed DAG with catch-up makes up for the pause as well."""
    schedule = ScheduleSpec("0 * * * *", start_date="2023-11-14T20:00:00+00:00", catchup="all")
    await rig.dag(task("a"), schedule=schedule)
    await rig.command("pause", dags=("etl",))
    await rig.later(NEXT_HOUR + 3600)
    preview = await rig.preview("resume", dags=("etl",))
    assert "catchup all: 2 runs made, 16 at a time" in preview.sentence
    await rig.command("resume", dags=("etl",))
    assert dates(rig) == ["20:00", "21:00", "22:00", "23:00"]


async def test_who_resumes_may_choose_another_catch_up(rig: Rig) -> None:
    """`latest` makes one run of all that fell due during the pause, says so before, and keeps the rest as a gap."""
    await rig.dag(task("a"), schedule=HOURLY)
    await rig.command("pause", dags=("etl",))
    await rig.later(NEXT_HOUR + 4 * 3600)
    preview = await rig.preview("resume", dags=("etl",), args={"catchup": "latest"})
    assert "catchup latest: 1 run made, 4 intervals left out" in preview.sentence
    await rig.command("resume", dags=("etl",), args={"catchup": "latest"})
    assert dates(rig) == ["02:00"]
    (gap,) = rig.stored("gap.put")
    assert (to_iso(gap["first"])[11:16], to_iso(gap["until"])[11:16], gap["count"]) == ("22:00", "02:00", 4)
    await rig.later(3600)
    assert dates(rig) == ["02:00", "03:00"]


async def test_a_new_dag_with_a_long_past_asks_first(rig: Rig) -> None:
    """More runs than a thousand are not made unasked: the DAG begins paused and says why; resuming it is the answer."""
    schedule = ScheduleSpec("* * * * *", start_date="2013-11-14T12:00:00+00:00", catchup="all")
    entry = await rig.dag(task("a"), schedule=schedule, max_active_runs=3)
    assert dates(rig) == []
    assert entry.paused_by == "engine"
    assert "catchup of 5,259,493 runs" in str(entry.pause_reason)
    await rig.command("resume", dags=("etl",))
    assert len(dates(rig)) == 6


@pytest.mark.parametrize(
    ("overlap", "made", "states"),
    [
        ("queue", ["22:00", "23:00", "00:00"], ["running", "queued", "queued"]),
        ("skip", ["22:00"], ["running"]),
        ("cancel_previous", ["22:00", "23:00", "00:00"], ["cancelling", "cancelled", "queued"]),
        ("latest_only", ["22:00", "23:00", "00:00"], ["running", "cancelled", "queued"]),
    ],
)
async def test_overlap_says_what_becomes_of_a_run_beside_another(
    rig: Rig, overlap: Any, made: list[str], states: list[str]
) -> None:
    """A run that is due while one is under way waits, is left out, takes its place, or is the only one that waits."""
    await rig.dag(task("a"), schedule=ScheduleSpec("0 * * * *", overlap=overlap), max_active_runs=1)
    await rig.later(NEXT_HOUR)
    await rig.begin(rig.run("etl@20231114T220000Z"), "a")
    await rig.later(3600)
    await rig.later(3600)
    assert dates(rig) == made
    latest = {run.id: run.state for changes in rig.changes() for run, _ in changes.runs.values()}
    new = {run.id: run for changes in rig.changes() for run in changes.new_runs}
    assert [str(latest.get(key, run.state)) for key, run in new.items()] == states
    gaps = [(gap["first"], gap["count"], gap["why"]) for gap in rig.stored("gap.put")]
    if overlap == "skip":
        assert [gap[1:] for gap in gaps] == [(1, "overlap"), (2, "overlap")]
        assert gaps[0][0] == gaps[1][0]


@pytest.mark.parametrize(
    ("before", "after", "made"),
    [
        (ScheduleSpec("0 * * * *"), ScheduleSpec("0 0 * * *"), ["22:00", "00:00"]),
        (ScheduleSpec("0 * * * *"), ScheduleSpec("0 * * * *", kind="trigger"), ["22:00", "00:00"]),
        (ScheduleSpec("0 6 * * *", kind="trigger"), ScheduleSpec("0 * * * *", kind="trigger"), ["00:00"]),
        (ScheduleSpec("0 * * * *"), ScheduleSpec("0 * * * *", "Asia/Kolkata"), ["22:00", "23:30"]),
        (ScheduleSpec("0 * * * *"), ScheduleSpec("30 * * * *"), ["22:00", "23:30"]),
        (
            ScheduleSpec("0 * * * *"),
            ScheduleSpec("0 * * * *", start_date="2023-11-15T05:00:00+00:00"),
            ["22:00", "05:00"],
        ),
    ],
)
async def test_a_changed_schedule_neither_stalls_nor_doubles(
    rig: Rig, before: ScheduleSpec, after: ScheduleSpec, made: list[str]
) -> None:
    """From hourly to daily, to another kind, minute, zone or start: it goes on from where it was, and time that belongs
    to no interval of the new schedule is a gap.
    """
    await rig.dag(task("a"), schedule=before)
    await rig.later(NEXT_HOUR + 60)
    await rig.dag(task("a"), schedule=after, bundle="b2")
    for _ in range(30):
        await rig.later(3600)
    found = dates(rig)
    assert found[: len(made)] == made
    assert rig.scheduler.state.dags["etl"].next_run_after is not None
    seams = [gap for gap in rig.stored("gap.put") if gap["why"] == "schedule"]
    assert len({gap["first"] for gap in seams}) == (after.kind == "interval")


async def test_a_start_date_moved_out_of_the_far_future_counts(rig: Rig) -> None:
    """A DAG that never ran is not bound to what its former start date said."""
    await rig.dag(task("a"), schedule=ScheduleSpec("0 * * * *", start_date="2033-01-01T00:00:00+00:00"))
    await rig.dag(task("a"), schedule=HOURLY, bundle="b2")
    await rig.later(NEXT_HOUR)
    assert dates(rig) == ["22:00"]


async def test_a_step_of_the_clock_is_noted_and_makes_nothing_twice(rig: Rig) -> None:
    """Set back by an hour the schedule repeats nothing and a retry waits no longer than its delay; set forward by a day
    what was missed is run, and time limits of tasks move along.
    """
    await rig.dag(task("a", retries=1, delay=30.0), task("b", execution_timeout=600.0), schedule=HOURLY)
    await rig.later(NEXT_HOUR)
    memory = rig.run("etl@20231114T220000Z")
    await rig.finish(memory, "a", FAILED)
    await rig.begin(memory, "b")
    await rig.step_clock(-3600)
    assert dates(rig) == ["22:00"]
    assert memory.instances["a", -1].retry_at == rig.clock.now() + 30 * 1_000_000
    await rig.later(31)
    assert rig.states(memory)["a"] == "queued"
    await rig.step_clock(86_400)
    assert rig.states(memory)["b"] == "running"
    assert len(dates(rig)) == 24
    assert [detail for _, reason, detail in rig.notes("engine") if reason == "clock_step"] == [
        "the clock went back by 3600 s",
        "the clock went forward by 86400 s",
    ]
    await rig.later(600)
    assert rig.states(memory)["b"] == "killing"

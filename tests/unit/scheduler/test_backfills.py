"""Backfills: which dates are run, how many at a time, in which order, and what ends them."""

from __future__ import annotations

from typing import Any

import pytest

from engine.control.plans import Refusal
from engine.execution.port import Ended
from engine.lifecycle.memory import RunMemory
from engine.model.backfill import BackfillState, ItemState
from engine.model.dag import ParamSpec, ScheduleSpec
from engine.model.moments import DAY, from_iso, to_iso
from engine.model.states import RunState
from engine.scheduler.state import LiveBackfill
from engine.store.stored import StoredBackfill, StoredSlot
from tests.support.lifecycle import task
from tests.support.scheduler import FAILED, OK, Rig

DAILY = ScheduleSpec("0 0 * * *")
DAYS = "2023-11-01..2023-11-05"


async def create(rig: Rig, days: str = DAYS, **args: Any) -> LiveBackfill:
    """A new backfill of `etl`, while it is under way."""
    done = await rig.command("backfill_create", dags=("etl",), args={"start": days, **args})
    return rig.scheduler.state.backfills[int(done.result["backfill"])]


def dates(rig: Rig) -> list[str]:
    """The days of the runs that backfills made, in the order of their making."""
    runs = [run for changes in rig.changes() for run in changes.new_runs if run.run_type == "backfill"]
    return [to_iso(run.logical_date)[8:10] for run in runs]


def run_of(rig: Rig, day: int) -> RunMemory:
    """The run of a day of November."""
    return rig.run(f"etl@202311{day:02}T000000Z")


def states(live: LiveBackfill) -> list[str]:
    """The states of its dates, in their order."""
    return [item.state.value for item in live.items]


@pytest.mark.parametrize(
    ("order", "expected"), [("oldest", ["01", "02", "03", "04", "05"]), ("newest", ["05", "04", "03", "02", "01"])]
)
async def test_dates_run_in_order_a_few_at_a_time(rig: Rig, order: str, expected: list[str]) -> None:
    """No more runs are made than may be under way; as soon as one ends the next date begins, up to the last."""
    await rig.dag(task("a"), schedule=DAILY)
    live = await create(rig, order=order, max_active=2)
    assert dates(rig) == expected[:2]
    for made, day in enumerate(expected, start=3):
        await rig.finish(run_of(rig, int(day)), "a")
        assert dates(rig) == expected[:made]
    assert live.row.state is BackfillState.COMPLETED
    assert (live.row.ended_at, rig.scheduler.state.backfills) == (rig.clock.now(), {})
    stored = {values["ordinal"]: values["state"] for values in rig.stored("backfill_item.put")}
    assert stored == dict.fromkeys(range(5), "success")


async def test_all_is_stored_in_the_commit_of_the_command(rig: Rig) -> None:
    """The backfill, all its dates and its first runs are one batch with the command that asked for it."""
    await rig.dag(task("a"), schedule=DAILY)
    await create(rig, max_active=1)
    (batch,) = [batch for batch in rig.writer.committed if batch.command is not None]
    names = [name for name, _ in batch.rows]
    assert (names.count("backfill_item.put"), names.count("backfill.put")) == (6, 1)
    assert batch.changes is not None
    assert len(batch.changes.new_runs) == 1


async def test_the_limit_of_the_dag_does_not_count_for_its_backfill(rig: Rig) -> None:
    """Backfill runs take none of the DAG's run slots, and scheduled runs none of the backfill's."""
    await rig.dag(task("a"), schedule=ScheduleSpec("0 * * * *"), max_active_runs=1)
    await create(rig, "2023-11-14T00:00..2023-11-14T09:00", max_active=4)
    assert rig.scheduler.ledger.runs_active["etl"] == 0
    await rig.later(2800)
    assert str(rig.run("etl@20231114T220000Z").run.state) == "running"
    assert rig.scheduler.ledger.runs_active["etl"] == 1


@pytest.mark.parametrize(
    ("reprocess", "kept"),
    [
        ("none", ["skipped already_exists", "skipped already_exists", "skipped in_flight", "pending create"]),
        ("failed", ["skipped already_exists", "pending rerun_failed", "skipped in_flight", "pending create"]),
        ("completed", ["pending rerun", "pending rerun", "skipped in_flight", "pending create"]),
    ],
)
async def test_runs_that_exist_are_left_alone_or_run_again(rig: Rig, reprocess: str, kept: list[str]) -> None:
    """A date may have a run that succeeded, failed or is under way: each value says which of them run again."""
    await rig.dag(task("a"), schedule=DAILY, paused_upon_creation=True)
    for day, state in enumerate((RunState.SUCCESS, RunState.CANCELLED, RunState.RUNNING), start=1):
        date = from_iso(f"2023-11-0{day}")
        rig.archive.slots[date] = StoredSlot(90 + day, f"etl@2023110{day}T000000Z", state)
    preview = await rig.preview(
        "backfill_create", dags=("etl",), args={"start": "2023-11-01..2023-11-04", "reprocess": reprocess}
    )
    assert [row.state for row in preview.rows] == ["success", "cancelled", "running", "none"]
    assert "etl is paused: the backfill waits until it is resumed" in preview.warnings
    live = await create(rig, "2023-11-01..2023-11-04", reprocess=reprocess)
    assert [f"{item.state} {item.reason}" for item in live.items] == kept
    assert live.row.waits_for == "dag_paused"
    await rig.command("resume", dags=("etl",))
    assert dates(rig) == ["04"]


async def test_a_run_that_is_over_runs_again_and_keeps_its_type(rig: Rig) -> None:
    """The run is reopened with a new episode, belongs to the backfill from then on, and its end is the date's."""
    await rig.dag(task("a"), task("b", "a"), schedule=DAILY, max_active_runs=1)
    await rig.later(7200)
    memory = run_of(rig, 14)
    rig.scheduler.state.pin(memory.run.id)
    await rig.finish(memory, "a", FAILED)
    assert memory.run.state is RunState.FAILED
    live = await create(rig, "2023-11-14", reprocess="failed")
    assert (memory.run.run_type.value, memory.run.episode, memory.run.backfill) == ("scheduled", 2, live.row.id)
    assert states(live) == ["running"]
    await rig.finish(memory, "a")
    await rig.finish(memory, "b")
    assert (states(live), live.row.state) == (["success"], BackfillState.COMPLETED)


async def test_only_some_tasks_and_those_below(rig: Rig) -> None:
    """Named tasks and what is below them run again with the results that there are; dates without a run are not."""
    await rig.dag(task("a"), task("b", "a"), task("c", "b"), schedule=DAILY)
    await rig.later(7200)
    memory = run_of(rig, 14)
    rig.scheduler.state.pin(memory.run.id)
    for name in ("a", "b", "c"):
        await rig.finish(memory, name)
    live = await create(rig, "2023-11-13..2023-11-14", tasks=["b"], downstream=True)
    assert [f"{item.state} {item.reason}" for item in live.items] == ["skipped no_run", "running rerun"]
    assert rig.states(memory) == {"a": "success", "b": "queued", "c": "none"}


async def test_failures_stop_it_and_resuming_counts_anew(rig: Rig) -> None:
    """After so many failed runs nothing more starts; resumed, it goes on with the dates that are left."""
    await rig.dag(task("a"), schedule=DAILY)
    live = await create(rig, max_active=1, stop_after=2)
    await rig.finish(run_of(rig, 1), "a", FAILED)
    assert live.row.state is BackfillState.RUNNING
    await rig.finish(run_of(rig, 2), "a", FAILED)
    assert (live.row.state, dates(rig)) == (BackfillState.STOPPED_BY_FAILURES, ["01", "02"])
    rig.archive.backfills[live.row.id] = StoredBackfill(live.row, live.items)
    await rig.command("backfill_resume", args={"id": live.row.id})
    assert (live.row.state, live.row.failures, dates(rig)) == (BackfillState.RUNNING, 0, ["01", "02", "03"])


async def test_pausing_starts_nothing_more_and_lets_runs_go_on(rig: Rig) -> None:
    """While it is paused no date begins, whatever ends; resumed, the next one does."""
    await rig.dag(task("a"), schedule=DAILY)
    live = await create(rig, max_active=1)
    await rig.command("backfill_pause", args={"id": live.row.id})
    await rig.finish(run_of(rig, 1), "a")
    assert (dates(rig), states(live)[0]) == (["01"], "success")
    await rig.command("backfill_resume", args={"id": live.row.id})
    assert dates(rig) == ["01", "02"]


@pytest.mark.parametrize("running", [False, True])
async def test_cancelling_drops_what_waits_and_if_asked_for_ends_what_runs(rig: Rig, running: bool) -> None:
    """Dates that wait are cancelled, never failed; runs under way go on or are ended, and then it is over."""
    await rig.dag(task("a"), schedule=DAILY)
    live = await create(rig, max_active=1)
    attempt = await rig.begin(run_of(rig, 1), "a")
    done = await rig.command("backfill_cancel", args={"id": live.row.id, "running": running})
    assert done.message == f"cancelled backfill {live.row.id}"
    assert states(live) == ["running", *["cancelled"] * 4]
    assert live.row.state is BackfillState.STOPPING
    assert [order[0] for order in rig.executor.killed] == ([attempt] if running else [])
    await rig.see(Ended(attempt, None if running else OK))
    assert states(live)[0] == ("cancelled" if running else "success")
    assert live.row.state is BackfillState.CANCELLED


async def test_what_failed_runs_again_at_one_command(rig: Rig) -> None:
    """The dates that failed are run again, and what failed in their runs alone; the others stay as they are."""
    await rig.dag(task("a"), task("b"), schedule=DAILY)
    live = await create(rig, "2023-11-01..2023-11-02", max_active=2)
    first = run_of(rig, 1)
    rig.scheduler.state.pin(first.run.id)
    for day, status in ((1, FAILED), (2, OK)):
        memory = run_of(rig, day)
        await rig.finish(memory, "b")
        await rig.finish(memory, "a", status)
    assert (states(live), live.row.state) == (["failed", "success"], BackfillState.COMPLETED)
    rig.archive.backfills[live.row.id] = StoredBackfill(live.row, live.items)
    await rig.command("backfill_retry", args={"id": live.row.id})
    assert (states(live), rig.states(first)) == (["running", "success"], {"a": "queued", "b": "success"})
    await rig.finish(first, "a")
    assert live.row.state is BackfillState.COMPLETED


async def test_a_backfill_has_its_share_of_the_slots(rig: Rig) -> None:
    """By default all backfills together hold half of the slots; one that was given a number holds that many."""
    await rig.dag(task("a"), schedule=DAILY)
    live = await create(rig, "2023-10-01..2023-10-31", max_active=31)
    assert len(rig.executor.launched) == 8
    waiting = next(run for run in rig.scheduler.state.runs.values() if rig.states(run) == {"a": "scheduled"})
    assert waiting.instances["a", -1].blockers == ("backfill_slots",)
    await rig.command("backfill_cancel", args={"id": live.row.id, "running": True})
    await rig.dag(task("a"), schedule=DAILY, dag_id="other")
    done = await rig.command("backfill_create", dags=("other",), args={"start": DAYS, "max_active": 5, "max_slots": 3})
    taken = rig.scheduler.ledger.backfill_active[int(done.result["backfill"])]
    assert taken == 3


async def test_nothing_of_it_starts_at_a_quiet_time(rig: Rig) -> None:
    """Within the window no date begins and no task starts; at its end it goes on by itself."""
    await rig.dag(task("a"), schedule=DAILY)
    live = await create(rig, max_active=1, not_during="22:00-23:00")
    assert (live.row.waits_for, dates(rig)) == ("not_during", [])
    await rig.later(2800)
    assert (live.row.waits_for, dates(rig), rig.executor.tasks) == (None, ["01"], ["a"])


async def test_the_schedule_and_a_backfill_make_no_date_twice(rig: Rig) -> None:
    """A DAG that catches up passes over dates that a backfill has run, and the backfill over those that it made."""
    schedule = ScheduleSpec("0 0 * * *", start_date="2023-11-09T00:00:00+00:00", catchup="all")
    await rig.dag(task("a"), schedule=schedule, max_active_runs=1)
    live = await create(rig, "2023-11-11..2023-11-12", order="newest", max_active=1)
    assert dates(rig) == ["12"]
    for day in (9, 10, 11, 13):
        memory = run_of(rig, day)
        assert memory.run.run_type.value == "scheduled"
        await rig.finish(memory, "a")
    assert states(live) == ["running", "skipped"]
    made = [run.run_id for changes in rig.changes() for run in changes.new_runs]
    assert len(made) == len(set(made))


async def test_a_long_one_makes_few_runs(rig: Rig) -> None:
    """Ten years of days are stored as dates; of runs there are as many as may be under way."""
    await rig.dag(task("a"), schedule=DAILY)
    live = await create(rig, "2013-11-15..2023-11-12", max_active=3)
    assert (len(live.items), len(dates(rig))) == (3650, 3)


async def test_params_are_those_of_the_backfill(rig: Rig) -> None:
    """New runs get the params that it was created with, checked like those of a trigger."""
    await rig.dag(task("a"), schedule=DAILY, params={"rows": ParamSpec(default=3, schema={"type": "integer"})})
    await create(rig, max_active=1, param_texts={"rows": "7"})
    assert run_of(rig, 1).run.params == {"rows": 7}
    with pytest.raises(Refusal, match="rows"):
        await create(rig, "2023-10-01", param_texts={"rows": "many"})


async def test_a_dag_that_changes_meanwhile_keeps_its_dates_and_gets_its_own_params(rig: Rig) -> None:
    """Runs that are made later are of the new version, on the dates and intervals that were planned; params that were
    given stay, those that are new have their defaults, and those that are gone are left out.
    """
    old = {"rows": ParamSpec(default=3), "gone": ParamSpec(default=1)}
    await rig.dag(task("a"), schedule=DAILY, params=old)
    live = await create(rig, max_active=1, param_texts={"rows": "7", "gone": "2"})
    new = {"rows": ParamSpec(default=3), "more": ParamSpec(default="x")}
    await rig.dag(task("a"), schedule=ScheduleSpec("0 6 * * *"), params=new, bundle="b2")
    await rig.finish(run_of(rig, 1), "a")
    run = run_of(rig, 2).run
    assert (run.params, run.interval_end - run.logical_date) == ({"rows": 7, "more": "x"}, DAY)
    await rig.dag(task("a"), schedule=ScheduleSpec(None), params=new, bundle="b3")
    await rig.finish(run_of(rig, 2), "a")
    for day in (3, 4, 5):
        await rig.finish(run_of(rig, day), "a")
    assert (dates(rig), live.row.state) == (["01", "02", "03", "04", "05"], BackfillState.COMPLETED)


async def test_the_plan_lists_each_date(rig: Rig) -> None:
    """A preview names every date in order with what becomes of it, and what is odd about them."""
    await rig.dag(
        task("a"),
        schedule=ScheduleSpec(
            "0 0 * * *",
            "Europe/Berlin",
            start_date="2023-10-29T00:00:00+02:00",
            end_date="2023-10-29T00:00:00+02:00",
        ),
    )
    preview = await rig.preview(
        "backfill_create", dags=("etl",), args={"start": "2023-10-28..2023-10-30", "order": "newest", "max_active": 4}
    )
    assert [row.run_id for row in preview.rows] == [
        "etl@20231029T230000Z",
        "etl@20231028T220000Z",
        "etl@20231027T220000Z",
    ]
    assert {row.becomes for row in preview.rows} == {"new run"}
    assert [row.detail for row in preview.rows] == ["2023-10-30", "2023-10-29", "2023-10-28"]
    assert preview.sentence == (
        "3 dates of etl, 2023-10-28 to 2023-10-30 (Europe/Berlin), newest first, 4 at a time: "
        "3 runs made, 0 run again, 0 left alone"
    )
    assert preview.warnings == [
        "1 date before the DAG's start date",
        "1 date after the DAG's end date",
        "among them days of 25 hours: clocks change in that time",
    ]


async def test_a_longer_interval_is_no_change_of_clocks(rig: Rig) -> None:
    """After a holiday the interval is longer, and the plan does not blame the clocks."""
    await rig.dag(task("a"), schedule=ScheduleSpec("0 0 * * *", "Europe/Berlin", exclude=["2023-11-03"]))
    preview = await rig.preview("backfill_create", dags=("etl",), args={"start": DAYS})
    assert (preview.total, preview.warnings) == (4, [])


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({}, "needs a range"),
        ({"start": "2023-11-05", "end": "2023-11-01"}, "ends before it begins"),
        ({"start": "2024-01-01..2024-02-01"}, "no interval that is over"),
        ({"start": "2023-11-01T01:00..2023-11-01T02:00"}, "no interval between"),
        ({"start": DAYS, "order": "random"}, "order is one of oldest, newest"),
        ({"start": DAYS, "max_active": 0}, "max_active is a number"),
        ({"start": DAYS, "tasks": ["zz"]}, "no task zz"),
        ({"start": DAYS, "tasks": ["a"], "reprocess": "none"}, "left alone"),
        ({"start": DAYS, "not_during": "morning"}, "not a time of the day"),
    ],
)
async def test_what_makes_no_sense_is_refused(rig: Rig, args: dict[str, Any], words: str) -> None:
    """The refusal says what is wrong."""
    await rig.dag(task("a"), schedule=DAILY)
    with pytest.raises(Refusal, match=words):
        await rig.command("backfill_create", dags=("etl",), args=args)


async def test_dags_that_cannot_be_filled_are_refused(rig: Rig) -> None:
    """A DAG without a schedule has no dates, and one whose tasks depend on the run before has an order."""
    await rig.dag(task("a"))
    with pytest.raises(Refusal, match="no schedule"):
        await create(rig)
    await rig.dag(task("a", depends_on_past=True), schedule=DAILY, bundle="b2")
    with pytest.raises(Refusal, match="depend on the run before"):
        await create(rig, order="newest", reprocess="failed")


async def test_two_backfills_share_no_date(rig: Rig) -> None:
    """A second one for some of the same dates is refused by the number of the first; beside it, it is allowed."""
    await rig.dag(task("a"), schedule=DAILY)
    live = await create(rig)
    with pytest.raises(Refusal, match=f"backfill {live.row.id} of etl is running"):
        await create(rig, "2023-11-05..2023-11-07")
    assert states(await create(rig, "2023-11-06..2023-11-07")) == ["running", "running"]


async def test_a_run_of_a_finished_backfill_still_moves_its_date(rig: Rig) -> None:
    """Cleared by hand after the backfill is over, a run's end is stored as the end of its date."""
    await rig.dag(task("a"), schedule=DAILY)
    await create(rig, "2023-11-01")
    memory = run_of(rig, 1)
    rig.scheduler.state.pin(memory.run.id)
    await rig.finish(memory, "a", FAILED)
    await rig.command("clear", runs=(memory.run.run_id,))
    await rig.finish(memory, "a")
    assert [values["state"] for values in rig.stored("backfill_item.of_run")] == [ItemState.RUNNING, ItemState.SUCCESS]


async def test_a_backfill_and_runs_that_come_all_the_time_starve_neither(rig: Rig) -> None:
    """While more is due every minute than there are slots, the backfill gets its share of them, and no more."""
    busy = [task(f"t{number}") for number in range(40)]
    await rig.dag(*busy, schedule=ScheduleSpec("* * * * *"), dag_id="busy", max_active_runs=3)
    await rig.dag(task("a"), schedule=DAILY)
    await create(rig, "2013-11-15..2023-11-12", max_active=20)
    ended = 0
    for _ in range(12):
        await rig.later(60)
        begun = rig.executor.launched[ended:]
        ended += len(begun)
        for order in begun:
            await rig.see(Ended(order.spec.attempt_id, OK))
    dags = [order.spec.dag_id for order in rig.executor.launched[40:]]
    share = dags.count("etl") / len(dags)
    assert 0.1 <= share <= 0.5
    assert dags.count("busy") / len(dags) >= 0.5


async def test_a_range_that_reaches_into_the_future_ends_with_what_is_over(rig: Rig) -> None:
    """Of the days up to next month those are run that have ended; today's has not."""
    await rig.dag(task("a"), schedule=DAILY)
    live = await create(rig, "2023-11-12..2023-12-31", max_active=9)
    assert dates(rig) == ["12", "13"]
    assert (live.row.total, to_iso(live.row.stop)[:10]) == (2, "2023-12-31")


async def test_a_run_by_hand_does_not_count_as_the_run_of_its_date(rig: Rig) -> None:
    """It may be about the same day for other reasons: the backfill makes the day's own run."""
    await rig.dag(task("a"), schedule=DAILY)
    manual = (await rig.trigger(logical_date="2023-11-02")).run
    live = await create(rig, "2023-11-02", reprocess="none")
    assert [f"{item.state} {item.reason}" for item in live.items] == ["running create"]
    assert run_of(rig, 2).run.run_id != manual.run_id


async def test_a_dag_that_is_paused_meanwhile_holds_its_backfill(rig: Rig) -> None:
    """Runs that are under way stand still with the DAG, no other begins, and it says so; resumed, it goes on."""
    await rig.dag(task("a"), schedule=DAILY)
    live = await create(rig, max_active=1)
    await rig.command("pause", dags=("etl",))
    await rig.finish(run_of(rig, 1), "a")
    assert (live.row.waits_for, live.row.state, dates(rig)) == ("dag_paused", BackfillState.RUNNING, ["01"])
    await rig.command("resume", dags=("etl",))
    assert (live.row.waits_for, dates(rig)) == (None, ["01", "02"])


async def test_many_runs_of_the_dag_do_not_keep_its_backfill_from_starting(rig: Rig) -> None:
    """Two dozen runs of the DAG are under way and hold all slots: of every eight that come free, one is the backfill's,
    and its own limit of runs alone counts.
    """
    await rig.dag(task("a"), task("b"), schedule=ScheduleSpec("0 * * * *"), max_active_runs=30)
    await rig.later(30 * 3600)
    assert len(rig.executor.launched) == 16
    live = await create(rig, "2023-10-01T00:00..2023-10-01T09:00", max_active=10)
    assert states(live) == ["running"] * 10
    for order in list(rig.executor.launched):
        await rig.see(Ended(order.spec.attempt_id, OK))
    begun = [order.spec.run_id.startswith("etl@202310") for order in rig.executor.launched[16:]]
    assert 2 <= sum(begun) <= len(begun) / 2

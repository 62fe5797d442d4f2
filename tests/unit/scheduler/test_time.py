"""Time that behaves oddly: clocks that jump, hosts that sleep or move, new zone data, changed schedules, odd dates."""

from __future__ import annotations

import struct
import time
import zoneinfo
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from engine.control.plans import Refusal
from engine.model.dag import ScheduleSpec
from engine.model.moments import HOUR, MINUTE, SECOND, from_iso, to_iso
from engine.model.rows import Run
from tests.support.lifecycle import task
from tests.support.scheduler import FAILED, Rig

HOURLY = ScheduleSpec("0 * * * *")
NEXT_HOUR = 2800
"""Seconds from the rig's first moment (22:13:20) to the next hour."""


def scheduled(rig: Rig) -> list[Run]:
    """The scheduled runs, in the order of their making; no date twice."""
    runs = [run for changes in rig.changes() for run in changes.new_runs if run.run_type == "scheduled"]
    assert len({run.logical_date for run in runs}) == len(runs)
    return runs


def starts(rig: Rig) -> list[str]:
    """Their logical dates."""
    return [to_iso(run.logical_date)[:16] for run in scheduled(rig)]


@pytest.mark.parametrize("jumps", [[-HOUR], [-SECOND], [24 * HOUR], [8 * HOUR], [8 * HOUR, -8 * HOUR], [-24 * HOUR]])
async def test_jumps_of_the_clock_leave_out_and_double_nothing(rig: Rig, jumps: list[int]) -> None:
    """Back by an hour, a second or a day, forward by a day, a sleep of eight hours, and one that is taken back: each
    hour has one run, a retry waits no longer than its delay, and a task's time limit is not used up.
    """
    await rig.dag(
        task("a", retries=1, delay=300.0), task("b", execution_timeout=600.0), schedule=HOURLY, max_active_runs=50
    )
    await rig.later(NEXT_HOUR)
    memory = rig.run("etl@20231114T220000Z")
    await rig.finish(memory, "a", FAILED)
    await rig.begin(memory, "b")
    for jump in jumps:
        await rig.step_clock(jump / SECOND)
    assert rig.states(memory)["b"] == "running"
    await rig.later(301)
    assert rig.states(memory)["a"] == "queued"
    await rig.later(300)
    assert rig.states(memory)["b"] == "killing"
    for _ in range(30):
        await rig.later(3600)
    runs = scheduled(rig)
    left_out = {gap["first"]: gap["count"] for gap in rig.stored("gap.put")}
    assert sum(left_out.values()) == sum((two.interval_start - one.interval_end) // HOUR for one, two in pairwise(runs))
    assert runs[-1].interval_end + HOUR > rig.clock.now() >= runs[-1].interval_end


async def test_the_year_2038_is_a_year_like_others(rig: Rig) -> None:
    """Seconds beyond 31 bits are counted on."""
    rig.clock.at = from_iso("2038-01-19T02:30:00Z")
    await rig.dag(task("a"), schedule=HOURLY)
    for _ in range(3):
        await rig.later(3600)
    assert starts(rig) == ["2038-01-19T02:00", "2038-01-19T03:00", "2038-01-19T04:00"]


@pytest.fixture
def host_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A host whose own zone is another one."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("host_zone")
async def test_the_zone_of_the_host_changes_nothing(rig: Rig) -> None:
    """Days are those of the DAG's zone, whatever the host calls its own."""
    await rig.dag(task("a"), schedule=ScheduleSpec("0 0 * * *", "Europe/Berlin"))
    await rig.later(36 * 3600)
    assert starts(rig) == ["2023-11-13T23:00", "2023-11-14T23:00"]


@pytest.fixture
def no_summer_time(tmp_path: Path) -> Iterator[Path]:
    """A folder of zone data, in which Berlin keeps one offset for ever, for `zoneinfo.reset_tzpath`."""
    data = b"TZif" + bytes(16) + struct.pack(">6l", 0, 0, 0, 0, 1, 4) + struct.pack(">lbb", 3600, 0, 0) + b"CET\0"
    (tmp_path / "Europe").mkdir()
    (tmp_path / "Europe" / "Berlin").write_bytes(data)
    yield tmp_path
    zoneinfo.reset_tzpath()
    ZoneInfo.clear_cache()


async def test_new_zone_data_moves_what_comes_and_nothing_that_was(rig: Rig, no_summer_time: Path) -> None:
    """Summer time is given up: from then on days begin an hour later, runs that were made keep their dates, and the
    hour that belongs to no day is a gap.
    """
    rig.clock.at = from_iso("2024-06-30T12:00:00Z")
    await rig.dag(task("a"), schedule=ScheduleSpec("0 6 * * *", "Europe/Berlin"))
    await rig.later(24 * 3600)
    zoneinfo.reset_tzpath(to=[no_summer_time])
    ZoneInfo.clear_cache()
    await rig.later(48 * 3600)
    assert starts(rig) == ["2024-06-30T04:00", "2024-07-01T05:00", "2024-07-02T05:00"]
    (gap,) = rig.stored("gap.put")
    assert (to_iso(gap["first"])[11:16], to_iso(gap["until"])[11:16], gap["why"]) == ("04:00", "05:00", "schedule")


async def test_a_schedule_of_seconds(rig: Rig) -> None:
    """Each second has its run, though several are due at one look."""
    schedule = ScheduleSpec("every 1s", start_date="2023-11-14T22:13:20Z")
    await rig.dag(task("a"), schedule=schedule, max_active_runs=50)
    for seconds in (1, 1, 3, 0.5, 0.5):
        await rig.later(seconds)
    assert [run.logical_date % MINUTE // SECOND for run in scheduled(rig)] == [20, 21, 22, 23, 24, 25]


@pytest.mark.parametrize(
    ("before", "after", "made"),
    [
        (ScheduleSpec("0 0 * * *"), HOURLY, ["2023-11-14T00:00", "2023-11-15T00:00"]),
        (ScheduleSpec("30 * * * *"), ScheduleSpec("32 * * * *"), ["2023-11-14T21:30", "2023-11-14T22:30"]),
        (
            ScheduleSpec("every 15m", start_date="2023-11-14T22:00:00Z"),
            ScheduleSpec("every 20m", start_date="2023-11-14T22:00:00Z"),
            ["2023-11-14T22:00", "2023-11-14T22:15"],
        ),
        (HOURLY, ScheduleSpec("0 0 * * *", "Asia/Tokyo"), ["2023-11-14T22:00", "2023-11-14T23:00"]),
        (ScheduleSpec("0 * * * *", kind="trigger"), HOURLY, ["2023-11-15T00:00", "2023-11-15T01:00"]),
    ],
)
async def test_a_schedule_that_changes_goes_on(
    rig: Rig, before: ScheduleSpec, after: ScheduleSpec, made: list[str]
) -> None:
    """From daily to hourly, another minute, another length, another zone, trigger to interval: no date comes twice,
    intervals do not overlap, and the next run comes.
    """
    await rig.dag(task("a"), schedule=before, max_active_runs=90)
    await rig.later(2 * 3600)
    count = len(starts(rig))
    await rig.dag(task("a"), schedule=after, bundle="b2", max_active_runs=90)
    for _ in range(50):
        await rig.later(3600)
    runs = scheduled(rig)
    assert starts(rig)[:2] == made
    assert len(runs) > count
    assert all(one.interval_end <= two.interval_start for one, two in pairwise(runs))
    assert rig.scheduler.state.dags["etl"].next_run_after is not None


async def test_a_schedule_that_is_taken_away_and_given_back(rig: Rig) -> None:
    """Without one nothing is due; with it again the present interval is the next, and none of before."""
    await rig.dag(task("a"), schedule=HOURLY)
    await rig.later(NEXT_HOUR)
    await rig.dag(task("a"), schedule=ScheduleSpec(None), bundle="b2")
    await rig.later(5 * 3600)
    assert len(starts(rig)) == 1
    await rig.dag(task("a"), schedule=HOURLY, bundle="b3")
    await rig.later(2 * 3600)
    assert starts(rig) == ["2023-11-14T22:00", "2023-11-15T04:00", "2023-11-15T05:00"]


@pytest.mark.parametrize(
    ("zone", "date", "interval"),
    [
        ("UTC", "2023-11-14T21:00:00Z", "2023-11-14T21:00 2023-11-14T22:00"),
        ("UTC", "2023-11-14T21:59:59.999999Z", "2023-11-14T21:00 2023-11-14T22:00"),
        ("UTC", "2031-02-03", "2031-02-03T00:00 2031-02-03T01:00"),
        ("UTC", "1999-12-31T23:30", "1999-12-31T23:00 2000-01-01T00:00"),
        ("Europe/Berlin", "2024-03-31T02:30", "2024-03-31T01:00 2024-03-31T02:00"),
        ("Europe/Berlin", "2024-10-27T02:30", "2024-10-27T00:00 2024-10-27T01:00"),
    ],
)
async def test_a_run_by_hand_has_the_interval_that_holds_its_date(
    rig: Rig, zone: str, date: str, interval: str
) -> None:
    """On a point, between points, in the future, before the start date, in an hour that clocks skip or repeat."""
    await rig.dag(task("a"), schedule=ScheduleSpec("0 * * * *", zone, start_date="2023-01-01T00:00:00Z"))
    run = (await rig.trigger(logical_date=date)).run
    assert f"{to_iso(run.interval_start)[:16]} {to_iso(run.interval_end)[:16]}" == interval
    assert (run.logical_date, run.run_after) == (run.interval_start, rig.clock.now())


@pytest.mark.parametrize("date", ["0001-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31", "9999-12-31T23:59:59-12:00"])
async def test_a_run_by_hand_outside_the_calendar_is_refused(rig: Rig, date: str) -> None:
    """In words, with the date that was given."""
    await rig.dag(task("a"), schedule=HOURLY)
    with pytest.raises(Refusal, match=f"'{date}'".replace("+", r"\+")):
        await rig.trigger(logical_date=date)


async def test_two_runs_by_hand_in_one_microsecond_are_two(rig: Rig) -> None:
    """Their ids differ though their dates do not."""
    await rig.dag(task("a"), max_active_runs=5)
    one, two = (await rig.trigger()).run, (await rig.trigger()).run
    assert one.logical_date == two.logical_date
    assert one.run_id != two.run_id

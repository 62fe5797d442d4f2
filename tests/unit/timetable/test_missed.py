"""Catch-up and missed ticks: what is created, what is shown as a gap, what comes next."""

from datetime import UTC, datetime

import pytest

from engine.timetable import MissedPlan, Slot, Timetable, compile_timetable, plan_missed

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def utc(text: str) -> int:
    """An instant from ISO text in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


def dates(found: tuple[Slot, ...]) -> list[str]:
    """The logical dates as `day hour`."""
    return [datetime.fromtimestamp(slot.logical_date // SECOND, UTC).strftime("%d %H") for slot in found]


def following(plan: MissedPlan) -> Slot:
    """The next slot, which must exist."""
    assert plan.next is not None
    return plan.next


NOON = utc("2026-05-05T12:00")


@pytest.fixture
def hourly() -> Timetable:
    """An hourly interval schedule that started at the beginning of that day."""
    return compile_timetable("0 * * * *", start=utc("2026-05-05"))


@pytest.fixture
def ticking() -> Timetable:
    """The same as a trigger schedule."""
    return compile_timetable("0 * * * *", kind="trigger", start=utc("2026-05-05"))


def test_a_tick_on_time(hourly: Timetable) -> None:
    """When an interval has just ended, its slot is created, and nothing else is due."""
    plan = plan_missed(hourly, last=NOON - 2 * HOUR, enabled_at=utc("2026-05-05"), now=NOON)
    assert dates(plan.create) == ["05 11"]
    assert (plan.gaps, plan.gaps_total, plan.postponed, plan.seam) == ((), 0, 0, None)
    assert following(plan).logical_date == NOON
    assert plan.passed == NOON - HOUR


def test_nothing_is_due_a_microsecond_early(hourly: Timetable) -> None:
    """Before its interval has ended a slot is next, not due."""
    plan = plan_missed(hourly, last=NOON - 2 * HOUR, enabled_at=utc("2026-05-05"), now=NOON - 1)
    assert plan.create == ()
    assert following(plan).run_after == NOON
    assert plan.passed == NOON - 2 * HOUR


def test_nothing_is_planned_twice(hourly: Timetable) -> None:
    """Carrying a plan out and planning again at the same moment gives nothing new, and the same next slot."""
    first = plan_missed(hourly, last=None, enabled_at=NOON - 5 * HOUR, now=NOON, catchup="all")
    second = plan_missed(hourly, last=first.passed, enabled_at=NOON - 5 * HOUR, now=NOON, catchup="all")
    assert len(first.create) == 12
    assert (second.create, second.gaps_total, second.next) == ((), 0, first.next)


def test_without_catchup_the_first_run_is_for_the_interval_in_progress(hourly: Timetable) -> None:
    """Enabled in mid-interval, nothing runs until that interval ends; what ended before is a gap."""
    enabled = NOON + 20 * MINUTE
    plan = plan_missed(hourly, last=None, enabled_at=enabled, now=enabled)
    assert plan.create == ()
    assert plan.gaps_total == 12
    assert following(plan).logical_date == NOON
    plan = plan_missed(hourly, last=plan.passed, enabled_at=enabled, now=NOON + HOUR)
    assert dates(plan.create) == ["05 12"]
    assert plan.gaps_total == 0


@pytest.mark.parametrize(("shift", "first"), [(-1, "05 11"), (0, "05 12"), (1, "05 12")])
def test_enabled_at_a_boundary(hourly: Timetable, shift: int, first: str) -> None:
    """An interval that ends at the instant of enabling has ended before it; one that ends later is the first."""
    plan = plan_missed(hourly, last=None, enabled_at=NOON + shift, now=NOON + HOUR)
    assert dates(plan.create)[0] == first


@pytest.mark.parametrize(("shift", "expected"), [(-1, ["05 12"]), (0, []), (1, [])])
def test_a_trigger_enabled_at_a_boundary(ticking: Timetable, shift: int, expected: list[str]) -> None:
    """A tick at the very instant of enabling does not run by itself."""
    assert dates(plan_missed(ticking, last=None, enabled_at=NOON + shift, now=NOON).create) == expected


def test_without_a_start_date_the_schedule_begins_when_enabled() -> None:
    """With no start date there is nothing to catch up: the first slot is the interval in progress."""
    tt = compile_timetable("0 * * * *")
    plan = plan_missed(tt, last=None, enabled_at=NOON + 1, now=NOON + 1, catchup="all")
    assert (plan.create, plan.gaps_total, following(plan).logical_date) == ((), 0, NOON)
    tick = compile_timetable("0 * * * *", kind="trigger")
    plan = plan_missed(tick, last=None, enabled_at=NOON, now=NOON + MINUTE)
    assert (plan.create, plan.gaps_total, following(plan).logical_date) == ((), 0, NOON + HOUR)


def test_a_start_in_the_future(hourly: Timetable) -> None:
    """Before the start date nothing is due, and next is the first interval."""
    plan = plan_missed(hourly, last=None, enabled_at=0, now=utc("2026-05-01"), catchup="all")
    assert (plan.create, plan.gaps_total, plan.passed) == ((), 0, None)
    assert following(plan).logical_date == utc("2026-05-05")


def test_catchup_latest(hourly: Timetable) -> None:
    """The latest complete interval runs at once, the earlier ones are gaps."""
    plan = plan_missed(hourly, last=None, enabled_at=NOON, now=NOON, catchup="latest")
    assert dates(plan.create) == ["05 11"]
    assert plan.gaps_total == 11
    assert dates(plan.gaps)[0] == "05 00"


def test_catchup_all(hourly: Timetable) -> None:
    """All complete intervals run, from the oldest."""
    plan = plan_missed(hourly, last=None, enabled_at=NOON, now=NOON, catchup="all")
    assert dates(plan.create) == [f"05 {hour:02d}" for hour in range(12)]
    assert plan.gaps_total == 0


def test_a_pause_over_several_ticks(hourly: Timetable) -> None:
    """What ended during a pause follows catch-up, not the rule for missed ticks; the interval in progress runs."""
    resumed = NOON + 20 * MINUTE
    plan = plan_missed(hourly, last=NOON - 5 * HOUR, enabled_at=resumed, now=NOON + HOUR)
    assert dates(plan.create) == ["05 12"]
    assert dates(plan.gaps) == ["05 08", "05 09", "05 10", "05 11"]


def test_intervals_missed_are_all_created(hourly: Timetable) -> None:
    """An interval schedule makes up for what came due while nothing looked."""
    plan = plan_missed(hourly, last=NOON - 6 * HOUR, enabled_at=utc("2026-05-05"), now=NOON + MINUTE)
    assert dates(plan.create) == ["05 07", "05 08", "05 09", "05 10", "05 11"]


@pytest.mark.parametrize(("late", "count"), [(54, 1), (66, 2), (600, 11)])
def test_a_late_scheduler(hourly: Timetable, late: int, count: int) -> None:
    """Late by 0.9, 1.1 and 10 intervals: each interval that has ended is created once."""
    plan = plan_missed(hourly, last=NOON - 2 * HOUR, enabled_at=utc("2026-05-05"), now=NOON + late * MINUTE)
    assert len(plan.create) == count


def test_at_most_the_cap_is_made_up_for(hourly: Timetable) -> None:
    """Of more missed intervals than the cap the newest are created and the older ones are gaps."""
    plan = plan_missed(hourly, last=utc("2026-05-05"), enabled_at=utc("2026-05-05"), now=utc("2026-05-07"))
    assert len(plan.create) == 24
    assert dates(plan.create)[-1] == "06 23"
    assert dates(plan.gaps)[0] == "05 01"
    assert dates(plan.gaps)[-1] == "05 23"
    assert plan.gaps_total == len(plan.gaps) == 23


def test_ticks_missed_give_one_run(ticking: Timetable) -> None:
    """A trigger schedule runs once for all ticks that were missed."""
    plan = plan_missed(ticking, last=NOON - 6 * HOUR, enabled_at=utc("2026-05-05"), now=NOON + MINUTE)
    assert dates(plan.create) == ["05 12"]
    assert plan.gaps_total == 5
    assert following(plan).run_after == NOON + HOUR


def test_the_default_can_be_changed(hourly: Timetable, ticking: Timetable) -> None:
    """Either kind can be told to follow the other's rule."""
    enabled = utc("2026-05-05")
    plan = plan_missed(hourly, last=NOON - 6 * HOUR, enabled_at=enabled, now=NOON, on_missed="latest")
    assert dates(plan.create) == ["05 11"]
    plan = plan_missed(ticking, last=NOON - 6 * HOUR, enabled_at=enabled, now=NOON, on_missed="all")
    assert len(plan.create) == 6


@pytest.mark.parametrize(("late", "expected"), [(0, ["05 12"]), (300, ["05 12"]), (301, [])])
def test_skip_creates_only_what_is_on_time(ticking: Timetable, late: int, expected: list[str]) -> None:
    """With `skip`, a tick is created up to the grace late and is a gap afterwards."""
    now = NOON + late * SECOND
    plan = plan_missed(
        ticking, last=NOON - 3 * HOUR, enabled_at=utc("2026-05-05"), now=now, on_missed="skip", grace=300 * SECOND
    )
    assert dates(plan.create) == expected
    assert plan.gaps_total == 3 - len(expected)
    assert plan.passed == NOON


def test_a_clock_set_back_creates_nothing(hourly: Timetable) -> None:
    """After a step back of the wall clock nothing at or before the last slot comes again."""
    for back in (SECOND, HOUR, DAY, 400 * DAY):
        plan = plan_missed(hourly, last=NOON - HOUR, enabled_at=utc("2026-05-05"), now=NOON - back)
        assert (plan.create, plan.gaps_total) == ((), 0)
        assert plan.passed == NOON - HOUR
        assert following(plan).logical_date == NOON


def test_a_clock_set_forward_is_like_having_slept(hourly: Timetable) -> None:
    """A jump of a day, or waking after eight hours, makes up for the intervals in between."""
    for hours in (8, 24):
        plan = plan_missed(hourly, last=NOON - HOUR, enabled_at=utc("2026-05-05"), now=NOON + hours * HOUR)
        assert len(plan.create) == hours


def test_the_end_of_a_schedule(hourly: Timetable) -> None:
    """After the last interval there is no next slot, and slots past the end are no gaps."""
    tt = compile_timetable("0 * * * *", start=hourly.start, end=NOON)
    plan = plan_missed(tt, last=NOON - HOUR, enabled_at=utc("2026-05-05"), now=NOON + 30 * DAY)
    assert dates(plan.create) == ["05 12"]
    assert (plan.next, plan.gaps_total, plan.passed) == (None, 0, NOON)
    plan = plan_missed(tt, last=NOON, enabled_at=utc("2026-05-05"), now=NOON + 30 * DAY)
    assert (plan.create, plan.next) == ((), None)


def test_ten_years_of_minutes() -> None:
    """Of a minute schedule that started ten years ago all gaps are totalled and only the latest are listed."""
    tt = compile_timetable("* * * * *", "Europe/Berlin", start=utc("2016-05-05"))
    plan = plan_missed(tt, last=None, enabled_at=NOON, now=NOON)
    assert plan.create == ()
    assert plan.gaps_total == (NOON - utc("2016-05-05")) // MINUTE
    assert len(plan.gaps) == 1000
    assert plan.gaps[-1].run_after == NOON
    assert following(plan).run_after == NOON + MINUTE


def test_ten_years_of_minutes_are_caught_up_in_portions() -> None:
    """Catching up on millions of slots gives the oldest thousand, says how many wait, and goes on from there."""
    tt = compile_timetable("* * * * *", start=utc("2016-05-05"))
    plan = plan_missed(tt, last=None, enabled_at=NOON, now=NOON + HOUR, catchup="all")
    assert len(plan.create) == 1000
    assert plan.create[0].logical_date == utc("2016-05-05")
    assert plan.postponed == (NOON + HOUR - utc("2016-05-05")) // MINUTE - 1000
    assert plan.gaps_total == 0
    assert plan.passed == plan.create[-1].logical_date
    again = plan_missed(tt, last=plan.passed, enabled_at=NOON, now=NOON + HOUR, catchup="all")
    assert again.create[0].logical_date == plan.create[-1].logical_date + MINUTE
    assert again.postponed == plan.postponed - 1000


def test_from_hourly_to_daily() -> None:
    """The first daily interval starts after the last hourly one has ended, and the time between is the seam."""
    tt = compile_timetable("0 0 * * *", start=utc("2026-01-01"))
    plan = plan_missed(tt, last=NOON - HOUR, last_end=NOON, enabled_at=NOON, now=NOON)
    midnight = utc("2026-05-06")
    assert (plan.create, plan.gaps_total) == ((), 0)
    assert (following(plan).logical_date, following(plan).run_after) == (midnight, midnight + DAY)
    assert plan.seam == (NOON, midnight)


def test_from_daily_to_hourly() -> None:
    """No hour of a day that has been covered runs again, and there is no seam."""
    tt = compile_timetable("0 * * * *", start=utc("2026-01-01"))
    midnight = utc("2026-05-05")
    plan = plan_missed(tt, last=midnight - DAY, last_end=midnight, enabled_at=midnight, now=midnight + HOUR)
    assert dates(plan.create) == ["05 00"]
    assert plan.seam is None


def test_another_minute() -> None:
    """From minute 30 to minute 32 there is a seam of two minutes and no second run for the same hour."""
    tt = compile_timetable("32 * * * *", start=utc("2026-01-01"))
    half = NOON + 30 * MINUTE
    plan = plan_missed(tt, last=half - HOUR, last_end=half, enabled_at=half, now=half + 5 * MINUTE)
    assert (plan.create, plan.seam) == ((), (half, half + 2 * MINUTE))
    assert following(plan).logical_date == half + 2 * MINUTE


def test_another_zone() -> None:
    """After a change of zone the first day starts after the last one has ended."""
    tt = compile_timetable("0 0 * * *", "UTC", start=utc("2026-01-01"))
    berlin_midnight = utc("2026-05-04T22:00")
    plan = plan_missed(
        tt, last=berlin_midnight - DAY, last_end=berlin_midnight, enabled_at=berlin_midnight, now=berlin_midnight
    )
    assert following(plan).logical_date == utc("2026-05-05")
    assert plan.seam == (berlin_midnight, utc("2026-05-05"))


def test_from_interval_to_trigger_and_back() -> None:
    """A change of kind neither repeats a logical date nor stops the schedule."""
    start = utc("2026-05-05")
    tick = compile_timetable("0 * * * *", kind="trigger", start=start)
    plan = plan_missed(tick, last=NOON - HOUR, last_end=NOON, enabled_at=NOON + 1, now=NOON + HOUR)
    assert dates(plan.create) == ["05 13"]
    assert plan.seam is None
    hourly = compile_timetable("0 * * * *", start=start)
    plan = plan_missed(hourly, last=NOON, last_end=NOON, enabled_at=NOON + 1, now=NOON + 2 * HOUR)
    assert dates(plan.create) == ["05 13"]
    assert plan.seam == (NOON, NOON + HOUR)


def test_by_default_a_tick_is_on_time_until_the_next_one(ticking: Timetable) -> None:
    """With `skip` and no grace given, the newest tick is created however late in its interval, and no older one."""
    now = NOON + HOUR - SECOND
    plan = plan_missed(ticking, last=NOON - 3 * HOUR, enabled_at=utc("2026-05-05"), now=now, on_missed="skip")
    assert dates(plan.create) == ["05 12"]


def test_gaps_come_as_stretches(ticking: Timetable) -> None:
    """What was due before enabling and what was missed since are one stretch each, counted, with their ends."""
    enabled, now = utc("2026-05-05T06:30"), utc("2026-05-06T12:10")
    plan = plan_missed(ticking, last=None, enabled_at=enabled, now=now, on_missed="latest")
    assert [(gap.why, gap.count) for gap in plan.gap_spans] == [("catchup", 7), ("missed", 29)]
    assert sum(gap.count for gap in plan.gap_spans) == plan.gaps_total
    assert plan.gap_spans[1].first == utc("2026-05-05T07:00")
    assert plan.gap_spans[1].until == utc("2026-05-06T11:00") + 1


def test_catch_up_may_reach_back_only_so_far(ticking: Timetable) -> None:
    """With a window, older slots are a gap, and the rest is created at most so many at once."""
    enabled = utc("2026-05-05T12:30")
    plan = plan_missed(
        ticking, last=None, enabled_at=enabled, now=enabled, catchup="all", not_before=enabled - 3 * HOUR, at_once=2
    )
    assert (dates(plan.create), plan.caught_up, plan.postponed) == (["05 10", "05 11"], 2, 1)
    assert [(gap.why, gap.count) for gap in plan.gap_spans] == [("catchup", 10)]
    further = plan_missed(
        ticking, last=plan.passed, last_end=plan.passed_end, enabled_at=enabled, now=enabled, catchup="all", at_once=2
    )
    assert (dates(further.create), further.postponed, further.gap_spans) == (["05 12"], 0, ())


def test_nothing_is_decided_while_there_is_no_room(ticking: Timetable) -> None:
    """When no catch-up run may be created now, all of them are left to further plans."""
    enabled = utc("2026-05-05T12:30")
    plan = plan_missed(ticking, last=None, enabled_at=enabled, now=enabled, catchup="all", at_once=0)
    assert (plan.create, plan.postponed, plan.passed, plan.gap_spans) == ((), 13, None, ())

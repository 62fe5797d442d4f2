"""Timetables against oracles: every minute walked, a second reader of cron, and planning step by step."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo, available_timezones

from croniter import croniter
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.timetable import (
    Slot,
    Timetable,
    compile_timetable,
    count_points,
    next_point,
    plan_missed,
    points_after,
    points_before,
    previous_point,
    slot_at,
    slots,
)

MINUTE = 60_000_000
DAY = 1440 * MINUTE
EPOCH = date(1970, 1, 1)
RESTLESS = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Asia/Tehran",
    "America/Sao_Paulo",
    "Pacific/Apia",
    "America/St_Johns",
    "America/Nuuk",
    "Europe/Dublin",
    "Asia/Gaza",
    "Antarctica/Troll",
    "Pacific/Chatham",
    "America/Havana",
)
ZONES = sorted(available_timezones() - {"localtime", "posixrules"})


@dataclass(frozen=True)
class Field:
    """One field as text, with the values that it must name."""

    text: str
    values: frozenset[int]

    @property
    def star(self) -> bool:
        """Whether it restricts nothing."""
        return self.text == "*"


@st.composite
def fields(draw: st.DrawFn, low: int, high: int) -> Field:
    """A field: a star, or a list of numbers, ranges and steps."""
    if draw(st.integers(0, 2)) == 0:
        return Field("*", frozenset(range(low, high + 1)))
    texts: list[str] = []
    values: set[int] = set()
    for _ in range(draw(st.integers(1, 3))):
        first = draw(st.integers(low, high))
        last = draw(st.integers(first, high))
        step = draw(st.integers(1, high - low + 1))
        text, named = draw(
            st.sampled_from(
                [
                    (f"{first}", [first]),
                    (f"{first}-{last}", range(first, last + 1)),
                    (f"{first}-{last}/{step}", range(first, last + 1, step)),
                    (f"{first}/{step}", range(first, high + 1, step)),
                    (f"*/{max(step, 2)}", range(low, high + 1, max(step, 2))),
                ]
            )
        )
        texts.append(text)
        values.update(named)
    return Field(",".join(texts), frozenset(values))


Expression = tuple[Field, Field, Field, Field, Field]
ANY_MONTH = Field("*", frozenset(range(1, 13)))


@st.composite
def expressions(draw: st.DrawFn) -> Expression:
    """Five fields; most leave the month free, so that something happens in the days that are looked at."""
    month = draw(st.one_of(st.just(ANY_MONTH), st.just(ANY_MONTH), fields(1, 12)))
    days = draw(fields(1, 31)), month, draw(fields(0, 6))
    if not days[0].star and days[2].star and min(days[0].values) > 28:
        days = Field("*", frozenset(range(1, 32))), days[1], days[2]
    return (draw(fields(0, 59)), draw(fields(0, 23)), *days)


def written(expression: Expression) -> str:
    """The text of an expression."""
    return " ".join(field.text for field in expression)


def day_is_named(expression: Expression, day: date) -> bool:
    """Whether an expression names a date."""
    _, _, days, months, weekdays = expression
    in_month, in_week = day.day in days.values, day.isoweekday() % 7 in weekdays.values
    if not days.star and not weekdays.star:
        return day.month in months.values and (in_month or in_week)
    return day.month in months.values and in_month and in_week


def oracle(expression: Expression, zone: ZoneInfo, low: int, high: int) -> list[int]:
    """The points in [low, high), in minutes UTC, found by walking every minute of a longer time."""
    minutes, hours = expression[0].values, expression[1].values
    days: dict[int, bool] = {}

    def named(wall: int) -> bool:
        day, minute = divmod(wall, 1440)
        if day not in days:
            days[day] = day_is_named(expression, EPOCH + timedelta(days=day))
        return days[day] and minute // 60 in hours and minute % 60 in minutes

    walked = list(range(low - 2880, high + 2880))
    walls = [wall_minute(zone, at) for at in walked]
    if len(hours) == 24:
        found = {at for at, wall in zip(walked, walls, strict=True) if named(wall)}
    else:
        last_pass = dict(zip(walls, walked, strict=True))
        found = {at for wall, at in last_pass.items() if named(wall)}
        for at, (wall, following) in zip(walked, pairwise(walls), strict=False):
            found.update(at + missing - wall for missing in range(wall + 1, following) if named(missing))
    return sorted(at for at in found if low <= at < high)


def wall_minute(zone: ZoneInfo, at: int) -> int:
    """What a clock in the zone shows at a minute UTC, as minutes since its own 1970."""
    local = datetime.fromtimestamp(at * 60, zone)
    return (local.toordinal() - EPOCH.toordinal()) * 1440 + local.hour * 60 + local.minute


@lru_cache(maxsize=4096)
def changes(zone: str, year: int) -> tuple[int, ...]:
    """The days (since 1970, UTC) of a year in which the zone's clocks change."""
    key = ZoneInfo(zone)
    first = (date(year, 1, 1) - EPOCH).days
    offsets = [datetime.fromtimestamp(day * 86400, key).utcoffset() for day in range(first, first + 366)]
    return tuple(first + number for number, (one, two) in enumerate(pairwise(offsets)) if one != two)


@st.composite
def moments(draw: st.DrawFn) -> tuple[str, int]:
    """A zone and a day (since 1970) near one of its changes, or any day where it has none."""
    zone = draw(st.one_of(st.sampled_from(RESTLESS), st.sampled_from(ZONES)))
    year = draw(st.integers(1975, 2060))
    found = changes(zone, year)
    if found:
        return zone, draw(st.sampled_from(found)) + draw(st.integers(-2, 0))
    return zone, (date(year, 1, 1) - EPOCH).days + draw(st.integers(0, 364))


def plain(*texts: str) -> Expression:
    """An expression of stars and single numbers, for examples."""
    bounds = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
    return tuple(  # type: ignore[return-value]  # five texts give five fields
        Field(text, frozenset(range(low, high + 1) if text == "*" else map(int, text.split(","))))
        for text, (low, high) in zip(texts, bounds, strict=True)
    )


@example(plain("0,20,45", "2", "*", "*", "*"), ("Australia/Lord_Howe", (date(2025, 10, 4) - EPOCH).days))
@example(plain("30", "2,3", "*", "*", "*"), ("Europe/Berlin", (date(2025, 3, 29) - EPOCH).days))
@example(plain("0", "0,23", "*", "*", "*"), ("Pacific/Apia", (date(2011, 12, 29) - EPOCH).days))
@example(plain("30", "*", "*", "*", "*"), ("America/St_Johns", (date(2010, 11, 6) - EPOCH).days))
@settings(max_examples=120, deadline=None)
@given(expressions(), moments())
def test_points_are_those_of_every_minute_walked(expression: Expression, moment: tuple[str, int]) -> None:
    """Around changes of clocks, points forward, backward and counted are those found minute by minute."""
    zone, day = moment
    low, high = day * 1440, (day + 3) * 1440
    tt = compile_timetable(written(expression), zone)
    expected = [at * MINUTE for at in oracle(expression, ZoneInfo(zone), low, high)]
    forward = takewhile(lambda point: point < high * MINUTE, points_after(tt, low * MINUTE, inclusive=True))
    assert list(forward) == expected
    backward = takewhile(lambda point: point >= low * MINUTE, points_before(tt, high * MINUTE))
    assert list(backward) == expected[::-1]
    assert count_points(tt, low * MINUTE, high * MINUTE) == len(expected)


@settings(max_examples=100, deadline=None)
@given(expressions(), moments(), st.integers(-DAY, DAY))
def test_any_restart_gives_the_same_points(expression: Expression, moment: tuple[str, int], off: int) -> None:
    """From any instant, and from each point, the way on is the same and the way back leads to where one came from."""
    zone, day = moment
    tt = compile_timetable(written(expression), zone)
    points = list(islice(points_after(tt, day * DAY + off), 50))
    assert points == sorted(set(points))
    for point, following in pairwise(points):
        assert next_point(tt, point) == next_point(tt, following - 1) == following
        assert previous_point(tt, following, inclusive=False) == previous_point(tt, following - 1) == point
        middle = (point + following) // 2
        assert (previous_point(tt, middle), next_point(tt, middle)) == (point, following)


@settings(max_examples=60, deadline=None)
@given(expressions(), moments())
def test_intervals_touch_and_do_not_overlap(expression: Expression, moment: tuple[str, int]) -> None:
    """Intervals are never empty, each starts where the last one ended, and every date in one belongs to it."""
    zone, day = moment
    tt = compile_timetable(written(expression), zone, start=day * DAY)
    found = list(islice(slots(tt), 40))
    assert found[0].logical_date >= day * DAY
    assert all(slot.logical_date == slot.interval_start < slot.interval_end == slot.run_after for slot in found)
    assert all(one.interval_end == two.interval_start for one, two in pairwise(found))
    for slot in found[:10]:
        assert slot_at(tt, slot.interval_start) == slot_at(tt, slot.interval_end - 1) == slot


@settings(max_examples=60, deadline=None)
@given(expressions(), st.integers(-20_000, 40_000))
def test_in_utc_croniter_finds_the_same_points(expression: Expression, day: int) -> None:
    """Where no clocks change, walking from point to point with croniter gives the same points at any distance."""
    tt = compile_timetable(written(expression))
    start = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)
    spelled = " ".join(field.text if field.star else ",".join(map(str, sorted(field.values))) for field in expression)
    other = croniter(spelled, start, ret_type=datetime)
    expected = [
        int((other.get_next() - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1)) for _ in range(8)
    ]
    assert list(islice(points_after(tt, day * DAY), 8)) == expected


@st.composite
def timetables(draw: st.DrawFn) -> Timetable:
    """A timetable that started some time before 2026."""
    expression = draw(st.sampled_from(["*/20 * * * *", "0 * * * *", "30 2 * * *", "0 6 * * 1-5", "15 1,2,3 * * *"]))
    start = draw(st.one_of(st.none(), st.integers(20_400 * DAY, 20_460 * DAY)))
    end = draw(st.one_of(st.none(), st.integers(20_460 * DAY, 20_475 * DAY)))
    zone = draw(st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]))
    return compile_timetable(expression, zone, draw(st.sampled_from(["interval", "trigger"])), start, end)


INSTANTS = st.integers(20_455 * DAY, 20_475 * DAY)


@settings(max_examples=100, deadline=None)
@given(
    timetables(),
    st.one_of(st.none(), INSTANTS),
    INSTANTS,
    INSTANTS,
    st.sampled_from(["none", "latest", "all"]),
    st.sampled_from([None, "all", "latest", "skip"]),
    st.integers(1, 30),
)
def test_a_plan_accounts_for_every_slot_that_is_due(
    tt: Timetable, last: int | None, enabled_at: int, now: int, catchup: str, on_missed: str | None, cap: int
) -> None:
    """Each slot later than `last` and due is created or a gap, once; the next one is the first that is not due."""
    plan = plan_missed(
        tt,
        last=last,
        enabled_at=enabled_at,
        now=now,
        catchup=catchup,  # type: ignore[arg-type]  # drawn from the allowed words
        on_missed=on_missed,  # type: ignore[arg-type]  # drawn from the allowed words
        cap=cap,
    )
    origin = last if last is not None else (min(enabled_at, now) - 3 * DAY if tt.start is None else tt.start - 1)
    due = list(takewhile(lambda slot: slot.run_after <= now, slots(tt, origin)))
    if last is None and tt.start is None:
        due = [slot for slot in due if slot.run_after > enabled_at]
    assert len(plan.create) + plan.gaps_total + plan.postponed == len(due)
    assert sum(gap.count for gap in plan.gap_spans) == plan.gaps_total
    assert list(plan.create) == sorted(set(plan.create))
    assert list(plan.gaps) == sorted(set(plan.gaps) - set(plan.create))
    if plan.gaps_total <= 1000 and plan.postponed == 0:
        assert sorted(plan.create + plan.gaps) == due
    assert plan.passed == (last if not due else due[len(due) - 1 - plan.postponed].logical_date)
    assert plan.next is None or plan.next.run_after > now
    if plan.next is not None and due:
        assert plan.next.interval_start >= due[-1].interval_end


@settings(max_examples=40, deadline=None)
@given(timetables(), INSTANTS, st.lists(INSTANTS, min_size=1, max_size=12))
def test_planning_step_by_step_equals_planning_at_once(tt: Timetable, enabled_at: int, looks: list[int]) -> None:
    """However often and in whatever order of clocks one looks, each slot is created exactly once."""
    at_once = plan_missed(
        tt, last=None, enabled_at=enabled_at, now=max(looks), catchup="all", on_missed="all", cap=10_000
    )
    created: list[Slot] = []
    last = None
    for now in [*looks, max(looks)]:
        plan = plan_missed(tt, last=last, enabled_at=enabled_at, now=now, catchup="all", on_missed="all", cap=10_000)
        created.extend(plan.create)
        last = plan.passed
    while plan.postponed:
        plan = plan_missed(
            tt, last=last, enabled_at=enabled_at, now=max(looks), catchup="all", on_missed="all", cap=10_000
        )
        created.extend(plan.create)
        last = plan.passed
    assert len(created) == len(set(created))
    assert created == sorted(created)
    assert created[: len(at_once.create)] == list(at_once.create)
    assert len(created) == len(at_once.create) + at_once.postponed

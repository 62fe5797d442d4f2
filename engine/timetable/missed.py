"""Which slots to create now: catch-up after enabling, and ticks that were missed while nothing looked."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Literal, TypeAlias

from engine.timetable.interval import Slot, due_until, slots, slots_before
from engine.timetable.points import count_points, next_point, previous_point
from engine.timetable.timetable import SECOND, Micros, Timetable

Catchup: TypeAlias = Literal["none", "latest", "all"]
OnMissed: TypeAlias = Literal["all", "latest", "skip"]

GAPS_LISTED = 1000
CATCHUP_AT_ONCE = 1000
GRACE = 300 * SECOND


@dataclass(frozen=True, slots=True)
class Gap:
    """Neighbouring slots that are due and that no run is created for: from `first` on, up to `until`, not included.

    why: `catchup` (due before the DAG was enabled), `missed`, or `schedule`: a change of the schedule left a time that
    belongs to no slot, so its `count` is 0.
    """

    first: Micros
    until: Micros
    count: int
    why: Literal["catchup", "missed", "overlap", "schedule"]


@dataclass(frozen=True, slots=True)
class MissedPlan:
    """What to do about the slots that are due.

    create: the slots to create, ascending.
    gaps: slots that are due but not to be created, ascending: the latest 1000 of `gaps_total`.
    gap_spans: the same as at most three stretches, with what a changed schedule left over.
    caught_up: how many of `create` were due when the DAG was enabled.
    next: the first slot that is not due yet; None if the schedule has ended.
    passed: what to give as `last` in the next plan once this one is carried out; passed_end is its interval's end.
    origin: the smallest logical date that was looked at.
    postponed: how many slots are due later than `passed`: left to further plans, because this one creates as many
        as one plan may.
    seam: the time between the end of the last run's interval and the first slot, when a changed schedule does not
        continue where the former one ended. It belongs to no slot and is only shown.
    """

    create: tuple[Slot, ...]
    gaps: tuple[Slot, ...]
    gaps_total: int
    next: Slot | None
    passed: Micros | None
    postponed: int
    seam: tuple[Micros, Micros] | None
    origin: Micros = 0
    passed_end: Micros | None = None
    gap_spans: tuple[Gap, ...] = ()
    caught_up: int = 0


@dataclass(frozen=True, slots=True)
class _Span:
    """The slots with logical dates in [low, high)."""

    tt: Timetable
    low: Micros
    high: Micros

    def count(self) -> int:
        return count_points(self.tt, self.low, self.high) if self.low < self.high else 0

    def oldest(self, limit: int) -> list[Slot]:
        found: Iterable[Slot] = ()
        if self.low < self.high:
            found = takewhile(lambda slot: slot.logical_date < self.high, slots(self.tt, self.low - 1))
        return list(islice(found, limit))

    def newest(self, limit: int) -> list[Slot]:
        """Ascending, too."""
        found: Iterable[Slot] = ()
        if self.low < self.high:
            found = takewhile(lambda slot: slot.logical_date >= self.low, slots_before(self.tt, self.high))
        return list(islice(found, limit))[::-1]


def plan_missed(
    tt: Timetable,
    *,
    last: Micros | None,
    enabled_at: Micros,
    now: Micros,
    catchup: Catchup = "none",
    on_missed: OnMissed | None = None,
    cap: int = 24,
    grace: Micros | None = None,
    last_end: Micros | None = None,
    not_before: Micros | None = None,
    at_once: int = CATCHUP_AT_ONCE,
) -> MissedPlan:
    """Plan the slots that are due at `now` and later than `last`.

    last: logical date of the last slot that was created or passed on purpose; None if there was none.
    last_end: end of that slot's interval, for a schedule that has changed since: no slot begins before it.
    catchup: what to create of the slots that were due when the DAG was enabled (none, the latest, or all from the
        oldest, at most `at_once` in one plan; with `not_before`, those that are due no earlier).
    on_missed: what to create of those that came due since: the newest `cap` of them (`all`), the newest one
        (`latest`), or only those that are late by at most `grace` (`skip`), by default one interval and at least five
        minutes. By default `all` for interval schedules, `latest` for trigger schedules.
    """
    origin = _origin(tt, last, last_end, enabled_at)
    due, due_when_enabled = (_bound(tt, at) for at in (now, min(enabled_at, now)))
    before, since = _Span(tt, origin, due_when_enabled), _Span(tt, max(origin, due_when_enabled), due)
    wanted = before if not_before is None else _Span(tt, max(origin, _due_from(tt, not_before)), before.high)

    create = _catch_up(wanted, catchup, at_once)
    caught_up, postponed = len(create), 0
    if catchup == "all" and len(create) < wanted.count():
        decided = create[-1].logical_date + 1 if create else wanted.low
        postponed = _Span(tt, decided, due).count()
        due = decided
    else:
        late = on_missed or ("all" if tt.kind == "interval" else "latest")
        oldest = now - (_grace(tt, now) if grace is None else grace)
        create += _late(since, late, cap, oldest)
    total = _Span(tt, origin, due).count() - len(create)
    passed, seam = _passed(tt, origin, due, last), _seam(tt, origin, last_end)
    return MissedPlan(
        create=tuple(create),
        gaps=_gaps(_Span(tt, origin, due), create, total),
        gaps_total=total,
        next=next(slots(tt, max(origin, _bound(tt, now)) - 1), None),
        passed=passed,
        postponed=postponed,
        seam=seam,
        origin=origin,
        passed_end=last_end if passed == last else _end_of(tt, passed),
        gap_spans=_gap_spans(
            _Span(tt, before.low, wanted.low) if catchup == "all" else before,
            _Span(tt, since.low, max(since.low, due)),
            create,
            seam,
        ),
        caught_up=caught_up,
    )


def _gap_spans(before: _Span, since: _Span, create: list[Slot], seam: tuple[Micros, Micros] | None) -> tuple[Gap, ...]:
    """What is left out before the first created slot of each span, and what belongs to no slot."""
    found = [] if seam is None else [Gap(seam[0], seam[1], 0, "schedule")]
    spans: tuple[tuple[_Span, Literal["catchup", "missed"]], ...] = ((before, "catchup"), (since, "missed"))
    for span, why in spans:
        created = (slot.logical_date for slot in create if span.low <= slot.logical_date < span.high)
        left = _Span(span.tt, span.low, next(created, span.high))
        if count := left.count():
            last = left.newest(1)[0]
            found.append(Gap(left.oldest(1)[0].logical_date, max(last.interval_end, last.logical_date + 1), count, why))
    return tuple(found)


def _grace(tt: Timetable, now: Micros) -> Micros:
    """Until the next point comes, and at least five minutes."""
    one, two = previous_point(tt, now), next_point(tt, now)
    return GRACE if one is None or two is None else max(GRACE, two - one - 1)


def _due_from(tt: Timetable, at: Micros) -> Micros:
    """The smallest logical date of a slot that is due at `at` or later."""
    bound = due_until(tt, at - 1)
    return at if bound is None else bound


def _end_of(tt: Timetable, point: Micros | None) -> Micros | None:
    """The end of the interval that begins at a point."""
    if point is None or tt.kind == "trigger":
        return point
    return next_point(tt, point)


def _origin(tt: Timetable, last: Micros | None, last_end: Micros | None, enabled_at: Micros) -> Micros:
    """The smallest logical date that a slot may have."""
    bounds = [bound for bound in (tt.start, None if last is None else last + 1, last_end) if bound is not None]
    if bounds:
        return max(bounds)
    point = previous_point(tt, enabled_at)
    if tt.kind == "trigger" or point is None:
        return enabled_at + 1
    return point


def _bound(tt: Timetable, at: Micros) -> Micros:
    """The smallest logical date that is not due at `at`, not later than the end date allows."""
    bound = due_until(tt, at)
    if bound is None:
        bound = at
    return bound if tt.end is None else min(bound, tt.end + 1)


def _catch_up(before: _Span, catchup: Catchup, at_once: int) -> list[Slot]:
    if catchup == "none":
        return []
    return before.newest(1) if catchup == "latest" else before.oldest(at_once)


def _late(since: _Span, on_missed: OnMissed, cap: int, oldest_on_time: Micros) -> list[Slot]:
    if on_missed == "latest":
        return since.newest(min(cap, 1))
    newest = since.newest(cap)
    return newest if on_missed == "all" else [slot for slot in newest if slot.run_after >= oldest_on_time]


def _gaps(span: _Span, create: list[Slot], total: int) -> tuple[Slot, ...]:
    """The newest of the slots in `span` that are not created."""
    if total == 0:
        return ()
    chosen = {slot.logical_date for slot in create}
    found = span.newest(GAPS_LISTED + len(chosen))
    return tuple([slot for slot in found if slot.logical_date not in chosen][-GAPS_LISTED:])


def _passed(tt: Timetable, origin: Micros, due: Micros, last: Micros | None) -> Micros | None:
    point = previous_point(tt, due, inclusive=False)
    return last if point is None or point < origin else point


def _seam(tt: Timetable, origin: Micros, last_end: Micros | None) -> tuple[Micros, Micros] | None:
    if last_end is None or tt.kind == "trigger":
        return None
    first = next_point(tt, origin - 1)
    return None if first is None or first == last_end else (last_end, first)

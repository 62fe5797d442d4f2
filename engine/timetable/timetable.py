"""A checked schedule: expression, zone, kind and limits."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args
from zoneinfo import ZoneInfo

from engine.timetable.errors import ScheduleError, quoted
from engine.timetable.exclusion import Exclusion, read_exclusion
from engine.timetable.rules import Times
from engine.timetable.written import Rule, read_schedule
from engine.timetable.zone import find_zone

Micros: TypeAlias = int
"""An instant or a length of time: integer microseconds, instants since 1970-01-01 UTC."""

Kind: TypeAlias = Literal["interval", "trigger"]

SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Timetable:
    """When runs are due. `start` and `end` limit the starts of intervals, both inclusive; None is no limit.

    An interval schedule gives one run for each stretch between two neighbouring points, due at its end.
    A trigger schedule gives one run at each point. `start` also anchors intervals that are counted from it.
    """

    expression: str
    timezone: str
    kind: Kind
    start: Micros | None
    end: Micros | None
    exclude: tuple[str, ...] = ()
    """Dates on which there are no points, as written."""
    both_days: bool = False
    """A date has to fit both day fields of a cron expression, where both are set; else one of them is enough."""

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The parsed expression."""
        return read_schedule(self.expression, self.timezone, self.start, self.exclude, self.both_days)

    @property
    def is_finite(self) -> bool:
        """Whether it ends by itself: it consists of single times."""
        return all(isinstance(rule, Times) for rule in self.rules)

    @property
    def exclusion(self) -> Exclusion:
        """The parsed excluded dates."""
        return read_exclusion(self.exclude)

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which the expression is read."""
        return find_zone(self.timezone)


def compile_timetable(
    expression: str,
    timezone: str = "UTC",
    kind: Kind = "interval",
    start: Micros | None = None,
    end: Micros | None = None,
    *,
    exclude: tuple[str, ...] = (),
    both_days: bool = False,
) -> Timetable:
    """Check a schedule. Raises ScheduleError, saying what is wrong and where, if it cannot be used."""
    find_zone(timezone)
    if kind not in get_args(Kind):
        raise ScheduleError(f"schedule kind {quoted(str(kind))} is not known; write 'interval' or 'trigger'")
    if start is not None and end is not None and end < start:
        raise ScheduleError("the end date is before the start date, so no run could ever be due; change one of them")
    made = Timetable(expression, timezone, kind, start, end, exclude, both_days)
    _refuse_no_time(made)
    return made


def _refuse_no_time(tt: Timetable) -> None:
    """Refuse single times of which no run can come."""
    rules = tt.rules
    times = [
        point
        for rule in rules
        if isinstance(rule, Times)
        for point in rule.after(rule.points[0], tt.zone, tt.exclusion)
    ]
    if len(times) > 1 or not all(isinstance(rule, Times) for rule in rules):
        return
    if not times:
        raise ScheduleError(f"schedule {quoted(tt.expression)}: never matches: its times are all excluded")
    if tt.kind == "interval":
        raise ScheduleError(
            f"schedule {quoted(tt.expression)}: a single time begins no interval that ends; use the kind 'trigger'"
        )

"""A checked schedule: expression, zone, kind and limits."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args
from zoneinfo import ZoneInfo

from engine.timetable.cron import Cron, parse
from engine.timetable.errors import ScheduleError, quoted
from engine.timetable.zone import find_zone

Micros: TypeAlias = int
"""An instant or a length of time: integer microseconds, instants since 1970-01-01 UTC."""

Kind: TypeAlias = Literal["interval", "trigger"]

SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Timetable:
    """When runs are due. `start` and `end` limit the starts of intervals, both inclusive; None is no limit.

    An interval schedule gives one run for each stretch between two neighbouring points, due at its end.
    A trigger schedule gives one run at each point.
    """

    expression: str
    timezone: str
    kind: Kind
    start: Micros | None
    end: Micros | None

    @property
    def cron(self) -> Cron:
        """The parsed expression."""
        return parse(self.expression)

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
) -> Timetable:
    """Check a schedule. Raises ScheduleError, saying what is wrong and where, if it cannot be used."""
    parse(expression)
    find_zone(timezone)
    if kind not in get_args(Kind):
        raise ScheduleError(f"schedule kind {quoted(str(kind))} is not known; write 'interval' or 'trigger'")
    if start is not None and end is not None and end < start:
        raise ScheduleError("the end date is before the start date, so no run could ever be due; change one of them")
    return Timetable(expression, timezone, kind, start, end)

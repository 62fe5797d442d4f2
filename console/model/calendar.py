"""A DAG's calendar: for each logical date how its run went, a gap, or that there never was one. Pure.

A cell is a local day, or, where a schedule has several dates on most days, a local hour. Cells are numbered through all
time, so a number means the same cell whichever months are looked at.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from console.model.backfills import GapCard
from engine.model.moments import Micros, from_datetime, to_datetime

MONTHS = 13
"""How much of it is read at a time: a year, and the month that it ends in."""
WORST_FIRST = ("failed", "cancelling", "running", "queued", "paused", "cancelled", "success")


class DateCell(NamedTuple):
    """The runs of one cell: the worst of their states, how many, how many failed, and the newest in that state."""

    state: str
    runs: int
    failed: int
    run_id: str
    took: Micros | None

    def with_run(self, state: str, run_id: str, took: Micros | None) -> DateCell:
        """The same with one run more, older than those before."""
        failed = self.failed + (state == "failed")
        if _rank(state) < _rank(self.state):
            return DateCell(state, self.runs + 1, failed, run_id, took)
        return self._replace(runs=self.runs + 1, failed=failed)


def _rank(state: str) -> int:
    return WORST_FIRST.index(state) if state in WORST_FIRST else 0


@dataclass(frozen=True)
class Calendar:
    """Thirteen months of one DAG."""

    dag_id: str
    timezone: str = "UTC"
    unit: Literal["day", "hour"] = "day"
    first: int = 0
    """The first cell."""
    until: int = 0
    """The one after the last."""
    cells: Mapping[int, DateCell] | None = None
    """Those with runs; None: there is no schedule, and so no dates."""
    dates: Mapping[int, Micros] = field(default_factory=dict)
    """When the first run of each cell is due for which the schedule has a date."""
    gaps: tuple[GapCard, ...] = ()
    known_from: Micros | None = None
    """Of very many runs the older ones are not read: from where they are; None: all of them."""

    @property
    def per_day(self) -> int:
        """Cells of a day."""
        return 24 if self.unit == "hour" else 1

    def at(self, moment: Micros) -> int:
        """The cell of a moment."""
        return cell_of(moment, self.timezone, self.per_day)

    def starts(self, cell: int) -> Micros:
        """When a cell begins."""
        return begins(cell, self.per_day, self.timezone)

    def span(self, one: int, other: int) -> tuple[Micros, Micros]:
        """The first and last moment of a range of cells, given by its ends in either order."""
        return self.starts(min(one, other)), self.starts(max(one, other) + 1) - 1

    def day(self, cell: int) -> date:
        """The local day of a cell."""
        return date.fromordinal(cell // self.per_day)

    @cached_property
    def gap_cells(self) -> Mapping[int, GapCard]:
        """Cells without a run for which dates were left out."""
        found: dict[int, GapCard] = {}
        for gap in self.gaps:
            if gap.runs and gap.until > gap.first:
                first, last = max(self.at(gap.first), self.first), min(self.at(gap.until - 1), self.until - 1)
                for cell in range(first, last + 1):
                    # A gap ends where the next interval begins, which may be in the middle of that one's cell.
                    if self.dates.get(cell, gap.until + 1) <= gap.until and cell not in (self.cells or {}):
                        found.setdefault(cell, gap)
        return found

    @cached_property
    def _real(self) -> list[int]:
        found = {*(self.cells or {}), *self.gap_cells, *self.dates}
        return sorted(cell for cell in found if self.first <= cell < self.until)

    def nearest(self, cell: int, first: int, last: int) -> int | None:
        """The cell with a date or a run next to a place, between two cells, both inclusive; None: there is none."""
        real = self._real[bisect_left(self._real, first) : bisect_right(self._real, last)]
        return min(real, key=lambda each: (abs(each - cell), each), default=None)

    def beside(self, cell: int, step: int, last: int) -> int | None:
        """The next cell with a date or a run before a place (a step below 0) or after it, at most `last`."""
        if step < 0:
            at = bisect_left(self._real, min(cell, last + 1)) - 1
            return self._real[at] if at >= 0 else None
        at = bisect_right(self._real, cell)
        return self._real[at] if at < len(self._real) and self._real[at] <= last else None

    def due(self, now: Micros) -> int:
        """The newest cell with a date that is due; before all of them where none is."""
        cell = self.at(now)
        return next((c for c in range(min(cell, self.until - 1), self.first - 1, -1) if self._is_due(c, now)), -1)

    def _is_due(self, cell: int, now: Micros) -> bool:
        due = self.dates.get(cell)
        return due is not None and due <= now

    def state(self, cell: int, due: int) -> str | None:
        """What stands in a cell; `due` is the newest with a date that is. None: no date, or one that is to come."""
        found = (self.cells or {}).get(cell)
        if found is not None:
            return found.state
        if cell in self.gap_cells:
            return "gap"
        return "none" if cell in self.dates and cell <= due else None


def cell_of(moment: Micros, zone: str, per_day: int) -> int:
    """The number of the cell that a moment is in."""
    local = to_datetime(moment, zone)
    return local.toordinal() * per_day + (local.hour if per_day > 1 else 0)


@lru_cache(maxsize=4096)
def begins(cell: int, per_day: int, zone: str) -> Micros:
    """When a cell begins."""
    day, hour = divmod(cell, per_day)
    midnight = datetime.combine(date.fromordinal(day), datetime.min.time(), ZoneInfo(zone))
    return from_datetime(midnight.replace(hour=hour))


def months(now: Micros, zone: str, back: int) -> tuple[int, int]:
    """The days, as ordinals, of the months that end `back` years before this one: the first, and the one after."""
    today = to_datetime(now, zone).date()
    first = date(today.year - 1 - back, today.month, 1)
    after = (date(today.year - back, today.month, 28) + timedelta(days=4)).replace(day=1)
    return first.toordinal(), after.toordinal()

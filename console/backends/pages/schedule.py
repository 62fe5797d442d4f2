"""What a DAG's schedule means, said by the code that plans by it."""

from __future__ import annotations

from dataclasses import fields
from itertools import islice
from typing import TYPE_CHECKING

from console.backends.sources import stored
from console.model.backfills import GapCard
from console.model.reading import safe
from console.model.schedule_page import ComingRun, SchedulePage
from engine.model.dag import ScheduleSpec

if TYPE_CHECKING:
    from console.backends.pages import Reading

_RUNS = 10
_NAMES = frozenset(field.name for field in fields(ScheduleSpec))


def read(reading: Reading) -> SchedulePage:
    """For (DAG): its schedule."""
    # The arithmetic is imported with the first schedule that is looked at: a console's start should not pay for it.
    from engine.timetable import ScheduleError, coming, describe, timetable_of

    dag_id = str(reading.args[0])
    gaps = reading.rows.all("schedule", "gaps", {"dag_id": dag_id, "count": 20})
    cards = tuple(GapCard(safe(row[0]), row[1], row[2], row[3], safe(row[4])) for row in gaps)
    latest = reading.rows.one("run", "current_version", {"dag_id": dag_id})
    if latest is None:
        return SchedulePage(safe(dag_id), gaps=cards)
    known = stored(reading.rows, latest[0]).spec.get("schedule", {})
    spec = ScheduleSpec(**{name: value for name, value in known.items() if name in _NAMES})
    try:
        table = timetable_of(spec)
    except (ScheduleError, ValueError) as error:
        return SchedulePage(safe(dag_id), safe(spec.timezone), safe(error), gaps=cards)
    if table is None:
        return SchedulePage(safe(dag_id), safe(spec.timezone), gaps=cards)
    runs = tuple(
        ComingRun(slot.interval_start, slot.interval_end, slot.run_after)
        for slot in islice(coming(table, reading.now), _RUNS)
    )
    catchup = safe(spec.catchup if spec.catchup_window is None else f"{spec.catchup_window / 86_400:g} days")
    on_missed = spec.on_missed or ("all" if spec.kind == "interval" else "latest")
    return SchedulePage(
        safe(dag_id), safe(spec.timezone), safe(describe(table)), safe(spec.kind), runs, catchup, safe(on_missed),
        safe(spec.overlap), cards, table.start, table.end,
    )  # fmt: skip

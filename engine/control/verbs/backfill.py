"""`backfill_create`: a range of dates of a DAG, run or run again as one object."""

from __future__ import annotations

from collections import Counter
from typing import Any, TypeVar

from engine.control.estimating import length
from engine.control.plans import Archive, Ask, Plan, Refusal, Target, plural
from engine.control.protocol import Effect
from engine.control.verbs.pause import the_dags
from engine.control.verbs.trigger import run_params
from engine.lifecycle.backfilling import fate
from engine.model.backfill import Backfill, BackfillItem, BackfillState, ItemReason, ItemState, Order, Reprocess
from engine.model.ids import scheduled_run_id
from engine.model.moments import DAY, HOUR, Micros, to_datetime, to_local
from engine.model.states import RunState, RunType
from engine.scheduler.backfills import admit, put_backfill, put_item, refill
from engine.scheduler.core import Scheduler
from engine.scheduler.state import DagEntry
from engine.scheduler.turn import Turn
from engine.scheduler.undo import Inverse
from engine.timetable import ScheduleError, Slot, read_range, read_window, slots_between

E = TypeVar("E", Order, Reprocess)

MOST_DATES = 100_000
_BECOMES = {
    ItemReason.CREATE: "new run",
    ItemReason.RERUN: "runs again",
    ItemReason.RERUN_FAILED: "what failed runs again",
    ItemReason.IN_FLIGHT: "left alone",
    ItemReason.ALREADY_EXISTS: "left alone",
    ItemReason.NO_RUN: "left alone",
}
_DETAILS = {
    ItemReason.IN_FLIGHT: "its run is under way",
    ItemReason.ALREADY_EXISTS: "it has a run",
    ItemReason.NO_RUN: "it has no run whose other results could be used",
}


class BackfillCreate:
    """Creates a backfill of one DAG.

    Arguments: `start` and `end`, or `start` alone as `a..b` (see `read_range`; read in the DAG's zone); `order`
    (oldest, newest), `max_active`, `reprocess` (none, failed, completed), `params` or `param_texts` for new runs,
    `stop_after`, `tasks` with `downstream`, `max_slots`, `not_during`.
    """

    name = "backfill_create"

    async def gather(self, scheduler: Scheduler, archive: Archive, ask: Ask, now: Micros) -> Any:
        """The runs that there are, by date, and how long runs take."""
        entry = _entry(scheduler, ask)
        begin, end = _range(entry, ask, now)
        found = await archive.runs_in_slots(entry.dag_id, begin, end)
        return found, await archive.usual_run_time(entry.dag_id, now)

    def plan(self, scheduler: Scheduler, ask: Ask, now: Micros) -> Plan:
        entry = _entry(scheduler, ask)
        begin, end = _range(entry, ask, now)
        row = _row(scheduler, entry, ask, now, begin, end)
        _refuse_overlap(scheduler, row, entry.version.spec.schedule.timezone)
        slots = _slots(entry, row, now)
        stored, usual = ask.found
        found = {date: slot.state for date, slot in stored.items()} | _in_memory(scheduler, entry)
        items = [_item(row, number, slot, found.get(slot.logical_date)) for number, slot in enumerate(slots)]
        row.total = len(items)

        def carry(turn: Turn, kept: list[Target]) -> dict[str, Any]:
            row.id, row.created_at = next(scheduler.state.backfill_ids), turn.now
            put_backfill(turn, row)
            for item in items:
                item.backfill = row.id
                put_item(turn, item)
            live = admit(scheduler, row, items, entry.version.spec.schedule.timezone)
            turn.note("backfill", dag_id=row.dag_id, after=row.state, command=ask.command, detail=str(row.id))
            refill(scheduler, turn, live)
            return {"backfill": row.id}

        targets = [_target(entry, item, found.get(item.logical_date)) for item in items]
        told = _sentence(row, items, entry.version.spec.schedule.timezone)

        def done(kept: list[Target]) -> str:
            return f"backfill {row.id}: {told}"

        sentence = told + _about(row, items, usual)
        plan = Plan(targets, sentence, carry, done, 0, _warnings(entry, row, items))
        plan.inverse = lambda kept: Inverse("backfill_cancel", {"id": row.id, "running": True, "unstarted": True})
        return plan


def _entry(scheduler: Scheduler, ask: Ask) -> DagEntry:
    entries = the_dags(scheduler, ask)
    if len(entries) != 1:
        raise Refusal("invalid", "a backfill is about one DAG")
    entry = entries[0]
    if entry.state == "inactive":
        raise Refusal("state", f"{entry.dag_id} is inactive: its file {entry.file} is gone")
    if entry.timetable is None:
        raise Refusal("state", f"{entry.dag_id} has no schedule, so there are no dates to run: trigger it instead")
    return entry


def _range(entry: DagEntry, ask: Ask, now: Micros) -> tuple[Micros, Micros]:
    start, end = ask.args.get("start"), ask.args.get("end")
    if not isinstance(start, str) or not (end is None or isinstance(end, str)):
        raise Refusal("invalid", "a backfill needs a range such as 2026-01-01..2026-01-31 or -90d..yesterday")
    try:
        return read_range(start, end, entry.version.spec.schedule.timezone, now)
    except (ScheduleError, OverflowError) as error:
        raise Refusal("invalid", str(error)) from error


def _row(scheduler: Scheduler, entry: DagEntry, ask: Ask, now: Micros, begin: Micros, end: Micros) -> Backfill:
    args, spec = ask.args, entry.version.spec
    order, tasks = _choice(args, "order", Order.OLDEST), args.get("tasks") or []
    known = {task.task_id for task in spec.tasks}
    if not isinstance(tasks, list) or not set(tasks) <= known:
        raise Refusal("invalid", f"{entry.dag_id} has no task {', '.join(sorted(set(map(str, tasks)) - known))}")
    reprocess = _choice(args, "reprocess", Reprocess.COMPLETED if tasks else Reprocess.NONE)
    if tasks and reprocess is Reprocess.NONE:
        raise Refusal("invalid", "only some tasks of runs that are left alone: reprocess failed or completed ones")
    if any(task.depends_on_past for task in spec.tasks) and (order is Order.NEWEST or reprocess is Reprocess.NONE):
        raise Refusal(
            "state",
            f"tasks of {entry.dag_id} depend on the run before: run it oldest first, reprocessing failed or completed",
        )
    not_during = args.get("not_during")
    try:
        if not_during is not None:
            read_window(str(not_during), spec.schedule.timezone)
    except ScheduleError as error:
        raise Refusal("invalid", str(error)) from error
    params, given = run_params(scheduler, spec, args)
    return Backfill(
        id=0,
        dag_id=entry.dag_id,
        state=BackfillState.RUNNING,
        start=begin,
        stop=end,
        order=order,
        max_active=_number(args, "max_active") or spec.max_active_runs,
        reprocess=reprocess,
        created_at=now,
        created_by=ask.actor,
        total=0,
        params={name: params[name] for name in given},
        tasks=tasks,
        downstream=bool(args.get("downstream")),
        max_slots=_number(args, "max_slots"),
        not_during=None if not_during is None else str(not_during),
        stop_after=_number(args, "stop_after"),
        note=ask.note,
    )


def _choice(args: dict[str, Any], name: str, default: E) -> E:
    given = args.get(name)
    if given is None:
        return default
    for word in type(default):
        if given == word.value:
            return word
    raise Refusal("invalid", f"{name} is one of {', '.join(type(default))}, not {given!r}")


def _number(args: dict[str, Any], name: str) -> int | None:
    value = args.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 10_000:
        raise Refusal("invalid", f"{name} is a number from 1 to 10000, not {value!r}")
    return value


def _refuse_overlap(scheduler: Scheduler, row: Backfill, zone: str) -> None:
    for live in scheduler.state.backfills.values():
        other = live.row
        if other.dag_id == row.dag_id and other.start <= row.stop and row.start <= other.stop:
            raise Refusal(
                "state",
                f"backfill {other.id} of {row.dag_id} is {other.state} and has some of these dates "
                f"({to_local(other.start, zone)} to {to_local(other.stop, zone)}): wait for it, or cancel it",
            )


def _slots(entry: DagEntry, row: Backfill, now: Micros) -> list[Slot]:
    """The dates of the range that are complete, in the order in which they are to be run."""
    assert entry.timetable is not None
    found: list[Slot] = []
    for slot in slots_between(entry.timetable, row.start, row.stop):
        if slot.run_after > now:
            break
        found.append(slot)
        if len(found) > MOST_DATES:
            raise Refusal("invalid", f"that are more than {MOST_DATES:,} dates: choose a smaller range")
    if not found:
        future = " that is over" if row.stop > now else ""
        zone = entry.timetable.timezone
        span = f"{to_local(row.start, zone)} and {to_local(row.stop, zone)} ({zone})"
        raise Refusal("invalid", f"the schedule of {row.dag_id} has no interval{future} between {span}")
    return found if row.order is Order.OLDEST else found[::-1]


def _in_memory(scheduler: Scheduler, entry: DagEntry) -> dict[Micros, RunState]:
    """The states of the DAG's scheduled and backfill runs in memory: newer than what was read."""
    return {
        memory.run.logical_date: memory.run.state
        for memory in scheduler.state.runs.values()
        if memory.run.dag_id == entry.dag_id and memory.run.run_type in (RunType.SCHEDULED, RunType.BACKFILL)
    }


def _item(row: Backfill, number: int, slot: Slot, found: RunState | None) -> BackfillItem:
    state, reason = fate(row.reprocess, found, some_tasks=bool(row.tasks))
    return BackfillItem(0, number, slot.logical_date, slot.interval_end, state, reason)


def _target(entry: DagEntry, item: BackfillItem, found: RunState | None) -> Target:
    zone = entry.version.spec.schedule.timezone
    details = [_DETAILS.get(item.reason, ""), to_local(item.logical_date, zone) if zone != "UTC" else ""]
    effect = Effect(
        "run",
        entry.dag_id,
        found.value if found is not None else "none",
        _BECOMES[item.reason],
        run_id=scheduled_run_id(entry.dag_id, item.logical_date),
        detail=", ".join(filter(None, reversed(details))),
    )
    return Target(("slot", item.logical_date), effect)


def _sentence(row: Backfill, items: list[BackfillItem], zone: str) -> str:
    counts = Counter(item.reason for item in items)
    again = counts[ItemReason.RERUN] + counts[ItemReason.RERUN_FAILED]
    alone = sum(item.state is ItemState.SKIPPED for item in items)
    dates = sorted(item.logical_date for item in items)
    parts = [
        f"{plural(len(items), 'date')} of {row.dag_id}, {_dates(dates[0], dates[-1], zone)}",
        f"{row.order} first",
        f"{row.max_active} at a time" if row.max_active > 1 else "one after the other",
    ]
    if row.tasks:
        parts.append(f"only {', '.join(row.tasks)}{' and what is below' if row.downstream else ''}")
    if row.not_during:
        parts.append(f"not {row.not_during}")
    made = f"{plural(counts[ItemReason.CREATE], 'run')} made, {again} run again, {alone} left alone"
    return f"{', '.join(parts)}: {made}"


def _dates(first: Micros, last: Micros, zone: str) -> str:
    one, two = to_local(first, zone), to_local(last, zone)
    return f"{one} ({zone})" if first == last else f"{one} to {two} ({zone})"


def _about(row: Backfill, items: list[BackfillItem], usual: tuple[Micros, Micros] | None) -> str:
    """How long it will take, if runs take as long as they usually do."""
    runs = sum(item.state is ItemState.PENDING for item in items)
    if usual is None or not runs:
        return ""
    low, high = (length(-(-runs // row.max_active) * time) for time in usual)
    return f", about {low}" if low == high else f", about {low} to {high}"


def _warnings(entry: DagEntry, row: Backfill, items: list[BackfillItem]) -> list[str]:
    found = []
    if entry.paused_at is not None:
        found.append(f"{entry.dag_id} is paused: the backfill waits until it is resumed")
    if entry.state == "broken":
        found.append(f"{entry.file} cannot be loaded: the last good version is used")
    table = entry.timetable
    if table is not None:
        early = sum(table.start is not None and item.logical_date < table.start for item in items)
        late = sum(table.end is not None and item.logical_date > table.end for item in items)
        found += [f"{plural(early, 'date')} before the DAG's start date"] if early else []
        found += [f"{plural(late, 'date')} after the DAG's end date"] if late else []
    odd = [item for item in items if item.interval_end - item.logical_date != DAY]
    if len(odd) < len(items) and (changed := _changed_days(odd, entry.version.spec.schedule.timezone)):
        lengths = " and ".join(f"{length / HOUR:g}" for length in changed)
        found.append(f"among them days of {lengths} hours: clocks change in that time")
    if row.params and any(item.reason in (ItemReason.RERUN, ItemReason.RERUN_FAILED) for item in items):
        found.append("runs that run again keep their params")
    return found


def _changed_days(items: list[BackfillItem], zone: str) -> list[Micros]:
    """The lengths of intervals in which clocks change; others are longer for their own reasons, such as holidays."""
    return sorted(
        {
            item.interval_end - item.logical_date
            for item in items
            if to_datetime(item.logical_date, zone).utcoffset() != to_datetime(item.interval_end, zone).utcoffset()
        }
    )

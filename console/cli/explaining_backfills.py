"""Why a backfill stands, waits or was stopped: since when, what keeps it, and what happens next."""

from __future__ import annotations

from collections.abc import Iterator

from console.cli.explaining_runs import standing
from console.cli.reading import DagLine, Reader, iso, reads_backfill, reads_overview
from console.figures import ago, countdown
from engine.model.backfill import ACTIVE_BACKFILL, BackfillState
from engine.model.moments import Micros

_SHOWN = 5
_WAITS = {
    "dag_paused": {"paused"},
    "dag_inactive": {"inactive"},
    "dag_broken": {"broken"},
    "hold": {"hold"},
}
"""By what the engine stored: which sentences about its DAG say who, since when and why."""
_VERBS: dict[str, str] = {
    BackfillState.PAUSED: "backfill_pause",
    BackfillState.STOPPING: "backfill_cancel",
    BackfillState.CANCELLED: "backfill_cancel",
}
"""By state: what somebody asked for, so that it is in it."""


def explain_backfill(store: Reader, row: reads_backfill.BackfillLine, now: Micros) -> list[tuple[str, str]]:
    """Codes and sentences: its state and since when, what keeps it, what is under way, has failed, and is next."""
    dates = reads_backfill.items(store, row.id, count=reads_backfill.MOST_ITEMS)
    left = [date for date in dates if date.state == "pending"]
    under_way = [date for date in dates if date.state == "running"]
    failed = [date for date in dates if date.state == "failed"]
    found = [("state", _state(store, row, now)), *_waits(store, row, now)]
    for date in failed[:_SHOWN]:
        found.append(("failed", f"{iso(date.logical_date)} failed: `dagdeck why {date.run_id}`"))
    if len(failed) > _SHOWN:
        found.append(("failed", f"and {len(failed) - _SHOWN} more: `dagdeck backfill show {row.id}` lists all dates"))
    for date in under_way[:_SHOWN]:
        found.append(("running", f"{iso(date.logical_date)} is under way: `dagdeck why {date.run_id}`"))
    found.append(("next", _next(row, len(under_way), [iso(date.logical_date) or "" for date in left], len(failed))))
    return found


def _state(store: Reader, row: reads_backfill.BackfillLine, now: Micros) -> str:
    made = f"{row.created_by} asked for it {ago(row.created_at, now)} ago"
    if row.state == BackfillState.STOPPED_BY_FAILURES:
        return (
            f"{row.failures} runs of it failed, and it stops after {row.stop_after}: since {iso(row.ended_at)}; {made}"
        )
    by = _by(store, row, now)
    if row.state not in ACTIVE_BACKFILL:
        return f"it is {row.state} since {iso(row.ended_at)}{by}; {made}"
    return f"it is {row.state}{by}; {made}"


def _by(store: Reader, row: reads_backfill.BackfillLine, now: Micros) -> str:
    """Who brought it into its state, how long ago and with which words, where a person did."""
    verb = _VERBS.get(row.state)
    moved = reads_backfill.last_moved(store, row.id, verb) if verb is not None else None
    if moved is None:
        return ""
    return f", by {moved.who} {ago(moved.at, now)} ago{f' ({moved.note})' if moved.note else ''}"


def _waits(store: Reader, row: reads_backfill.BackfillLine, now: Micros) -> Iterator[tuple[str, str]]:
    if row.waits_for is None:
        return
    dag: DagLine | None = next((dag for dag in reads_overview.dags(store) if dag.dag_id == row.dag_id), None)
    if row.waits_for == "not_during" and row.not_during is not None and dag is not None:
        # Imported on first use: other explanations need no timetable.
        from engine.timetable import read_window

        until = read_window(row.not_during, dag.timezone).next_change(now)
        yield row.waits_for, f"it starts nothing in {row.not_during}: until {iso(until)}, in {countdown(until, now)}"
    elif dag is not None:
        codes = _WAITS.get(row.waits_for, set())
        yield from (
            (row.waits_for, f"{row.dag_id}: {text}") for code, text in standing(store, dag, now) if code in codes
        )


def _next(row: reads_backfill.BackfillLine, under_way: int, left: list[str], failed: int) -> str:
    again = f"; `dagdeck backfill retry {row.id}` runs what failed again" if failed else ""
    if row.state in (BackfillState.PAUSED, BackfillState.STOPPED_BY_FAILURES):
        return f"nothing of it starts, {len(left)} dates are left: `dagdeck backfill resume {row.id}` goes on{again}"
    if row.state == BackfillState.STOPPING:
        return f"it is cancelled when the {under_way} runs that are under way have ended"
    if row.state not in ACTIVE_BACKFILL:
        return f"nothing: it is over{again}"
    if not left:
        return f"it is complete when the {under_way} runs that are under way have ended"
    if row.waits_for is not None:
        return f"{left[0]} starts, of {len(left)} dates that are left, as soon as that is over"
    if under_way >= row.max_active:
        return f"{left[0]} starts, of {len(left)} dates that are left, when one of {under_way} runs has ended"
    return f"{left[0]} starts, of {len(left)} dates that are left"

"""Why a run or a DAG is as it is: since when, what it waits for, who holds that, and what happens next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatchcase

from console.cli.explaining import explain_task
from console.cli.reading import (
    DagLine,
    InstanceLine,
    Reader,
    RunDetail,
    in_order,
    iso,
    reads_home,
    reads_overview,
    reads_run,
    spec_of,
    task_name,
)
from console.figures import ago, countdown, duration
from engine.model.breaker import OF_DAG, Breaker
from engine.model.moments import Micros
from engine.model.states import TERMINAL_RUN, Reason, TaskState

_SHOWN = 5
_ENDED = {
    "tasks_succeeded": "all of its tasks succeeded, or were skipped",
    "tasks_failed": "tasks of it failed",
    "failures_allowed": "what failed of it may fail",
    "no_tasks_ran": "no task of it had to run",
    "run_timeout": "it took longer than its DAG allows",
    "deadlock": "what was left of it could never have started",
    "cancel": "an operator cancelled it",
    "dag_removed": "the code of its DAG is gone",
}


def explain_run(store: Reader, run: RunDetail, now: Micros) -> list[tuple[str, str]]:
    """Codes and sentences: its state and since when, then what runs, waits and has failed, the most telling first."""
    tasks = [row for row in reads_run.instances(store, run.id) if row.reason != Reason.EXPANDED]
    counts = Counter(row.state for row in tasks)
    found = [("state", _state(run, now))]
    if run.created_by:
        found.append(("created_by", f"{run.created_by} asked for it at {iso(run.created_at)}"))
    for row in [row for row in tasks if row.state == TaskState.FAILED][:_SHOWN]:
        found.append(("failed", f"{task_name(row)} failed: {row.last_error or row.reason or ''}"))
    if run.state in TERMINAL_RUN:
        return found
    for row in [row for row in tasks if row.state in (TaskState.RUNNING, TaskState.KILLING)][:_SHOWN]:
        found.append(("running", f"{task_name(row)} runs for {ago(row.started_at or now, now)}"))
    told: set[str] = set()
    for row in tasks:
        if row.state in (TaskState.RUNNING, TaskState.KILLING, *_OVER) or len(told) >= _SHOWN:
            continue
        for code, text in explain_task(store, run, row, now):
            if text not in told and not code.startswith("upstream"):
                told.add(text)
                found.append((code, f"{task_name(row)} ({row.state.replace('_', ' ')}): {text}"))
    left = sum(count for state, count in counts.items() if state not in _OVER)
    found.append(("next", f"it ends when {left} of its {len(tasks)} task instances have ended"))
    return found


_OVER = frozenset({"success", "failed", "skipped", "upstream_failed", "cancelled", "removed"})


def _state(run: RunDetail, now: Micros) -> str:
    if run.state in TERMINAL_RUN:
        took = duration((run.ended_at or now) - (run.started_at or run.ended_at or now))
        return f"it is {run.state} since {iso(run.ended_at)}, after {took}: {_ENDED.get(run.reason, run.reason)}"
    since = run.started_at if run.started_at is not None else run.created_at
    return f"it is {run.state} for {ago(since, now)}"


def members(store: Reader, run: RunDetail, name: str) -> list[InstanceLine]:
    """The task instances of a task group and of those within it; none where it is a task, or nothing at all."""
    rows = in_order([row for row in reads_run.instances(store, run.id) if row.map_index < 0])
    if any(row.task_id == name for row in rows):
        return []
    inside = {
        task.task_id
        for task in spec_of(store, run.version_id).tasks
        if task.group and f"{task.group}.".startswith(f"{name}.")
    }
    return [row for row in rows if row.task_id in inside]


def explain_dag(store: Reader, dag: DagLine, now: Micros) -> list[tuple[str, str]]:
    """Codes and sentences: whether it gets runs, what keeps it from that, what is under way, and what comes next."""
    found = [*standing(store, dag, now)]
    active = [row for row in reads_overview.active_runs(store) if row.dag_id == dag.dag_id]
    for row in active[:_SHOWN]:
        found.append(("run", f"{row.run_id} is {row.state}: `dagdeck why {row.run_id}`"))
    last = reads_run.runs(store, dag_id=dag.dag_id, count=1)
    if last and last[0].state in TERMINAL_RUN:
        found.append(("last", f"its last run, {last[0].run_id}, is {last[0].state} since {iso(last[0].ended_at)}"))
    if dag.next_run_after is None:
        found.append(("next", "it has no next run: it is triggered by hand, or by what it waits for"))
    elif dag.paused_at is not None or dag.state != "active":
        found.append(("next", f"its next run would be due at {iso(dag.next_run_after)}"))
    else:
        when = f"in {countdown(dag.next_run_after, now)}" if dag.next_run_after > now else "now"
        found.append(("next", f"its next run, of {iso(dag.next_start)}, is due at {iso(dag.next_run_after)}, {when}"))
    return found


def _next_probe(own: Breaker, now: Micros) -> str:
    """What its own breaker has in mind for a DAG that it has paused."""
    if own.state == "half_open":
        return f"a probe run is on its way, {own.probe}: if it succeeds the DAG goes on by itself"
    if own.until is None:
        return "its breaker sends out no probe run: somebody has to resume it"
    when = f"at {iso(own.until)} (in {countdown(own.until, now)})"
    return f"a probe run goes out {when}: if it succeeds the DAG goes on by itself"


def standing(store: Reader, dag: DagLine, now: Micros) -> Iterator[tuple[str, str]]:
    """Whether a DAG is active, and all that keeps it from getting runs."""
    if dag.state != "active":
        yield "inactive", f"it is inactive: its file {dag.file} is gone, and it gets no runs"
    if dag.broken_since is not None:
        yield (
            "broken",
            f"{dag.file} cannot be loaded for {ago(dag.broken_since, now)}: `dagdeck dags validate` says why",
        )
    if dag.paused_at is not None:
        who = f" by {dag.paused_by}" if dag.paused_by else ""
        why = f": {dag.pause_reason}" if dag.pause_reason else ""
        resume = f"`dagdeck dags resume {dag.dag_id}` has it go on"
        yield "paused", f"it is paused{who} for {ago(dag.paused_at, now)}{why}; {resume}"
        for own in reads_home.breakers(store):
            if own.name == OF_DAG + dag.dag_id and own.state != "closed":
                yield "breaker", _next_probe(own, now)
    for hold in reads_home.holds(store):
        if hold.scope == "all" or (hold.scope == "dag" and fnmatchcase(dag.dag_id, hold.pattern)):
            until = f" until {iso(hold.until)}" if hold.until is not None else ", until it is released"
            note = f": {hold.note}" if hold.note else ""
            yield "hold", f"{hold.who} holds {hold.pattern or 'everything'} for {ago(hold.since, now)}{until}{note}"
    if dag.state == "active" and dag.broken_since is None and dag.paused_at is None:
        yield "active", f"it is active since {iso(dag.enabled_at)}" if dag.enabled_at is not None else "it is active"

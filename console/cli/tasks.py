"""`dagdeck tasks` and `dagdeck why`: what the tasks of a run do, and what they wait for."""

from __future__ import annotations

import shutil
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from console.cli import names
from console.cli.options import reading
from console.cli.output import Column, clean, emit_json, say, state_word, table
from console.cli.reading import (
    AttemptLine,
    InstanceLine,
    Reader,
    RunDetail,
    find_run,
    find_task,
    in_order,
    iso,
    open_store,
    reads_backfill,
    reads_overview,
    reads_run,
    task_name,
)
from console.cli.session import Session, pass_session
from console.cli.shapes import attempt_json, dag_state, run_json, span, task_json, took
from console.cli.standing import mention_idleness
from console.figures import countdown, silence
from console.figures import took as took_words
from console.text import cut_end
from engine.model.moments import Micros
from engine.model.states import ALIVE_TASK, FailureClass, Outcome, TaskState

if TYPE_CHECKING:
    from console.cli.link import Quiet
    from engine.home import Home

_BESIDE, _REMARK, _LEAST = 50, 100, 30
"""Cells for the columns before the remark, for the remark where no terminal says how much fits, and at least."""


@click.command()
@click.argument("run", shell_complete=names.runs)
@click.option("--indexes", is_flag=True, help="A line for each index of mapped tasks; --json always has them.")
@reading
@pass_session
def tasks(session: Session, run: str, indexes: bool, as_json: bool) -> None:
    """List the task instances of RUN in the order of the graph."""
    with open_store(session.home) as store, store.snapshot():
        found = find_run(store, run)
        mention_idleness(session.home, store, [found.state], time.time_ns() // 1000)
        alive = any(row.state in ALIVE_TASK for row in reads_run.instances(store, found.id))
        quiet = _quiet(session.home) if alive else {}
        if as_json:
            emit_json(tasks_json(store, found, quiet))
        else:
            print_tasks(store, found, quiet, indexes=indexes)


def _quiet(home: Home) -> Quiet:
    # Imported on first use: a listing of runs does without the link to the engine.
    from console.cli.link import quiet_attempts

    return quiet_attempts(home)


def tasks_json(store: Reader, run: RunDetail, quiet: Quiet | None = None) -> list[dict[str, Any]]:
    """The task instances of a run under the stable keys, silent ones with since when and how busy."""
    rows = in_order(reads_run.instances(store, run.id))
    return [{**task_json(task, run), **_quiet_json(task, quiet or {})} for task in rows]


def _quiet_json(task: InstanceLine, quiet: Quiet) -> dict[str, Any]:
    since, cpu = quiet.get(task.current_attempt or "", (None, None))
    return {} if since is None else {"silent_since": iso(since), "cpu_percent": cpu}


def print_tasks(store: Reader, run: RunDetail, quiet: Quiet | None = None, *, indexes: bool = False) -> None:
    """The task instances of a run as a table, a mapped task on one line unless its `indexes` are asked for."""
    now = time.time_ns() // 1000
    columns = [
        Column("task"),
        Column("state", state=True),
        Column("try", right=True),
        Column("time", right=True),
        Column("remark"),
    ]
    rows = in_order(reads_run.instances(store, run.id))
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        if row.map_index >= 0:
            counts.setdefault(row.task_id, Counter())[row.state] += 1
    table(
        columns,
        [
            _row(task, now, quiet or {}, counts.get(task.task_id) if task.map_index < 0 else None)
            for task in rows
            if indexes or task.map_index < 0
        ],
    )


def _row(task: InstanceLine, now: Micros, quiet: Quiet, indexes: Counter[str] | None = None) -> tuple[object, ...]:
    alive = task.state in ("running", "killing")
    time_taken = span(task.started_at, now) if alive else took(task)
    return (
        task_name(task),
        task.state,
        task.attempt or "",
        took_words(time_taken) if time_taken is not None and task.attempt else "",
        _remark(task, now, quiet) if indexes is None else _indexes(indexes),
    )


def _indexes(counts: Counter[str]) -> str:
    """`5 indexes: 4 success, 1 failed`."""
    total = sum(counts.values())
    states = ", ".join(f"{count} {state}" for state, count in counts.most_common())
    return f"{total} index{'es' if total != 1 else ''}: {states}"


def _remark(task: InstanceLine, now: Micros, quiet: Quiet) -> str:
    """What is worth saying of a row, in one line that fits beside it; `why` and --json say all of it."""
    words = " ".join(_remarks(task, now, quiet).split())
    columns = shutil.get_terminal_size((_BESIDE + _REMARK, 0)).columns if sys.stdout.isatty() else _BESIDE + _REMARK
    return cut_end(clean(words), max(columns - _BESIDE, _LEAST))


def _remarks(task: InstanceLine, now: Micros, quiet: Quiet) -> str:
    if task.state == "running" and task.current_attempt in quiet:
        return silence(*quiet[task.current_attempt], now)
    if task.reason == "unkillable":
        return f"unkillable: {task.last_error or ''}"
    if task.state == "up_for_retry" and task.retry_at is not None:
        return f"try {task.attempt + 1} in {countdown(task.retry_at, now)}: {task.last_error or ''}"
    if task.state in ("none", "scheduled"):
        return ", ".join(task.blockers)
    if task.state == "failed" and task.last_error:
        return task.last_error
    return "" if task.state in ("success", "running", "queued") else task.reason or ""


@click.command()
@click.argument("what", metavar="RUN|DAG|BACKFILL", shell_complete=names.subjects)
@click.argument("task", required=False, shell_complete=names.tasks)
@reading
@pass_session
def why(session: Session, what: str, task: str | None, as_json: bool) -> None:
    """Say why TASK of RUN, or RUN, DAG or BACKFILL is as it is: since when, what it waits for, what is next.

    BACKFILL is its number. TASK may be a task group: each of its tasks is explained. `pool:NAME` and `breaker:NAME` say
    who holds it, who waits for it, and what frees it.
    """
    if task is None and what.startswith(("pool:", "breaker:")):
        _why_limit(session.home, what, as_json)
    elif task is None:
        _why_whole(session.home, what, as_json)
    else:
        _why_task(session, what, task, as_json)


def _why_whole(home: Home, what: str, as_json: bool) -> None:
    """A DAG, a backfill or a run; a number that is no id of a DAG is that of a backfill."""
    from console.cli.explaining_backfills import explain_backfill
    from console.cli.explaining_runs import explain_dag, explain_run

    now = time.time_ns() // 1000
    shape: dict[str, Any]
    with open_store(home) as store, store.snapshot():
        dag = None if "@" in what else next((row for row in reads_overview.dags(store) if row.dag_id == what), None)
        if dag is not None:
            name, state, shape = dag.dag_id, dag_state(dag), {"dag_id": dag.dag_id, "state": dag_state(dag)}
            reasons = explain_dag(store, dag, now)
            under_way = [row.state for row in reads_overview.active_runs(store) if row.dag_id == dag.dag_id]
        elif what.isdecimal():
            row = reads_backfill.backfill(store, int(what))
            name, state = f"backfill {row.id} of {row.dag_id}", row.state
            shape = {"number": row.id, "dag_id": row.dag_id, "state": row.state, "waits_for": row.waits_for}
            reasons, under_way = explain_backfill(store, row, now), [row.state]
        else:
            run = find_run(store, what)
            name, state, shape = run.run_id, run.state, run_json(run)
            reasons = explain_run(store, run, now)
            under_way = [run.state]
        mention_idleness(home, store, under_way, now)
    if as_json:
        emit_json({**shape, "reasons": [{"code": code, "text": text} for code, text in reasons]})
        return
    say(f"{name}: {state_word(state)}")
    for _, text in reasons:
        say(f"  {clean(text)}")


def _why_limit(home: Home, what: str, as_json: bool) -> None:
    """A pool, or a circuit breaker."""
    from console.cli.explaining import explain_limit

    kind, _, name = what.partition(":")
    with open_store(home) as store:
        said = explain_limit(store, kind, name, time.time_ns() // 1000)
    if as_json:
        emit_json({kind: name, "reasons": [{"code": what, "text": text} for text in said]})
        return
    for text in said:
        say(clean(text))


def _why_task(session: Session, run: str, task: str, as_json: bool) -> None:
    # Imported on first use: listings explain nothing.
    from console.cli.explaining import explain_task
    from console.cli.explaining_runs import members

    with open_store(session.home) as store, store.snapshot():
        found, now = find_run(store, run), time.time_ns() // 1000
        mention_idleness(session.home, store, [found.state], now)
        group = [(row, explain_task(store, found, row, now)) for row in members(store, found, task)]
        if group:
            _print_group(found, task, group, as_json=as_json)
            return
        instance = find_task(store, found, task)
        reasons = explain_task(store, found, instance, now)
        attempts = reads_run.attempts(store, instance.id)
    if instance.state == TaskState.RUNNING:
        quiet = _quiet(session.home).get(instance.current_attempt or "")
        if quiet is not None:
            words = silence(*quiet, time.time_ns() // 1000).replace("  ", ", ")
            reasons.insert(0, ("silent", f"it runs, but is {words}; `dagdeck stack` says what it does"))
    if as_json:
        emit_json(
            {
                **task_json(instance, found),
                "reasons": [{"code": code, "text": text} for code, text in reasons],
                "attempts": [attempt_json(row, instance, found) for row in attempts],
            }
        )
        return
    say(f"{found.run_id} {clean(task_name(instance))}: {state_word(instance.state)}")
    for _, text in reasons:
        say(f"  {clean(text)}")
    for attempt in attempts:
        say(f"  {clean(attempt_line(attempt))}")


def _print_group(
    run: RunDetail, name: str, group: list[tuple[InstanceLine, list[tuple[str, str]]]], *, as_json: bool
) -> None:
    """Each task of a task group with its state and what there is to say of it."""
    if as_json:
        listed = [
            {**task_json(task, run), "reasons": [{"code": code, "text": text} for code, text in reasons]}
            for task, reasons in group
        ]
        emit_json({"run_id": run.run_id, "group": name, "tasks": listed})
        return
    states = ", ".join(f"{count} {state}" for state, count in Counter(task.state for task, _ in group).most_common())
    say(f"{run.run_id} {clean(name)}: {len(group)} task{'s' if len(group) != 1 else ''}: {states}")
    for task, reasons in group:
        say(f"  {clean(task_name(task))}: {state_word(task.state)}")
        for _, text in reasons:
            say(f"    {clean(text)}")


def attempt_line(attempt: AttemptLine) -> str:
    """`try 1: failed after 2.1s, permanent, ValueError: no`; what the outcome says already is not said again."""
    outcome = attempt.outcome or attempt.state
    taken = "" if attempt.took is None else f" after {took_words(attempt.took)}"
    parts = [f"try {attempt.number}: {outcome}{taken}"]
    if attempt.failure_class and attempt.failure_class not in (FailureClass.UNKNOWN, outcome):
        parts.append(attempt.failure_class)
    if attempt.error:
        if not (outcome == Outcome.TIMEOUT and attempt.error.startswith("timed out")):
            parts.append(attempt.error)
    elif attempt.exit_code:
        parts.append(f"exit code {attempt.exit_code}")
    if attempt.late_result:
        parts.append(f"ended {attempt.late_result} after the operator had decided")
    return ", ".join(parts)

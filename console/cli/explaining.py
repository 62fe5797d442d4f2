"""Why a task instance is where it is: the reason codes that the engine stored, joined with who and how long."""

from __future__ import annotations

from collections.abc import Iterator

from console.cli.reading import (
    InstanceLine,
    Reader,
    RunDetail,
    find_run,
    iso,
    reads_home,
    reads_overview,
    reads_run,
    spec_of,
)
from console.figures import ago, countdown
from engine.model.moments import Micros
from engine.model.states import Blocker, Reason, TaskState
from engine.store import reads_why

_WAITING = frozenset({TaskState.NONE, TaskState.SCHEDULED, TaskState.UP_FOR_RETRY})
_UNFINISHED = _WAITING | {TaskState.QUEUED, TaskState.RUNNING, TaskState.KILLING, TaskState.DEFERRED}
_NAMED = 5
_KEYS_SHOWN = 500

_REASONS = {
    "trigger_rule": "its trigger rule can no longer be met",
    "branch": "a branch before it chose other tasks; `clear --force` runs it all the same",
    "short_circuit": "a short circuit before it left out what lies below; `clear --force` runs it all the same",
    "manual": "an operator decided so",
    "undone": "an operator took a command back",
    "skip_requested": "the task asked to be skipped",
    "kill_requested": "an operator asked for its end; its process is not gone yet",
    "killed": "an operator stopped it",
    "cancel": "its run was cancelled",
    "run_timeout": "its run took longer than run_timeout",
    "timeout": "it took longer than execution_timeout",
    "lost": "its process is gone and left no evidence of how it ended",
    "reboot": "the machine was restarted while it ran",
    "engine_stop": "the engine was stopped with --kill",
    "spawn_failed": "its process could not be started",
    "stuck_in_queue": "its process did not start within the time for it",
    "permanent": "the failure is of a kind that trying again does not cure",
    "breaker_open": "its circuit breaker was open, and it says not to wait for that",
    "result_invalid": "what it returned is not JSON",
    "retry_rule": "a retry rule of the task decided so",
    "partial": "it did a part of its work; the next try is given what is left",
    "out_of_memory": "it needed more memory than it may have, or than there was",
    "unkillable": "SIGKILL was sent, and its process does not end",
    "task_missing": "the DAG version of this run no longer has the task",
    "removed": "the task is not in the DAG version of this run",
    "expanded": "it is mapped: its state sums up those of its indexes, which have reasons of their own",
    "no_items": "there was nothing to map it over",
    "not_mappable": "what it is mapped over has no items",
    "cleared": "it was cleared and waits for its turn",
}

_BLOCKERS: dict[str, str] = {
    Blocker.RUN_PAUSED: "its run is paused: `dagdeck resume` lets it go on",
    Blocker.DEGRADED: "the engine is degraded and starts nothing: see `dagdeck engine status`",
    Blocker.BACKFILL_SLOTS: "its backfill has all the slots that it may have, by default half of each pool",
    Blocker.NOT_DURING: "its backfill starts nothing at this time of the day",
    Blocker.DISK: "the disk has less free space than min_free_mb",
    Blocker.DRAINING: "the engine drains: it starts nothing new before it stops",
}


def explain_task(store: Reader, run: RunDetail, task: InstanceLine, now: Micros) -> list[tuple[str, str]]:
    """Codes and sentences, the most telling first. Empty when there is nothing to tell: it runs, or it succeeded."""
    if task.state in _WAITING:
        codes = [code for code in task.blockers if code != Blocker.RUN_QUEUED] or task.blockers  # what it is queued for
        found = [pair for code in codes for pair in _blocked(store, run, task, code, now)]
        return found or [("none", "nothing holds it back: it starts as soon as the engine comes to it")]
    if task.state == TaskState.AWAITING_INPUT:
        return [("input", reads_why.question(store, run, task, now))]
    if task.state == TaskState.QUEUED:
        return [("queued", "its slot is granted and its process is being started")]
    reasons = [*_reason(task), *_answers(store, task)]
    if task.state in (TaskState.UPSTREAM_FAILED, TaskState.SKIPPED):
        reasons += _ended_upstream(store, run, task)
    return reasons


def _reason(task: InstanceLine) -> Iterator[tuple[str, str]]:
    if task.reason in _REASONS:
        yield task.reason or "", _REASONS[task.reason or ""]
    if task.last_error and (task.state == TaskState.FAILED or task.reason == Reason.UNKILLABLE):
        yield "error", task.last_error
    if task.failed_keys and task.state in (TaskState.FAILED, TaskState.UP_FOR_RETRY):
        yield "failed_keys", f"left undone: {task.failed_keys[:_KEYS_SHOWN]}"


def _blocked(store: Reader, run: RunDetail, task: InstanceLine, code: str, now: Micros) -> Iterator[tuple[str, str]]:
    kind = code.partition(":")[0]
    limit = reads_why.limit(store, run, task, code, now)
    if limit is not None:
        yield code, limit
    elif kind == Blocker.UPSTREAM:
        yield from _unfinished_upstream(store, run, task)
    elif kind == Blocker.RETRY_AT and task.retry_at is not None:
        left = countdown(task.retry_at, now)
        yield code, f"its retry is due at {iso(task.retry_at)}, in {left}: {task.last_error or ''}"
    elif kind == Blocker.DEPENDS_ON_PAST:
        yield code, _past(store, task, code.partition(":")[2])
    elif kind == Blocker.DAG_PAUSED:
        yield code, _paused(store, run, now)
    elif kind == Blocker.HOLD:
        for hold in reads_home.holds(store):
            note = f": {hold.note}" if hold.note else ""
            yield code, f"{hold.who} holds {hold.pattern or 'everything'} for {ago(hold.since, now)}{note}"
    elif kind == Blocker.RUN_AFTER:
        yield code, f"its run is due at {iso(run.run_after)}"
    elif kind == Blocker.RUN_QUEUED:
        yield code, "its run has not begun"
    elif kind == Blocker.MAX_ACTIVE_RUNS:
        active = [row.run_id for row in reads_overview.active_runs(store) if row.dag_id == run.dag_id]
        others = _some([run_id for run_id in active if run_id != run.run_id])
        words = f": the DAG has as many active runs as it may have ({others})" if others else ""
        yield code, f"its run has not begun{words}"
    else:
        yield code, _BLOCKERS.get(kind, code)


def _states(store: Reader, run: RunDetail, task: InstanceLine) -> list[tuple[str, str]]:
    """The upstream tasks of an instance with their states, in the order of the DAG file."""
    specs = {spec.task_id: spec for spec in spec_of(store, run.version_id).tasks}
    if task.task_id not in specs:
        return []
    states = {row.task_id: row.state for row in reads_run.instances(store, run.id) if row.map_index < 0}
    return [(name, states.get(name, "none")) for name in specs[task.task_id].upstream]


def _unfinished_upstream(store: Reader, run: RunDetail, task: InstanceLine) -> Iterator[tuple[str, str]]:
    for name, state in _states(store, run, task):
        if state in _UNFINISHED:
            yield Blocker.UPSTREAM, f"it waits for {name}, which is {'not started' if state == 'none' else state}"


def _ended_upstream(store: Reader, run: RunDetail, task: InstanceLine) -> Iterator[tuple[str, str]]:
    for name, state in _states(store, run, task):
        if state not in _UNFINISHED and state != TaskState.SUCCESS:
            yield Blocker.UPSTREAM, f"{name} is {state}"


def _paused(store: Reader, run: RunDetail, now: Micros) -> str:
    for dag in reads_overview.dags(store):
        if dag.dag_id == run.dag_id and dag.paused_at is not None:
            who = f" by {dag.paused_by}" if dag.paused_by else ""
            why = f": {dag.pause_reason}" if dag.pause_reason else ""
            return f"its DAG has been paused{who} for {ago(dag.paused_at, now)}{why}"
    return "its DAG is paused"


def _past(store: Reader, task: InstanceLine, run_id: str) -> str:
    if not run_id:
        return "it depends on the run before, which is being looked up"
    before = reads_run.instances_of_task(store, find_run(store, run_id).id, task.task_id)
    state = before[0].state if before else "gone"
    return f"it depends on {task.task_id} of {run_id}, which is {state} and has to be success or skipped"


def _some(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")


def _answers(store: Reader, task: InstanceLine) -> Iterator[tuple[str, str]]:
    for given in reads_why.answers(store, task.id)[-1:]:
        by = f"by {given.by} ({given.origin})" if given.by else "by nobody in time"
        params = ", ".join(f"{name}={value!r}" for name, value in given.params.items())
        yield (
            "answer",
            f"answered {given.option or 'nothing'} {by} at {iso(given.answered_at)}" + (params and f": {params}"),
        )


def questions(store: Reader) -> list[reads_why.Asked]:
    """All approvals that wait, the oldest first."""
    return reads_why.questions(store)


def pool_holders(store: Reader) -> dict[str, list[tuple[reads_why.Holder, int]]]:
    """Who holds how many slots of each pool, the longest first."""
    find = reads_why.slots_of(store)
    found: dict[str, list[tuple[reads_why.Holder, int]]] = {}
    for holder in reads_why.holders(store):
        pool, slots = find(holder)
        found.setdefault(pool, []).append((holder, slots))
    return found

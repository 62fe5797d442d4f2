"""Why a task instance is where it is: the reason codes that the engine stored, joined with who and how long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from console.cli.reading import (
    InstanceLine,
    Reader,
    RunDetail,
    iso,
    reads_run,
    spec_of,
    task_name,
)
from engine.model.moments import Micros
from engine.model.states import Blocker, Reason, TaskState
from engine.store import reads_limits, reads_waits, reads_why

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


def explain_task(store: Reader, run: RunDetail, task: InstanceLine, now: Micros) -> list[tuple[str, str]]:
    """Codes and sentences, the most telling first. Empty when there is nothing to tell: it runs, or it succeeded."""
    if task.state in _WAITING:
        codes = [code for code in task.blockers if code != Blocker.RUN_QUEUED] or task.blockers  # what it is queued for
        found = [(code, reads_waits.sentence(store, run, task, code, now)) for code in codes]
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


def _states(store: Reader, run: RunDetail, task: InstanceLine) -> list[tuple[str, str]]:
    """The upstream tasks of an instance with their states, in the order of the DAG file."""
    specs = {spec.task_id: spec for spec in spec_of(store, run.version_id).tasks}
    if task.task_id not in specs:
        return []
    states = {row.task_id: row.state for row in reads_run.instances(store, run.id) if row.map_index < 0}
    return [(name, states.get(name, "none")) for name in specs[task.task_id].upstream]


def _ended_upstream(store: Reader, run: RunDetail, task: InstanceLine) -> Iterator[tuple[str, str]]:
    for name, state in _states(store, run, task):
        if state not in _UNFINISHED and state != TaskState.SUCCESS:
            yield Blocker.UPSTREAM, f"{name} is {state}"


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
    """Who holds how many slots of each pool."""
    return reads_why.holders_by_pool(store)


def explain_limit(store: Reader, kind: str, name: str, now: Micros) -> list[str]:
    """How a `pool` or a `breaker` stands, in sentences. Raises NotFound."""
    return (reads_limits.pool_story if kind == "pool" else reads_limits.breaker_story)(store, name, now)


def held(store: Reader, runs: Iterable[int], now: Micros) -> list[str]:
    """What holds or pauses keep the first task of these runs that waits for one; empty when none does."""
    with store.snapshot():
        found = reads_waits.held(store, runs, now)
    if found is None:
        return []
    run, task, sentences = found
    return [f"{run.run_id} {task_name(task)}: {text}" for text in sentences]

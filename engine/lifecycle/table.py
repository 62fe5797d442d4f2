"""Every legal move of a task instance and of a run, as data. What is not listed here is refused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from engine.model.states import ALIVE_TASK, TERMINAL_RUN, TERMINAL_TASK, RunState, TaskState

S = TypeVar("S", bound=StrEnum)


class IllegalTransition(ValueError):
    """A move that the table does not know: a mistake in the engine, never something to be stored."""


@dataclass(frozen=True, slots=True)
class Rule(Generic[S]):
    """From each of `sources` to each of `targets`: what triggers the move, and who moves."""

    sources: tuple[S, ...]
    targets: tuple[S, ...]
    trigger: str
    by: str


T, R = TaskState, RunState
_ENDED = tuple(state for state in T if state in TERMINAL_TASK)
_WAITING = (T.DEFERRED, T.UP_FOR_RESCHEDULE, T.AWAITING_INPUT)
_IDLE = (T.NONE, T.SCHEDULED, *_WAITING, T.UP_FOR_RETRY)
"""Not terminal, and without a process."""
_MARKABLE = tuple(state for state in T if state not in ALIVE_TASK and state is not T.REMOVED)

TASK_RULES: tuple[Rule[TaskState], ...] = (
    Rule((T.NONE,), (T.SCHEDULED,), "trigger rule met", "scheduler"),
    Rule((T.NONE,), (T.SKIPPED, T.UPSTREAM_FAILED), "trigger rule can no longer be met", "scheduler"),
    Rule((T.SCHEDULED,), (T.QUEUED,), "all limits free: slots granted, attempt created", "scheduler"),
    Rule((T.NONE,), (T.AWAITING_INPUT,), "trigger rule met: a person is asked", "scheduler"),
    Rule((T.AWAITING_INPUT,), (T.SUCCESS, T.FAILED, T.SKIPPED), "answered, or not in time", "operator, scheduler"),
    Rule((T.SCHEDULED,), (T.FAILED, T.SKIPPED), "circuit breaker open, and the task does not wait", "scheduler"),
    Rule((T.QUEUED,), (T.RUNNING,), "the process claimed its attempt", "runner"),
    Rule((T.QUEUED,), (T.SCHEDULED,), "the process could not be started", "scheduler"),
    Rule((T.QUEUED,), (T.FAILED,), "the process could not be started, too often", "scheduler"),
    Rule((T.RUNNING,), (T.SUCCESS, T.SKIPPED, T.FAILED), "the current attempt ended", "runner"),
    Rule((T.RUNNING,), (T.UP_FOR_RETRY,), "the current attempt failed or was lost, budget left", "runner"),
    Rule((T.RUNNING,), _WAITING, "the task asked to wait", "task"),
    Rule(_WAITING, (T.SCHEDULED,), "event, time or answer came", "scheduler"),
    Rule(_WAITING, (T.FAILED, T.SKIPPED), "waited too long", "scheduler"),
    Rule((T.UP_FOR_RETRY,), (T.SCHEDULED,), "retry due, or retry now", "scheduler, operator"),
    Rule((T.QUEUED, T.RUNNING), (T.KILLING,), "kill, clear, mark, cancel, timeout, engine stop", "operator, scheduler"),
    Rule(
        (T.KILLING,),
        (T.NONE, T.UP_FOR_RETRY, T.SUCCESS, T.FAILED, T.SKIPPED, T.CANCELLED),
        "the process is confirmed dead: the state that was decided follows",
        "supervisor",
    ),
    Rule(
        (T.SCHEDULED, *_WAITING, T.UP_FOR_RETRY, *_ENDED),
        (T.NONE,),
        "clear, or what its upstream decided no longer holds",
        "operator, scheduler",
    ),
    Rule((T.NONE, *_ENDED), (T.DEFERRED,), "a mapped task has indexes that are not over", "scheduler"),
    Rule(
        (T.DEFERRED,),
        (T.SUCCESS, T.FAILED, T.SKIPPED, T.UPSTREAM_FAILED, T.CANCELLED),
        "all indexes of a mapped task are over",
        "scheduler",
    ),
    Rule((T.NONE,), (T.FAILED,), "what a mapped task is mapped over has no items to map", "scheduler"),
    Rule(_MARKABLE, (T.SUCCESS, T.FAILED, T.SKIPPED), "mark", "operator"),
    Rule((T.NONE,), (T.UP_FOR_RETRY, *_WAITING), "undo of what a command decided", "operator"),
    Rule(_IDLE, (T.CANCELLED,), "cancel, run timeout, deadlock", "operator, scheduler"),
    Rule(
        (*_IDLE, *_ENDED),
        (T.REMOVED,),
        "the task is gone from the DAG version of the new episode, or the code of the run is gone",
        "scheduler",
    ),
)

RUN_RULES: tuple[Rule[RunState], ...] = (
    Rule((R.QUEUED,), (R.RUNNING,), "a run slot is free: first scheduling pass", "scheduler"),
    Rule((R.QUEUED,), (R.CANCELLED,), "cancel before the start", "operator"),
    Rule((R.RUNNING,), (R.PAUSED,), "pause", "operator"),
    Rule((R.PAUSED,), (R.RUNNING,), "resume", "operator"),
    Rule((R.RUNNING, R.PAUSED), (R.SUCCESS, R.FAILED), "every instance is terminal, or deadlock", "scheduler"),
    Rule((R.RUNNING, R.PAUSED), (R.CANCELLING,), "cancel", "operator"),
    Rule((R.CANCELLING,), (R.CANCELLED,), "every process is confirmed dead, or clear goes on", "supervisor, operator"),
    Rule(tuple(s for s in R if s in TERMINAL_RUN), (R.RUNNING,), "clear or mark reopens it: new episode", "operator"),
    Rule((R.SUCCESS,), (R.FAILED,), "mark changed the outcome", "operator"),
    Rule((R.FAILED,), (R.SUCCESS,), "mark changed the outcome", "operator"),
)


def _expand(rules: Iterable[Rule[S]]) -> dict[tuple[S, S], tuple[str, ...]]:
    moves: dict[tuple[S, S], tuple[str, ...]] = {}
    for rule in rules:
        for source in rule.sources:
            for target in rule.targets:
                if source != target:
                    moves[source, target] = (*moves.get((source, target), ()), rule.trigger)
    return moves


def _targets(states: Iterable[S], moves: Mapping[tuple[S, S], tuple[str, ...]]) -> dict[S, frozenset[S]]:
    return {state: frozenset(target for source, target in moves if source == state) for state in states}


TASK_TRANSITIONS: Mapping[tuple[TaskState, TaskState], tuple[str, ...]] = _expand(TASK_RULES)
RUN_TRANSITIONS: Mapping[tuple[RunState, RunState], tuple[str, ...]] = _expand(RUN_RULES)
TASK_TARGETS: Mapping[TaskState, frozenset[TaskState]] = _targets(T, TASK_TRANSITIONS)
RUN_TARGETS: Mapping[RunState, frozenset[RunState]] = _targets(R, RUN_TRANSITIONS)


def refusal(kind: str, name: str, source: StrEnum, target: StrEnum, targets: Iterable[StrEnum]) -> IllegalTransition:
    """The error for a move that is not in the table; it names the row, the move and what would be legal."""
    legal = ", ".join(sorted(targets)) or "nothing"
    return IllegalTransition(
        f"{kind} {name} cannot move from {source} to {target}; from {source} it can go to: {legal}"
    )


def render_markdown() -> str:
    """Both tables as Markdown, for the documentation."""
    return "\n".join(
        (
            "### Task instance",
            "",
            *_lines(TASK_RULES),
            "",
            "### Run",
            "",
            *_lines(RUN_RULES),
            "",
        )
    )


def _lines(rules: Iterable[Rule[S]]) -> Iterable[str]:
    yield "| From | To | Trigger | By |"
    yield "|---|---|---|---|"
    for rule in rules:
        yield f"| {_names(rule.sources)} | {_names(rule.targets)} | {rule.trigger} | {rule.by} |"


def _names(states: Iterable[StrEnum]) -> str:
    return ", ".join(f"`{state}`" for state in states)

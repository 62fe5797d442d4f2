"""From a row in memory to the tuple that a hot statement binds.

Enumerations are bound by `_value_`: SQLite's module is slow on subclasses of str.
"""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from typing import Any, TypeAlias

from engine.lifecycle.changes import Episode
from engine.model.rows import Attempt, Run, TaskInstance
from engine.model.states import AttemptState, TaskState
from engine.store.batch import CallbackRow, CommandRow, ResultRow

Row: TypeAlias = tuple[Any, ...]
FIRST_CHAIN = "0" * 64
"""What stands before the first row of the audit."""


def new_run(run: Run) -> Row:
    """All columns of `run`."""
    return (
        run.id,
        run.run_id,
        run.dag_id,
        run.version_id,
        run.run_type._value_,
        run.state._value_,
        run.reason._value_,
        run.logical_date,
        run.interval_start,
        run.interval_end,
        run.run_after,
        run.created_at,
        run.started_at,
        run.ended_at,
        run.episode,
        json.dumps(run.params),
        clean(run.note),
        clean(run.created_by),
        int(run.inferred),
        run.changed_seq,
        run.backfill,
        run.priority,
    )


def moved_run(run: Run, guard: str) -> Row:
    """Columns of `run.update`; `guard` is the state that the store must still have."""
    return (
        run.version_id,
        run.state._value_,
        run.reason._value_,
        run.started_at,
        run.ended_at,
        run.episode,
        clean(run.note),
        run.changed_seq,
        run.backfill,
        run.priority,
        run.id,
        guard,
    )


def task(ti: TaskInstance, duration: int | None) -> Row:
    """Columns of a task instance from `state` to `changed_seq`; `duration` counts for a success alone."""
    return (
        ti.state._value_,
        ti.reason._value_ if ti.reason is not None else None,
        ti.attempt,
        ti.epoch_start,
        ti.lost_count,
        ti.spared,
        ti.requeues,
        ti.current.id if ti.current is not None else None,
        ti.then._value_ if ti.then is not None else None,
        ti.then_reason._value_ if ti.then_reason is not None else None,
        ti.retry_at,
        ti.scheduled_at,
        ti.started_at,
        ti.ended_at,
        duration if ti.state is TaskState.SUCCESS else None,
        _blockers(ti.blockers) if ti.blockers else None,
        clean(ti.last_error),
        ti.retries,
        ti.failed_keys,
        json.dumps(ti.decision) if ti.decision is not None else None,
        int(ti.forced),
        ti.changed_seq,
    )


def attempt(a: Attempt) -> Row:
    """Columns of an attempt from `state` to its id."""
    return (
        a.state._value_,
        a.queued_at,
        a.started_at,
        a.ended_at,
        a.outcome._value_ if a.outcome is not None else None,
        a.failure_class._value_ if a.failure_class is not None else None,
        a.reason._value_ if a.reason is not None else None,
        a.exit_code,
        a.signal,
        clean(a.error),
        a.pid,
        a.pid_started,
        a.boot_id,
        a.duration,
        a.cpu_seconds,
        a.peak_bytes,
        a.version_id,
        clean(a.late_result),
        int(a.counts),
        a.id,
    )


def episode(episode: Episode) -> Row:
    """All columns of `run_episode`."""
    return (
        episode.run,
        episode.number,
        episode.version_id,
        episode.reason._value_,
        clean(episode.opened_by),
        episode.started_at,
        episode.ended_at,
        episode.outcome._value_ if episode.outcome is not None else None,
    )


def duration_of(attempt: Attempt) -> int | None:
    """By the monotonic clock, else the difference of the wall clock's moments, which may have been set in between."""
    if attempt.state is not AttemptState.ENDED:
        return None
    if attempt.duration is not None:
        return attempt.duration
    if attempt.started_at is None or attempt.ended_at is None:
        return None
    return max(0, attempt.ended_at - attempt.started_at)


def callback(row: CallbackRow) -> Row:
    """All columns of `callback`."""
    return (
        row.id,
        row.run,
        row.task_instance,
        row.attempt,
        row.name,
        row.state,
        row.created_at,
        row.started_at,
        row.ended_at,
        row.outcome,
        row.exit_code,
        clean(row.error),
        row.pid,
        row.pid_started,
        row.boot_id,
    )


def result(row: ResultRow) -> Row:
    """All columns of `task_result`."""
    return (row.task_instance, row.attempt, row.value, int(row.value is None), row.bytes, row.at)


def command(row: CommandRow, number: int, applied_seq: int, before: str) -> Row:
    """The audit's row; its last column binds it to the row before."""
    values = (
        number,
        row.id,
        row.verb,
        json.dumps(row.args),
        None if row.selector is None else json.dumps(row.selector),
        row.seen_seq,
        row.uid,
        row.login_uid,
        clean(row.user),
        json.dumps(row.claimed),
        row.client,
        row.received_at,
        applied_seq,
        row.outcome,
        clean(row.message),
        json.dumps(row.result),
        clean(row.note),
    )
    return (*values, next_chain(before, values))


def next_chain(before: str, values: Row) -> str:
    """SHA-256 over the chain of the audit row before and this row's values: an edit breaks every later one."""
    text = json.dumps([before, *values], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@lru_cache(maxsize=1024)
def _blockers(blockers: tuple[str, ...]) -> str:
    return json.dumps([str(code) for code in blockers])


def plain(text: str | None) -> str | None:
    """Text without its enumeration."""
    return text if text is None or type(text) is str else str(text)


def clean(value: Any) -> Any:
    """Text that SQLite can hold: a lone surrogate (a byte that was not UTF-8) is written as its escape."""
    if type(value) is not str or value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "backslashreplace").decode()
    return value

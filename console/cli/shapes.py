"""The stable keys of `--json`: what scripts may rely on. Moments are ISO 8601 UTC, durations seconds."""

from __future__ import annotations

from typing import Any

from console.cli.reading import (
    AttemptLine,
    CommandLine,
    DagLine,
    InstanceLine,
    RunDetail,
    RunLine,
    SessionLine,
    VersionDetail,
    VersionLine,
    iso,
    seconds,
)
from console.figures import took as words_of
from engine.model.moments import Micros


def run_json(run: RunLine | RunDetail) -> dict[str, Any]:
    """A run as it stands in a list."""
    return {
        "dag_id": run.dag_id,
        "run_id": run.run_id,
        "run_type": run.run_type,
        "state": run.state,
        "reason": run.reason,
        "logical_date": iso(run.logical_date),
        "run_after": iso(run.run_after),
        "started_at": iso(run.started_at),
        "ended_at": iso(run.ended_at),
        "duration": seconds(span(run.started_at, run.ended_at)),
        "duration_total": seconds(run_took(run)),
        "episode": run.episode,
        "created_by": run.created_by,
    }


def run_detail_json(run: RunDetail) -> dict[str, Any]:
    """A run, whole."""
    return {
        **run_json(run),
        "interval_start": iso(run.interval_start),
        "interval_end": iso(run.interval_end),
        "created_at": iso(run.created_at),
        "params": run.params,
        "note": run.note,
    }


def task_json(task: InstanceLine, run: RunDetail) -> dict[str, Any]:
    """A task instance of a run."""
    return {
        "dag_id": task.dag_id,
        "run_id": run.run_id,
        "task_id": task.task_id,
        "map_index": task.map_index,
        "state": task.state,
        "reason": task.reason,
        "attempt": task.attempt,
        "logical_date": iso(run.logical_date),
        "scheduled_at": iso(task.scheduled_at),
        "started_at": iso(task.started_at),
        "ended_at": iso(task.ended_at),
        "duration": seconds(took(task)),
        "retry_at": iso(task.retry_at),
        "blockers": list(task.blockers),
        "error": task.last_error,
    }


def attempt_json(attempt: AttemptLine, task: InstanceLine, run: RunDetail) -> dict[str, Any]:
    """One attempt of a task instance."""
    return {
        "dag_id": task.dag_id,
        "run_id": run.run_id,
        "task_id": task.task_id,
        "map_index": task.map_index,
        "attempt": attempt.number,
        "attempt_id": attempt.id,
        "state": attempt.state,
        "outcome": attempt.outcome,
        "failure_class": attempt.failure_class,
        "reason": attempt.reason,
        "exit_code": attempt.exit_code,
        "signal": attempt.signal,
        "error": attempt.error,
        "queued_at": iso(attempt.queued_at),
        "started_at": iso(attempt.started_at),
        "ended_at": iso(attempt.ended_at),
        "duration": seconds(attempt.took),
        "cpu_seconds": attempt.cpu_seconds,
        "peak_bytes": attempt.peak_bytes,
        "late_result": attempt.late_result,
    }


def dag_json(dag: DagLine) -> dict[str, Any]:
    """A DAG, without its tasks."""
    return {
        "dag_id": dag.dag_id,
        "file": dag.file,
        "state": dag_state(dag),
        "schedule": dag.schedule,
        "timezone": dag.timezone,
        "next_logical_date": iso(dag.next_start),
        "next_run_after": iso(dag.next_run_after),
        "paused_at": iso(dag.paused_at),
        "paused_by": dag.paused_by,
        "broken_since": iso(dag.broken_since),
        "owner": dag.owner,
        "tags": list(dag.tags),
    }


def version_json(version: VersionLine | VersionDetail) -> dict[str, Any]:
    """A version of a DAG, and the commit it was loaded from where `dags/` is a checkout."""
    return {
        "version": version.number,
        "loaded_at": iso(version.created_at),
        "bundle": version.bundle,
        "commit": version.commit_id,
        "author": version.commit_author,
        "committed_at": iso(version.committed_at),
        "dirty": None if version.dirty is None else bool(version.dirty),
    }


def command_json(command: CommandLine) -> dict[str, Any]:
    """One line of the audit."""
    return {
        "number": command.number,
        "command_id": command.id,
        "verb": command.verb,
        "args": command.args,
        "selector": command.selector,
        "user": command.user,
        "uid": command.uid,
        "login_uid": command.login_uid,
        "claimed": {name: value for name, value in command.claimed.items() if name not in ("host", "terminal")},
        "host": command.claimed.get("host"),
        "terminal": command.claimed.get("terminal"),
        "client": command.client,
        "received_at": iso(command.received_at),
        "outcome": command.outcome,
        "message": command.message,
        "note": command.note,
        "seq": command.applied_seq,
    }


def session_json(session: SessionLine) -> dict[str, Any]:
    """One life of the engine."""
    return {
        "started_at": iso(session.started_at),
        "last_seen_at": iso(session.last_seen_at),
        "ended_at": iso(session.ended_at),
        "reason": session.reason,
        "pid": session.pid,
        "version": session.version,
    }


def dag_state(dag: DagLine) -> str:
    """One word for a DAG: inactive, broken, paused or active, whichever comes first."""
    if dag.state != "active":
        return dag.state
    if dag.broken_since is not None:
        return "broken"
    return "paused" if dag.paused_at is not None else "active"


def took(task: InstanceLine) -> Micros | None:
    """How long a task instance's newest attempt took, where it has ended."""
    if task.ended_at is None and task.state != "up_for_retry":
        return None
    return task.took if task.took is not None else span(task.started_at, task.ended_at)


def run_took(run: RunLine | RunDetail, now: Micros | None = None) -> Micros | None:
    """How long a run ran in all its episodes; while it runs up to `now`, where that is given."""
    present = span(run.started_at, run.ended_at if run.ended_at is not None else now)
    return None if present is None else run.earlier + present


def took_words(run: RunLine | RunDetail, now: Micros | None = None) -> str | None:
    """How long a run ran, in words: `20.4s in 2 episodes` where the start that is known is that of the last one."""
    total = run_took(run, now)
    if total is None:
        return None
    return words_of(total) + (f" in {run.episode} episodes" if run.episode > 1 else "")


def span(start: Micros | None, end: Micros | None) -> Micros | None:
    """From a start to an end, where both are known."""
    return None if start is None or end is None else max(0, end - start)

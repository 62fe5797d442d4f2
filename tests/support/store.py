"""A store of a few rows, made by hand: for tests that look at the store itself rather than at runs."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from engine.lifecycle.changes import Changes
from engine.model.moments import SECOND, Micros
from engine.model.rows import Attempt, Run, TaskInstance, Transition
from engine.model.states import AttemptState, Outcome, Reason, RunState, RunType, TaskState
from engine.store.batch import Batch, CommandRow
from engine.store.connection import connect_reader, connect_writer
from engine.store.migrations import open_store
from engine.store.writer import Writer

T0: Micros = 1_700_000_000 * SECOND


@asynccontextmanager
async def a_writer(path: Path, **options: Any) -> AsyncIterator[Writer]:
    """A writer on the store at `path`, made or upgraded first, closed at the end."""
    open_store(path)
    writer = Writer(path, clock=lambda: T0, **options)
    await writer.open()
    try:
        yield writer
    finally:
        await writer.close()


def definition(dag_id: str = "etl", version: int = 1) -> Batch:
    """A DAG with its first version."""
    batch = Batch(transitions=[Transition("dag", T0, dag_id=dag_id, to_state="active")])
    batch.add(
        "dag.put", dag_id=dag_id, file=f"{dag_id}.py", state="active", current_version=version, broken_since=None,
        at=T0, schedule="@daily", timezone="UTC", owner="data", tags="[]",
    )  # fmt: skip
    batch.add(
        "dag_version.add", id=version, dag_id=dag_id, number=1, bundle="b" * 64, spec_hash="c" * 64, spec="{}", at=T0
    )
    return batch


def a_run(key: int = 1, dag_id: str = "etl", logical: Micros = T0, **more: Any) -> Run:
    """A queued run's row."""
    run_type = more.pop("run_type", RunType.MANUAL)
    return Run(
        key, f"{dag_id}@{key}", dag_id, 1, run_type, RunState.QUEUED, logical, logical, logical, logical, T0, **more
    )


def creation(run: Run, tasks: Iterable[TaskInstance] = ()) -> Batch:
    """The batch that makes a run with its task instances."""
    changes = Changes(transitions=[Transition("run", T0, run.dag_id, run.id, to_state=run.state)])
    changes.insert_run(run)
    for ti in tasks:
        changes.insert_task(ti)
    return Batch(changes)


def instances(count: int, run: int = 1, first: int = 1) -> list[TaskInstance]:
    """New task instances `t1`, `t2`, …"""
    return [TaskInstance(key, run, f"t{key}") for key in range(first, first + count)]


def move(*tasks: TaskInstance, to: TaskState, reason: Reason | None = None, at: Micros = T0) -> Batch:
    """The batch that moves task instances to a state."""
    changes = Changes()
    for ti in tasks:
        changes.touch_task(ti)
        changes.transitions.append(
            Transition("task", at, "etl", ti.run, ti.id, from_state=ti.state, to_state=to, reason=reason)
        )
        ti.state, ti.reason = to, reason
    return Batch(changes)


def steps(ti: TaskInstance, attempt_id: str) -> Iterator[Batch]:
    """A task instance's way through one successful attempt, commit by commit."""
    yield move(ti, to=TaskState.SCHEDULED, reason=Reason.UPSTREAM)
    granted = move(ti, to=TaskState.QUEUED, reason=Reason.ADMITTED)
    assert granted.changes is not None
    ti.attempt += 1
    ti.current = Attempt(attempt_id, ti.id, ti.attempt, queued_at=T0)
    granted.changes.insert_attempt(ti.current)
    yield granted
    claimed = move(ti, to=TaskState.RUNNING, reason=Reason.CLAIMED)
    assert claimed.changes is not None
    ti.current.state, ti.current.started_at, ti.started_at = AttemptState.RUNNING, T0, T0
    claimed.changes.touch_attempt(ti.current)
    yield claimed
    ended = move(ti, to=TaskState.SUCCESS, reason=Reason.EXIT)
    assert ended.changes is not None
    attempt, ti.current = ti.current, None
    attempt.state, attempt.outcome, attempt.exit_code = AttemptState.ENDED, Outcome.SUCCESS, 0
    attempt.ended_at, attempt.duration, ti.ended_at = T0 + SECOND, SECOND, T0 + SECOND
    ended.changes.touch_attempt(attempt)
    yield ended


_numbers = itertools.count(1)


def a_command(**more: Any) -> CommandRow:
    """A command's audit row."""
    known: dict[str, Any] = {
        "id": f"{next(_numbers):032x}", "verb": "clear", "uid": 1000, "user": "ops1", "client": "console",
        "received_at": T0, "outcome": "done", "message": "cleared 1 task instance",
    }  # fmt: skip
    return CommandRow(**{**known, **more})


def look(path: Path, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """What a stranger's read-only connection sees."""
    connection = connect_reader(path)
    try:
        return connection.execute(statement, values).fetchall()
    finally:
        connection.close()


def tamper(path: Path, *statements: str) -> None:
    """Writes to a store behind the engine's back, without constraints on what may be written."""
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA foreign_keys = OFF")
        for statement in statements:
            connection.execute(statement)
    finally:
        connection.close()


class FaultyConnection(sqlite3.Connection):
    """A connection on which chosen statements fail as they do on a bad disk. `faults` maps the statement's first word
    to SQLite's name of the error; it belongs to the class that `faulty` makes.
    """

    faults: dict[str, str]

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        """Fails if a fault is set for the statement."""
        name = self.faults.get(sql.split()[0])
        if name is not None:
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorname = name
            raise error
        return super().execute(sql, *values)


def faulty() -> tuple[dict[str, str], Callable[[Path], sqlite3.Connection]]:
    """A dictionary of faults to be set and lifted at will, and a `connect` for a writer that suffers from them."""
    faults: dict[str, str] = {}
    kind = type("Faulty", (FaultyConnection,), {"faults": faults})

    def connect(path: Path) -> sqlite3.Connection:
        return connect_writer(path, kind)

    return faults, connect


async def until(done: Callable[[], bool], seconds: float = 40.0) -> None:
    """Waits for a condition. Raises TimeoutError when it does not come true."""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError("the condition did not come true")
        await asyncio.sleep(0.005)

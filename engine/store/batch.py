"""What goes into one commit: changes of runs, and the other rows that move with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from engine.lifecycle.changes import Changes
from engine.model.dag import Json
from engine.model.moments import Micros
from engine.model.rows import Transition
from engine.store.sql import parameters, statements

Value: TypeAlias = str | int | float | None
_STEPS = {"trash.take": {"run", "at", "who", "note"}, "trash.put_back": {"run"}}
"""What is more than one statement (see `engine.store.trash`), with its parameters."""


@dataclass(slots=True)
class CommandRow:
    """One line of the audit: who asked for what, and what became of it. Written once, never changed."""

    id: str
    """Made by the client; a second row of the same id is refused by the store."""
    verb: str
    uid: int
    """As the kernel attests it."""
    user: str
    client: Literal["console", "cli"]
    received_at: Micros
    outcome: Literal["done", "refused"]
    message: str
    args: dict[str, Json] = field(default_factory=dict)
    selector: Json = None
    seen_seq: int | None = None
    """The last commit that the operator had seen."""
    login_uid: int | None = None
    claimed: dict[str, str] = field(default_factory=dict)
    """What the client only says of its operator."""
    result: dict[str, Json] = field(default_factory=dict)
    """What it made, and what undoing it needs."""
    note: str | None = None


@dataclass(slots=True)
class ResultRow:
    """The result of an attempt: its JSON text, or None when the attempt's directory holds it as a file."""

    task_instance: int
    attempt: str
    value: str | None
    bytes: int
    at: Micros


@dataclass(slots=True)
class CallbackRow:
    """A callback that is to run, runs or has run, as a short attempt of its own. `id` is a ULID."""

    id: str
    run: int
    name: str
    """`on_success`, `on_failure` or `on_retry`."""
    state: Literal["queued", "running", "ended"]
    created_at: Micros
    task_instance: int | None = None
    """None for the DAG's own callbacks."""
    attempt: str | None = None
    """The attempt it reports."""
    started_at: Micros | None = None
    ended_at: Micros | None = None
    outcome: str | None = None
    exit_code: int | None = None
    error: str | None = None
    """The error it reports; once it failed itself, its own."""
    pid: int | None = None
    pid_started: int | None = None
    boot_id: str | None = None


@dataclass(slots=True)
class Batch:
    """One all-or-nothing step. Everything in it becomes true in the same transaction, and not before.

    Rows of definitions (`add`) are written before the changes, so a new DAG version may come with its first run.
    """

    changes: Changes | None = None
    transitions: list[Transition] = field(default_factory=list)
    """Entries of the feed beside those of `changes`: for DAGs, pools, holds, imports, the engine."""
    rows: list[tuple[str, Mapping[str, Value]]] = field(default_factory=list)
    results: list[ResultRow] = field(default_factory=list)
    callbacks: list[CallbackRow] = field(default_factory=list)
    command: CommandRow | None = None

    def add(self, statement: str, **values: Value) -> None:
        """Adds a named statement of sql/write_rows.sql. Raises ValueError unless all its parameters are given."""
        text = statements("write_rows").get(statement)
        if text is None and statement not in _STEPS:
            raise ValueError(f"there is no statement {statement!r} in sql/write_rows.sql")
        wanted = _STEPS[statement] if text is None else parameters(text)
        if wanted != values.keys():
            raise ValueError(f"{statement} needs {sorted(wanted)}, was given {sorted(values)}")
        self.rows.append((statement, values))

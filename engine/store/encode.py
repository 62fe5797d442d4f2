"""From a batch to rows of the hot statements, numbered. Runs where the rows are alive (on the engine's loop), because
what memory holds goes on changing while the writer works.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from engine.lifecycle.changes import Changes
from engine.model.moments import Micros
from engine.model.rows import Transition
from engine.model.states import Outcome
from engine.store import tuples
from engine.store.batch import Batch, Value
from engine.store.tuples import Row

HOT = (
    "run.insert",
    "task.insert",
    "attempt.insert",
    "run.update",
    "task.update",
    "attempt.update",
    "episode.put",
    "callback.put",
    "result.put",
    "command.insert",
    "event.insert",
)
"""The hot statements in the order in which a transaction executes them."""
GUARDED = {"run.update": "run", "task.update": "task instance", "attempt.update": "attempt"}
"""Statements whose every row has to hit exactly one row of the store."""
(RUN_INSERT, TASK_INSERT, ATTEMPT_INSERT, RUN_UPDATE, TASK_UPDATE, ATTEMPT_UPDATE) = range(6)
(EPISODE, CALLBACK, RESULT, COMMAND, EVENT) = range(6, 11)

SILENT = frozenset({"engine.seen", "meta.put", "event.prune", "command.prune_mark", "command.prune", "trash.prune"})
"""Statements that change nothing a console shows, and so need no event."""


@dataclass(slots=True)
class Head:
    """The numbers given last: of the feed and of the audit, with the audit's chain."""

    seq: int = 0
    command: int = 0
    chain: str = tuples.FIRST_CHAIN


@dataclass(slots=True)
class Encoded:
    """A batch as rows: one list per hot statement, and the named rows that come before them."""

    seq: int = 0
    """The last event at the batch's end."""
    hot: list[list[Row]] = field(default_factory=lambda: [[] for _ in HOT])
    rows: list[tuple[str, Mapping[str, Value]]] = field(default_factory=list)

    @property
    def weight(self) -> int:
        """How many rows it writes."""
        return len(self.rows) + sum(map(len, self.hot))


def encode(batch: Batch, head: Head, now: Micros) -> Encoded:
    """Numbers the batch's events (and its command), moves `head` on, sets `changed_seq` on the rows in memory.

    `now` dates the events that are added for rows which moved without a transition of their own: no transaction
    that changes something a console shows goes without an event.
    """
    out = Encoded()
    feed = _Feed(out.hot[EVENT], head.seq, now)
    changes = batch.changes
    if changes is not None:
        for transition in changes.transitions:
            feed.add(transition)
    for transition in batch.transitions:
        feed.add(transition)
    if changes is not None:
        _encode_changes(changes, out.hot, feed)
    out.hot[CALLBACK].extend(map(tuples.callback, batch.callbacks))
    out.hot[RESULT].extend(map(tuples.result, batch.results))
    out.rows = [(name, {key: tuples.clean(value) for key, value in values.items()}) for name, values in batch.rows]
    if batch.command is not None:
        feed.note("command", command=batch.command.id, to_state=batch.command.outcome, detail=batch.command.verb)
    elif feed.seq == head.seq:
        _announce(batch, feed)
    out.seq = feed.seq
    if batch.command is not None:
        row = tuples.command(batch.command, head.command + 1, out.seq, head.chain)
        out.hot[COMMAND].append(row)
        head.command += 1
        head.chain = row[-1]
    head.seq = out.seq
    return out


class _Feed:
    """Numbers transitions and remembers the last event of every row."""

    __slots__ = ("attempts", "now", "rows", "runs", "seq", "tasks")

    def __init__(self, rows: list[Row], seq: int, now: Micros) -> None:
        self.rows = rows
        self.seq = seq
        self.now = now
        self.runs: dict[int, int] = {}
        self.tasks: dict[int, int] = {}
        self.attempts: set[str] = set()

    def add(self, t: Transition) -> None:
        self.seq = seq = self.seq + 1
        if t.task_instance is not None:
            self.tasks[t.task_instance] = seq
        elif t.run is not None:
            self.runs[t.run] = seq
        if t.attempt is not None:
            self.attempts.add(t.attempt)
        self.rows.append(
            (
                seq,
                t.at,
                t.kind,
                t.dag_id,
                t.run,
                t.task_instance,
                t.attempt,
                tuples.plain(t.from_state),
                tuples.plain(t.to_state),
                tuples.plain(t.reason),
                t.command,
                tuples.clean(t.detail),
            )
        )

    def note(self, kind: str, **values: Any) -> int:
        """An event for a row that moved without a transition."""
        self.add(Transition(kind=kind, at=self.now, **values))
        return self.seq


def _encode_changes(changes: Changes, hot: list[list[Row]], feed: _Feed) -> None:
    dag_ids: dict[int, str] = {}
    new_runs: set[int] = set()
    for run in changes.new_runs:
        new_runs.add(run.id)
        dag_ids[run.id] = run.dag_id
        run.changed_seq = feed.runs.get(run.id) or feed.note(
            "run", dag_id=run.dag_id, run=run.id, to_state=run.state, reason=run.reason
        )
        hot[RUN_INSERT].append(tuples.new_run(run))
    for run, guard in changes.runs.values():
        dag_ids[run.id] = run.dag_id
        if run.id in new_runs:
            continue
        run.changed_seq = feed.runs.get(run.id) or feed.note(
            "run", dag_id=run.dag_id, run=run.id, from_state=run.state, to_state=run.state, reason=run.reason
        )
        hot[RUN_UPDATE].append(tuples.moved_run(run, guard._value_))
    _encode_tasks(changes, hot, feed, dag_ids)
    _encode_attempts(changes, hot, feed)
    hot[EPISODE].extend(map(tuples.episode, changes.episodes))


def _encode_tasks(changes: Changes, hot: list[list[Row]], feed: _Feed, dag_ids: Mapping[int, str]) -> None:
    durations = {
        attempt.task_instance: tuples.duration_of(attempt)
        for attempt in chain(changes.attempts.values(), changes.new_attempts)
        if attempt.outcome is Outcome.SUCCESS
    }
    new_tasks: set[int] = set()
    for ti in changes.new_tasks:
        new_tasks.add(ti.id)
        ti.changed_seq = (
            feed.tasks.get(ti.id)
            or feed.runs.get(ti.run)
            or feed.note("task", run=ti.run, task_instance=ti.id, to_state=ti.state)
        )
        hot[TASK_INSERT].append(
            (ti.id, ti.run, dag_ids.get(ti.run), ti.task_id, ti.map_index, *tuples.task(ti, durations.get(ti.id)))
        )
    for ti, guard in changes.tasks.values():
        if ti.id in new_tasks:
            continue
        ti.changed_seq = feed.tasks.get(ti.id) or feed.note(
            "task",
            dag_id=dag_ids.get(ti.run),
            run=ti.run,
            task_instance=ti.id,
            from_state=guard,
            to_state=ti.state,
            reason=ti.reason,
            detail=" ".join(ti.blockers) or None,
        )
        hot[TASK_UPDATE].append((*tuples.task(ti, durations.get(ti.id)), ti.id, guard._value_))


def _encode_attempts(changes: Changes, hot: list[list[Row]], feed: _Feed) -> None:
    new_attempts: set[str] = set()
    for attempt in changes.new_attempts:
        new_attempts.add(attempt.id)
        hot[ATTEMPT_INSERT].append((attempt.task_instance, attempt.number, *tuples.attempt(attempt)))
    for attempt in changes.attempts.values():
        if attempt.id in new_attempts:
            continue
        if attempt.task_instance not in feed.tasks and attempt.id not in feed.attempts:
            feed.note("attempt", task_instance=attempt.task_instance, attempt=attempt.id, to_state=attempt.state)
        hot[ATTEMPT_UPDATE].append(tuples.attempt(attempt))


def _announce(batch: Batch, feed: _Feed) -> None:
    """An event for a batch that has none: results and callbacks name their rows, definitions their kind."""
    for callback in batch.callbacks:
        feed.note("callback", run=callback.run, task_instance=callback.task_instance, to_state=callback.state)
    for name, values in batch.rows:
        if name not in SILENT:
            dag_id = values.get("dag_id")
            feed.note(name.partition(".")[0], dag_id=dag_id if isinstance(dag_id, str) else None, detail=name)

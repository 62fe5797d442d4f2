"""What one handling step did, coalesced per row, for the store to commit and for the scheduler to act on.

Rows are the live ones of the run's memory: whoever hands them to another thread takes their values first.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, field

from engine.model.moments import Micros
from engine.model.rows import Attempt, Run, TaskInstance, Transition
from engine.model.states import Reason, RunState, TaskState


@dataclass(slots=True)
class Episode:
    """One stretch of a run from its start (or reopening) to its end. Kept: reopening a run loses no history."""

    run: int
    number: int
    version_id: int
    started_at: Micros | None = None
    """None while the run is queued."""
    ended_at: Micros | None = None
    outcome: RunState | None = None
    opened_by: str | None = None
    """Who created or reopened the run; known only to the step that did (the store writes it at insertion alone)."""
    reason: Reason = Reason.CREATED


@dataclass(frozen=True, slots=True)
class CallbackOrder:
    """A callback that the spec declares and that is now due. `task_id` is None for a callback of the DAG itself."""

    run: int
    name: str
    """`on_success`, `on_failure` or `on_retry`."""
    task_instance: int | None = None
    task_id: str | None = None
    attempt_id: str | None = None
    """The attempt that it reports."""
    error: str | None = None
    id: str = ""
    """Of the callback's own attempt; given by the scheduler."""


@dataclass(slots=True)
class Former:
    """Rows as they were before one command moved them: what undoing it needs."""

    tasks: dict[int, TaskInstance] = field(default_factory=dict)
    runs: dict[int, Run] = field(default_factory=dict)


@dataclass(slots=True)
class Changes:
    """Rows to insert, rows to update (each with the state it must still have in the store), and the feed's entries."""

    new_runs: list[Run] = field(default_factory=list)
    new_tasks: list[TaskInstance] = field(default_factory=list)
    new_attempts: list[Attempt] = field(default_factory=list)
    runs: dict[int, tuple[Run, RunState]] = field(default_factory=dict)
    tasks: dict[int, tuple[TaskInstance, TaskState]] = field(default_factory=dict)
    attempts: dict[str, Attempt] = field(default_factory=dict)
    episodes: list[Episode] = field(default_factory=list)
    """Opened, started or closed; to be inserted or updated by (run, number)."""
    transitions: list[Transition] = field(default_factory=list)
    """Every move in order, also the intermediate ones. Equal states mean a note about a row that stayed."""
    callbacks: list[CallbackOrder] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    """Events that came too late or do not fit, in words, for the engine's log."""
    former: Former | None = None
    """While a command is carried out: takes the rows as they were before it."""
    _new_runs: set[int] = field(default_factory=set)
    _inserted: set[int | str] = field(default_factory=set)
    """Task instances and attempts."""

    def __bool__(self) -> bool:
        return bool(self.transitions or self.new_runs or self.tasks or self.runs or self.attempts)

    def insert_run(self, run: Run) -> None:
        """A new run; later touches in the same step need no update."""
        self.new_runs.append(run)
        self._new_runs.add(run.id)

    def insert_task(self, ti: TaskInstance) -> None:
        """A new task instance."""
        self.new_tasks.append(ti)
        self._inserted.add(ti.id)

    def insert_attempt(self, attempt: Attempt) -> None:
        """A new attempt."""
        self.new_attempts.append(attempt)
        self._inserted.add(attempt.id)

    def is_new(self, run: Run) -> bool:
        """Whether the run was made in this very step."""
        return run.id in self._new_runs

    def touch_run(self, run: Run) -> None:
        """Call before changing the row: notes the state that the store must still have."""
        if self.former is not None and run.id not in self.former.runs and run.id not in self._new_runs:
            self.former.runs[run.id] = copy(run)
        if run.id not in self.runs and run.id not in self._new_runs:
            self.runs[run.id] = (run, run.state)

    def touch_task(self, ti: TaskInstance) -> None:
        """Call before changing the row: notes the state that the store must still have."""
        if self.former is not None and ti.id not in self.former.tasks and ti.id not in self._inserted:
            before = self.former.tasks[ti.id] = copy(ti)
            before.current = None
        if ti.id not in self.tasks and ti.id not in self._inserted:
            self.tasks[ti.id] = (ti, ti.state)

    def touch_attempt(self, attempt: Attempt) -> None:
        """Notes that the attempt's row changes."""
        if attempt.id not in self._inserted:
            self.attempts[attempt.id] = attempt

    def touch_episode(self, episode: Episode) -> None:
        """Notes that the episode's row changes."""
        if not any(known is episode for known in self.episodes):
            self.episodes.append(episode)

    def merge(self, later: Changes) -> None:
        """Adds the changes of a later step, which may touch the same rows."""
        self.new_runs += later.new_runs
        self.new_tasks += later.new_tasks
        self.new_attempts += later.new_attempts
        for run_key, run in later.runs.items():
            if run_key not in self._new_runs:
                self.runs.setdefault(run_key, run)
        for task_key, task in later.tasks.items():
            if task_key not in self._inserted:
                self.tasks.setdefault(task_key, task)
        self.attempts.update((key, row) for key, row in later.attempts.items() if key not in self._inserted)
        self._new_runs |= later._new_runs
        self._inserted |= later._inserted
        self._merge_lists(later)

    def _merge_lists(self, later: Changes) -> None:
        _extend(self.episodes, later.episodes)
        self.transitions += later.transitions
        self.callbacks += later.callbacks
        self.ignored += later.ignored


def _extend(episodes: list[Episode], later: Iterable[Episode]) -> None:
    known = {id(episode) for episode in episodes}
    episodes.extend(episode for episode in later if id(episode) not in known)

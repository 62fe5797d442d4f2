"""Builders for DAGs, and a world that drives one run the way the engine does: apply, check, commit, restore."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any

from engine.lifecycle.changes import Changes, Episode
from engine.lifecycle.core import apply
from engine.lifecycle.events import Claimed, Ended, Event, Granted, Start
from engine.lifecycle.memory import RunMemory, new_run, restore
from engine.lifecycle.plan import DagPlan, compile_plan
from engine.lifecycle.table import RUN_TRANSITIONS, TASK_TRANSITIONS
from engine.lifecycle.validate import problems
from engine.model.attempt_files import AttemptStatus
from engine.model.dag import DagSpec, MapSource, RetryPolicy, TaskSpec
from engine.model.moments import SECOND, Micros
from engine.model.rows import Attempt, Run, TaskInstance
from engine.model.states import AttemptState, RunState, RunType, TaskState

T0: Micros = 1_700_000_000 * SECOND

OK = AttemptStatus(0, "child", outcome="success")
ERROR = AttemptStatus(1, "child", outcome="failed", error="ValueError: no")
SKIP = AttemptStatus(0, "child", outcome="skipped")
PERMANENT = AttemptStatus(1, "child", outcome="failed", failure_class="permanent", error="PermanentError: no")
EXIT_3 = AttemptStatus(3, "shim")
SIGTERM = AttemptStatus(143, "shim", signal=15)


def task(task_id: str, *upstream: str, retries: int = 0, delay: float = 60.0, **more: Any) -> TaskSpec:
    """A Python task below `upstream`."""
    retry = more.pop("retry", RetryPolicy(retries=retries, delay=delay))
    return TaskSpec(task_id, "python", upstream=list(upstream), retry=retry, **more)


def dag(*tasks: TaskSpec, **more: Any) -> DagSpec:
    """A DAG of these tasks."""
    return DagSpec("etl", "etl.py", list(tasks), **more)


def queued_run(run_key: int = 1, version_id: int = 1, dag_id: str = "etl") -> Run:
    """A new run's row."""
    return Run(
        run_key, f"{dag_id}@{run_key}", dag_id, version_id, RunType.MANUAL, RunState.QUEUED, T0, T0, T0, T0, T0,
        created_by="ops",
    )  # fmt: skip


class Rows:
    """What the store would hold: takes changes as the store does, and refuses what the store would refuse."""

    def __init__(self) -> None:
        self.runs: dict[int, Run] = {}
        self.tasks: dict[int, TaskInstance] = {}
        self.attempts: dict[str, Attempt] = {}
        self.episodes: dict[tuple[int, int], Episode] = {}
        self.replayed: dict[tuple[str, int], str] = {}
        """State of each run and instance by the feed alone."""

    def commit(self, changes: Changes) -> None:
        """Inserts and updates, each update guarded by the state that it expects."""
        named = {t.task_instance for t in changes.transitions} | {
            ti.id for ti in changes.new_tasks if ti.run in {run.id for run in changes.new_runs}
        }
        for run in changes.new_runs:
            assert run.id not in self.runs
            self.runs[run.id] = replace(run)
        moved = {t.run for t in changes.transitions if t.kind == "run"}
        for run, guard in changes.runs.values():
            assert run.id in moved, "the run's row changed and the feed does not say so"
            assert self.runs[run.id].state is guard
            self.runs[run.id] = replace(run)
        for ti in changes.new_tasks:
            assert ti.id not in self.tasks
            assert ti.id in named
            self._put(ti)
        for ti, before in changes.tasks.values():
            assert self.tasks[ti.id].state is before
            assert ti.id in named, f"{ti.task_id} changed and the feed does not say so"
            self._put(ti)
        self._commit_attempts(changes)
        for episode in changes.episodes:
            known = self.episodes.get((episode.run, episode.number), episode)
            self.episodes[episode.run, episode.number] = replace(episode, opened_by=known.opened_by)
        self._replay(changes)

    def _put(self, ti: TaskInstance) -> None:
        self.tasks[ti.id] = replace(ti, current=None)

    def _commit_attempts(self, changes: Changes) -> None:
        for attempt in changes.new_attempts:
            numbers = [a.number for a in self.attempts.values() if a.task_instance == attempt.task_instance]
            assert attempt.id not in self.attempts
            assert attempt.number == len(numbers) + 1, "attempt numbers have a gap"
            self.attempts[attempt.id] = replace(attempt)
        for attempt in changes.attempts.values():
            assert attempt.id in self.attempts
            self.attempts[attempt.id] = replace(attempt)
        for attempt in (*changes.new_attempts, *changes.attempts.values()):
            over = attempt.state is AttemptState.ENDED
            assert (attempt.outcome is not None) == (attempt.ended_at is not None) == over

    def _replay(self, changes: Changes) -> None:
        """Every transition starts where the last one of its row ended, and is in the table."""
        for ti in changes.new_tasks:
            self.replayed["task", ti.id] = TaskState.NONE
        for t in changes.transitions:
            if t.kind == "attempt":
                continue
            row = (t.kind, t.task_instance if t.kind == "task" else t.run)
            assert row[1] is not None
            if t.from_state is None:
                self.replayed[row[0], row[1]] = str(t.to_state)
                continue
            assert self.replayed[row[0], row[1]] == t.from_state
            if t.from_state != t.to_state:
                legal: Collection[Any] = TASK_TRANSITIONS if t.kind == "task" else RUN_TRANSITIONS
                assert (t.from_state, t.to_state) in legal
            self.replayed[row[0], row[1]] = str(t.to_state)

    def instances(self, run_key: int) -> Iterator[TaskInstance]:
        """The instances of a run with their unfinished attempts, as a restart reads them."""
        unfinished: dict[int, Attempt] = {}
        for attempt in self.attempts.values():
            if attempt.state is not AttemptState.ENDED:
                assert attempt.task_instance not in unfinished, "two unfinished attempts of one instance"
                unfinished[attempt.task_instance] = attempt
        for ti in self.tasks.values():
            if ti.run == run_key:
                current = unfinished.get(ti.id)
                yield replace(ti, current=replace(current) if current else None)

    def restore(self, plan: DagPlan, run_key: int) -> RunMemory:
        """The run's memory from rows alone."""
        return restore(plan, replace(self.runs[run_key]), self.instances(run_key))


class GivenItems:
    """As many items for each mapped task as the test says, two where it says nothing."""

    def __init__(self, ids: Iterator[int], sizes: dict[str, int | str] | None = None) -> None:
        self.sizes: dict[str, int | str] = {} if sizes is None else sizes
        self.ids = ids
        self.made: list[int] = []

    def size(self, task_id: str) -> int | str:
        """What the test says."""
        return self.sizes.get(task_id, 2)

    def new_id(self) -> int:
        """The next id, which is noted."""
        self.made.append(next(self.ids))
        return self.made[-1]


def mapped(task_id: str, *upstream: str, **more: Any) -> TaskSpec:
    """A task that is mapped over the result of its first upstream, or over a list of its own."""
    ref = {"$result": upstream[0]} if upstream else None
    return task(task_id, *upstream, mapped=[MapSource("item", ref)], **more)


class World:
    """One run of a DAG with its store; every event is applied, checked, committed, and compared with the rows."""

    def __init__(self, *tasks: TaskSpec, start: bool = True, **more: Any) -> None:
        self.create(compile_plan(dag(*tasks, **more), 1), Rows(), 1, itertools.count(1))
        if start:
            self.do(Start())

    def create(self, plan: DagPlan, rows: Rows, run_key: int, ids: Iterator[int]) -> None:
        """Makes and commits the run."""
        self.plan, self.rows, self.ids = plan, rows, ids
        self.names = itertools.count(1)
        self.now = T0
        self.last = Changes()
        changes = Changes()
        self.memory = new_run(plan, queued_run(run_key), ids, changes)
        self.items = self.memory.items = GivenItems(ids)
        self.check(changes)

    @property
    def run(self) -> Run:
        return self.memory.run

    def do(self, event: Event, after: Micros = SECOND, changes: Changes | None = None) -> Changes:
        """Applies one event, a second later than the last one, and returns what it did."""
        self.now += after
        changes = changes or Changes()
        apply(self.memory, event, self.now, changes)
        self.check(changes)
        return changes

    def check(self, changes: Changes) -> None:
        """The memory is sound, the changes can be committed, and the rows then say what memory says."""
        assert problems(self.memory) == []
        self.rows.commit(changes)
        self.last = changes
        assert self.rows.runs[self.run.id] == self.run
        episode = self.rows.episodes[self.run.id, self.run.episode]
        assert replace(episode, opened_by=self.memory.episode.opened_by) == self.memory.episode
        assert {ti.id: ti for ti in self.rows.instances(self.run.id)} == self.memory.by_id
        for (kind, key), state in self.rows.replayed.items():
            assert state == (self.rows.runs[key].state if kind == "run" else self.rows.tasks[key].state)

    def ti(self, task_id: str) -> TaskInstance:
        """The instance of a task, or of an index: `task[3]`."""
        name, _, index = task_id.rstrip("]").partition("[")
        return self.memory.instances[name, int(index or -1)]

    def tis(self, *task_ids: str) -> tuple[int, ...]:
        """The ids of the instances of these tasks."""
        return tuple(self.ti(task_id).id for task_id in task_ids)

    def states(self) -> dict[str, str]:
        """State by task, and by index."""
        return {
            ti.task_id if ti.map_index < 0 else f"{ti.task_id}[{ti.map_index}]": ti.state.value
            for ti in self.memory.by_id.values()
        }

    def grant(self, task_id: str) -> str:
        """Gives the instance its slots; returns the attempt's id."""
        ti = self.ti(task_id)
        self.do(Granted(ti.id, f"A{next(self.names)}"))
        assert ti.current is not None
        return ti.current.id

    def claim(self, task_id: str) -> str:
        """Grants and lets the process claim its attempt."""
        attempt = self.grant(task_id)
        self.do(Claimed(attempt, 4711, 99, "boot", self.now))
        return attempt

    def attempt(self, task_id: str) -> Attempt:
        """The newest attempt of a task, as committed."""
        key = self.ti(task_id).id
        return max((a for a in self.rows.attempts.values() if a.task_instance == key), key=lambda a: a.number)

    def finish(self, task_id: str, status: AttemptStatus | None = OK) -> str:
        """One whole attempt, from the grant to its end; returns its id."""
        attempt = self.claim(task_id)
        self.do(Ended(attempt, status))
        return attempt

    def end(self, task_id: str, status: AttemptStatus | None = OK) -> Changes:
        """The end of the attempt that runs."""
        current = self.ti(task_id).current
        assert current is not None
        return self.do(Ended(current.id, status))

    def restart(self) -> None:
        """Drops the memory and rebuilds it from the rows."""
        self.memory = self.rows.restore(self.memory.plan, self.run.id)
        self.memory.items = self.items
        assert problems(self.memory) == []

    def use(self, *tasks: TaskSpec, version_id: int = 2, **more: Any) -> DagPlan:
        """Another version of the DAG."""
        return compile_plan(dag(*tasks, **more), version_id)

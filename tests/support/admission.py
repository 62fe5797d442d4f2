"""Runs in memory with one ledger and one admission, and grants carried out as the scheduler does it."""

from __future__ import annotations

import itertools
from typing import Any

from engine.lifecycle.changes import Changes
from engine.lifecycle.core import apply
from engine.lifecycle.events import Ended, Granted, RetryDue, Start
from engine.lifecycle.memory import RunMemory, new_run
from engine.lifecycle.plan import compile_plan
from engine.model.attempt_files import AttemptStatus
from engine.model.dag import DagSpec, TaskSpec
from engine.model.rows import Run, TaskInstance
from engine.model.states import RunState, RunType, TaskState
from engine.scheduler.admission import Admission, LimitKey
from engine.scheduler.ledger import UNLIMITED, Ledger
from engine.scheduler.waiting import limit_key
from tests.support.lifecycle import OK, T0

NAMES = itertools.count(1)


class World:
    """Runs in memory with one ledger and one admission, and grants carried out as the scheduler does it."""

    def __init__(self, slots: int, including: tuple[str, ...] = (), **pools: int) -> None:
        self.ledger = Ledger(slots, {"default": UNLIMITED, **pools}, including)
        self.runs: dict[int, RunMemory] = {}
        self.admission = Admission(self.ledger, self.runs)
        self.ids = itertools.count(1)
        self.now = T0

    def run(self, *tasks: TaskSpec, kind: RunType = RunType.SCHEDULED, date: int = 0, **spec: Any) -> RunMemory:
        """A started run whose roots are offered."""
        key = next(self.ids)
        plan = compile_plan(DagSpec(spec.pop("dag_id", "etl"), "etl.py", list(tasks), **spec), 1)
        run = Run(key, f"r{key}", plan.spec.dag_id, 1, kind, RunState.QUEUED, T0 + date, T0, T0, T0, T0)
        changes = Changes()
        memory = self.runs[key] = new_run(plan, run, self.ids, changes)
        apply(memory, Start(), self.now, changes)
        for instance in memory.scheduled.values():
            self.admission.offer(memory, instance, self.now)
        return memory

    def limit_of(self, memory: RunMemory, instance: TaskInstance) -> LimitKey | None:
        """As the scheduler asks."""
        return limit_key(memory, instance, self.ledger.limits, self.now)

    def grant(self) -> list[str]:
        """Task ids in the order in which they get their slots."""
        granted = []
        for memory, instance in self.admission.grants(self.limit_of, self.now):
            apply(memory, Granted(instance.id, f"a{next(NAMES)}"), self.now, Changes())
            self.ledger.moved(memory, instance.task_id, TaskState.SCHEDULED, TaskState.QUEUED)
            granted.append(f"{memory.run.run_id}.{instance.task_id}")
        return granted

    def give_back(self, memory: RunMemory, task_id: str) -> None:
        """The instance of a task ends."""
        assert self.ledger.moved(memory, task_id, TaskState.RUNNING, TaskState.SUCCESS)
        self.admission.freed(memory, task_id)

    def crash(self) -> None:
        """The engine is killed: ledger and admission are built anew from the rows, as recovery builds them."""
        sizes = dict(self.ledger.pools)
        self.ledger = Ledger(self.ledger.slots, sizes, self.ledger.including)
        self.admission = Admission(self.ledger, self.runs)
        for memory in self.runs.values():
            self.ledger.restore(memory)
            for instance in memory.scheduled.values():
                self.admission.offer(memory, instance, self.now)

    def running(self) -> list[tuple[RunMemory, TaskInstance]]:
        """Who holds slots."""
        return [(memory, ti) for memory in self.runs.values() for ti in memory.by_id.values() if ti.current is not None]

    def waiting(self) -> list[tuple[RunMemory, TaskInstance]]:
        """Who waits for its retry."""
        every = ((memory, ti) for memory in self.runs.values() for ti in memory.by_id.values())
        return [(memory, ti) for memory, ti in every if ti.state is TaskState.UP_FOR_RETRY]

    def retry(self, memory: RunMemory, instance: TaskInstance) -> None:
        """The wait for a retry is over."""
        apply(memory, RetryDue(instance.id), max(self.now, instance.retry_at or 0), Changes())
        self.ledger.moved(memory, instance.task_id, TaskState.UP_FOR_RETRY, TaskState.SCHEDULED)
        self.admission.offer(memory, instance, self.now, kept=memory.task(instance).pool in self.ledger.including)

    def end(self, memory: RunMemory, instance: TaskInstance, status: AttemptStatus = OK) -> None:
        """A granted instance's process ends; what follows in its run is offered."""
        assert instance.current is not None
        apply(memory, Ended(instance.current.id, status), self.now, Changes())
        assert self.ledger.moved(memory, instance.task_id, TaskState.RUNNING, instance.state)
        self.admission.freed(memory, instance.task_id)
        for ready in memory.scheduled.values():
            self.admission.offer(memory, ready, self.now)

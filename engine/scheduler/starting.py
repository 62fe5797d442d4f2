"""What starts, and when: queued runs in the run slots of their DAG, ready task instances in the slots of pools."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from engine.execution.port import Bundle
from engine.lifecycle.events import CodeGone, Granted, Start
from engine.lifecycle.gates import may_start_run
from engine.lifecycle.memory import RunMemory
from engine.model.rows import TaskInstance
from engine.model.states import TaskState
from engine.scheduler.backfills import refill_dag
from engine.scheduler.state import DagEntry
from engine.scheduler.timers import Timer
from engine.scheduler.turn import Turn

if TYPE_CHECKING:
    from engine.scheduler.core import Scheduler

OFFERS_PER_TURN = 1_000
"""Ready instances that join the waiting ones in one turn."""


class Starting:
    """Starts what may start: runs when they get run slots, task instances when they get slots of their pools."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self.ready: deque[tuple[RunMemory, TaskInstance, bool]] = deque()
        """Instances that may wait for slots from one of the next turns on; with true, they kept theirs meanwhile."""

    def warm(self, entry: DagEntry) -> None:
        """Has a host import a DAG's code ahead of its first task. Hosts cost memory: only DAGs about to run get one."""
        spec = entry.version.spec
        if any(task.kind == "python" and not task.isolate for task in spec.tasks):
            bundle = str(self._scheduler.places.bundle(entry.version.bundle))
            self._scheduler.executor.warm([Bundle(self._scheduler.places.python_of(spec), bundle, spec.file)])

    def start_runs(self, turn: Turn, entry: DagEntry) -> None:
        """Starts queued runs of a DAG while it has run slots, oldest logical date first."""
        scheduler = self._scheduler
        if scheduler.stopping:
            return
        refill_dag(scheduler, turn, entry.dag_id)
        waiting = sorted(entry.queued.values(), key=lambda memory: (memory.run.logical_date, memory.run.id))
        for memory in waiting:
            if may_start_run(memory.run, entry.version.spec, scheduler.ledger.limits, turn.now):
                scheduler.apply(turn, memory, Start())
            else:
                scheduler.waiting.doubt(memory, turn.now)

    def start_all_runs(self, turn: Turn) -> None:
        """Starts the queued runs of all DAGs that have run slots."""
        for entry in self._scheduler.state.dags.values():
            if entry.queued:
                self.start_runs(turn, entry)

    def grant(self, turn: Turn) -> None:
        """Gives slots to those that wait for them, whose turn it is."""
        scheduler = self._scheduler
        self._offer(turn)
        scheduler.breakers.refuse(turn)
        if not scheduler.may_start:
            return
        for memory, instance in scheduler.admission.grants(scheduler.waiting.limit_of, turn.now):
            if self._has_lost_code(memory, instance.task_id):
                scheduler.apply(turn, memory, CodeGone())
                continue
            attempt_id = instance.current.id if instance.current else scheduler.new_id(turn.now)
            scheduler.apply(turn, memory, Granted(instance.id, attempt_id))
            scheduler.breakers.granted(turn, memory, instance, attempt_id)
            scheduler.state.attempts[attempt_id] = memory
        if (at := scheduler.admission.next_look()) is not None:
            scheduler.timers.add(Timer(at, "look", 0))

    def _offer(self, turn: Turn) -> None:
        """Has instances that became ready wait for slots, so many a turn: ten thousand at once hold nobody up."""
        for _ in range(min(len(self.ready), OFFERS_PER_TURN)):
            memory, instance, kept = self.ready.popleft()
            if instance.state is TaskState.SCHEDULED:
                self._scheduler.admission.offer(memory, instance, turn.now, kept=kept)
        if self.ready:
            self._scheduler.wake()

    def _has_lost_code(self, memory: RunMemory, task_id: str) -> bool:
        """Whether a Python task's bundle is not there. That of a DAG's current version is made again from its file."""
        state = self._scheduler.state
        entry, version = state.dags.get(memory.run.dag_id), state.versions[memory.run.version_id]
        if memory.plan.tasks[task_id].kind != "python":
            return False
        if entry is not None and entry.state != "inactive" and entry.version.id == version.id:
            return False
        return not self._scheduler.places.bundle(version.bundle).is_dir()

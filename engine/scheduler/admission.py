"""Which ready task instances get slots next. Costs O(granted), however many thousands wait."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from engine.lifecycle.memory import RunMemory
from engine.model.rows import TaskInstance
from engine.model.states import RunType, TaskState
from engine.scheduler.ledger import Ledger

_CLASS = {RunType.MANUAL: 0, RunType.BACKFILL: 2}
_SCHEDULED_CLASS = 1
_RUN = 3  # place of the run in the sort key

Entry: TypeAlias = tuple[tuple[int, int, int, int, int, int], int]
"""Sort key (class, priority, logical date, run, topological index, map index) and task instance id."""
LimitKey: TypeAlias = tuple[str, str | int, str]
"""What holds an instance back: `dag`, `run`, `task` or `gate`, and of which."""
Found: TypeAlias = tuple[RunMemory, TaskInstance]


class Admission:
    """Ready instances in one heap per pool; those that a limit of DAG, run or task holds back lie aside, by limit."""

    def __init__(self, ledger: Ledger, runs: Mapping[int, RunMemory]) -> None:
        self._ledger = ledger
        self._runs = runs
        self._pools: dict[str, list[Entry]] = {}
        self._parked: dict[LimitKey, list[Entry]] = {}
        self._inside: dict[int, Entry] = {}

    def __len__(self) -> int:
        return len(self._inside)

    def waiting(self) -> Iterator[Found]:
        """All ready instances that wait for a limit, in no order."""
        for entry in list(self._inside.values()):
            found = self._find(entry)
            if found is not None:
                yield found

    def offer(self, memory: RunMemory, instance: TaskInstance) -> None:
        """Takes in an instance that has become `scheduled`; once is enough."""
        if instance.id in self._inside:
            return
        task = memory.plan.tasks[instance.task_id]
        run = memory.run
        key = (
            _CLASS.get(run.run_type, _SCHEDULED_CLASS),
            -task.priority_weight,
            run.logical_date,
            run.id,
            memory.plan.index[instance.task_id],
            instance.map_index,
        )
        self._inside[instance.id] = (key, instance.id)
        heapq.heappush(self._pools.setdefault(task.pool, []), (key, instance.id))

    def freed(self, memory: RunMemory, task_id: str) -> None:
        """A slot came back: the best one held back by each limit that it counted towards gets its chance again."""
        run = memory.run
        for key in (("dag", run.dag_id, ""), ("run", run.id, ""), ("task", run.dag_id, task_id)):
            if waiting := self._parked.get(key):
                self._unpark(heapq.heappop(waiting))

    def reconsider(self) -> None:
        """Limits changed: all that were held back get their chance again."""
        parked, self._parked = self._parked, {}
        for waiting in parked.values():
            for entry in waiting:
                self._unpark(entry)

    def grants(self, limit_of: Callable[[RunMemory, TaskInstance], LimitKey | None]) -> Iterator[Found]:
        """Instances that get slots now, best first. The caller books each one in the ledger before asking for the next.

        `limit_of` names the limit of DAG, run or task that holds an instance back, or None. The head of a pool that
        needs more slots than are free keeps the others behind it waiting, so that smaller ones do not starve it.
        """
        while self._ledger.limits.engine_slots_free > 0:
            pool = self._best_pool()
            if pool is None:
                return
            entry = heapq.heappop(self._pools[pool])
            found = self._find(entry)
            if found is None:
                continue
            limit = limit_of(*found)
            if limit is not None:
                heapq.heappush(self._parked.setdefault(limit, []), entry)
                continue
            del self._inside[entry[1]]
            yield found

    def _best_pool(self) -> str | None:
        """The pool whose head comes first of all, among pools with room for their head."""
        best: str | None = None
        for name, heap in self._pools.items():
            found = None
            while heap and (found := self._find(heap[0])) is None:
                heapq.heappop(heap)
            if found is None or (best is not None and self._pools[best][0] <= heap[0]):
                continue
            if self._ledger.has_room(name, found[0].plan.tasks[found[1].task_id].pool_slots):
                best = name
        return best

    def _find(self, entry: Entry) -> Found | None:
        """The instance of an entry, if it still waits; else the entry is forgotten."""
        memory = self._runs.get(entry[0][_RUN])
        instance = memory.by_id.get(entry[1]) if memory else None
        if memory is None or instance is None or instance.state is not TaskState.SCHEDULED:
            self._inside.pop(entry[1], None)
            return None
        return memory, instance

    def _unpark(self, entry: Entry) -> None:
        found = self._find(entry)
        if found is not None:
            pool = found[0].plan.tasks[found[1].task_id].pool
            heapq.heappush(self._pools.setdefault(pool, []), entry)

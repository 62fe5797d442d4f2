"""Who holds slots: the live counters behind the gates' limits, kept from transitions alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from engine.lifecycle.gates import Limits
from engine.lifecycle.memory import RunMemory
from engine.model.breaker import Breaker
from engine.model.dag import TaskSpec
from engine.model.moments import Micros
from engine.model.rows import TaskInstance
from engine.model.states import ACTIVE_RUN, ALIVE_TASK, DEFERRED_TASK, Reason

UNLIMITED = -1
"""Slots of a pool without limit."""


class Ledger:
    """Keeps `limits` true while instances come and go."""

    def __init__(self, slots: int, pools: dict[str, int], including: Iterable[str] = ()) -> None:
        self.slots = slots
        self.pools = dict(pools)
        self.including = set(including)
        """Pools in which tasks that have begun and wait without a process keep their slots."""
        self.dag_active: Counter[str] = Counter()
        self.task_active: Counter[tuple[str, str]] = Counter()
        self.runs_active: Counter[str] = Counter()
        self.pool_taken: Counter[str] = Counter()
        self.pool_free: dict[str, int | None] = {
            name: None if size == UNLIMITED else size for name, size in pools.items()
        }
        self.pool_reserved: dict[str, tuple[int, Micros]] = {}
        """Pools whose free slots are kept for a task that needs more of them: its instance, and until when."""
        self.backfill_most: dict[int, int] = {}
        self.backfill_active: Counter[int] = Counter()
        self.backfill_taken: Counter[str] = Counter()
        self.backfill_share = {name: self._share_of(size) for name, size in pools.items()}
        self.backfill_quiet: set[int] = set()
        self.breakers: dict[str, Breaker] = {}
        self.probe_runs: set[str] = set()
        self.dag_paused: set[str] = set()
        self.dag_broken: set[str] = set()
        self.limits = Limits(
            engine_slots_free=slots,
            pool_free=self.pool_free,
            pool_reserved=self.pool_reserved,
            breakers=self.breakers,
            probe_runs=self.probe_runs,
            dag_active=self.dag_active,
            task_active=self.task_active,
            runs_active=self.runs_active,
            backfill_most=self.backfill_most,
            backfill_active=self.backfill_active,
            backfill_taken=self.backfill_taken,
            backfill_share=self.backfill_share,
            backfill_quiet=self.backfill_quiet,
            dag_paused=self.dag_paused,
            dag_broken=self.dag_broken,
        )

    @property
    def used(self) -> int:
        """Slots of the engine that are taken."""
        return self.slots - self.limits.engine_slots_free

    def moved(
        self, memory: RunMemory, task_id: str, before: str | None, after: str | None, *, summary: bool = False
    ) -> bool:
        """Books one transition; returns whether it gave a slot back. `summary`: of the row of a whole mapped task."""
        was, now = before in ALIVE_TASK, after in ALIVE_TASK
        if was != now:
            self._book(memory, task_id, 1 if now else -1)
        task = memory.plan.tasks[task_id]
        kept = 0 if summary or task.pool not in self.including else (after in DEFERRED_TASK) - (before in DEFERRED_TASK)
        self._take(task, kept)
        return was and not now

    def restore(self, memory: RunMemory) -> None:
        """Books what a run brought back from the store holds."""
        if memory.run.state in ACTIVE_RUN and memory.run.backfill is None:
            self.runs_active[memory.run.dag_id] += 1
        for instance in memory.by_id.values():
            if instance.state in ALIVE_TASK and instance.task_id in memory.plan.tasks:
                self._book(memory, instance.task_id, 1)
        self._take_waiting(memory, self.including)

    def include_deferred(self, pool: str, include: bool, runs: Iterable[RunMemory]) -> None:
        """Whether tasks that have begun and wait without a process keep their slots of a pool, from now on."""
        if include == (pool in self.including):
            return
        (self.including.add if include else self.including.discard)(pool)
        for memory in runs:
            self._take_waiting(memory, (pool,), 1 if include else -1)

    def _take_waiting(self, memory: RunMemory, pools: Collection[str], sign: int = 1) -> None:
        tasks = memory.plan.tasks
        if not any(task.pool in pools for task in tasks.values()):
            return
        for instance in memory.by_id.values():
            if is_deferred(instance) and instance.task_id in tasks and tasks[instance.task_id].pool in pools:
                self._take(tasks[instance.task_id], sign)

    def _take(self, task: TaskSpec, sign: int) -> None:
        self.pool_taken[task.pool] += sign * task.pool_slots
        free = self.pool_free.get(task.pool)
        if free is not None:
            self.pool_free[task.pool] = free - sign * task.pool_slots

    def _book(self, memory: RunMemory, task_id: str, sign: int) -> None:
        task, dag_id = memory.plan.tasks[task_id], memory.run.dag_id
        self.limits.engine_slots_free -= sign
        self.dag_active[dag_id] += sign
        self.task_active[dag_id, task_id] += sign
        self._take(task, sign)
        if memory.run.backfill is not None:
            self.backfill_active[memory.run.backfill] += sign
            self.backfill_taken[task.pool] += sign * task.pool_slots

    def _share_of(self, size: int) -> int:
        """Half of a pool's slots, or of the engine's where the pool has no limit; at least one."""
        return max(1, (self.slots if size == UNLIMITED else size) // 2)

    def resize(self, pool: str, slots: int) -> None:
        """Makes a pool, or changes its size. Who holds slots keeps them: fewer than are taken leaves none free."""
        self.pools[pool] = slots
        self.backfill_share[pool] = self._share_of(slots)
        self.pool_free[pool] = None if slots == UNLIMITED else slots - self.pool_taken[pool]

    def remove(self, pool: str) -> None:
        """Takes a pool away: it has no slots any more."""
        self.pools.pop(pool, None)
        self.pool_free.pop(pool, None)
        self.including.discard(pool)


def is_deferred(instance: TaskInstance) -> bool:
    """Whether the instance has begun and waits without a process; the row of a whole mapped task does nothing."""
    return instance.state in DEFERRED_TASK and instance.reason is not Reason.EXPANDED

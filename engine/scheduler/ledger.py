"""Who holds slots: the live counters behind the gates' limits, kept from transitions alone."""

from __future__ import annotations

from collections import Counter

from engine.lifecycle.gates import Limits
from engine.lifecycle.memory import RunMemory
from engine.model.states import ACTIVE_RUN, ALIVE_TASK

UNLIMITED = -1
"""Slots of a pool without limit."""


class Ledger:
    """Keeps `limits` true while instances come and go."""

    def __init__(self, slots: int, pools: dict[str, int]) -> None:
        self.slots = slots
        self.pools = dict(pools)
        self.dag_active: Counter[str] = Counter()
        self.task_active: Counter[tuple[str, str]] = Counter()
        self.runs_active: Counter[str] = Counter()
        self.pool_free: dict[str, int | None] = {
            name: None if size == UNLIMITED else size for name, size in pools.items()
        }
        self.dag_paused: set[str] = set()
        self.dag_broken: set[str] = set()
        self.limits = Limits(
            engine_slots_free=slots,
            pool_free=self.pool_free,
            dag_active=self.dag_active,
            task_active=self.task_active,
            runs_active=self.runs_active,
            dag_paused=self.dag_paused,
            dag_broken=self.dag_broken,
        )

    @property
    def used(self) -> int:
        """Slots of the engine that are taken."""
        return self.slots - self.limits.engine_slots_free

    def moved(self, memory: RunMemory, task_id: str, before: str | None, after: str | None) -> bool:
        """Books one transition; returns whether it gave a slot back."""
        was, now = before in ALIVE_TASK, after in ALIVE_TASK
        if was != now:
            self._book(memory, task_id, 1 if now else -1)
        return was and not now

    def restore(self, memory: RunMemory) -> None:
        """Books what a run brought back from the store holds."""
        if memory.run.state in ACTIVE_RUN:
            self.runs_active[memory.run.dag_id] += 1
        for instance in memory.by_id.values():
            if instance.state in ALIVE_TASK and instance.task_id in memory.plan.tasks:
                self._book(memory, instance.task_id, 1)

    def _book(self, memory: RunMemory, task_id: str, sign: int) -> None:
        task, dag_id = memory.plan.tasks[task_id], memory.run.dag_id
        self.limits.engine_slots_free -= sign
        self.dag_active[dag_id] += sign
        self.task_active[dag_id, task_id] += sign
        free = self.pool_free.get(task.pool, 0)
        if free is not None:
            self.pool_free[task.pool] = free - sign * task.pool_slots

    def has_room(self, pool: str, slots: int) -> bool:
        """Whether a pool has this many free slots; one that nobody declared has none."""
        free = self.pool_free.get(pool, 0)
        return free is None or free >= slots

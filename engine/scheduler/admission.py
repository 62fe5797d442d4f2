"""Which ready task instances get slots next, over all pools. Costs O(granted), however many thousands wait."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from engine.lifecycle.memory import RunMemory
from engine.model.moments import Micros
from engine.model.rows import TaskInstance
from engine.model.states import RunType, TaskState
from engine.scheduler.ledger import UNLIMITED, Ledger
from engine.scheduler.poolqueue import (
    AUTOMATED,
    BACKFILL,
    BACKFILL_TURN,
    LONGEST_TURN,
    MANUAL,
    SHARE,
    PoolQueue,
    Ticket,
)

_KINDS = {RunType.MANUAL: MANUAL, RunType.BACKFILL: BACKFILL}

LimitKey: TypeAlias = tuple[str, str | int, str]
"""What holds an instance back: `dag`, `run`, `task`, `breaker`, `pool` or `gate`, and of which."""
Found: TypeAlias = tuple[RunMemory, TaskInstance]


class Admission:
    """Ready instances by pool; those that a limit of DAG, run or task holds back lie aside, by limit."""

    def __init__(self, ledger: Ledger, runs: Mapping[int, RunMemory]) -> None:
        self._ledger = ledger
        self._runs = runs
        self._pools: dict[str, PoolQueue] = {}
        self._parked: dict[LimitKey, dict[str, list[tuple[tuple[int, ...], Ticket]]]] = {}
        """By limit and pool: a slot that comes back wakes one in each pool, so that a full pool holds up no other."""
        self._inside: dict[int, Ticket] = {}
        self._by_dag: dict[str, dict[int, Ticket]] = {}
        self._granted = 0
        self._now: Micros = 0

    def __len__(self) -> int:
        return len(self._inside)

    def waiting(self, dag_id: str | None = None) -> Iterator[Found]:
        """All ready instances that wait for a limit, or those of one DAG, in no order."""
        for ticket in list((self._inside if dag_id is None else self._by_dag.get(dag_id, {})).values()):
            found = self._find(ticket)
            if found is not None:
                yield found

    def offer(self, memory: RunMemory, instance: TaskInstance, now: Micros, *, kept: bool = False) -> None:
        """Takes in an instance that has become `scheduled`; once is enough. `kept`: it has kept its slots until now."""
        if instance.id in self._inside:
            return
        task, run = memory.plan.tasks[instance.task_id], memory.run
        ticket = Ticket(
            instance.id,
            run.id,
            run.dag_id,
            BACKFILL if run.backfill is not None else _KINDS.get(run.run_type, AUTOMATED),
            task.priority_weight + run.priority,
            (run.logical_date, run.id, memory.plan.index[instance.task_id], instance.map_index),
            task.pool_slots,
            instance.scheduled_at or now,
        )
        self._inside[instance.id] = ticket
        self._by_dag.setdefault(run.dag_id, {})[instance.id] = ticket
        self._queue(task.pool).put(ticket, now, kept=kept)

    def renew(self, memory: RunMemory, now: Micros) -> None:
        """The run's priority has changed: those of it that wait take their new places."""
        run = memory.run
        for ticket in [each for each in self._by_dag.get(run.dag_id, {}).values() if each.run == run.id]:
            ticket.waits = False
            self._forget(ticket)
            self.offer(memory, memory.by_id[ticket.ti], now)

    def freed(self, memory: RunMemory, task_id: str) -> None:
        """A slot came back: the best ones held back by each limit that it counted towards get their chance again."""
        run = memory.run
        keys: list[LimitKey] = [("dag", run.dag_id, ""), ("run", run.id, ""), ("task", run.dag_id, task_id)]
        if run.backfill is not None:
            keys += [("backfill", run.backfill, ""), ("backfill", "", "")]
        for key in keys:
            for pool in self._parked.get(key, ()):
                self._wake(key, pool)

    def release(self, key: LimitKey) -> None:
        """A limit is gone: all that it held back get their chance again."""
        for waiting in self._parked.pop(key, {}).values():
            for _, ticket in waiting:
                self._unpark(ticket)

    def reconsider(self) -> None:
        """Limits changed: all that were held back get their chance again."""
        for key in list(self._parked):
            self.release(key)
        for pool in self._pools.values():
            pool.reconsider(self._now)

    def grants(self, limit_of: Callable[[RunMemory, TaskInstance], LimitKey | None], now: Micros) -> Iterator[Found]:
        """Instances that get slots now, best first. The caller books each one in the ledger before asking for the next.

        `limit_of` names what holds an instance back beside the slots of its pool and of the engine, or None.
        """
        self._now = now

        def held(ticket: Ticket) -> bool:
            found = self._find(ticket)
            limit = limit_of(*found) or self._never(found) if found is not None else None
            if limit is not None and found is not None:
                self._park(limit, found, ticket)
            came, ticket.came = ticket.came, None
            if came is not None and (found is None or limit not in (None, came[0])):
                self._wake(*came)  # it had its chance in vain: the next one has it
            return found is None or limit is not None

        for pool in self._pools.values():
            pool.age(now)
        while self._ledger.limits.engine_slots_free > 0:
            ticket = self._next(held, now)
            if ticket is None:
                break
            self._forget(ticket)
            found = self._find(ticket)
            if found is not None:
                yield found
        self._tell_reservations()

    def next_look(self) -> Micros | None:
        """When slots that are kept together are next given up, if any are."""
        return min((until for _, until in self._ledger.pool_reserved.values()), default=None)

    def _next(self, held: Callable[[Ticket], bool], now: Micros) -> Ticket | None:
        """The best of the best of all pools with room; the longest waiting and the backfills have their share here too,
        because pools share the engine's slots."""
        turn = self._granted % SHARE
        standing: list[tuple[tuple[int, ...], int, PoolQueue, int | None]] = []
        for number, (name, pool) in enumerate(self._pools.items()):
            free = self._ledger.pool_free.get(name, 0)
            if free is not None and free < 1:
                continue
            rank = _standing(pool, turn)
            if rank is not None:
                standing.append((rank, number, pool, free))
        standing.sort()
        for _, _, pool, free in standing:
            ticket = pool.pick(free, now, held)
            if ticket is not None:
                self._granted += 1
                pool.granted += 1
                pool.last_turn = self._granted
                return ticket
        return None

    def _never(self, found: Found) -> LimitKey | None:
        """An instance that asks for more slots than its pool has at all lies aside until the pool grows."""
        task = found[0].plan.tasks[found[1].task_id]
        size = self._ledger.pools.get(task.pool, 0)
        return ("pool", task.pool, "") if size != UNLIMITED and task.pool_slots > size else None

    def _tell_reservations(self) -> None:
        self._ledger.pool_reserved.clear()
        for name, pool in self._pools.items():
            if pool.reserved is not None and pool.until > self._now:
                self._ledger.pool_reserved[name] = (pool.reserved.ti, pool.until)

    def _queue(self, pool: str) -> PoolQueue:
        found = self._pools.get(pool)
        if found is None:
            found = self._pools[pool] = PoolQueue(lambda ticket: self._find(ticket) is not None)
        return found

    def _find(self, ticket: Ticket) -> Found | None:
        """The instance of a ticket, if it still waits; else the ticket is forgotten."""
        memory = self._runs.get(ticket.run)
        instance = memory.by_id.get(ticket.ti) if memory else None
        if memory is None or instance is None or instance.state is not TaskState.SCHEDULED:
            if self._inside.get(ticket.ti) is ticket:
                self._forget(ticket)
            return None
        return memory, instance

    def _forget(self, ticket: Ticket) -> None:
        del self._inside[ticket.ti]
        mates = self._by_dag[ticket.dag_id]
        del mates[ticket.ti]
        if not mates:
            del self._by_dag[ticket.dag_id]

    def _park(self, limit: LimitKey, found: Found, ticket: Ticket) -> None:
        waiting = self._parked.setdefault(limit, {}).setdefault(found[0].plan.tasks[found[1].task_id].pool, [])
        heapq.heappush(waiting, (ticket.level + ticket.order, ticket))

    def _wake(self, key: LimitKey, pool: str) -> None:
        """The best one that a limit holds back in a pool has its chance."""
        waiting = self._parked.get(key, {}).get(pool)
        while waiting:
            ticket = heapq.heappop(waiting)[1]
            if self._unpark(ticket):
                ticket.came = (key, pool)
                return

    def _unpark(self, ticket: Ticket) -> bool:
        found = self._find(ticket)
        if found is None or self._inside.get(ticket.ti) is not ticket:
            return False
        self._queue(found[0].plan.tasks[found[1].task_id].pool).put(ticket, self._now)
        return True


def _standing(pool: PoolQueue, turn: int) -> tuple[int, ...] | None:
    """Where a pool stands among the others for the next grant; None when nobody waits for it."""
    first = pool.back() or pool.reserved
    if first is None and turn == LONGEST_TURN:
        first = pool.longest()
    elif first is None:
        first = (pool.best((BACKFILL,)) if turn == BACKFILL_TURN else None) or pool.best()
    if first is None:
        return None
    if turn == LONGEST_TURN:
        return (first.since,)
    share = 0 if turn == BACKFILL_TURN and first.kind == BACKFILL else 1
    return (share, *first.level, pool.last_turn)

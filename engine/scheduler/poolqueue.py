"""The ready task instances of one pool in the order in which they get its slots. Grants cost O(log n).

The order: manual runs, then automated ones, then backfills; in each class the higher effective priority, which grows
by 1 for each minute of waiting, up to 10; at equal priority the DAGs take turns, and within a DAG the older logical
date goes first. Two shares keep everybody moving: of every eight grants one goes to a backfill that waits, and one to
whoever has waited longest.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from typing import TypeAlias

from engine.model.moments import MINUTE, Micros

MANUAL, AUTOMATED, BACKFILL = 0, 1, 2
MOST_AGE = 10
"""Priority that waiting can add."""
SHARE = 8
"""One of this many grants goes to a waiting backfill, one to whoever has waited longest."""
BACKFILL_TURN, LONGEST_TURN = 3, 7
GATHER: Micros = 2 * MINUTE
"""How long free slots are first kept for a task that needs more than there are; doubled each time that was in vain."""
PASSES = 8
"""Grants to others between two such times."""
_AGED_AT_ONCE = 2_000

Level: TypeAlias = tuple[int, int]
"""Class and effective priority, negated: smaller goes first."""
Order: TypeAlias = tuple[int, int, int, int]
"""Logical date, run, topological index, map index."""


class Ticket:
    """One waiting instance."""

    __slots__ = ("came", "dag_id", "kind", "level", "order", "run", "since", "slots", "ti", "waits", "weight")

    def __init__(
        self, ti: int, run: int, dag_id: str, kind: int, weight: int, order: Order, slots: int, since: Micros
    ) -> None:
        self.ti = ti
        self.run = run
        self.dag_id = dag_id
        self.kind = kind
        self.weight = weight
        self.order = order
        self.slots = slots
        self.since = since
        self.waits = False
        """Whether it stands in a queue now; entries of one that does not are passed over."""
        self.level: Level = (kind, -weight)
        self.came: tuple[tuple[str, str | int, str], str] | None = None
        """The limit and the pool in which it has just been let go."""

    def __lt__(self, other: Ticket) -> bool:
        """Heaps may hold a ticket twice: any order will do."""
        return self.ti < other.ti

    def aged(self, now: Micros) -> int:
        """What its waiting adds to its priority."""
        return max(0, min(MOST_AGE, (now - self.since) // MINUTE))


class _Rank:
    """The tickets of one level: a heap for each DAG, and whose turn it is."""

    __slots__ = ("dags", "turns")

    def __init__(self) -> None:
        self.dags: dict[str, list[tuple[Order, int, Ticket]]] = {}
        self.turns: deque[str] = deque()


class PoolQueue:
    """Who waits for one pool. `may_wait` says whether a ticket still means anything."""

    def __init__(self, may_wait: Callable[[Ticket], bool]) -> None:
        self._may_wait = may_wait
        self._ranks: dict[Level, _Rank] = {}
        self._heads: tuple[list[Level], ...] = ([], [], [])
        self._ages: list[tuple[Micros, int, Ticket]] = []
        self._oldest: list[tuple[Micros, int, Ticket]] = []
        self._skipped: list[Ticket] = []
        self._back: deque[Ticket] = deque()
        """Tasks that kept their slots while they waited without a process: these are still theirs."""
        self._window: Micros = 0
        self._passes = 0
        self.granted = 0
        self.last_turn = 0
        """When this pool last got a grant, counted in grants of the engine."""
        self.reserved: Ticket | None = None
        """The task for which free slots are kept."""
        self.until: Micros = 0

    # --- who waits ------------------------------------------------------------------------------------------------

    def put(self, ticket: Ticket, now: Micros, *, kept: bool = False) -> None:
        """Takes a ticket in; `kept`: it has kept its slots until now, so that it goes first."""
        ticket.waits = True
        if kept:
            self._back.append(ticket)
        age = ticket.aged(now)
        ticket.level = (ticket.kind, -(ticket.weight + age))
        self._place(ticket)
        if age < MOST_AGE:
            heapq.heappush(self._ages, (ticket.since + (age + 1) * MINUTE, ticket.ti, ticket))
        heapq.heappush(self._oldest, (ticket.since, ticket.ti, ticket))

    def _place(self, ticket: Ticket) -> None:
        level = ticket.level
        rank = self._ranks.get(level)
        if rank is None:
            rank = self._ranks[level] = _Rank()
            heapq.heappush(self._heads[level[0]], level)
        heap = rank.dags.get(ticket.dag_id)
        if heap is None:
            heap = rank.dags[ticket.dag_id] = []
            rank.turns.append(ticket.dag_id)
        heapq.heappush(heap, (ticket.order, ticket.ti, ticket))

    def age(self, now: Micros) -> None:
        """Moves up those that have waited another minute; some at a time, so that thousands hold nobody up."""
        for _ in range(_AGED_AT_ONCE):
            if not self._ages or self._ages[0][0] > now:
                return
            _, _, ticket = heapq.heappop(self._ages)
            if not ticket.waits or not self._may_wait(ticket):
                continue
            age = ticket.aged(now)
            ticket.level = (ticket.kind, -(ticket.weight + age))
            self._place(ticket)
            if age < MOST_AGE:
                heapq.heappush(self._ages, (ticket.since + (age + 1) * MINUTE, ticket.ti, ticket))

    def best(self, kinds: tuple[int, ...] = (MANUAL, AUTOMATED, BACKFILL)) -> Ticket | None:
        """Who comes first by class, priority, turn and date."""
        for kind in kinds:
            heads = self._heads[kind]
            while heads:
                found = self._first_of(heads[0])
                if found is not None:
                    return found
                del self._ranks[heapq.heappop(heads)]
        return None

    def _first_of(self, level: Level) -> Ticket | None:
        rank = self._ranks[level]
        while rank.turns:
            heap = rank.dags[rank.turns[0]]
            while heap:
                ticket = heap[0][2]
                if ticket.waits and ticket.level == level and self._may_wait(ticket):
                    return ticket
                heapq.heappop(heap)
            del rank.dags[rank.turns.popleft()]
        return None

    def longest(self) -> Ticket | None:
        """Who has waited longest."""
        while self._oldest:
            ticket = self._oldest[0][2]
            if ticket.waits and self._may_wait(ticket):
                return ticket
            heapq.heappop(self._oldest)
        return None

    def back(self) -> Ticket | None:
        """Who has kept slots until now, the first one."""
        while self._back and not (self._back[0].waits and self._may_wait(self._back[0])):
            self._back.popleft()
        return self._back[0] if self._back else None

    def _turn(self) -> Ticket | None:
        turn = self.granted % SHARE
        if turn == LONGEST_TURN:
            return self.longest()
        return (self.best((BACKFILL,)) if turn == BACKFILL_TURN else None) or self.best()

    def take_out(self, ticket: Ticket) -> None:
        """The ticket leaves the queue; its DAG has had its turn."""
        ticket.waits = False
        rank = self._ranks.get(ticket.level)
        if rank is not None and rank.turns and rank.turns[0] == ticket.dag_id:
            rank.turns.rotate(-1)

    # --- who is next ----------------------------------------------------------------------------------------------

    def pick(self, free: int | None, now: Micros, held: Callable[[Ticket], bool]) -> Ticket | None:
        """Who gets slots now, taken out of the queue; None while nobody fits.

        `free` is None without limit. `held` is asked whether another limit holds a ticket back; it then has taken the
        ticket over. Slots are kept together for a task that needs more than are free, for a while, and others pass.
        """
        while (ticket := self.back()) is not None and (free is None or ticket.slots <= free):
            self.take_out(ticket)
            if not held(ticket):
                return ticket
        reserved = self.reserved
        if reserved is not None:
            reserved.waits = False
            if not self._may_wait(reserved) or held(reserved):
                self._end_reservation(now)
            elif free is None or reserved.slots <= free:
                self._end_reservation(now)
                return reserved
            elif now < self.until:
                return None
            elif self._passes == 0:
                self._window *= 2
                self.until, self._passes = now + self._window, PASSES
                return None
        return self._fitting(free, now, held)

    def _fitting(self, free: int | None, now: Micros, held: Callable[[Ticket], bool]) -> Ticket | None:
        while (ticket := self._turn()) is not None:
            fits = free is None or ticket.slots <= free
            self.take_out(ticket)
            if held(ticket):
                continue
            if fits:
                self._passes = max(0, self._passes - 1) if self.reserved is not None else 0
                return ticket
            if self.reserved is None:
                self.reserved, self._window, self._passes = ticket, GATHER, PASSES
                self.until = now + GATHER
                return None
            self._skipped.append(ticket)
        return None

    def _end_reservation(self, now: Micros) -> None:
        self.reserved = None
        skipped, self._skipped = self._skipped, []
        for ticket in skipped:
            self.put(ticket, now)

    def reconsider(self, now: Micros) -> None:
        """The pool's size changed: whoever slots were kept for waits like the others again."""
        if self.reserved is not None:
            ticket = self.reserved
            self._end_reservation(now)
            self.put(ticket, now)

"""`depends_on_past`: which tasks of which runs wait for the run before, and when they no longer do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from engine.lifecycle.memory import RunMemory
from engine.lifecycle.past import PastWait, is_automated, past_waits
from engine.lifecycle.plan import DagPlan
from engine.model.moments import Micros
from engine.model.rows import UNMAPPED
from engine.scheduler.turn import Turn
from engine.store.errors import StoreError

if TYPE_CHECKING:
    from engine.scheduler.core import Scheduler


@dataclass(frozen=True, slots=True)
class RunBefore:
    """The automated run of a DAG before a certain one, and how its tasks stand."""

    run: int
    run_id: str
    logical_date: Micros
    states: Mapping[str, str]

    @property
    def place(self) -> tuple[Micros, int]:
        """Where it stands among the DAG's runs."""
        return self.logical_date, self.run


_AGAIN_SECONDS = 5.0

LookUp = Callable[[str, Micros, int], Awaitable[RunBefore | None]]
"""The automated run of a DAG before (logical date, key), as the store has it."""


async def _nothing_stored(dag_id: str, logical_date: Micros, run: int) -> RunBefore | None:
    return None


class Past:
    """Keeps what tasks with `depends_on_past` wait for true.

    The run before is looked up when the first of a run's tasks would start, since it may be over and out of memory.
    Until the answer is there the tasks wait. From then on, every move of that run is followed.
    """

    def __init__(self, scheduler: Scheduler) -> None:
        self.look_up: LookUp = _nothing_stored
        self._scheduler = scheduler
        self._followed: dict[int, tuple[DagPlan, int | None]] = {}
        """By run: the plan that it was looked up for, and the run before it (None: there is none, or not yet known)."""
        self._moves: dict[str, int] = {}
        """By DAG: how often anything that matters here has moved."""

    def begin(self) -> None:
        """Memory was loaded anew: forgets everything, and looks up what already waits."""
        self._followed.clear()
        self._moves.clear()
        for memory in self._scheduler.state.runs.values():
            if memory.past and any(ti.task_id in memory.past for ti in memory.scheduled.values()):
                self._follow(memory)

    def moved(self, memory: RunMemory, task_id: str) -> None:
        """A task that depends on the past has moved: it may begin to wait, or free the same task of the run after."""
        run = memory.run
        if not is_automated(run):
            return
        self._moves[run.dag_id] = self._moves.get(run.dag_id, 0) + 1
        for key, (_, before) in list(self._followed.items()):
            later = self._scheduler.state.runs.get(key)
            if later is None:
                del self._followed[key]
            elif before == run.id:
                self._set(later, run.run_id, self._states(memory), only=task_id)
        known = self._followed.get(run.id)
        if task_id in memory.past and (known is None or known[0] is not memory.plan):
            self._follow(memory)

    def created(self, memory: RunMemory) -> None:
        """A new run may have come between two others."""
        run = memory.run
        if not memory.plan.past_tasks or not is_automated(run):
            return
        self._moves[run.dag_id] = self._moves.get(run.dag_id, 0) + 1
        for key in self._followed:
            later = self._scheduler.state.runs.get(key)
            if later is not None and later.run.dag_id == run.dag_id and _place(later) > _place(memory):
                self._follow(later)

    def _follow(self, memory: RunMemory) -> None:
        run, state = memory.run, self._scheduler.state
        self._followed[run.id] = (memory.plan, None)
        memory.past = past_waits(memory.plan, run)
        present = {key for key, other in state.runs.items() if other.run.dag_id == run.dag_id}
        moves = self._moves.get(run.dag_id, 0)

        async def look() -> None:
            try:
                found = await self.look_up(run.dag_id, run.logical_date, run.id)
            except StoreError as error:
                self._scheduler.log.warning("run_before_not_found", run=run.run_id, error=str(error))
                self._scheduler.post_later(_AGAIN_SECONDS, lambda turn: self._follow(memory))
                return
            if self._scheduler.state is state:
                self._scheduler.post(partial(self._answered, memory, found, present, moves))

        self._scheduler.beside.spawn(look())

    def _answered(self, memory: RunMemory, found: RunBefore | None, present: set[int], moves: int, turn: Turn) -> None:
        run, runs = memory.run, self._scheduler.state.runs
        if runs.get(run.id) is not memory or memory.plan is not self._followed.get(run.id, (None,))[0]:
            return
        gone = found is not None and found.run in present and found.run not in runs
        if gone or self._moves.get(run.dag_id, 0) != moves:
            self._follow(memory)  # the store was read before the last news of that run were in it
            return
        here = [
            other
            for other in runs.values()
            if other.run.dag_id == run.dag_id and is_automated(other.run) and _place(other) < _place(memory)
        ]
        nearest = max(here, key=_place, default=None)
        if nearest is not None and (found is None or _place(nearest) >= found.place):
            found = RunBefore(nearest.run.id, nearest.run.run_id, nearest.run.logical_date, self._states(nearest))
        self._followed[run.id] = (memory.plan, None if found is None else found.run)
        if found is None:
            memory.past = {}
        else:
            self._set(memory, found.run_id, found.states)
        self._tell(memory)

    def _set(self, memory: RunMemory, run_id: str, states: Mapping[str, str], only: str | None = None) -> None:
        """What the tasks of a run wait for, now that those of the run before stand like this."""
        for task_id in memory.plan.past_tasks if only is None else memory.plan.past_tasks & {only}:
            state = states.get(task_id)
            if state is None or state in _LETS_GO:
                memory.past.pop(task_id, None)
            else:
                memory.past[task_id] = PastWait(run_id, state)
        self._tell(memory)

    def _tell(self, memory: RunMemory) -> None:
        self._scheduler.admission.reconsider()
        self._scheduler.waiting.recheck(memory)
        self._scheduler.wake()

    @staticmethod
    def _states(memory: RunMemory) -> dict[str, str]:
        """By task; a mapped task has one of its own, by the indexes together."""
        return {task_id: ti.state.value for (task_id, index), ti in memory.instances.items() if index == UNMAPPED}


_LETS_GO = frozenset({"success", "skipped", "removed"})


def _place(memory: RunMemory) -> tuple[Micros, int]:
    return memory.run.logical_date, memory.run.id

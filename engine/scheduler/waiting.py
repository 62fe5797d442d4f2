"""What waiting instances wait for: asked of the gates, and stored beside the state whenever the answer changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from engine.lifecycle.gates import Limits, blockers, may_start, reached
from engine.lifecycle.memory import RunMemory
from engine.model.moments import Micros
from engine.model.rows import UNMAPPED, TaskInstance, Transition
from engine.model.states import TERMINAL_RUN, Blocker, RunState, TaskState
from engine.scheduler.admission import LimitKey
from engine.scheduler.turn import Turn

if TYPE_CHECKING:
    from engine.scheduler.core import Scheduler

_PER_TURN = 500
_WAITING = frozenset({TaskState.NONE, TaskState.SCHEDULED, TaskState.UP_FOR_RETRY})
_OPEN: tuple[object, ...] = (False,)
_SLOTS = (Blocker.POOL, Blocker.ENGINE_SLOTS)
"""Codes that begin so are about slots, which admission itself counts."""


def limit_key(memory: RunMemory, instance: TaskInstance, limits: Limits, now: Micros) -> LimitKey | None:
    """What the gates say holds a ready instance back beside slots: the limit that it then lies aside by, or None."""
    if may_start(instance, memory, limits, now):
        return None
    codes = [code for code in blockers(instance, memory, limits, now) if not code.startswith(_SLOTS)]
    if not codes:
        return None
    run = memory.run
    if Blocker.MAX_ACTIVE_TASKS_PER_DAG in codes:
        return ("dag", run.dag_id, "")
    if Blocker.MAX_ACTIVE_TASKS_PER_RUN in codes:
        return ("run", run.id, "")
    if Blocker.MAX_ACTIVE_TIS_PER_TASK in codes:
        return ("task", run.dag_id, instance.task_id)
    if Blocker.BACKFILL_SLOTS in codes:
        own = run.backfill if run.backfill in limits.backfill_most else None
        return ("backfill", "" if own is None else own, "")
    for code in codes:
        if code.startswith(Blocker.BREAKER):
            return ("breaker", code.partition(":")[2], "")
    return ("gate", run.dag_id, "")


class Waiting:
    """Keeps the stored blocker codes true without looking at thousands of rows in every turn."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._signature: tuple[object, ...] = ()
        self._stale: dict[int, tuple[RunMemory, TaskInstance]] = {}
        self._reached: dict[int, tuple[object, ...]] = {}
        """By run, where it is not `_OPEN`: which limits had been reached when it was last looked at."""

    def limit_of(self, memory: RunMemory, instance: TaskInstance) -> LimitKey | None:
        """What holds a ready instance back beside the slots of its pool and of the engine, or None."""
        return limit_key(memory, instance, self._scheduler.ledger.limits, self._scheduler.clock.now())

    def review(self, turn: Turn) -> None:
        """Brings the codes of what moved up to date; when limits in general changed, of everything, a part per turn."""
        alike: dict[tuple[int, str], tuple[str, ...]] = {}
        for key, memory in list(turn.touched.items()):
            self._note(turn, memory, memory.by_id[key], alike)
        for run in turn.changes.new_runs:
            memory = self._scheduler.state.runs[run.id]
            for instance in memory.by_id.values():
                if instance.state in _WAITING:
                    instance.blockers = blockers(instance, memory, self._scheduler.ledger.limits, turn.now)
        self._look_again(turn)

    def doubt(self, memory: RunMemory, now: Micros) -> None:
        """A queued run was not started: what it waits for may be something else by now. All its tasks wait for that."""
        one = next(iter(memory.by_id.values()), None)
        if one is not None and blockers(one, memory, self._scheduler.ledger.limits, now) != one.blockers:
            self._suspect((memory, instance) for instance in memory.by_id.values())

    def _suspect(self, instances: Iterable[tuple[RunMemory, TaskInstance]]) -> None:
        """Their wait may have another reason by now."""
        for memory, instance in instances:
            self._stale[instance.id] = (memory, instance)

    def _watch(self, turn: Turn) -> None:
        """Whoever waits in a DAG looks again when one of the limits of DAG, run or task is reached, or no longer is."""
        runs = {memory.run.id: memory for memory in turn.touched.values()}
        known = self._scheduler.state.runs
        runs |= {run: known[run] for run in turn.changes.runs if run in known}
        for memory in runs.values():
            now = self._limits_of(memory)
            if now != self._reached.get(memory.run.id, _OPEN):
                self._suspect(self._scheduler.admission.waiting(memory.run.dag_id))
            if now == _OPEN or memory.run.state in TERMINAL_RUN:
                self._reached.pop(memory.run.id, None)
            else:
                self._reached[memory.run.id] = now

    def _limits_of(self, memory: RunMemory) -> tuple[object, ...]:
        spec, limits = memory.plan.spec, self._scheduler.ledger.limits
        limited = spec.max_active_tasks is not None or spec.max_active_tasks_per_run is not None
        named = [task for task in spec.tasks if task.max_active_tis is not None] or spec.tasks[: int(limited)]
        full = tuple((task.task_id, *reached(memory, task, limits)) for task in named)
        return (memory.run.state is RunState.PAUSED, *(each for each in full if len(each) > 1))

    def recheck(self, memory: RunMemory) -> None:
        """What the tasks of a run wait for may have changed with the run itself."""
        self._suspect((memory, instance) for instance in memory.scheduled.values())

    def begun(self, memory: RunMemory) -> None:
        """A run that waited has begun: none of its tasks waits for that any more."""
        self._suspect((memory, instance) for instance in memory.by_id.values())

    def _look_again(self, turn: Turn) -> None:
        signature = self._sign()
        if signature != self._signature:
            self._signature = signature
            self._suspect(self._scheduler.admission.waiting())
            for entry in self._scheduler.state.dags.values():
                for memory in entry.queued.values():
                    self._suspect((memory, instance) for instance in memory.by_id.values())
        self._watch(turn)
        for _ in range(min(len(self._stale), _PER_TURN)):
            memory, instance = self._stale.pop(next(iter(self._stale)))
            if memory.run.id in self._scheduler.state.runs:
                self._note(turn, memory, instance)
        if self._stale:
            self._scheduler.wake()

    def _sign(self) -> tuple[object, ...]:
        """What general limits look like from far away: changes of it are rare."""
        limits = self._scheduler.ledger.limits
        full = frozenset(name for name, free in limits.pool_free.items() if free is not None and free < 1)
        return (
            limits.engine_slots_free < 1,
            full,
            tuple(limits.pool_reserved.items()),
            tuple((each.name, each.state, each.probe) for each in limits.breakers.values() if each.state != "closed"),
            tuple(self._scheduler.ledger.pools.items()),
            frozenset(self._scheduler.ledger.including),
            frozenset(limits.dag_paused),
            frozenset(limits.dag_broken),
            limits.hold_all,
            frozenset(limits.hold_pools),
            tuple(limits.hold_dags),
            limits.degraded,
            limits.disk_low,
            limits.memory_low,
            limits.draining,
        )

    def _note(
        self,
        turn: Turn,
        memory: RunMemory,
        instance: TaskInstance,
        alike: dict[tuple[int, str], tuple[str, ...]] | None = None,
    ) -> None:
        """`alike` keeps the codes of ready indexes: all of one task wait for the same, and there may be thousands."""
        if instance.state not in _WAITING or instance.task_id not in memory.plan.tasks:
            return
        same = instance.map_index != UNMAPPED and instance.state is TaskState.SCHEDULED and not instance.forced
        key = (instance.run, instance.task_id)
        known = alike.get(key) if alike is not None and same else None
        codes = blockers(instance, memory, self._scheduler.ledger.limits, turn.now) if known is None else known
        if alike is not None and same:
            alike[key] = codes
        if codes == instance.blockers:
            return
        turn.changes.touch_task(instance)
        instance.blockers = codes
        if instance.id not in turn.touched:
            run, state = memory.run, instance.state
            turn.changes.transitions.append(
                Transition("task", turn.now, run.dag_id, run.id, instance.id, None, state, state, instance.reason)
            )

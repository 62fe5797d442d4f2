"""Why not yet: what a waiting instance or run waits for. The code that decides is the code that explains."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from engine.lifecycle.memory import RunMemory
from engine.lifecycle.outcome import lets_start
from engine.model.breaker import Breaker
from engine.model.dag import DEFAULT_POOL, DagSpec, TaskSpec
from engine.model.moments import Micros
from engine.model.rows import Run, TaskInstance
from engine.model.states import ALIVE_TASK, Blocker, RunState, RunType, TaskState

_ALIVE = tuple(ALIVE_TASK)


@dataclass(slots=True)
class Limits:
    """What limits starting, over all runs. Kept by the scheduler; may share its live counters."""

    engine_slots_free: int = 1
    pool_free: Mapping[str, int | None] = field(default_factory=lambda: {DEFAULT_POOL: None})
    """Free slots by pool, None without limit; a pool that is not here does not exist and has none."""
    pool_reserved: Mapping[str, tuple[int, Micros]] = field(default_factory=dict)
    """Pools whose free slots are kept for a task that needs more of them: its instance, and until when."""
    dag_active: Mapping[str, int] = field(default_factory=dict)
    """Instances that hold a slot, by DAG."""
    task_active: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Instances that hold a slot, by (DAG, task), over all runs."""
    runs_active: Mapping[str, int] = field(default_factory=dict)
    """Runs that are started and not over, by DAG."""
    breakers: Mapping[str, Breaker] = field(default_factory=dict)
    dag_paused: Collection[str] = ()
    """DAGs of which no run starts."""
    probe_runs: Collection[str] = ()
    """Ids of runs that start although their DAG is paused: whether it works again."""
    dag_broken: Collection[str] = ()
    """DAGs that hold their automated runs until their file can be loaded again."""
    dag_frozen: Collection[str] = ()
    """Paused DAGs of whose started runs nothing starts either."""
    backfill_most: Mapping[int, int] = field(default_factory=dict)
    """Instances that a backfill may have at the same time, by backfill, where it was said."""
    backfill_active: Mapping[int, int] = field(default_factory=dict)
    """Instances that hold a slot, by backfill."""
    backfill_taken: Mapping[str, int] = field(default_factory=dict)
    """Slots that backfills hold, by pool."""
    backfill_share: Mapping[str, int] = field(default_factory=dict)
    """Slots that all backfills together may hold, by pool."""
    backfill_quiet: Collection[int] = ()
    """Backfills that start nothing at this time of the day."""
    hold_all: bool = False
    hold_dags: Collection[str] = ()
    hold_pools: Collection[str] = ()
    degraded: bool = False
    disk_low: bool = False
    memory_low: bool = False
    draining: bool = False


def blockers(ti: TaskInstance, memory: RunMemory, limits: Limits, now: Micros) -> tuple[str, ...]:
    """Everything that the instance waits for; empty when it may start now, and when it does not wait at all."""
    run = memory.run
    if ti.state is TaskState.SCHEDULED:
        return tuple(_instance_gates(ti, memory, limits, now))
    if ti.state is TaskState.UP_FOR_RETRY:
        return (Blocker.RETRY_AT,)
    if ti.state is not TaskState.NONE:
        return ()
    if run.state is RunState.QUEUED:
        return (Blocker.RUN_QUEUED, *_run_gates(run, memory.plan.spec, limits, now))
    return (Blocker.UPSTREAM,)


def may_start(ti: TaskInstance, memory: RunMemory, limits: Limits, now: Micros) -> bool:
    """Whether a scheduled instance may start now: no blockers, found without listing them."""
    return ti.state is TaskState.SCHEDULED and next(_instance_gates(ti, memory, limits, now), None) is None


def may_start_run(run: Run, spec: DagSpec, limits: Limits, now: Micros) -> bool:
    """Whether a queued run may start now."""
    return run.state is RunState.QUEUED and next(_run_gates(run, spec, limits, now), None) is None


def _run_gates(run: Run, spec: DagSpec, limits: Limits, now: Micros) -> Iterator[str]:
    if (run.dag_id in limits.dag_paused and run.run_id not in limits.probe_runs) or run.dag_id in limits.dag_frozen:
        yield Blocker.DAG_PAUSED
    if run.dag_id in limits.dag_broken and run.run_type is not RunType.MANUAL:
        yield Blocker.DAG_BROKEN
    if run.run_after > now:
        yield Blocker.RUN_AFTER
    if limits.hold_all or run.dag_id in limits.hold_dags:
        yield Blocker.HOLD
    yield from _engine_gates(limits)
    if run.backfill is None and limits.runs_active.get(run.dag_id, 0) >= spec.max_active_runs:
        yield Blocker.MAX_ACTIVE_RUNS


def _backfill_gates(backfill: int, task: TaskSpec, limits: Limits) -> Iterator[str]:
    """A backfill has a share of the slots: one that was given to it, or with all others of them half of each pool."""
    if backfill in limits.backfill_quiet:
        yield Blocker.NOT_DURING
    most = limits.backfill_most.get(backfill)
    if most is not None:
        if limits.backfill_active.get(backfill, 0) >= most:
            yield Blocker.BACKFILL_SLOTS
        return
    taken = limits.backfill_taken.get(task.pool, 0)
    if taken and taken + task.pool_slots > limits.backfill_share.get(task.pool, 1):
        yield Blocker.BACKFILL_SLOTS


def _engine_gates(limits: Limits) -> Iterator[str]:
    if limits.degraded:
        yield Blocker.DEGRADED
    if limits.disk_low:
        yield Blocker.DISK
    if limits.draining:
        yield Blocker.DRAINING


def reached(memory: RunMemory, task: TaskSpec, limits: Limits) -> Iterator[Blocker]:
    """The limits of DAG, run and task that have no room left for another instance of the task."""
    spec, dag_id = memory.plan.spec, memory.run.dag_id
    most = spec.max_active_tasks
    if most is not None and limits.dag_active.get(dag_id, 0) >= most:
        yield Blocker.MAX_ACTIVE_TASKS_PER_DAG
    most = spec.max_active_tasks_per_run
    if most is not None and sum(memory.tally[state] for state in _ALIVE) >= most:
        yield Blocker.MAX_ACTIVE_TASKS_PER_RUN
    most = task.max_active_tis
    if most is not None and limits.task_active.get((dag_id, task.task_id), 0) >= most:
        yield Blocker.MAX_ACTIVE_TIS_PER_TASK


def _instance_gates(ti: TaskInstance, memory: RunMemory, limits: Limits, now: Micros) -> Iterator[str]:
    run, task = memory.run, memory.plan.tasks[ti.task_id]
    dag_id, pool = run.dag_id, task.pool
    if dag_id in limits.dag_frozen:
        yield Blocker.DAG_PAUSED
    if not lets_start(run, task):
        yield Blocker.RUN_PAUSED
    if ti.task_id in memory.past and not ti.forced:
        run_id = memory.past[ti.task_id].run_id
        yield f"{Blocker.DEPENDS_ON_PAST}:{run_id}" if run_id else Blocker.DEPENDS_ON_PAST
    if limits.hold_all or dag_id in limits.hold_dags or pool in limits.hold_pools:
        yield Blocker.HOLD
    yield from _engine_gates(limits)
    yield from reached(memory, task, limits)
    if run.backfill is not None:
        yield from _backfill_gates(run.backfill, task, limits)
    free = limits.pool_free.get(pool, 0)
    if free is not None and free < task.pool_slots:
        yield f"{Blocker.POOL}:{pool}"
    elif (kept := limits.pool_reserved.get(pool)) is not None and kept[0] != ti.id:
        yield f"{Blocker.POOL_RESERVED}:{pool}:{kept[0]}:{kept[1]}"
    if limits.engine_slots_free < 1:
        yield Blocker.ENGINE_SLOTS
    if task.breaker is not None:
        breaker = limits.breakers.get(task.breaker.name)
        if breaker is not None and not breaker.admits(task.breaker.probe):
            yield f"{Blocker.BREAKER}:{breaker.name}"
    if limits.memory_low:
        yield Blocker.MEMORY_GUARD

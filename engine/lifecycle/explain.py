"""One sentence for each blocker code: what is waited for, in figures, and what would end the wait."""

from __future__ import annotations

from collections.abc import Callable

from engine.lifecycle.gates import Limits
from engine.lifecycle.memory import RunMemory
from engine.model.moments import SECOND, Micros, to_iso
from engine.model.rows import TaskInstance
from engine.model.states import ALIVE_TASK, TERMINAL_TASK, Blocker

_NAMED = 5


def explain(code: str, ti: TaskInstance, memory: RunMemory, limits: Limits, now: Micros) -> str:
    """The sentence for one code of `gates.blockers`. Raises ValueError for a code that is none."""
    name, _, detail = code.partition(":")
    try:
        sentence = _SENTENCES[Blocker(name)]
    except (ValueError, KeyError):
        raise ValueError(f"{code!r} is not a blocker code") from None
    return sentence(ti, memory, limits, now) if name != Blocker.POOL else _pool(detail, ti, memory, limits)


def _upstream(ti: TaskInstance, memory: RunMemory, limits: Limits, now: Micros) -> str:
    above = memory.plan.upstream[ti.task_id]
    unfinished = {other.task_id for other in memory.by_id.values() if other.state not in TERMINAL_TASK}
    waiting = [name for name in above if name in unfinished]
    names = ", ".join(waiting[:_NAMED]) + (f" and {len(waiting) - _NAMED} more" if len(waiting) > _NAMED else "")
    rule = memory.task(ti).trigger_rule
    return f"Waits for {len(waiting)} of {len(above)} upstream tasks ({names}); its trigger rule is {rule}."


def _retry_at(ti: TaskInstance, memory: RunMemory, limits: Limits, now: Micros) -> str:
    if ti.retry_at is None or ti.retry_at <= now:
        return "Its retry is due now."
    left = (ti.retry_at - now + SECOND - 1) // SECOND
    return f"Waits {left} s for its retry at {to_iso(ti.retry_at)}; retry now starts it at once."


def _past(ti: TaskInstance, memory: RunMemory, limits: Limits, now: Micros) -> str:
    wait = memory.past.get(ti.task_id)
    if wait is None or wait.run_id is None:
        return "Depends on the run before, which is being looked up."
    return f"Depends on the past: {ti.task_id} of {wait.run_id} is {wait.state}; it has to be success or skipped."


def _run_after(ti: TaskInstance, memory: RunMemory, limits: Limits, now: Micros) -> str:
    return f"Its run may start from {to_iso(memory.run.run_after)}."


def _max_active_runs(ti: TaskInstance, memory: RunMemory, limits: Limits, now: Micros) -> str:
    dag_id = memory.run.dag_id
    active = limits.runs_active.get(dag_id, 0)
    return f"{active} runs of DAG {dag_id} are active, its max_active_runs is {memory.plan.spec.max_active_runs}."


def _per_dag(ti: TaskInstance, memory: RunMemory, limits: Limits, now: Micros) -> str:
    dag_id = memory.run.dag_id
    active = limits.dag_active.get(dag_id, 0)
    return f"{active} tasks of DAG {dag_id} are running, its max_active_tasks is {memory.plan.spec.max_active_tasks}."


def _per_run(ti: TaskInstance, memory: RunMemory, limits: Limits, now: Micros) -> str:
    active = sum(memory.tally[state] for state in ALIVE_TASK)
    most = memory.plan.spec.max_active_tasks_per_run
    return f"{active} tasks of its run are running, the DAG's max_active_tasks_per_run is {most}."


def _per_task(ti: TaskInstance, memory: RunMemory, limits: Limits, now: Micros) -> str:
    active = limits.task_active.get((memory.run.dag_id, ti.task_id), 0)
    most = memory.task(ti).max_active_tis
    return f"{active} instances of task {ti.task_id} are running over all runs, its max_active_tis is {most}."


def _pool(pool: str, ti: TaskInstance, memory: RunMemory, limits: Limits) -> str:
    if pool not in limits.pool_free:
        return f"Pool {pool} does not exist: create it, or change the task's pool."
    free = max(0, limits.pool_free[pool] or 0)
    return f"Needs {memory.task(ti).pool_slots} slots of pool {pool}, which has {free} free."


def _fixed(text: str) -> Callable[[TaskInstance, RunMemory, Limits, Micros], str]:
    return lambda ti, memory, limits, now: text.format(dag=memory.run.dag_id, run=memory.run.state)


_SENTENCES: dict[Blocker, Callable[[TaskInstance, RunMemory, Limits, Micros], str]] = {
    Blocker.UPSTREAM: _upstream,
    Blocker.RETRY_AT: _retry_at,
    Blocker.DEPENDS_ON_PAST: _past,
    Blocker.DAG_PAUSED: _fixed("DAG {dag} is paused: resume it."),
    Blocker.DAG_BROKEN: _fixed(
        "The file of DAG {dag} cannot be loaded, and the DAG holds its runs until it can: mend it, or trigger by hand."
    ),
    Blocker.RUN_PAUSED: _fixed("Its run is {run}: resume it."),
    Blocker.RUN_QUEUED: _fixed("Its run has not started yet."),
    Blocker.RUN_AFTER: _run_after,
    Blocker.HOLD: _fixed("An operator holds it: release the hold."),
    Blocker.BACKFILL_SLOTS: _fixed("Its backfill has all the slots that it may have: raise its max_slots, or wait."),
    Blocker.NOT_DURING: _fixed("Its backfill starts nothing at this time of the day."),
    Blocker.DEGRADED: _fixed("The engine cannot save its state, so nothing starts until it can."),
    Blocker.DISK: _fixed("The disk is nearly full, so nothing starts until there is space."),
    Blocker.MEMORY_GUARD: _fixed("The host is short of memory, so no task starts until there is more of it."),
    Blocker.DRAINING: _fixed("The engine is draining: it starts nothing more and stops when nothing runs."),
    Blocker.MAX_ACTIVE_RUNS: _max_active_runs,
    Blocker.MAX_ACTIVE_TASKS_PER_DAG: _per_dag,
    Blocker.MAX_ACTIVE_TASKS_PER_RUN: _per_run,
    Blocker.MAX_ACTIVE_TIS_PER_TASK: _per_task,
    Blocker.POOL: _fixed("Its pool has too few free slots."),
    Blocker.POOL_RESERVED: _fixed("Its pool's free slots are kept for a task that needs more of them, for a while."),
    Blocker.BREAKER: _fixed("Its circuit breaker is open, or lets another task try first."),
    Blocker.ENGINE_SLOTS: _fixed("All of the engine's slots are taken."),
}

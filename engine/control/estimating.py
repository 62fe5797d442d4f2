"""How long what a command starts will take, if tasks take as long as they usually do. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from engine.control.protocol import Effect
from engine.lifecycle.plan import DagPlan
from engine.model.moments import SECOND, Micros

STARTS = frozenset({"none", "scheduled", "queued", "up_for_retry"})
"""What a row becomes that then runs."""
NEW_RUN = "new run"


@dataclass(slots=True)
class Work:
    """What would run of one DAG."""

    runs: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """By run: how many instances of each task."""

    @property
    def tasks(self) -> set[str]:
        """All tasks concerned."""
        return {task for counted in self.runs.values() for task in counted}


def work_of(effects: Iterable[Effect], plans: Mapping[str, DagPlan]) -> dict[str, Work]:
    """What of a preview's rows would run, by DAG; of a new run all tasks of its DAG."""
    found: dict[str, Work] = {}
    for row in effects:
        if row.dag_id not in plans:
            continue
        if row.kind == "task" and row.task_id is not None and row.becomes in STARTS:
            found.setdefault(row.dag_id, Work()).runs[row.run_id or ""][row.task_id] += 1
        elif row.kind == "dag" and row.becomes == NEW_RUN:
            found.setdefault(row.dag_id, Work()).runs[NEW_RUN].update(plans[row.dag_id].order)
    return found


def takes(
    work: Mapping[str, Work],
    plans: Mapping[str, DagPlan],
    usual: Mapping[tuple[str, str], Micros],
    slots: int,
) -> Micros | None:
    """The longest chain of tasks, but not less than the slots allow; None where nothing is known of them.

    `usual` has the median duration of tasks, by DAG and task; runs of a DAG go as many at a time as it allows.
    """
    longest, total, known = 0, 0, False
    for dag_id, each in work.items():
        plan, paths = plans[dag_id], []
        for counted in each.runs.values():
            times = {task: usual[dag_id, task] for task in counted if (dag_id, task) in usual}
            known = known or bool(times)
            total += sum(times[task] * counted[task] for task in times)
            paths.append(_path(plan, times))
        longest = max(longest, max(paths, default=0), sum(paths) // max(plan.spec.max_active_runs, 1))
    return max(longest, total // max(slots, 1)) if known else None


def _path(plan: DagPlan, times: Mapping[str, Micros]) -> Micros:
    ends: dict[str, Micros] = {}
    for task in plan.order:
        before = max((ends[above] for above in plan.upstream.get(task, ()) if above in ends), default=0)
        ends[task] = before + times.get(task, 0)
    return max(ends.values(), default=0)


def length(time: Micros) -> str:
    """`2h05m`, `3m20s`, `12s`."""
    minutes, seconds = divmod(time // SECOND, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes:02d}m"
    return f"{minutes}m{seconds:02d}s" if minutes else f"{seconds}s" if seconds else "a second"

"""The critical path of a run: from the task that ended (or will end) last, back along what each one waited for."""

from __future__ import annotations

from console.model.runs import RunDetail, TaskCard
from engine.model.moments import SECOND, Micros

_BEGUN = ("success", "failed", "running", "killing", "up_for_retry", "cancelled")


def ends(run: RunDetail, now: Micros) -> dict[str, Micros]:
    """When each task that has begun ended last, over its map indexes; for one that runs: now."""
    found: dict[str, Micros] = {}
    for card in run.tasks:
        end = _end(card, now)
        if end is not None:
            found[card.task_id] = max(end, found.get(card.task_id, end))
    return found


def _end(card: TaskCard, now: Micros) -> Micros | None:
    if card.state not in _BEGUN or not card.attempts:
        return None
    if card.state in ("running", "killing", "up_for_retry"):
        return now
    return card.attempts[-1].ended_at


def critical_path(run: RunDetail, now: Micros) -> frozenset[str]:
    """The tasks on it; none while nothing has begun."""
    ended = ends(run, now)
    if not ended:
        return frozenset()
    upstream = {task.task_id: task.upstream for task in run.plan}
    order = {task.task_id: -at for at, task in enumerate(run.plan)}
    here: str | None = max(ended, key=lambda task: (ended[task], order.get(task, 0)))
    path: set[str] = set()
    while here is not None and here not in path:
        path.add(here)
        above = [task for task in upstream.get(here, ()) if task in ended]
        here = max(above, key=lambda task: (ended[task], order[task]), default=None)
    return frozenset(path)


class CriticalPath:
    """The critical path of the run that is looked at, found anew once a second: of a large run it has its price."""

    def __init__(self) -> None:
        self._of: tuple[int, Micros, bool] | None = None
        self._path: frozenset[str] = frozenset()

    def at(self, run: RunDetail, now: Micros) -> frozenset[str]:
        """The tasks on it."""
        beat = now // SECOND if run.mark.active else run.mark.ended_at or 0
        wanted = (run.mark.id, beat, run.mark.active)
        if self._of != wanted:
            self._of, self._path = wanted, critical_path(run, now)
        return self._path

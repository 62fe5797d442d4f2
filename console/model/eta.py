"""When a run will probably be done: the longest path over what is left, by the usual duration of each task."""

from __future__ import annotations

from console.model.dags import ENDED_TASK
from console.model.keys import UNMAPPED
from console.model.runs import RunDetail, TaskCard, Usual
from engine.model.moments import Micros

MOST_TASKS = 1000
"""Above this the estimate is not worth its price: it is made again and again while the run goes on."""


def eta(run: RunDetail, now: Micros) -> tuple[Micros, Micros] | None:
    """The earliest and the latest likely end: by p50 and by p95. None when a task that is left has no figures."""
    if run.mark.state not in ("running", "paused") or run.mark.started_at is None or len(run.plan) > MOST_TASKS:
        return None
    cards = {card.task_id: card for card in run.tasks if card.map_index == UNMAPPED}
    ends: dict[str, tuple[Micros, Micros]] = {}
    waiting = list(run.plan)
    while waiting:
        later = []
        for plan in waiting:
            if any(task not in ends for task in plan.upstream):
                later.append(plan)
                continue
            card = cards.get(plan.task_id)
            left = (0, 0) if card is None else _left(card, now)
            if left is None:
                return None
            low = max((ends[task][0] for task in plan.upstream), default=now)
            high = max((ends[task][1] for task in plan.upstream), default=now)
            start = now if card is None or card.retry_at is None else max(card.retry_at, now)
            ends[plan.task_id] = max(low, start) + left[0], max(high, start) + left[1]
        if len(later) == len(waiting):
            return None
        waiting = later
    if not ends:
        return None
    return max(end[0] for end in ends.values()), max(end[1] for end in ends.values())


def _left(card: TaskCard, now: Micros) -> tuple[Micros, Micros] | None:
    if card.state in ENDED_TASK:
        return 0, 0
    usual: Usual | None = card.usual
    if usual is None or usual.p50 is None or usual.p95 is None:
        return None
    elapsed = (card.elapsed(now) or 0) if card.state == "running" else 0
    return max(usual.p50 - elapsed, 0), max(usual.p95 - elapsed, 0)

"""Which rows a home no longer keeps: runs that ended long ago, and events. Reads alone, each of them short."""

from __future__ import annotations

from engine.care import Retention
from engine.model.moments import DAY, Micros
from engine.model.states import TERMINAL_RUN
from engine.store.reader import Reader, Row

_PAGE = 2000


class LastAttempts:
    """The runs that hold the last good or the last failed attempt of a task that its DAG still has: they stay."""

    def __init__(self) -> None:
        self._after = ""
        self._present: set[tuple[str, str]] | None = None
        self._last: dict[tuple[str, str, bool], int] = {}

    def page(self, store: Reader) -> bool:
        """Reads on for a while; False once there is nothing more to read."""
        if self._present is None:
            self._present = {(dag_id, task_id) for dag_id, task_id in store.all("prune", "present_tasks")}
        rows = store.all("prune", "attempts_of_runs", {"after": self._after, "count": _PAGE})
        for attempt_id, run, dag_id, task_id, is_good in rows:
            if (dag_id, task_id) in self._present:
                self._last[dag_id, task_id, bool(is_good)] = run
            self._after = attempt_id
        return bool(rows)

    @property
    def runs(self) -> set[int]:
        """Their keys, as far as was read."""
        return set(self._last.values())


class OldRuns:
    """Runs of one DAG and outcome that ended before a moment, oldest first; the newest of all is never among them."""

    def __init__(self, dag_id: str, state: str, before: Micros) -> None:
        self._where = {"dag_id": dag_id, "state": state, "before": before, "after": -1, "after_id": 0}

    def page(self, store: Reader, count: int) -> list[int]:
        """The keys of the next ones; nothing after the last."""
        rows = store.all("prune", "old_runs", {**self._where, "count": count})
        if rows:
            self._where["after_id"], self._where["after"] = rows[-1]
        return [row[0] for row in rows]


def dag_ids(store: Reader) -> list[str]:
    """All DAGs."""
    return [row[0] for row in store.all("prune", "dag_ids")]


def prunable_runs(store: Reader, retention: Retention, now: Micros) -> int:
    """How many runs would go now."""
    if not retention.run_days:
        return 0
    old: set[int] = set()
    for dag_id in dag_ids(store):
        for state in TERMINAL_RUN:
            runs = OldRuns(dag_id, state.value, now - round(retention.run_days * DAY))
            while page := runs.page(store, _PAGE):
                old.update(page)
    if not old:
        return 0
    last = LastAttempts()
    while last.page(store):
        pass
    return len(old - last.runs)


def prunable_events(store: Reader, retention: Retention, now: Micros) -> int:
    """How many events would go now: they stand in the order of their time, so a few looks are enough."""
    before = now - round(retention.event_days * DAY)
    first: Row | None = store.one("prune", "oldest_event") if retention.event_days else None
    if first is None or first[1] >= before:
        return 0
    low, high = int(first[0]), int(store.all("recovery", "head")[0][0]) + 1
    while high - low > 1:
        middle = (low + high) // 2
        [row] = store.all("prune", "event_from", {"seq": middle}) or [(high, before)]
        if row[1] < before:
            low = int(row[0])
        else:
            high = middle
    return low - int(first[0]) + 1

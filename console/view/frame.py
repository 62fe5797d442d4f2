"""What of a run's picture depends on its structure alone: the rail, and which task instances stand on which rows."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import NamedTuple

from console.graph.order import downstream_of
from console.graph.rail import Lit, Rail, build
from console.model.keys import UNMAPPED
from console.model.runs import RunDetail, TaskCard, TaskPlan

_NOW = ("killing", "running", "up_for_retry", "queued", "scheduled", "deferred", "none")
_ENDS = ("failed", "upstream_failed", "cancelled", "success", "skipped", "removed")
FAILURES = ("failed", "upstream_failed", "up_for_retry")
GROUP = "group"
"""Reason of the card that stands for a folded task group."""


class Folds(NamedTuple):
    """Which mapped tasks show their indexes, and which task groups are one row."""

    unfolded: frozenset[str] = frozenset()
    folded: frozenset[str] = frozenset()


class Shown(NamedTuple):
    """One row of the table."""

    place: int | None
    """Its row of the rail; None for a row that has none of its own."""
    at: int
    """Place among the run's tasks; of a folded group, that of its first one."""
    group: str | None = None


class Frame:
    """Kept while the same instances are shown in the same folds."""

    def __init__(self, run: RunDetail, folds: Folds | None = None) -> None:
        plan = run.plan
        self.plan = plan
        self.folds = folds or Folds()
        self.shape = _shape(run)
        self.numbers = {task.task_id: number for number, task in enumerate(plan)}
        self.places: dict[str, list[int]] = {}
        for at, card in enumerate(run.tasks):
            self.places.setdefault(card.task_id, []).append(at)
        self._lay_out()
        self._lit: tuple[int, Mapping[int, tuple[int, int]]] = (-1, {})
        self.rows: list[Shown] = []
        for row, unit in enumerate(self.rail.order):
            self._add(row, self.units[unit])
        self.rows += [Shown(None, at) for at, card in enumerate(run.tasks) if card.task_id not in self.numbers]
        self.index: dict[Hashable, int] = {self._key(run, shown): row + 1 for row, shown in enumerate(self.rows)}
        self.longest = max((_width(run, shown) for shown in self.rows), default=8)

    def _lay_out(self) -> None:
        """The rail of what is shown; a group whose row would stand above and below another task stays unfolded."""
        folded = set(self.folds.folded)
        while True:
            self._arrange(folded)
            try:
                self.rail: Rail = build(self.upstream)
                return
            except ValueError:
                folded.clear()

    def _arrange(self, folded: set[str]) -> None:
        self.units: list[str | int] = []
        """Numbers of tasks, and ids of folded groups."""
        where: dict[str | int, int] = {}
        self.unit_of: list[int] = []
        for number, task in enumerate(self.plan):
            unit = folded_group(task, folded) or number
            if unit not in where:
                where[unit] = len(self.units)
                self.units.append(unit)
            self.unit_of.append(where[unit])
        above: list[dict[int, None]] = [{} for _ in self.units]
        for number, task in enumerate(self.plan):
            for name in task.upstream:
                source = self.unit_of[self.numbers[name]] if name in self.numbers else self.unit_of[number]
                if source != self.unit_of[number]:
                    above[self.unit_of[number]][source] = None
        self.upstream = [list(found) for found in above]
        self.downstream = downstream_of(self.upstream)

    def _add(self, row: int, unit: str | int) -> None:
        if isinstance(unit, str):
            first = next(task for task in self.plan if folded_group(task, {unit}))
            at = next(iter(self.places.get(first.task_id, ())), 0)
            self.rows.append(Shown(row, at, unit))
            return
        name = self.plan[unit].task_id
        places = self.places.get(name, ())
        shown = places if name in self.folds.unfolded else places[:1]
        self.rows += [Shown(row if nth == 0 else None, at) for nth, at in enumerate(shown)]

    @staticmethod
    def _key(run: RunDetail, shown: Shown) -> Hashable:
        return run.tasks[shown.at].key if shown.group is None else ("task", shown.group, UNMAPPED)

    def fits(self, run: RunDetail, folds: Folds | None = None) -> bool:
        """Whether the run still has this structure and these instances, in these folds."""
        return run.plan is self.plan and _shape(run) == self.shape and (folds is None or folds == self.folds)

    def lit(self, task_id: str) -> Mapping[int, tuple[int, int]]:
        """The lines that lead to a task and on from it; found once for as long as the cursor stays there."""
        number = self.numbers.get(task_id)
        if number is not None:
            unit = self.unit_of[number]
        else:
            unit = self.units.index(task_id) if task_id in self.units else -1
        if self._lit[0] != unit:
            self._lit = unit, Lit(self.rail, self.upstream, self.downstream, unit) if unit >= 0 else {}
        return self._lit[1]

    def visible(self, card: TaskCard) -> Hashable:
        """The row on which an instance is seen: its own, its task's, or that of its group."""
        if card.key in self.index:
            return card.key
        number = self.numbers.get(card.task_id)
        unit = None if number is None else self.units[self.unit_of[number]]
        return ("task", unit if isinstance(unit, str) else card.task_id, UNMAPPED)


def folded_group(task: TaskPlan, folded: set[str]) -> str | None:
    """The outermost folded group that a task is in."""
    if task.group is None or not folded:
        return None
    parts = task.group.split(".")
    names = (".".join(parts[: depth + 1]) for depth in range(len(parts)))
    return next((name for name in names if name in folded), None)


def group_counts(run: RunDetail, group: str) -> dict[str, int]:
    """Task instances of a group by state."""
    counts: dict[str, int] = {}
    for task in run.plan:
        if folded_group(task, {group}):
            card = run.task(task.task_id)
            indexes = run.index_counts.get(task.task_id)
            of_task: Mapping[str, int] = indexes or ({} if card is None else {card.state: 1})
            for state, count in of_task.items():
                counts[state] = counts.get(state, 0) + count
    return counts


def group_card(run: RunDetail, group: str) -> TaskCard:
    """A card that stands for a folded group."""
    return TaskCard(
        id=0, task_id=group, map_index=UNMAPPED, state=summed_state(group_counts(run, group)), reason=GROUP, attempt=0,
        epoch_start=0, max_tries=None, then_state=None, retry_at=None, scheduled_at=None, started_at=None,
        ended_at=None, blockers=(), last_error=None, changed_seq=0,
    )  # fmt: skip


def summed_state(counts: Mapping[str, int]) -> str:
    """The state that says most of many instances: what moves, else what went wrong."""
    return next((state for state in (*_NOW, *_ENDS) if counts.get(state)), "none")


def _width(run: RunDetail, shown: Shown) -> int:
    card = run.tasks[shown.at]
    if shown.group is not None:
        return len(shown.group) + 2
    folds = card.map_index == UNMAPPED and card.task_id in run.index_counts
    return len(card.name) + (2 if folds else 0)


def _shape(run: RunDetail) -> tuple[object, ...]:
    """What is the same for two pictures of a run that show the same instances in the same places."""
    ends = (run.tasks[0].id, run.tasks[-1].id) if run.tasks else ()
    return run.mark.id, run.shape, len(run.tasks), ends

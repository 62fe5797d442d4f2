"""Folding a run's rows: the indexes of a mapped task into its row, the tasks of a group into the group's."""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from console.model.keys import UNMAPPED
from console.model.runs import RunDetail, TaskCard
from console.view.frame import Folds, folded_group


class Refolded(NamedTuple):
    """Other folds, and the row that the cursor is on then."""

    folds: Folds
    cursor: Hashable


def unfold(folds: Folds, run: RunDetail, card: TaskCard) -> Refolded | None:
    """Shows what is folded into a row: the tasks of a group, or the indexes of a mapped task; None where nothing is."""
    name, (unfolded, folded) = card.task_id, folds
    if name in folded:
        inside = {plan.task_id for plan in run.plan if folded_group(plan, {name})}
        first = next((task.key for task in run.tasks if task.task_id in inside), card.key)
        return Refolded(Folds(unfolded, folded - {name}), first)
    if name in run.index_counts and name not in unfolded:
        return Refolded(Folds(unfolded | {name}, folded), card.key)
    return None


def fold(folds: Folds, card: TaskCard, group: str | None) -> Refolded | None:
    """Puts a row away: an index into its mapped task's, else a task into its `group`; None where there is none."""
    name, (unfolded, folded) = card.task_id, folds
    if name in unfolded:
        return Refolded(Folds(unfolded - {name}, folded), ("task", name, UNMAPPED))
    if group is not None:
        return Refolded(Folds(unfolded, folded | {group}), ("task", group, UNMAPPED))
    return None

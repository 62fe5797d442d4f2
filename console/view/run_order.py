"""The rows of a run's table in the order in which they are shown: along its graph, or sorted by a column. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

from console.model.keys import UNMAPPED
from console.model.runs import RunDetail, TaskCard
from console.view.frame import GROUP, Frame, Shown, group_card, group_counts, summed_state
from console.view.sorting import Order
from engine.model.moments import SECOND, Micros

_MANY = 1_000


class Arranged(NamedTuple):
    """The rows, where each is found (the titles are row 0), and what that depends on."""

    basis: tuple[object, ...]
    rows: Sequence[Shown]
    where: Mapping[Hashable, int]


def arranged(
    frame: Frame, run: RunDetail, order: Order[TaskCard] | None, now: Micros, before: Arranged | None
) -> Arranged:
    """The rows of a frame; without an order as they are. A large table is sorted once a second at most."""
    if order is None:
        return Arranged((), frame.rows, frame.index)
    basis = (frame, None if len(frame.rows) > _MANY else run.tasks, now // SECOND, order)
    if before is not None and _same(before.basis, basis):
        return before
    pairs = order.sort(((_summed(run, shown), shown) for shown in frame.rows), now, lambda pair: pair[0])
    return Arranged(basis, [shown for _, shown in pairs], {card.key: at + 1 for at, (card, _) in enumerate(pairs)})


def _same(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    """By identity where it can be: to compare thousands of cards would cost more than to sort them."""
    return len(one) == len(other) and all(
        a is b or (not isinstance(a, tuple) and a == b) for a, b in zip(one, other, strict=True)
    )


def card_of(run: RunDetail, shown: Shown) -> TaskCard:
    """The task instance on a row; for a folded task group, a card that stands for it."""
    return run.tasks[shown.at] if shown.group is None else group_card(run, shown.group)


def counts_of(run: RunDetail, card: TaskCard) -> Mapping[str, int] | None:
    """For a mapped task's summary row and for a folded group: how many instances are in which state."""
    if card.reason == GROUP:
        return group_counts(run, card.task_id)
    return run.index_counts.get(card.task_id) if card.map_index == UNMAPPED else None


def _summed(run: RunDetail, shown: Shown) -> TaskCard:
    """A row's card; of what is folded, with the state that says most."""
    card = card_of(run, shown)
    counts = counts_of(run, card)
    return card._replace(state=summed_state(counts)) if counts else card

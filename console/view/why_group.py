"""Why a folded task group is not done: its tasks by state, and what the first of them says that holds it up. Pure."""

from __future__ import annotations

from console.model.runs import RunDetail, TaskCard
from console.view.frame import folded_group, group_counts
from console.view.run import SETTLED
from console.view.spans import DIM, TEXT
from console.view.why import Parts

_PRESSING = (
    "failed", "up_for_retry", "awaiting_input", "upstream_failed", "cancelled", "killing", "running", "queued",
    "up_for_reschedule", "deferred", "scheduled", "none",
)  # fmt: skip
"""What holds others up, what needs a person first."""
_WORDS = {"none": "not started"}
_ORDER = (*_PRESSING, *sorted(SETTLED))


def is_group(run: RunDetail, name: str) -> bool:
    """Whether a task group of the run has that name, and no task."""
    return run.task(name) is None and any(folded_group(task, {name}) for task in run.plan)


def first_in_the_way(run: RunDetail, group: str) -> TaskCard | None:
    """The task instance of a group that holds it up: of those alike one that waits for no other of the group."""
    above = {task.task_id: task.upstream for task in run.plan if folded_group(task, {group})}
    cards = [card for card in run.tasks if card.task_id in above and card.stands_for_itself]
    held = {card.task_id for card in cards if card.state not in SETTLED}
    found = [card for card in cards if card.state in _PRESSING]
    return min(
        found,
        key=lambda card: (_PRESSING.index(card.state), not held.isdisjoint(above[card.task_id])),
        default=None,
    )


def why_group(run: RunDetail, group: str, first: tuple[str, Parts] | None) -> tuple[str, Parts]:
    """Title and paragraphs for a group; `first` is what its first task in the way says of itself."""
    counts = group_counts(run, group)
    states = sorted(counts, key=lambda state: _ORDER.index(state) if state in _ORDER else len(_ORDER))
    words = ", ".join(f"{counts[state]} {_WORDS.get(state, state.replace('_', ' '))}" for state in states)
    parts: Parts = [(f"Its tasks: {words}.", TEXT)]
    if first is None:
        parts.append(("Nothing stands in its way: all of it is done.", TEXT))
    else:
        parts += [("", TEXT), (first[0], f"{TEXT} bold"), *first[1]]
    parts.append(("Unfolded (space), each of them has a row of its own, where these keys work.", DIM))
    return f"Why: {group}", parts

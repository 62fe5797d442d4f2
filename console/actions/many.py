"""One change for many marked rows: what is asked for them together, and why not. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from console.actions import asking
from console.actions.action import Action, Ask
from console.model.asks import Selection
from console.model.snapshot import Scene
from console.model.targets import Target

MANY = frozenset({
    "again", "rerun", "rerun_failed", "retry", "clear", "mark", "mark_success", "mark_failed", "stop", "force",
    "kill_retry", "cancel", "pause", "pause_run", "prioritize", "delete", "delete_history", "trash.restore",
})  # fmt: skip
"""Changes that take many rows; everything else is about the row under the cursor."""


_GLANCED = 50


def takes(action: Action, target: Target) -> bool:
    """Whether the action is about the marked rows."""
    return bool(target.marked) and action.id in MANY


def why_not(action: Action, scene: Scene, target: Target) -> str | None:
    """Why the action is not possible; for marked rows: with none of them, or not with all of them at once."""
    if not takes(action, target):
        return action.why_not(scene, target)
    first = action.why_not(scene, target.marked[0])
    if first is not None and all(action.why_not(scene, row) is not None for row in target.marked[1:]):
        count = len(target.marked)
        return first if count == 1 else f"not possible with any of {count} marked rows: {first}"
    asks = _asks(action, scene, target)
    if len({each.verb for each in asks}) > 1:
        return f"the marked rows need different things ({_verbs(asks)}): mark those that need the same"
    if len({bool(each.selection.task_ids) for each in asks}) > 1:
        return "tasks and whole runs are marked: mark rows of one kind"
    return None


def is_offered(action: Action, scene: Scene, target: Target) -> bool:
    """Whether the key line names it: of very many marked rows only the first are looked at."""
    if not takes(action, target):
        return action.why_not(scene, target) is None
    return any(action.why_not(scene, row) is None for row in target.marked[:_GLANCED])


def title(action: Action, scene: Scene, target: Target) -> str:
    """The action's title, with how many marked rows it is about."""
    if not takes(action, target):
        return action.title_for(scene, target)
    return f"{action.title_for(scene, target.marked[0])} ({len(target.marked)})"


def ask(action: Action, scene: Scene, target: Target) -> Ask:
    """What is asked for: of all marked rows with which it is possible, in one. Needs `why_not` to have said nothing."""
    if not takes(action, target):
        assert action.ask is not None
        return action.ask(scene, target)
    asks = _asks(action, scene, target)
    first = asks[0]
    selection = Selection(
        _once(name for each in asks for name in each.selection.dag_ids),
        _once(name for each in asks for name in each.selection.run_ids),
        _once(_tasks_of(asks)),
    )
    head = first.title.partition(" ── ")[0]
    return replace(
        first.switched(frozenset(switch.name for each in asks for switch in each.switches if switch.on)),
        title=f"{head} ── {_counted(asks, len(target.marked), selection)}",
        selection=selection,
        refs=frozenset(ref for each in asks for ref in each.refs),
    )


def _tasks_of(asks: Sequence[Ask]) -> Iterable[str]:
    """The tasks by their names; of several runs each with its run, for not every run has all of them marked."""
    alone = len({run_id for each in asks for run_id in each.selection.run_ids}) == 1
    for each in asks:
        for name in each.selection.task_ids:
            yield name if alone else f"{each.selection.run_ids[0]}/{name}"


def _asks(action: Action, scene: Scene, target: Target) -> list[Ask]:
    """One for each marked row with which it is possible."""
    assert action.ask is not None
    fit = [row for row in target.marked if action.why_not(scene, row) is None]
    asks = [action.ask(scene, row) for row in fit]
    if action.id == "again" and {each.verb for each in asks} == {"retry", "clear"}:
        # A retry that is waited for can be cleared like everything else, and one command does both.
        return [asking.clear(scene, row) for row in fit]
    return asks


def _counted(asks: Sequence[Ask], marked: int, selection: Selection) -> str:
    kind = "task" if selection.task_ids else "run" if selection.run_ids else "DAG"
    count = f"{len(asks)} marked {kind}" + "s" * (len(asks) != 1)
    return count if len(asks) == marked else f"{len(asks)} of {marked} marked {kind}s"


def _verbs(asks: Sequence[Ask]) -> str:
    return ", ".join(_once(each.verb for each in asks))


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))

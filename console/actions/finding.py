"""What a target means in a scene: its DAG, its run, its task. Pure look-ups for what is possible and what is asked."""

from __future__ import annotations

from console.model.attention import Attention, attention
from console.model.dags import ActiveRun, DagCard, RunMark
from console.model.runs import TaskCard
from console.model.snapshot import Scene
from console.model.targets import Target

ALIVE = frozenset({"queued", "running", "killing"})


def dag_of(scene: Scene, target: Target) -> DagCard | None:
    """The target's DAG."""
    return None if target.dag_id is None else scene.snapshot.by_id.get(target.dag_id)


def mark_of(scene: Scene, target: Target) -> RunMark | None:
    """The target's run, wherever in the picture it stands."""
    if target.run_id is None:
        return None
    snapshot = scene.snapshot
    if snapshot.run is not None and snapshot.run.mark.run_id == target.run_id:
        return snapshot.run.mark
    card = dag_of(scene, target)
    listed = () if snapshot.dag is None else snapshot.dag.runs
    for mark in (*listed, *(card.recent if card is not None else ())):
        if mark.run_id == target.run_id:
            return mark
    return None


def active_of(scene: Scene, target: Target) -> ActiveRun | None:
    """The target's run, when it has not ended."""
    card = dag_of(scene, target)
    return None if card is None else next((run for run in card.active if run.mark.run_id == target.run_id), None)


def task_of(scene: Scene, target: Target) -> TaskCard | None:
    """The target's task instance, when its run is the one that is looked at."""
    run = scene.snapshot.run
    if run is None or target.task_id is None or run.mark.run_id != target.run_id:
        return None
    return run.task(target.task_id, target.map_index)


def state_of(scene: Scene, target: Target) -> str | None:
    """The state of the target's task instance, as far as the picture tells."""
    card = task_of(scene, target)
    if card is not None:
        return card.state
    active = active_of(scene, target)
    for task in () if active is None else active.live:
        if (task.task_id, task.map_index) == (target.task_id, target.map_index):
            return task.state
    for failure in scene.snapshot.failures:
        if (failure.run_id, failure.task_id, failure.map_index) == (target.run_id, target.task_id, target.map_index):
            return failure.state
    return None


def attention_of(scene: Scene, target: Target) -> Attention | None:
    """The attention row the target names."""
    if target.attention is None:
        return None
    return next((row for row in attention(scene.snapshot) if row.key == target.attention), None)


def logged_task(scene: Scene, target: Target) -> tuple[str, int] | None:
    """The task whose log is meant: the target's own, else the one that runs or failed in its run."""
    if target.task_id:
        return target.task_id, target.map_index
    active = active_of(scene, target)
    if active is not None:
        order = ("running", "killing", "up_for_retry")
        live = [task for task in active.live if task.state in order]
        if live:
            first = min(live, key=lambda task: order.index(task.state))
            return first.task_id, first.map_index
    for failure in scene.snapshot.failures:
        if failure.run_id == target.run_id and failure.task_id:
            return failure.task_id, failure.map_index
    run = scene.snapshot.run
    if run is not None and run.mark.run_id == target.run_id:
        tried = [card for card in run.tasks if card.attempts]
        if tried:
            last = max(tried, key=lambda card: card.attempts[-1].started_at or 0)
            return last.task_id, last.map_index
    return None


def newest_running(scene: Scene) -> Target | None:
    """The running task that began last, of all DAGs."""
    running = [
        (task.started_at or 0, run.mark, task)
        for card in scene.snapshot.dags
        for run in card.active
        for task in run.live
        if task.state == "running"
    ]
    if not running:
        return None
    _, mark, task = max(running, key=lambda found: found[0])
    return Target("overview", mark.dag_id, mark.run_id, task.task_id, task.map_index, task.attempt or None)

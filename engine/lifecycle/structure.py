"""What follows from a DAG's shape alone: what deciders may leave out, and what lies between setup and teardown."""

from __future__ import annotations

from collections.abc import Mapping

from engine.graph import Graph
from engine.model.dag import TaskSpec

Neighbours = dict[str, tuple[str, ...]]


def is_cleanup(task: TaskSpec) -> bool:
    """Whether it is a teardown whose own end does not count for the run's."""
    return task.role == "teardown" and not task.on_failure_fail_run


def effective_leaves(graph: Graph, tasks: Mapping[str, TaskSpec], order: tuple[str, ...]) -> tuple[str, ...]:
    """Tasks after which nothing but cleaning up comes."""
    return tuple(
        name
        for name in order
        if not is_cleanup(tasks[name]) and all(is_cleanup(tasks[below]) for below in graph.downstream(name))
    )


def governed(graph: Graph, tasks: Mapping[str, TaskSpec]) -> Neighbours:
    """For each decider, the tasks that it may leave out. Teardowns are never left out: their setup decides."""
    found: Neighbours = {}
    for name, task in tasks.items():
        if task.decides is not None:
            wide = task.decides == "short_circuit" and task.skips_all_below
            below = graph.descendants({name}) if wide else graph.downstream(name)
            found[name] = tuple(other for other in below if tasks[other].role != "teardown")
    return found


def left_out(graph: Graph, task: TaskSpec, may: tuple[str, ...], chosen: tuple[str, ...]) -> frozenset[str]:
    """The tasks that a decider leaves out by choosing these: all that it may, but for those that are chosen and, of a
    branch, those that lie below a chosen one."""
    if task.decides == "short_circuit":
        return frozenset(may)
    known = {name for name in chosen if name in may}
    return frozenset(may) - known - (graph.descendants(known) if known else set())


def scopes(graph: Graph, tasks: Mapping[str, TaskSpec]) -> Neighbours:
    """For each teardown with setups, the tasks between these and itself: all of them end before it begins."""
    found: Neighbours = {}
    for name, task in tasks.items():
        if task.role == "teardown" and task.setups:
            between = graph.descendants(task.setups) & graph.ancestors({name})
            found[name] = tuple(other for other in tasks if other in between)
    return found


def guarded(graph: Graph, tasks: Mapping[str, TaskSpec], between: Neighbours) -> Neighbours:
    """For each setup with a teardown, the tasks between the two that lie below it: they need it, however indirectly."""
    found: dict[str, dict[str, None]] = {}
    for teardown, members in between.items():
        for setup in tasks[teardown].setups:
            below = graph.descendants({setup})
            needing = [name for name in members if name in below and tasks[name].role != "teardown"]
            found.setdefault(setup, {}).update(dict.fromkeys(needing))
    return {name: tuple(others) for name, others in found.items()}


def companions(tasks: Mapping[str, TaskSpec], guards: Neighbours) -> Neighbours:
    """For each task, the setups and teardowns that run again when it does."""
    found: dict[str, dict[str, None]] = {}
    for teardown, task in tasks.items():
        for setup in task.setups if task.role == "teardown" else ():
            found.setdefault(setup, {})[teardown] = None
            for member in guards[setup]:
                found.setdefault(member, {}).update({setup: None, teardown: None})
    return {name: tuple(others) for name, others in found.items()}

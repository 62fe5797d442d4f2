"""A DAG version compiled for running: its order and its edges, ready to look up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.graph import Graph
from engine.lifecycle import structure
from engine.model.dag import DagSpec, TaskSpec


@dataclass(frozen=True, slots=True)
class DagPlan:
    """One DAG version, compiled once. `upstream` and `downstream` say who waits for whom, by task id.

    That is the direct neighbours; a teardown also waits for everything between its setups and itself.
    """

    spec: DagSpec
    version_id: int
    graph: Graph
    order: tuple[str, ...]
    """Task ids, every one after its upstreams."""
    tasks: Mapping[str, TaskSpec]
    upstream: Mapping[str, tuple[str, ...]]
    downstream: Mapping[str, tuple[str, ...]]
    index: Mapping[str, int]
    """Position in `order`."""
    leaves: tuple[str, ...]
    """Tasks after which nothing but cleaning up comes."""
    governed: Mapping[str, tuple[str, ...]]
    """Deciders, each with the tasks that it may leave out."""
    guarded: Mapping[str, tuple[str, ...]]
    """Setups, each with the tasks that need it."""
    companions: Mapping[str, tuple[str, ...]]
    """Setups and teardowns that run again when a task does."""
    past_tasks: frozenset[str]
    """Tasks that depend on the run before."""

    def left_out(self, task_id: str, chosen: tuple[str, ...]) -> frozenset[str]:
        """The tasks that a decider leaves out by choosing these."""
        return structure.left_out(self.graph, self.tasks[task_id], self.governed[task_id], chosen)


def compile_plan(spec: DagSpec, version_id: int) -> DagPlan:
    """Compiles a serialized DAG. Raises engine.graph's GraphError on a cycle or an unknown upstream task."""
    graph = Graph({task.task_id: task.upstream for task in spec.tasks})
    order = tuple(graph.topological())
    tasks = {task.task_id: task for task in spec.tasks}
    between = structure.scopes(graph, tasks)
    upstream = {name: tuple(dict.fromkeys([*graph.upstream(name), *between.get(name, ())])) for name in order}
    downstream = {name: graph.downstream(name) for name in order}
    for teardown, members in between.items():
        for member in members:
            if teardown not in downstream[member]:
                downstream[member] += (teardown,)
    guards = structure.guarded(graph, tasks, between)
    return DagPlan(
        spec=spec,
        version_id=version_id,
        graph=graph,
        order=order,
        tasks=tasks,
        upstream=upstream,
        downstream=downstream,
        index={task_id: position for position, task_id in enumerate(order)},
        leaves=structure.effective_leaves(graph, tasks, order),
        governed=structure.governed(graph, tasks),
        guarded=guards,
        companions=structure.companions(tasks, guards),
        past_tasks=frozenset(name for name, task in tasks.items() if task.depends_on_past),
    )

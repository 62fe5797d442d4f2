"""A DAG version compiled for running: its order and its edges, ready to look up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.graph import Graph
from engine.model.dag import DagSpec, TaskSpec


@dataclass(frozen=True, slots=True)
class DagPlan:
    """One DAG version, compiled once. `upstream` and `downstream` are the direct neighbours by task id."""

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
    """Tasks that nothing waits for."""


def compile_plan(spec: DagSpec, version_id: int) -> DagPlan:
    """Compiles a serialized DAG. Raises engine.graph's GraphError on a cycle or an unknown upstream task."""
    graph = Graph({task.task_id: task.upstream for task in spec.tasks})
    order = tuple(graph.topological())
    return DagPlan(
        spec=spec,
        version_id=version_id,
        graph=graph,
        order=order,
        tasks={task.task_id: task for task in spec.tasks},
        upstream={task_id: tuple(graph.upstream(task_id)) for task_id in order},
        downstream={task_id: tuple(graph.downstream(task_id)) for task_id in order},
        index={task_id: position for position, task_id in enumerate(order)},
        leaves=tuple(graph.leaves),
    )

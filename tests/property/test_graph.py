"""Graphs against networkx."""

from itertools import pairwise

import networkx
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.graph import Graph, GraphError


@st.composite
def edges(draw: st.DrawFn, cyclic: bool = False) -> dict[str, list[str]]:
    """Upstream ids of up to twelve tasks, declared in any order; without cycles unless they are asked for."""
    count = draw(st.integers(0, 12))
    found = {}
    for number in range(count):
        others = [other for other in range(count) if other != number and (cyclic or other < number)]
        upstream = draw(st.lists(st.sampled_from(others), max_size=4, unique=True)) if others else []
        found[f"t{number}"] = [f"t{other}" for other in upstream]
    return {task: found[task] for task in draw(st.permutations(list(found)))}


def reference(upstream: dict[str, list[str]]) -> "networkx.DiGraph[str]":
    """The same graph in networkx."""
    graph = networkx.DiGraph()
    graph.add_nodes_from(upstream)
    graph.add_edges_from((above, task) for task, ids in upstream.items() for above in ids)
    return graph


@settings(max_examples=150, deadline=None)
@given(edges())
def test_answers_are_those_of_networkx(upstream: dict[str, list[str]]) -> None:
    """Levels, neighbours, reach and depth equal those of networkx, and the order keeps to levels and declaration."""
    graph, other = Graph(upstream), reference(upstream)
    declared = list(upstream)
    layers = [sorted(layer, key=declared.index) for layer in networkx.topological_generations(other)]
    assert list(graph.topological()) == [task for layer in layers for task in layer]
    assert graph.depth == len(layers)
    for task in upstream:
        assert task in layers[graph.level(task)]
        assert graph.topological()[graph.index(task)] == task
        assert list(graph.upstream(task)) == upstream[task]
        assert set(graph.downstream(task)) == set(other.successors(task))
        assert graph.ancestors(task) == networkx.ancestors(other, task)
        assert graph.descendants(task) == networkx.descendants(other, task)
        assert all(graph.index(above) < graph.index(task) for above in graph.upstream(task))
    assert set(graph.roots) == {task for task, degree in other.in_degree() if degree == 0}
    assert set(graph.leaves) == {task for task, degree in other.out_degree() if degree == 0}


@settings(max_examples=150, deadline=None)
@given(edges(cyclic=True))
def test_a_graph_is_refused_exactly_if_it_has_a_cycle(upstream: dict[str, list[str]]) -> None:
    """What networkx calls acyclic is built; of anything else a real cycle is named, and the same one each time."""
    other = reference(upstream)
    try:
        Graph(upstream)
    except GraphError as error:
        assert not networkx.is_directed_acyclic_graph(other)
        path = error.cycle
        assert path[0] == path[-1]
        assert len(set(path)) == len(path) - 1 >= 2
        assert all(other.has_edge(above, below) for above, below in pairwise(path))
        assert list(upstream).index(path[0]) == min(list(upstream).index(task) for task in path)
        assert str(error) == refusal(upstream)
    else:
        assert networkx.is_directed_acyclic_graph(other)


def refusal(upstream: dict[str, list[str]]) -> str:
    """The words in which a graph is refused."""
    try:
        Graph(upstream)
    except GraphError as error:
        return str(error)
    return ""

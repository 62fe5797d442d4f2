"""Building graphs: order, neighbours, reach, and what is refused."""

import subprocess
import sys

import pytest

from engine.graph import Graph, GraphError


@pytest.fixture
def diamond() -> Graph:
    """extract -> clean, check -> load, with a task that stands alone."""
    return Graph({"load": ["check", "clean"], "extract": [], "clean": ["extract"], "check": ["extract"], "alone": []})


def test_order_puts_upstream_first_and_keeps_declaration_order(diamond: Graph) -> None:
    """Tasks come by level, and within a level as they were declared."""
    assert diamond.topological() == ("extract", "alone", "clean", "check", "load")


def test_index_is_the_place_in_the_order(diamond: Graph) -> None:
    """The index of a task is its place in the topological order."""
    assert [diamond.index(task) for task in diamond.topological()] == [0, 1, 2, 3, 4]


def test_neighbours(diamond: Graph) -> None:
    """Upstream ids come as the task names them, downstream ids as they were declared."""
    assert diamond.upstream("load") == ("check", "clean")
    assert diamond.downstream("extract") == ("clean", "check")
    assert diamond.upstream("extract") == diamond.downstream("load") == ()


def test_roots_and_leaves(diamond: Graph) -> None:
    """A task alone is a root and a leaf."""
    assert diamond.roots == ("extract", "alone")
    assert diamond.leaves == ("load", "alone")


def test_levels_and_depth(diamond: Graph) -> None:
    """The level is the longest way down from a root; the depth counts the tasks on the longest path."""
    graph = Graph({"a": [], "b": ["a"], "c": ["a", "b"], "d": ["a"]})
    assert [graph.level(task) for task in "abcd"] == [0, 1, 2, 1]
    assert graph.depth == 3
    assert diamond.depth == 3


def test_reach(diamond: Graph) -> None:
    """Ancestors and descendants are all tasks on paths to and from a task, without the task itself."""
    assert diamond.ancestors("load") == {"check", "clean", "extract"}
    assert diamond.descendants("extract") == {"clean", "check", "load"}
    assert diamond.ancestors("alone") == diamond.descendants("alone") == frozenset()


def test_reach_of_several(diamond: Graph) -> None:
    """The reach of several tasks is the union; one of them is in it if another leads to it."""
    assert diamond.descendants(["clean", "check"]) == {"load"}
    assert diamond.descendants(["extract", "clean"]) == {"clean", "check", "load"}
    assert diamond.ancestors([]) == frozenset()


def test_container(diamond: Graph) -> None:
    """A graph has a length, contains its ids and gives them in declaration order."""
    assert len(diamond) == 5
    assert "load" in diamond
    assert "nothing" not in diamond
    assert list(diamond) == ["load", "extract", "clean", "check", "alone"]


def test_empty() -> None:
    """A DAG without tasks is a graph without levels."""
    graph = Graph({})
    assert (len(graph), graph.depth, graph.topological(), graph.roots, graph.leaves) == (0, 0, (), (), ())


def test_one_task() -> None:
    """One task is root, leaf and the whole order."""
    graph = Graph({"only": []})
    assert (graph.depth, graph.topological(), graph.roots, graph.leaves) == (1, ("only",), ("only",), ("only",))


def test_an_edge_named_twice_is_one_edge() -> None:
    """Naming an upstream task twice changes nothing."""
    graph = Graph({"a": [], "b": ["a", "a"]})
    assert graph.upstream("b") == ("a",)
    assert graph.downstream("a") == ("b",)


@pytest.mark.parametrize(
    ("edges", "path"),
    [
        ({"a": ["b"], "b": ["a"]}, ("a", "b", "a")),
        ({"a": ["c"], "b": ["a"], "c": ["b"]}, ("a", "b", "c", "a")),
        ({"x": [], "late": ["early", "x"], "early": ["late"], "y": ["early"]}, ("late", "early", "late")),
    ],
)
def test_a_cycle_is_named_by_its_path(edges: dict[str, list[str]], path: tuple[str, ...]) -> None:
    """The error follows the cycle downstream from its first declared task back to it, and leaves others out."""
    with pytest.raises(GraphError) as caught:
        Graph(edges)
    assert caught.value.cycle == path
    assert " -> ".join(path) in str(caught.value)


def test_a_task_that_is_its_own_upstream() -> None:
    """A self edge is refused by name."""
    with pytest.raises(GraphError, match="'a' is its own upstream") as caught:
        Graph({"a": ["a"]})
    assert caught.value.cycle == ("a", "a")


def test_an_unknown_upstream_task() -> None:
    """The error names the task, the id that is missing, and the id that was probably meant."""
    with pytest.raises(GraphError, match=r"task 'load' has an upstream task 'extrct' .* did you mean 'extract'"):
        Graph({"extract": [], "load": ["extract", "extrct"]})


@pytest.mark.parametrize("method", ["index", "level", "upstream", "downstream", "ancestors", "descendants"])
def test_asking_for_an_unknown_task(diamond: Graph, method: str) -> None:
    """Every question about an id that is not in the DAG is refused by name."""
    with pytest.raises(GraphError, match=r"no task 'laod'.*did you mean 'load'"):
        getattr(diamond, method)("laod")


def test_a_chain_of_two_thousand() -> None:
    """A deep chain is built, ordered and searched without recursion."""
    chain = {f"t{number}": [f"t{number - 1}"] if number else [] for number in range(2000)}
    graph = Graph(dict(reversed(chain.items())))
    assert graph.depth == 2000
    assert graph.topological() == tuple(chain)
    assert len(graph.descendants("t0")) == len(graph.ancestors("t1999")) == 1999


def test_a_cycle_of_two_thousand() -> None:
    """A deep cycle is named in full, without recursion."""
    ring = {f"t{number}": [f"t{(number - 1) % 2000}"] for number in range(2000)}
    with pytest.raises(GraphError) as caught:
        Graph(ring)
    assert caught.value.cycle == (*ring, "t0")


def test_a_fan_of_five_thousand() -> None:
    """One task may have thousands of neighbours on each side."""
    middle = [f"m{number}" for number in range(5000)]
    graph = Graph({"first": [], **{task: ["first"] for task in middle}, "last": middle})
    assert graph.topological() == ("first", *middle, "last")
    assert graph.downstream("first") == graph.upstream("last") == tuple(middle)
    assert graph.depth == 3


def test_a_complete_bipartite_graph() -> None:
    """A hundred tasks that all wait for a hundred others have ten thousand edges and two levels."""
    above = [f"a{number}" for number in range(100)]
    below = [f"b{number}" for number in range(100)]
    graph = Graph({**{task: [] for task in above}, **dict.fromkeys(below, above)})
    assert graph.topological() == (*above, *below)
    assert graph.ancestors("b99") == set(above)
    assert graph.depth == 2


def test_a_sound_graph_loads_no_networkx() -> None:
    """Building and asking a graph in a clean process imports nothing that is slow to import."""
    code = (
        "import sys; from engine.graph import Graph; Graph({'a': [], 'b': ['a']}).ancestors('b');"
        "sys.exit('networkx' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

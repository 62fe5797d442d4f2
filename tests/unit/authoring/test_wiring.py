"""Edges between tasks."""

from __future__ import annotations

import pytest

from dagdeck import DAG, DefinitionError, Task, chain, cross_downstream, shell, task


def edges(dag: DAG) -> set[tuple[str, str]]:
    """All edges, as (upstream, downstream)."""
    return {(before, each.task_id) for each in dag.tasks for before in each.upstream_task_ids}


def steps(*names: str) -> list[Task]:
    """Shell tasks of these names."""
    return [shell(name, "true") for name in names]


def test_a_fan_out_and_fan_in_in_one_chain() -> None:
    """`a >> [b, c] >> d` makes the four edges of a diamond."""
    with DAG("d") as dag:
        a, b, c, d = steps("a", "b", "c", "d")
        a >> [b, c] >> d
    assert edges(dag) == {("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")}


def test_left_shift_is_the_same_edge_written_backwards() -> None:
    """`b << a` puts a before b, and a chain of `<<` reads from right to left."""
    with DAG("d") as dag:
        a, b, c = steps("a", "b", "c")
        c << b << a
    assert edges(dag) == {("a", "b"), ("b", "c")}


def test_lists_stand_on_either_side() -> None:
    """A list may be the left side of both operators."""
    with DAG("d") as dag:
        a, b, c, d = steps("a", "b", "c", "d")
        [a, b] >> c
        [a, b] << d
    assert edges(dag) == {("a", "c"), ("b", "c"), ("d", "a"), ("d", "b")}


def test_a_list_after_a_task_can_be_followed_by_another_list() -> None:
    """`a >> [b, c] >> [d, e]` wires every task of one list to every task of the other."""
    with DAG("d") as dag:
        a, b, c, d, e = steps("a", "b", "c", "d", "e")
        a >> [b, c] >> [d, e]
    assert edges(dag) - {("a", "b"), ("a", "c")} == {("b", "d"), ("b", "e"), ("c", "d"), ("c", "e")}


def test_lists_may_be_nested_and_tuples() -> None:
    """Lists and tuples are flattened when they are wired."""
    with DAG("d") as dag:
        a, b, c = steps("a", "b", "c")
        a >> [(b, [c])]
    assert edges(dag) == {("a", "b"), ("a", "c")}


def test_an_edge_that_is_made_twice_is_one_edge() -> None:
    """Wiring the same tasks again changes nothing."""
    with DAG("d") as dag:
        a, b = steps("a", "b")
        a >> b
        b.set_upstream(a)
        a.set_downstream([b])
    assert dag.get_task("b").upstream_in_order() == ["a"]


def test_chain_wires_neighbours_and_pairs_equal_lists() -> None:
    """`chain` goes step by step, and pairwise where two lists of one length meet."""
    with DAG("d") as dag:
        a, b, c, d, e, f = steps("a", "b", "c", "d", "e", "f")
        chain(a, [b, c], [d, e], f)
    assert edges(dag) == {("a", "b"), ("a", "c"), ("b", "d"), ("c", "e"), ("d", "f"), ("e", "f")}


def test_chain_refuses_neighbouring_lists_of_different_lengths() -> None:
    """Lists that cannot be paired are an error that names both lengths."""
    with pytest.raises(DefinitionError, match="lists of 2 and 1 tasks"), DAG("d"):
        a, b, c = steps("a", "b", "c")
        chain([a, b], [c])


def test_cross_downstream_wires_all_to_all() -> None:
    """Every task of the first list comes before every task of the second."""
    with DAG("d") as dag:
        a, b, c, d = steps("a", "b", "c", "d")
        cross_downstream([a, b], [c, d])
    assert edges(dag) == {("a", "c"), ("a", "d"), ("b", "c"), ("b", "d")}


def test_uncalled_functions_become_one_task_each() -> None:
    """`wait_for_data >> process_data` makes two tasks with the functions' names, however often they are wired."""

    @task
    def wait_for_data() -> None: ...

    @task
    def process_data() -> None: ...

    with DAG("d") as dag:
        wait_for_data >> process_data
        process_data << wait_for_data
        wait_for_data >> [process_data] >> shell("end", "true")
    assert dag.task_ids == ["wait_for_data", "process_data", "end"]
    assert edges(dag) == {("wait_for_data", "process_data"), ("process_data", "end")}


def test_an_uncalled_function_stands_for_the_task_of_its_only_call() -> None:
    """After `extract()`, wiring `extract` means the task that the call made."""

    @task
    def extract() -> None: ...

    with DAG("d") as dag:
        extract()
        extract >> shell("after", "true")
    assert dag.task_ids == ["extract", "after"]
    assert edges(dag) == {("extract", "after")}


def test_an_uncalled_function_with_several_calls_is_ambiguous() -> None:
    """Wiring a function that was called twice is an error that says what to do."""

    @task
    def extract() -> None: ...

    with pytest.raises(DefinitionError, match="was called 2 times: wire what the calls returned"), DAG("d"):
        extract()
        extract()
        extract >> shell("after", "true")


def test_calling_a_function_after_it_was_wired_uncalled_is_an_error() -> None:
    """A later call would silently make a second task, so it is refused with the line of the first."""

    @task
    def extract() -> None: ...

    with pytest.raises(DefinitionError, match="wired without being called on line"), DAG("d"):
        extract >> shell("after", "true")
        extract()


def test_an_uncalled_function_that_needs_data_says_so() -> None:
    """A parameter that no context field fills cannot be left out by wiring the function uncalled."""

    @task
    def transform(data: object) -> None: ...

    with pytest.raises(DefinitionError, match="task 'transform' needs a value for 'data'"), DAG("d"):
        shell("before", "true") >> transform


def test_one_function_serves_several_dags() -> None:
    """A function that is used in two DAGs makes a task in each."""

    @task
    def extract() -> None: ...

    with DAG("one") as one:
        extract >> shell("after", "true")
    with DAG("two") as two:
        extract()
    assert (one.task_ids, two.task_ids) == (["after", "extract"], ["extract"])


def test_tasks_of_two_dags_cannot_be_wired() -> None:
    """An edge between DAGs is an error that names both."""
    with DAG("one"):
        a = shell("a", "true")
    with pytest.raises(DefinitionError, match="belongs to DAG 'one' and task 'b' to 'two'"), DAG("two"):
        a >> shell("b", "true")


@pytest.mark.parametrize("wrong", [None, "a", 3, [None], object])
def test_only_tasks_can_be_wired(wrong: object) -> None:
    """Anything else on the other side is an error that shows it."""
    with pytest.raises(DefinitionError, match="cannot be wired"), DAG("d"):
        shell("a", "true") >> wrong


def test_wiring_outside_of_a_dag_is_an_error() -> None:
    """Uncalled functions have no task where no DAG is being built."""

    @task
    def lonely() -> None: ...

    with pytest.raises(DefinitionError, match="task 'lonely' is wired outside of a DAG"):
        lonely >> lonely


def test_a_task_defined_in_the_dag_and_never_used_is_a_task() -> None:
    """A `@task` inside a DAG's body needs neither a call nor an edge."""
    with DAG("d") as dag:

        @task
        def alone() -> None: ...

        @task
        def called() -> None: ...

        called()
    assert dag.task_ids == ["called", "alone"]


def test_ten_thousand_tasks_are_wired_in_time_that_grows_with_their_number() -> None:
    """A chain of 2,000, a fan of 5,000 and a complete 50×50 are all built, each edge once."""
    with DAG("big") as dag:
        links = steps(*(f"c{number}" for number in range(2000)))
        chain(*links)
        links[-1] >> steps(*(f"w{number}" for number in range(5000)))
        cross_downstream(steps(*(f"l{n}" for n in range(50))), steps(*(f"r{n}" for n in range(50))))
    assert len(dag.tasks) == 7100
    assert len(edges(dag)) == 1999 + 5000 + 2500

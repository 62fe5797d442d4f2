"""Values that are known only when an attempt starts."""

from __future__ import annotations

from typing import Any

import pytest

from dagdeck import DAG, DefinitionError, PermanentError, Task, dag, shell, task
from engine.authoring.lazy import Scope, resolve
from engine.authoring.references import resolve_text
from engine.authoring.running import call_task
from engine.authoring.serialize import serialize
from engine.authoring.templates import fill
from engine.model.attempt_files import InputRef
from tests.support.dag_files import attempt


@task
def use(value: Any) -> Any:
    """Returns what it was given."""
    return value


@task
def extract() -> dict[str, Any]:
    """Has a result with parts."""
    return {"rows": [1, 2], "day": "x"}


def given(make: Any, *, params: dict[str, Any] | None = None, inputs: dict[str, Any] | None = None) -> Any:
    """What the task `use` receives when `make(dag)` is passed to it."""
    declared = params or {}
    with DAG("d", params=declared) as made:
        node = use(make(made))
    return call_task(made, attempt("d", node.task_id, params=declared), inputs or {})


def test_a_param_arrives_as_its_value() -> None:
    """Also nested in lists, tuples, sets and dicts."""
    assert given(lambda d: {"a": [d.param("n"), (d.param("n"), 2)]}, params={"n": 7}) == {"a": [7, (7, 2)]}


def test_a_param_in_text_is_filled_in_when_the_task_starts() -> None:
    """f-strings, format, concatenation and str() leave a placeholder."""
    assert given(lambda d: f"s3://{d.param('env')}-data", params={"env": "dev"}) == "s3://dev-data"
    assert given(lambda d: "a/{}".format(d.param("env")), params={"env": "dev"}) == "a/dev"
    assert given(lambda d: "a/" + d.param("env") + "/b", params={"env": "dev"}) == "a/dev/b"
    assert given(lambda d: str(d.param("env")), params={"env": "dev"}) == "dev"


def test_results_arrive_whole_in_parts_and_nested() -> None:
    """A call's result may be indexed before it is known."""
    inputs = {"extract": {"rows": [1, 2], "day": "x"}}
    assert given(lambda d: extract(), inputs=inputs) == inputs["extract"]
    assert given(lambda d: extract()["rows"][1], inputs=inputs) == 2
    assert given(lambda d: [{"all": extract()}], inputs=inputs) == [{"all": inputs["extract"]}]


def test_a_missing_result_is_none() -> None:
    """An upstream task that was skipped, or returned nothing, gives None."""
    assert given(lambda d: extract()) is None


def test_passing_a_result_is_an_edge_and_an_input() -> None:
    """Each upstream task is named once, however often it is used."""
    with DAG("d") as made:
        found = extract()
        use([found, found["rows"], {"x": found}])
    spec = serialize(made, "f.py").tasks[1]
    assert (spec.upstream, spec.inputs) == (["extract"], ["extract"])


def test_a_part_that_the_result_lacks_fails_for_good() -> None:
    """The error names the task, the part and what is there."""
    with pytest.raises(PermanentError, match=r"the result of 'extract' has no \['rows'\]: it is \{'day': 'x'\}"):
        given(lambda d: extract()["rows"], inputs={"extract": {"day": "x"}})
    with pytest.raises(PermanentError, match=r"has no \['rows'\]: it is None"):
        given(lambda d: extract()["rows"])


def test_settings_can_be_looked_up_by_a_param() -> None:
    """`env.lookup(table)` is the entry for the run's value, and its parts."""
    table = {"dev": {"source": "s3://dev/{ds}", "n": 4}, "prod": {"source": "s3://prod/{ds}", "n": 100}}
    assert given(lambda d: d.param("env").lookup(table)["n"], params={"env": "prod"}) == 100
    assert given(lambda d: d.param("env").lookup(table)["source"], params={"env": "dev"}) == "s3://dev/2024-01-15"
    with pytest.raises(PermanentError, match="param 'env' is 'qa', which the table does not hold: dev, prod"):
        given(lambda d: d.param("env").lookup(table), params={"env": "qa"})


@pytest.mark.parametrize("table", [{}, None, ["dev"]])
def test_a_lookup_needs_a_table(table: Any) -> None:
    """An empty or impossible table is an error."""
    with pytest.raises(DefinitionError, match=r"lookup\(\) takes a dict"), DAG("d", params={"env": "x"}) as made:
        made.param("env").lookup(table)


@pytest.mark.parametrize(
    ("misuse", "what"),
    [
        (lambda p: p == "prod", "be compared"),
        (lambda p: p in ["prod"], "be compared"),
        (lambda p: {"prod": 1}[p], "be a key"),
        (lambda p: bool(p), "be tested for truth"),
        (lambda p: list(p), "be iterated over"),
        (lambda p: f"{p:>10}", "be formatted as '>10'"),
        (lambda p: f"{p['a']}", "be put into text"),
    ],
)
def test_a_param_cannot_be_decided_upon_while_the_dag_is_built(misuse: Any, what: str) -> None:
    """A silent wrong answer is worse than an error that says why."""
    unknown = f"is not known while the DAG is being built, so it cannot {what}"
    with pytest.raises(DefinitionError, match=unknown), DAG("d", params={"env": "prod"}) as made:
        misuse(made.param("env"))


@pytest.mark.parametrize("misuse", [lambda t: f"{t}", lambda t: list(t), lambda t: f"{t['a']}", lambda t: 1 in t])
def test_a_result_cannot_be_used_while_the_dag_is_built(misuse: Any) -> None:
    """The same for results."""
    with pytest.raises(DefinitionError, match=r"task 'extract'.* is not known while"), DAG("d"):
        misuse(extract())


def test_an_index_is_text_or_a_whole_number() -> None:
    """Slices and other keys have no place in a JSON value."""
    with pytest.raises(DefinitionError, match="cannot be indexed by slice"), DAG("d"):
        extract()[1:2]


def test_a_lazy_value_cannot_be_a_key() -> None:
    """Keys must be known when the DAG is built."""
    with pytest.raises(DefinitionError, match="task 'extract' cannot be a key of a dict"), DAG("d"):
        use({extract(): 1})


def test_an_argument_that_contains_itself_is_refused() -> None:
    """Bottomless structures end in an error, not in a recursion."""
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(DefinitionError, match="contains itself"), DAG("d"):
        use(loop)


@pytest.mark.parametrize("text", ["{params.other}", "a {params.env!r} b", "{params.env.x}"])
def test_an_unknown_param_in_text_is_an_error(text: str) -> None:
    """A placeholder that names no declared param is found when the DAG is built."""
    lacks = r"uses param .*, which DAG 'd' lacks; declared: env"
    with pytest.raises(DefinitionError, match=lacks), DAG("d", params={"env": 1}):
        use([text])
    with pytest.raises(DefinitionError, match=lacks), DAG("d", params={"env": 1}):
        shell("a", "true", env={"X": text})


def test_params_and_results_of_another_dag_are_refused() -> None:
    """Lazy values belong to the DAG they come from."""
    with DAG("one", params={"here": 1}) as one:
        found = extract()
    with pytest.raises(DefinitionError, match=r"'extract'\['rows'\] belongs to another DAG"), DAG("two"):
        use(found["rows"])
    with pytest.raises(DefinitionError, match="uses param 'here', which DAG 'three' lacks"), DAG("three"):
        use(one.param("here"))
    with pytest.raises(DefinitionError, match="DAG 'one' uses param 'there'"):
        one.param("there")


def test_exactly_the_known_placeholders_are_filled() -> None:
    """Dates and ids of the run are, all other braces are not."""
    tokens = {"ds": "2024-01-15", "run_id": "r"}
    text = "{ds} {run_id} {logical_date} {params.a} {params.b} {} {0} {x} {{ds}} { ds }"
    assert fill(text, tokens, {"a": 1}) == "2024-01-15 r {logical_date} 1 {params.b} {} {0} {x} {2024-01-15} { ds }"


def test_a_value_is_never_read_as_a_placeholder() -> None:
    """What a param contains is data, also when it looks like a placeholder; and so is what a task returned."""
    assert fill("{params.a}", {"ds": "D"}, {"a": "{ds} {params.a}"}) == "{ds} {params.a}"
    assert given(lambda d: extract(), inputs={"extract": "{ds}"}) == "{ds}"
    assert resolve("{params.a}", Scope({"ds": "D"}, {"a": "{ds}"})) == "{ds}"


@pytest.mark.parametrize(
    ("value", "text"),
    [("x", "x"), (1, "1"), (0.5, "0.5"), (True, "true"), (None, ""), (["a"], '["a"]'), ({"a": "é"}, '{"a":"é"}')],
)
def test_values_become_text_as_json(value: Any, text: str) -> None:
    """Text stays itself, nothing is nothing, the rest is JSON."""
    assert fill("{params.a}", {}, {"a": value}) == text


def env_of(make: Any, *, params: dict[str, Any] | None = None, inputs: dict[str, Any] | None = None) -> dict[str, str]:
    """The environment that a shell task receives."""
    declared = params or {}
    with DAG("d", params=declared) as made:
        shell("sh", "true", env=make(made))
    spec = next(each for each in serialize(made, "f.py").tasks if each.task_id == "sh")
    about = attempt("d", "sh", params=declared, inputs=inputs)
    return {name: resolve_text(value, about) for name, value in spec.env.items()}


def test_a_shells_environment_is_resolved_without_user_code() -> None:
    """Text, placeholders, params, lookups, results and their parts, all as text."""
    env = env_of(
        lambda d: {
            "PLAIN": "a {b}",
            "NUMBER": 1.5,
            "DATE": "day={ds} at {logical_date}",
            "PARAM": d.param("n"),
            "TEXT": f"n={d.param('n')}",
            "LOOKUP": d.param("env").lookup({"dev": {"path": "{ds}/x"}})["path"],
            "RESULT": extract(),
            "PART": extract()["rows"],
        },
        params={"n": 3, "env": "dev"},
        inputs={"extract": {"rows": [1]}, "extract__1": {"rows": [2]}},
    )
    assert env == {
        "PLAIN": "a {b}",
        "NUMBER": "1.5",
        "DATE": "day=2024-01-15 at 2024-01-15T00:00:00+00:00",
        "PARAM": "3",
        "TEXT": "n=3",
        "LOOKUP": "2024-01-15/x",
        "RESULT": '{"rows":[1]}',
        "PART": "[2]",
    }


def test_a_dags_environment_may_have_placeholders_too() -> None:
    """What is known only at the start is given to each task, which may say otherwise."""
    with DAG("d", env={"DAY": "{ds}", "PLAIN": "x", "BOTH": "{run_id}"}) as made:
        shell("sh", "true", env={"BOTH": "own"})
    spec = serialize(made, "f.py")
    assert spec.env == {"PLAIN": "x"}
    assert {name: resolve_text(value, attempt("d", "sh")) for name, value in spec.tasks[0].env.items()} == {
        "DAY": "2024-01-15",
        "BOTH": "own",
    }


@pytest.mark.parametrize("value", [True, None, ["a"], b"x", "a\0b"])
def test_an_environment_holds_text(value: Any) -> None:
    """Values whose text would be a guess are refused, with their name."""
    with DAG("d") as made:
        shell("sh", "true", env={"NAME": value})
    with pytest.raises(DefinitionError, match="task 'sh': env NAME="):
        serialize(made, "f.py")


def test_a_result_too_large_for_an_environment_fails_for_good() -> None:
    """A result that stands in a file is not put into a variable."""
    about = attempt("d", "sh")
    about.inputs["extract"] = InputRef(path="/somewhere/result.json")
    with pytest.raises(PermanentError, match="the result of 'extract' is too large for an environment variable"):
        resolve_text({"$result": "extract"}, about)


def test_a_nul_character_cannot_reach_an_environment() -> None:
    """The value of a param may hold one; the attempt fails with a sentence instead of in the kernel."""
    about = attempt("d", "sh", params={"p": "a\0b"})
    with pytest.raises(PermanentError, match="cannot hold a NUL character"):
        resolve_text({"$param": "p"}, about)


def test_a_param_the_run_does_not_have_fails_for_good() -> None:
    """A run that was made before the param existed says so."""
    with pytest.raises(PermanentError, match="the run has no param 'p'"):
        resolve_text({"$param": "p"}, attempt("d", "sh"))


def test_tasks_can_be_compared_and_collected() -> None:
    """A task is an object as any other: it has truth, equality and a hash."""

    @dag
    def d() -> None:
        shell("a", "true")
        shell("b", "true")

    a, b = d().tasks
    assert a
    assert a != b
    assert {a, b, a} == {b, a}
    assert isinstance(a, Task)

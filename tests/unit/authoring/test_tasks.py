"""`@task` and `shell`: ids, arguments, and what is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from dagdeck import DAG, DefinitionError, TaskGroup, shell, task
from engine.authoring.serialize import serialize
from engine.model.dag import TaskSpec


def spec_of(dag: DAG, task_id: str) -> TaskSpec:
    """The serialized form of one task."""
    return next(each for each in serialize(dag, "f.py").tasks if each.task_id == task_id)


def only_task(**options: Any) -> TaskSpec:
    """The serialized form of a task with these arguments."""
    with DAG("d") as dag:
        shell("t", "true", **options)
    return spec_of(dag, "t")


def test_a_bare_and_a_called_decorator_make_the_same_task() -> None:
    """`@task` and `@task()` both take the function's name as id and its docstring as doc."""

    @task
    def bare() -> None:
        """Says

        something.
        """

    @task()
    def called() -> None: ...

    with DAG("d") as dag:
        bare()
        called()
    assert dag.task_ids == ["bare", "called"]
    assert spec_of(dag, "bare").doc == "Says\n\nsomething."
    assert spec_of(dag, "called").doc is None


def test_repeated_calls_get_numbered_ids() -> None:
    """The second call of a task is `extract__1`, the third `extract__2`, as in Airflow."""

    @task
    def extract() -> None: ...

    with DAG("d") as dag:
        made = [extract() for _ in range(3)]
    assert [each.task_id for each in made] == ["extract", "extract__1", "extract__2"]
    assert dag.task_ids == ["extract", "extract__1", "extract__2"]


def test_override_changes_arguments_of_one_use() -> None:
    """`override` gives another id and other arguments, and leaves the original as it was."""

    @task(retries=1, pool="db", doc="kept")
    def extract() -> None: ...

    with DAG("d") as dag:
        extract()
        extract.override(task_id="other", retries=5)()
        extract.override(retries=7)()
    assert [(spec.task_id, spec.retry.retries, spec.pool, spec.doc) for spec in serialize(dag, "f.py").tasks] == [
        ("extract", 1, "db", "kept"),
        ("other", 5, "db", "kept"),
        ("extract__1", 7, "db", "kept"),
    ]


def test_two_functions_of_one_name_are_a_duplicate() -> None:
    """Only calls of one function are numbered; another task of the same id is an error with the first one's line."""

    @task
    def extract() -> None: ...

    @task(task_id="extract")
    def other() -> None: ...

    with (
        pytest.raises(DefinitionError, match=r"task id 'extract' is used twice in DAG 'd', first on line \d+"),
        DAG("d"),
    ):
        extract()
        other()


def test_a_shell_id_that_is_taken_is_a_duplicate() -> None:
    """Shell tasks are never numbered."""
    with pytest.raises(DefinitionError, match="task id 'a' is used twice"), DAG("d"):
        shell("a", "true")
        shell("a", "true")


@pytest.mark.parametrize(
    "task_id",
    [
        "",
        " ",
        "a b",
        "-a",
        ".a",
        "a/b",
        "..",
        "a%b",
        "a#b",
        "a?b",
        "a:b",
        "a\nb",
        "a\n",
        "é",
        "a\u0301",
        "🙂",
        "\u202ea",
        "x" * 201,
    ],
)
def test_ids_that_are_not_safe_everywhere_are_refused(task_id: str) -> None:
    """An id outside the allowed pattern is an error that shows it and the rule."""
    with pytest.raises(DefinitionError, match=r"task id .* is not allowed: use letters, digits"), DAG("d"):
        shell(task_id, "true")


@pytest.mark.parametrize("task_id", ["a", "A.b-c_d", "0", "CON", "x" * 200])
def test_ids_of_the_allowed_pattern_are_kept_as_they_are(task_id: str) -> None:
    """Letters, digits, dots, dashes and underscores, at most 200 characters."""
    with DAG("d") as dag:
        shell(task_id, "true")
    assert dag.task_ids == [task_id]


def test_the_retry_policy_of_the_handbook() -> None:
    """Retries, delay, exponential backoff and cap arrive in seconds; True means a multiplier of 2."""
    retry = only_task(
        retries=5,
        retry_delay=timedelta(seconds=30),
        retry_exponential_backoff=True,
        max_retry_delay=timedelta(minutes=15),
        retry_jitter=0.25,
    ).retry
    assert (retry.retries, retry.delay, retry.exponential, retry.multiplier) == (5, 30.0, True, 2.0)
    assert (retry.max_delay, retry.jitter) == (900.0, 0.25)


def test_backoff_may_be_the_multiplier_or_off() -> None:
    """A number is the multiplier; False is a constant delay."""
    assert only_task(retry_exponential_backoff=1.5).retry.multiplier == 1.5
    assert only_task(retry_exponential_backoff=1.5).retry.exponential
    assert not only_task(retry_exponential_backoff=False).retry.exponential


def test_every_other_argument_arrives() -> None:
    """Each argument of a task stands in its serialized form, durations in seconds."""
    spec = only_task(
        execution_timeout="10m",
        grace="3s",
        pool="db",
        pool_slots=2,
        priority_weight=-4,
        trigger_rule="all_done",
        max_active_tis=3,
        isolate=True,
        env={"LEVEL": "info", "PORT": 5432},
        owner="etl",
        doc="text",
        runbook="https://example.org/r",
        sla=timedelta(hours=2),
        on_failure_callback=print,
        on_retry_callback=[print, repr],
    )
    assert (spec.execution_timeout, spec.grace, spec.sla) == (600.0, 3.0, 7200.0)
    assert (spec.pool, spec.pool_slots, spec.priority_weight, spec.trigger_rule.value) == ("db", 2, -4, "all_done")
    assert (spec.max_active_tis, spec.isolate, spec.env) == (3, True, {"LEVEL": "info", "PORT": "5432"})
    assert (spec.owner, spec.doc, spec.runbook) == ("etl", "text", "https://example.org/r")
    assert (spec.callbacks.on_failure, spec.callbacks.on_retry, spec.callbacks.on_success) == (True, True, False)


@pytest.mark.parametrize(
    ("argument", "value", "allowed"),
    [
        ("retries", -1, "a whole number from 0"),
        ("retries", True, "a whole number from 0"),
        ("retries", 1.5, "a whole number from 0"),
        ("retry_delay", timedelta(seconds=-1), "a duration of 0 or more"),
        ("retry_delay", 30, "a timedelta, or text such as"),
        ("retry_delay", "soon", "a timedelta, or text such as"),
        ("retry_delay", "-5s", "a timedelta, or text such as"),
        ("retry_exponential_backoff", 0.5, "the multiplier, a number from 1 to 100"),
        ("retry_exponential_backoff", "yes", "the multiplier, a number from 1 to 100"),
        ("max_retry_delay", "0s", "a duration of more than 0"),
        ("retry_jitter", 1.1, "a number from 0 to 1"),
        ("retry_jitter", float("nan"), "a number from 0 to 1"),
        ("execution_timeout", timedelta(0), "a duration of more than 0"),
        ("execution_timeout", timedelta.max, "at most 100 years"),
        ("grace", timedelta(seconds=-1), "a duration of 0 or more"),
        ("pool", "", "text that is not empty"),
        ("pool_slots", 0, "a whole number from 1"),
        ("priority_weight", "high", "a whole number from -1000000"),
        ("trigger_rule", "all_sucess", 'one of "all_success"'),
        ("trigger_rule", "all_done_setup_success", 'one of "all_success"'),
        ("max_active_tis", 0, "a whole number from 1"),
        ("isolate", 1, "True or False"),
        ("env", ["A"], "a dict, such as"),
        ("env", {"A B": "x"}, "names of letters, digits and '_'"),
        ("env", {"DAGDECK_X": "x"}, "names that do not start with DAGDECK_"),
        ("owner", " ", "text that is not empty"),
        ("sla", "0m", "a duration of more than 0"),
        ("on_failure_callback", "notify", "a function that takes the context"),
        ("on_failure_callback", [], "a function that takes the context"),
    ],
)
def test_a_wrong_value_names_argument_value_and_what_is_allowed(argument: str, value: object, allowed: str) -> None:
    """Every argument is checked where it is written."""
    with pytest.raises(DefinitionError) as caught:
        only_task(**{argument: value})
    assert str(caught.value).startswith(f"task 't': {argument}=")
    assert allowed in str(caught.value)
    assert caught.value.file == __file__


def test_an_unknown_argument_suggests_the_nearest() -> None:
    """A misspelt argument is an error that names the one that was probably meant."""
    with pytest.raises(DefinitionError, match=r"retry= is not an argument, do you mean retries=\?"):
        only_task(retry=3)


def test_an_argument_and_its_other_name_cannot_both_be_given() -> None:
    """Two names of one argument would contradict each other."""
    with pytest.raises(DefinitionError, match="doc_md= and another name of the same argument"):
        only_task(doc="a", doc_md="b")


def test_default_args_reach_every_task_and_yield_to_its_own() -> None:
    """A DAG's defaults apply to Python and shell tasks alike, unless the task says otherwise."""

    @task(retries=9)
    def own() -> None: ...

    with DAG("d", default_args={"retries": 2, "owner": "team", "sla": "2h", "on_failure_callback": print}) as dag:
        own()
        shell("plain", "true")
    assert (spec_of(dag, "own").retry.retries, spec_of(dag, "own").owner) == (9, "team")
    assert (spec_of(dag, "plain").retry.retries, spec_of(dag, "plain").sla) == (2, 7200.0)
    assert spec_of(dag, "plain").callbacks.on_failure


def test_wrong_default_args_are_named_as_such() -> None:
    """An error in `default_args` says that it is there."""
    with pytest.raises(DefinitionError, match="default_args of DAG 'd': retries=-1 is not allowed"):
        DAG("d", default_args={"retries": -1})


@pytest.mark.parametrize("command", ["", "  ", [], [""], None, 3, ["echo", 3], "a\0b"])
def test_a_command_is_a_script_or_a_program_with_arguments(command: Any) -> None:
    """Anything else is refused."""
    with pytest.raises(DefinitionError, match="task 'a': command="), DAG("d"):
        shell("a", command)


@pytest.mark.parametrize(
    ("command", "variable"),
    [
        ("echo {ds}", "$DAGDECK_DS"),
        ("load {params.env}", "$DAGDECK_PARAM_ENV"),
        (["load", "--date={logical_date}"], "$DAGDECK_LOGICAL_DATE"),
        ("x {data_interval_start}", "$DAGDECK_DATA_INTERVAL_START"),
        ("x {run_id}", "$DAGDECK_RUN_ID"),
    ],
)
def test_a_placeholder_in_a_command_names_the_variable_to_use(command: Any, variable: str) -> None:
    """Values are never pasted into commands: the error says where the value stands."""
    with pytest.raises(DefinitionError) as caught, DAG("d", params={"env": "prod"}):
        shell("a", command)
    assert f'use "{variable}" there' in str(caught.value)


@pytest.mark.parametrize("command", ["awk '{print $1}'", "echo ${ds} ${run_id:-x} {a,b} {}", 'echo "${DAGDECK_DS}"'])
def test_braces_that_are_no_placeholders_are_left_alone(command: str) -> None:
    """Shell and awk have braces of their own."""
    with DAG("d") as dag:
        shell("a", command)
    assert spec_of(dag, "a").command == command


def test_a_lazy_value_in_a_command_is_refused() -> None:
    """A param or a result in an argument list is refused with what to do instead."""

    @task
    def extract() -> None: ...

    pasted = r"param 'env' cannot be pasted .* use \"\$DAGDECK_PARAM_ENV\" there"
    with pytest.raises(DefinitionError, match=pasted), DAG("d", params={"env": "prod"}) as dag:
        shell("a", ["load", dag.param("env")])
    with (
        pytest.raises(DefinitionError, match=r"task 'extract' cannot be pasted .* give it to the task in env="),
        DAG("e"),
    ):
        shell("a", ["load", extract()])


def test_a_shell_task_has_no_result_to_pass() -> None:
    """Passing a shell task to a Python task is an error that says to wire it."""

    @task
    def use(data: object) -> None: ...

    with pytest.raises(DefinitionError, match="shell task 'a' has no result to pass on: wire it with >>"), DAG("d"):
        use(shell("a", "true"))


def test_an_uncalled_task_cannot_be_passed_as_a_value() -> None:
    """Forgetting the brackets of a call is an error that says so."""

    @task
    def extract() -> None: ...

    @task
    def use(data: object) -> None: ...

    with pytest.raises(DefinitionError, match="<@task extract> is not called: pass what calling it returns"), DAG("d"):
        use({"nested": [extract]})


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ((1, 2), {}, "too many positional arguments"),
        ((), {"other": 1}, "unexpected keyword argument 'other'"),
        ((), {}, "needs a value for 'data'"),
    ],
)
def test_a_call_that_does_not_fit_the_function_fails_at_definition(args: Any, kwargs: Any, message: str) -> None:
    """Wrong calls are found when the file is loaded, not when the task runs."""

    @task
    def transform(data: object) -> None: ...

    with pytest.raises(DefinitionError, match=message), DAG("d"):
        transform(*args, **kwargs)


def test_a_task_cannot_be_made_of_something_else() -> None:
    """`@task` takes functions only."""
    with pytest.raises(DefinitionError, match="@task: 3 is not a function"):
        task(3)


def test_outside_of_a_dag_a_task_is_its_function() -> None:
    """Calling a task in a unit test, or from another task, runs it; `.function` is the function itself."""

    @task(retries=3)
    def add(left: int, right: int = 1) -> int:
        return left + right

    assert add(2) == 3
    assert add.function(2, right=5) == 7


def test_the_number_of_a_call_is_the_first_free_one_in_its_group_and_dag() -> None:
    """Numbers go on within a group and a DAG, start anew in the next, and pass over ids that were given by hand."""

    @task
    def load() -> None: ...

    with DAG("first"):
        load.override(task_id="load__1")()
        plain = [load().task_id for _ in range(3)]
        with TaskGroup("inner"):
            grouped = [load().task_id for _ in range(2)]
    with DAG("second"):
        again = [load().task_id for _ in range(2)]
    assert plain == ["load", "load__2", "load__3"]
    assert grouped == ["inner.load", "inner.load__1"]
    assert again == ["load", "load__1"]

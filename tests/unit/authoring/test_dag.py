"""`@dag`, `DAG`: registration, params, arguments."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dagdeck import DAG, DefinitionError, Param, dag, shell
from engine.authoring.serialize import serialize, warnings_of
from engine.model.dag import DagSpec
from tests.support.dag_files import load_text


def spec_of(**options: Any) -> DagSpec:
    """The serialized form of a DAG with these arguments."""
    with DAG("d", **options) as made:
        shell("t", "true")
    return serialize(made, "f.py")


def test_a_decorated_function_is_a_dag_when_it_is_called() -> None:
    """The function's name is the id, its docstring the doc, and calling it builds it once."""

    @dag(schedule="@daily")
    def nightly() -> None:
        """Works at night."""
        shell("a", "true")

    built = nightly()
    assert (built.dag_id, built.task_ids, nightly() is built) == ("nightly", ["a"], True)
    assert serialize(built, "f.py").doc == "Works at night."


def test_loading_a_file_registers_its_dags_without_a_call(tmp_path: Path) -> None:
    """Nothing has to be called at the end of a file; calling it is fine too, and does not register it twice."""
    loaded = load_text(
        tmp_path,
        """
        @dag
        def quiet():
            shell("a", "true")

        @dag()
        def called():
            shell("a", "true")

        called()
        with DAG("block"):
            shell("a", "true")
        bare = DAG("bare")
        """,
    )
    assert sorted(loaded.dags) == ["bare", "block", "called", "quiet"]
    assert loaded.failures == []


def test_names_may_be_defined_after_the_dag_that_uses_them(tmp_path: Path) -> None:
    """An uncalled `@dag` function runs when the whole file has been read."""
    loaded = load_text(
        tmp_path,
        """
        @dag
        def early():
            later()

        @task
        def later(): ...
        """,
    )
    assert loaded.dags["early"].task_ids == ["later"]


def test_params_of_the_function_are_params_of_the_dag() -> None:
    """A default in the signature declares a param, no default a required one; `params=` goes before both."""

    @dag(params={"env": Param("prod", enum=["dev", "prod"])})
    def etl(env: object, day: object, limit: int = 10) -> None:
        shell("a", "true", env={"ENV": env, "DAY": day, "LIMIT": limit})

    params = serialize(etl(), "f.py").params
    assert (params["env"].default, params["env"].schema) == ("prod", {"enum": ["dev", "prod"]})
    assert (params["day"].default, params["day"].required) == (None, True)
    assert (params["limit"].default, params["limit"].required) == (10, False)


def test_calling_with_arguments_sets_the_defaults_of_params() -> None:
    """`etl(env="dev")` builds the DAG with another default, and keeps the rules."""

    @dag(params={"env": Param("prod", enum=["dev", "prod"], description="where")})
    def etl(env: object) -> None:
        shell("a", "true")

    spec = serialize(etl(env="dev"), "f.py").params["env"]
    assert (spec.default, spec.schema, spec.description) == ("dev", {"enum": ["dev", "prod"]}, "where")
    with pytest.raises(DefinitionError, match="is built already"):
        etl(env="prod")


def test_a_wrong_call_of_a_dag_function_is_an_error() -> None:
    """Arguments that the function does not take are named."""

    @dag
    def etl() -> None: ...

    with pytest.raises(DefinitionError, match="DAG 'etl': got an unexpected keyword argument 'day'"):
        etl(day=1)


def test_star_arguments_and_context_fields_are_no_params() -> None:
    """A `@dag` function takes params by name, and knows no run."""

    @dag
    def starred(*things: object) -> None: ...

    @dag
    def dated(logical_date: object) -> None: ...

    with pytest.raises(DefinitionError, match=r"takes single params, not \*things"):
        starred()
    with pytest.raises(DefinitionError, match="logical_date is known to tasks only"):
        dated()


@pytest.mark.parametrize("name", ["", "a b", "1a", "a-b", "é", 3])
def test_a_param_needs_a_name_that_a_variable_can_have(name: Any) -> None:
    """Params become environment variables and placeholders, so their names are letters, digits and '_'."""
    with pytest.raises(DefinitionError, match=r"param .* is not allowed: use letters, digits and '_'"):
        DAG("d", params={name: 1})


def test_params_that_differ_only_in_case_are_refused() -> None:
    """They would be the same environment variable."""
    with pytest.raises(DefinitionError, match="params 'env' and 'ENV' differ only in case"):
        DAG("d", params={"env": 1, "ENV": 2})


def test_every_argument_of_a_dag_arrives() -> None:
    """Each argument stands in the serialized form, under Airflow's name or ours."""
    spec = spec_of(
        schedule="0 6 * * *",
        timezone="Europe/Berlin",
        kind="trigger",
        start_date="2024-01-01",
        end_date=date(2024, 12, 31),
        catchup="latest",
        on_missed="skip",
        tags=["b", "a", "b"],
        owner="etl",
        doc="text",
        runbook="https://example.org",
        max_active_runs=1,
        max_active_tasks=4,
        max_active_tasks_per_run=2,
        run_timeout="2h",
        outcome="leaves",
        paused=True,
        on_broken="hold",
        python="/usr/bin/python3.12",
        env={"A": "b"},
        on_success_callback=print,
    )
    schedule = spec.schedule
    assert (schedule.expression, schedule.timezone, schedule.kind) == ("0 6 * * *", "Europe/Berlin", "trigger")
    assert (schedule.start_date, schedule.end_date) == ("2024-01-01T00:00:00+01:00", "2024-12-31T00:00:00+01:00")
    assert (schedule.catchup, schedule.on_missed) == ("latest", "skip")
    assert (spec.tags, spec.owner, spec.doc, spec.runbook) == (["b", "a"], "etl", "text", "https://example.org")
    assert (spec.max_active_runs, spec.max_active_tasks, spec.max_active_tasks_per_run) == (1, 4, 2)
    assert (spec.run_timeout, spec.outcome, spec.paused_upon_creation) == (7200.0, "leaves", True)
    assert (spec.on_broken, spec.python, spec.env) == ("hold", "/usr/bin/python3.12", {"A": "b"})
    assert spec.callbacks.on_success
    assert not spec.callbacks.on_failure


def test_airflow_names_mean_the_same() -> None:
    """`dagrun_timeout`, `is_paused_upon_creation`, `doc_md`, `description`, and booleans for catchup."""
    spec = spec_of(dagrun_timeout=timedelta(hours=1), is_paused_upon_creation=True, doc_md="md", catchup=True)
    assert (spec.run_timeout, spec.paused_upon_creation, spec.doc, spec.schedule.catchup) == (3600.0, True, "md", "all")
    assert (spec_of(catchup=False, description="d").schedule.catchup, spec_of(description="d").doc) == ("none", "d")


def test_start_date_may_stand_in_default_args() -> None:
    """Where Airflow's files often have it; the DAG's own argument goes first."""
    spec = spec_of(default_args={"start_date": "2020-01-01", "end_date": "2021-01-01"}, end_date="2022-01-01")
    assert (spec.schedule.start_date, spec.schedule.end_date) == (
        "2020-01-01T00:00:00+00:00",
        "2022-01-01T00:00:00+00:00",
    )


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("2024-07-01", "2024-07-01T00:00:00+02:00"),
        ("2024-07-01T06:30", "2024-07-01T06:30:00+02:00"),
        ("2024-07-01T00:00:00Z", "2024-07-01T00:00:00+00:00"),
        (datetime(2024, 7, 1), "2024-07-01T00:00:00+02:00"),
        (datetime(2024, 1, 1, tzinfo=UTC), "2024-01-01T00:00:00+00:00"),
        (datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=-3))), "2024-01-01T00:00:00-03:00"),
        (datetime(2024, 7, 1, tzinfo=ZoneInfo("Asia/Tokyo")), "2024-07-01T00:00:00+09:00"),
        (date(2024, 1, 1), "2024-01-01T00:00:00+01:00"),
    ],
)
def test_a_naive_start_date_is_read_in_the_dags_zone(given: Any, stored: str) -> None:
    """What has an offset keeps it; what has none is local to the DAG."""
    assert spec_of(timezone="Europe/Berlin", start_date=given).schedule.start_date == stored


def test_a_dag_without_a_zone_has_the_homes() -> None:
    """The default zone is an argument of serializing."""
    made = DAG("d", start_date="2024-01-01")
    assert serialize(made, "f.py", "Asia/Tokyo").schedule.timezone == "Asia/Tokyo"
    assert serialize(made, "f.py", "Asia/Tokyo").schedule.start_date == "2024-01-01T00:00:00+09:00"


def test_a_zone_may_be_a_zoneinfo() -> None:
    """Objects of zoneinfo carry their name."""
    assert spec_of(timezone=ZoneInfo("Asia/Tokyo")).schedule.timezone == "Asia/Tokyo"


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "/etc/localtime", "Europe", "é"])
def test_an_unknown_zone_is_an_error(zone: str) -> None:
    """The name is shown, and what a name looks like."""
    with pytest.raises(DefinitionError, match=r"timezone=.* is not known: use an IANA name"):
        spec_of(timezone=zone)


@pytest.mark.parametrize(
    ("argument", "value", "allowed"),
    [
        ("schedule", timedelta(milliseconds=1), "a timedelta of whole seconds"),
        ("schedule", [4], "a list of these, or None"),
        ("schedule", [], "a list of these, or None"),
        ("schedule", "", "cron text such as"),
        ("timezone", timezone(timedelta(hours=1)), "the name of a zone"),
        ("timezone", "", "the name of a zone"),
        ("kind", "cron", 'one of "interval", "trigger"'),
        ("start_date", "yesterday", 'ISO 8601 text such as "2024-01-31"'),
        ("start_date", 20240101, 'ISO 8601 text such as "2024-01-31"'),
        ("catchup", 1, 'True, False, "none", "latest", "all", or how far back'),
        ("overlap", "kill", 'one of "queue", "skip"'),
        ("exclude", 20261225, "a list of dates"),
        ("exclude", [20261225], "a list of dates"),
        ("on_missed", "none", 'one of "all", "latest", "skip"'),
        ("params", ["env"], "a dict, such as"),
        ("default_args", ["retries"], "a dict of task arguments"),
        ("tags", "weather", "a list of texts"),
        ("tags", [""], "text that is not empty"),
        ("max_active_runs", 0, "a whole number from 1"),
        ("dagrun_timeout", timedelta(0), "a duration of more than 0"),
        ("outcome", "any", 'one of "any_failed", "leaves"'),
        ("paused", "yes", "True or False"),
        ("on_broken", "ignore", 'one of "keep", "hold"'),
        ("python", "python3", "the absolute path of a Python"),
        ("env", {"1A": "x"}, "names of letters, digits and '_'"),
    ],
)
def test_a_wrong_argument_names_value_and_what_is_allowed(argument: str, value: object, allowed: str) -> None:
    """Every argument is checked where it is written."""
    with pytest.raises(DefinitionError) as caught:
        DAG("d", **{argument: value})
    assert str(caught.value).startswith(f"DAG 'd': {argument}=")
    assert allowed in str(caught.value)


def test_a_decorators_arguments_are_checked_at_the_decorator() -> None:
    """The error does not wait until the function is called, and names the decorator's line."""
    with pytest.raises(DefinitionError, match="DAG 'etl': max_active_runs=0 is not allowed") as caught:

        @dag(max_active_runs=0)
        def etl() -> None: ...

    assert caught.value.file == __file__


@pytest.mark.parametrize("dag_id", ["", "a/b", "..", "-x", "a b", "é", "x" * 201, None])
def test_ids_of_dags_follow_the_same_rule_as_those_of_tasks(dag_id: Any) -> None:
    """Letters, digits, '_', '.' and '-', at most 200."""
    with pytest.raises(DefinitionError, match=r"DAG id .* is not allowed"):
        DAG(dag_id)


def test_a_task_that_is_not_there_is_named_with_those_that_are() -> None:
    """`get_task` raises KeyError with the ids there are."""
    with DAG("d") as made:
        shell("a", "true")
    with pytest.raises(KeyError, match="DAG 'd' has no task 'b'; it has: a"):
        made.get_task("b")


def test_what_will_not_happen_is_a_warning() -> None:
    """A DAG without tasks, and a callback that this version never calls, are said aloud."""
    assert warnings_of(DAG("d")) == ["DAG 'd' has no tasks"]
    with DAG("e", sla_miss_callback=print) as made:
        shell("a", "true")
    assert warnings_of(made) == ["DAG 'e': sla_miss_callback is not called by this version"]


def test_a_dag_block_that_fails_does_not_stay_open() -> None:
    """After an exception in the block, tasks made outside belong to no DAG."""
    with pytest.raises(RuntimeError, match="stop"), DAG("d"):
        raise RuntimeError("stop")
    with pytest.raises(DefinitionError, match="outside of a DAG"):
        shell("a", "true")

"""DAG files as a handbook of orchestration writes them: each idiom loads, and means what the handbook says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.authoring.loading import LoadedFile
from engine.authoring.running import call_callback, call_task
from engine.authoring.serialize import serialize, warnings_of
from tests.support.dag_files import attempt, load_text

DEPENDENCIES = """
@dag
def pipeline():
    extract, transform, load, aggregate, export, archive = (
        shell(name, f"echo {name}") for name in ("extract", "transform", "load", "aggregate", "export", "archive")
    )
    extract >> transform >> load
    transform >> [aggregate, export, archive]
    [aggregate, export, archive] >> shell("merge", "echo merge")
"""

HYBRID = """
date = "2024-01-15"

@task
def wait_for_data():
    return f"trades/{date}/"

@task
def process_data():
    ...

with DAG("hybrid", schedule="0 6 * * *"):
    wait_for_data >> process_data
"""

DATES = """
read = []

def process(input_path, output_path):
    read.append((input_path, output_path))

@task
def process_daily_trades(execution_date, **context):
    date_str = execution_date.strftime("%Y-%m-%d")
    process(f"s3://raw/trades/date={date_str}/", f"s3://processed/trades/date={date_str}/")
    return read[-1]

with DAG(dag_id="daily_etl", schedule="@daily", start_date=__import__("datetime").datetime(2024, 1, 1), catchup=True):
    process_daily_trades()
"""

RETRIES = """
from datetime import timedelta

@task(retries=3, retry_delay=timedelta(minutes=5))
def fetch_simple():
    ...

@task(
    retries=5,
    retry_delay=timedelta(seconds=30),
    retry_exponential_backoff=True,
    max_retry_delay=timedelta(minutes=15),
)
def fetch_backoff():
    ...

with DAG("retrying"):
    fetch_simple(), fetch_backoff()
"""

ALERTS = """
from datetime import timedelta

told = []

def alert_on_failure(context):
    told.append({"dag": context["dag_id"], "date": context["ds"]})

def alert_on_sla_miss(*args):
    ...

with DAG(
    dag_id="daily_etl",
    sla_miss_callback=alert_on_sla_miss,
    default_args={"sla": timedelta(hours=2), "on_failure_callback": alert_on_failure},
):
    shell("work", "false")
"""

DATA = """
@task
def train_model():
    return "model"

@task
def extract():
    return [1, 2]

@task
def transform(data):
    return [2 * item for item in data]

@dag
def passing():
    train_model()
    extract_result = extract()
    transform(extract_result)
"""

PARAMETERS = """
config = {
    "dev": {"source": "s3://dev-data/", "parallelism": 4, "sample": 0.01},
    "prod": {"source": "s3://prod-data/", "parallelism": 100, "sample": 1.0},
}

@task
def read(path, cfg, parallelism):
    return [path, cfg["source"], parallelism]

@dag(
    params={
        "date": Param(default=None, type="string"),
        "env": Param(default="prod", enum=["dev", "staging", "prod"]),
    }
)
def daily_etl(date, env):
    source_path = f"s3://{env}-data/trades/date={date}/"
    cfg = env.lookup(config)
    read(source_path, cfg, cfg["parallelism"])

@dag
def by_default(env="prod"):
    read("x", env.lookup(config), 1)
"""

INSIDE = """
@dag(schedule="@daily")
def dag_a():
    @task
    def compute_metrics():
        ...
"""


def edges(loaded: LoadedFile, dag_id: str) -> dict[str, set[str]]:
    """Each task's upstream ids."""
    return {each.task_id: each.upstream_task_ids for each in loaded.dags[dag_id].tasks}


def run(loaded: LoadedFile, dag_id: str, task_id: str, **about: Any) -> Any:
    """What the task returns."""
    inputs = about.pop("inputs", {})
    return call_task(loaded.dags[dag_id], attempt(dag_id, task_id, **about), inputs)


def test_dependencies(tmp_path: Path) -> None:
    """Sequence, fan-out and fan-in."""
    assert edges(load_text(tmp_path, DEPENDENCIES), "pipeline") == {
        "extract": set(),
        "transform": {"extract"},
        "load": {"transform"},
        "aggregate": {"transform"},
        "export": {"transform"},
        "archive": {"transform"},
        "merge": {"aggregate", "export", "archive"},
    }


def test_tasks_wired_without_a_call(tmp_path: Path) -> None:
    """A schedule, and two functions wired by name."""
    loaded = load_text(tmp_path, HYBRID)
    assert edges(loaded, "hybrid") == {"wait_for_data": set(), "process_data": {"wait_for_data"}}
    assert serialize(loaded.dags["hybrid"], "f.py").schedule.expression == "0 6 * * *"


def test_the_execution_date_is_the_start_of_the_interval(tmp_path: Path) -> None:
    """A run that starts on the 16th processes the partition of the 15th."""
    loaded = load_text(tmp_path, DATES)
    assert run(loaded, "daily_etl", "process_daily_trades") == (
        "s3://raw/trades/date=2024-01-15/",
        "s3://processed/trades/date=2024-01-15/",
    )
    assert serialize(loaded.dags["daily_etl"], "f.py").schedule.catchup == "all"


def test_retries(tmp_path: Path) -> None:
    """A constant delay of five minutes, and 30 seconds that double up to 15 minutes."""
    simple, backoff = (each.retry for each in serialize(load_text(tmp_path, RETRIES).dags["retrying"], "f.py").tasks)
    assert (simple.retries, simple.delay, simple.exponential) == (3, 300.0, False)
    assert (backoff.retries, backoff.delay, backoff.exponential) == (5, 30.0, True)
    assert (backoff.multiplier, backoff.max_delay) == (2.0, 900.0)


def test_alerts(tmp_path: Path) -> None:
    """The failure callback gets the run's date; the service level stands with the task."""
    loaded = load_text(tmp_path, ALERTS)
    made = loaded.dags["daily_etl"]
    call_callback(made, attempt("daily_etl", "work", callback="on_failure", error="exit code 1"))
    assert loaded.module.__dict__["told"] == [{"dag": "daily_etl", "date": "2024-01-15"}]
    assert serialize(made, "f.py").tasks[0].sla == 7200.0
    assert warnings_of(made) == ["DAG 'daily_etl': sla_miss_callback is not called by this version"]


def test_data_passing(tmp_path: Path) -> None:
    """A result is an edge and a value; a task without one stands alone."""
    loaded = load_text(tmp_path, DATA)
    assert edges(loaded, "passing") == {"train_model": set(), "extract": set(), "transform": {"extract"}}
    assert run(loaded, "passing", "transform", inputs={"extract": [1, 2]}) == [2, 4]


def test_params(tmp_path: Path) -> None:
    """Params in paths, and configuration by environment, take the run's values."""
    loaded = load_text(tmp_path, PARAMETERS)
    params = {"date": "2024-01-01", "env": "dev"}
    assert run(loaded, "daily_etl", "read", params=params) == [
        "s3://dev-data/trades/date=2024-01-01/",
        "s3://dev-data/",
        4,
    ]
    assert serialize(loaded.dags["by_default"], "f.py").params["env"].default == "prod"


def test_a_task_inside_its_dag(tmp_path: Path) -> None:
    """A task that is only defined is a task of the DAG."""
    assert edges(load_text(tmp_path, INSIDE), "dag_a") == {"compute_metrics": set()}


def test_configuration_is_not_looked_up_while_the_dag_is_built(tmp_path: Path) -> None:
    """`config[env]` cannot work before a run exists; the error says what does."""
    loaded = load_text(tmp_path, "@dag\ndef daily_etl(env='prod'):\n    {'prod': 1}[env]")
    assert "param.lookup(table) looks it up when the attempt starts" in loaded.failures[0].message


def test_unit_and_structure_tests_of_an_author(tmp_path: Path) -> None:
    """A task's function can be called, and a DAG's structure asserted, without an engine."""
    loaded = load_text(tmp_path, DATA)
    transform = loaded.module.__dict__["transform"]
    assert transform([1]) == transform.function([1]) == [2]
    made = loaded.module.__dict__["passing"]()
    assert len(made.tasks) == 3
    assert "extract" in made.task_ids
    assert made.get_task("transform").upstream_task_ids == {"extract"}
    with pytest.raises(KeyError):
        made.get_task("nowhere")

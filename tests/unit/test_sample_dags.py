"""The sample DAGs: each loads, is valid, and runs with the same result however often it is run."""

from __future__ import annotations

import csv
import hashlib
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.authoring.dag import DAG
from engine.authoring.loading import load
from engine.authoring.serialize import serialize, warnings_of
from engine.dagfiles.validate import advice, validate
from tests.support.sample_runs import Outcome, run
from tests.support.shown import rows
from tests.support.source import PROJECT

SAMPLES = PROJECT / "sample_dags"
FILES = sorted(path.name for path in SAMPLES.glob("*.py"))
POOLS = {"default": -1, "demo_db": 2, "demo_source": 1}
WINTER, SUMMER = "2025-03-29T23:00:00Z", "2025-10-25T22:00:00Z"

BY_ENGINE = {
    "allowed_failures", "choices", "cluster_demo", "kills_demo", "leaves_decide", "limits_demo", "partial_work",
    "retry_after", "retry_rules",
}  # fmt: skip
"""They show what only an engine does: `docs/states.md` names them, and its test runs what it names by one."""

EXPECTED: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "approval_demo": ({}, {}),
    "broken_export": (
        {},
        {"collect": "success", "export": "failed", "publish": "upstream_failed", "clean_up": "success"},
    ),
    "callbacks_demo": ({}, {}),
    "circuit_breaker": ({}, {}),
    "connections_demo": ({}, {}),
    "data_passing": ({}, {}),
    "dependencies": ({}, {}),
    "depends_on_past": ({}, {}),
    "environments": ({}, {}),
    "fan_out": ({}, {}),
    "flaky_api": ({"logical_date": "2024-01-15T00:06:00Z"}, {}),
    "kept_slots": ({}, {}),
    "mapped_files": ({"params": {"files": 3}}, {}),
    "params_demo": ({"params": {"env": "dev"}}, {}),
    "pools_demo": ({}, {}),
    "run_timeout_demo": ({"params": {"seconds": 0}}, {}),
    "sales_eu": ({}, {}),
    "sales_jp": ({}, {}),
    "sales_us": ({}, {}),
    "shell_tools": ({}, {}),
    "slow_steps": ({"params": {"seconds": 2}}, {}),
    "task_groups": ({}, {}),
    "timeout_demo": ({"first_try": 2}, {}),  # the first try is what an engine stops
    "timezone_demo": ({"logical_date": WINTER, "interval_end": "2025-03-30T22:00:00Z", "zone": "Europe/Berlin"}, {}),
    "trigger_rules": (
        {"params": {"fail": True}},
        {
            "good": "success", "skipped": "skipped", "risky": "failed", "all_success": "upstream_failed",
            "all_failed": "skipped", "all_done": "success", "all_done_min_one_success": "skipped",
            "all_skipped": "skipped", "all_ran": "skipped", "one_success": "success", "one_failed": "success",
            "one_done": "success", "none_failed": "upstream_failed", "none_failed_min_one_success": "upstream_failed",
            "none_skipped": "skipped", "always": "success",
        },
    ),
    "weather_daily": ({"logical_date": "2012-01-14T08:00:00Z", "zone": "America/Los_Angeles"}, {}),
    "weather_replay": ({}, {}),
}  # fmt: skip


SURPRISING = {"trigger_rules"}
"""DAGs that show, on purpose, what the author of another would be warned of."""

SEVERAL = {
    "run_timeout_demo": "timeout_demo.py",
    **dict.fromkeys(
        ("trading_days", "every_quarter_hour", "month_end", "friday_13th", "once_in_2027"), "schedule_kinds.py"
    ),
    **{f"history_{policy}": "catchup_policies.py" for policy in ("none", "latest", "all", "7d")},
    **{f"slow_{overlap}": "catchup_policies.py" for overlap in ("queue", "skip", "cancel_previous", "latest_only")},
}
"""Files that define several DAGs, by DAG."""
EXPECTED.update({name: ({}, {}) for name in SEVERAL if name not in EXPECTED})


@pytest.fixture
def dags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the samples in a home's `dags/`, which is the working folder, as it is for tasks."""
    folder = tmp_path / "dags"
    shutil.copytree(SAMPLES, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setenv("DAGDECK_HOME", str(tmp_path))
    monkeypatch.chdir(folder)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    yield folder


def find(dags: Path, dag_id: str) -> DAG:
    """The DAG of this id, from the file of its name, or from the one that makes several."""
    name = f"{dag_id}.py" if f"{dag_id}.py" in FILES else SEVERAL.get(dag_id, "dags_in_a_loop.py")
    return load(dags / name, dags).dags[dag_id]


def made(folder: Path) -> dict[str, Any]:
    """All that runs have left in the home: files by content, databases by rows."""
    left: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        if "dags" in path.parts or not path.is_file():
            continue
        if path.suffix == ".db":
            with sqlite3.connect(path) as db:
                left[path.name] = list(db.iterdump())
            db.close()
        else:
            left[str(path.relative_to(folder))] = path.read_text()
    return left


@pytest.mark.parametrize("name", FILES)
def test_every_sample_loads_and_is_valid(dags: Path, name: str) -> None:
    """No errors, no warnings, a doc and a tag for every DAG, and a doc for the file."""
    loaded = load(dags / name, dags)
    assert loaded.failures == []
    assert (loaded.module.__doc__ or (SAMPLES / name).read_text()).strip()
    for dag in loaded.dags.values():
        spec = serialize(dag, name)
        assert validate(spec, POOLS) == []
        assert [line for line in warnings_of(dag) + advice(spec) if dag.dag_id not in SURPRISING] == []
        assert spec.doc
        assert spec.tags


def test_the_table_names_every_sample_dag(dags: Path) -> None:
    """A new sample has to be run here too."""
    found = {dag_id for name in FILES for dag_id in load(dags / name, dags).dags}
    assert found == set(EXPECTED) | BY_ENGINE
    assert {row.sample for row in rows()} >= BY_ENGINE


@pytest.mark.parametrize("dag_id", sorted(EXPECTED))
def test_every_sample_runs_twice_with_the_same_result(dags: Path, dag_id: str) -> None:
    """Each task ends as the sample means it to, and a second run of the same interval leaves everything as it was."""
    about, states = EXPECTED[dag_id]
    first = run(find(dags, dag_id), **about)
    left = made(dags.parent)
    second = run(find(dags, dag_id), **about)
    assert first.states == (states or dict.fromkeys(first.states, "success"))
    assert (second.states, second.results, second.printed) == (first.states, first.results, first.printed)
    assert made(dags.parent) == left


def test_a_flaky_call_works_at_the_try_that_its_minute_says(dags: Path) -> None:
    """In minute 6 three calls fail, in minute 0 none."""
    dag = find(dags, "flaky_api")
    assert run(dag, logical_date="2024-01-15T00:06:00Z").attempts["call_api"] == 4
    assert run(dag, logical_date="2024-01-15T00:00:00Z").attempts["call_api"] == 1


def test_a_permanent_failure_is_tried_once(dags: Path) -> None:
    """The export has five retries and uses none."""
    assert run(find(dags, "broken_export")).attempts["export"] == 1


def test_trigger_rules_differ_when_nothing_fails(dags: Path) -> None:
    """Without a failure, one skipped task skips what needs success, and the rules about failures are not met."""
    states = run(find(dags, "trigger_rules")).states
    assert {name for name, state in states.items() if state == "success"} == {
        "good", "risky", "all_done", "none_failed", "none_failed_min_one_success", "one_success", "one_done", "always",
    }  # fmt: skip
    assert set(states.values()) == {"success", "skipped"}


def test_callbacks_leave_their_messages(dags: Path) -> None:
    """The retry, the success and, when asked for, the failure are written down."""
    dag = find(dags, "callbacks_demo")
    run(dag, params={"fail": True})
    messages = sorted(path.name.split(".", 1)[1] for path in (dags.parent / "messages").iterdir())
    assert messages == ["may_fail.failure.json", "second_time_lucky.retry.json", "second_time_lucky.success.json"]


def test_a_shell_sees_a_param_as_data(dags: Path) -> None:
    """Quotes, variables and commands in the value are printed as they are."""
    printed = run(find(dags, "shell_tools"), params={"greeting": '$(id); it\'s "x" `id`'}).printed
    assert printed["say"] == '$(id); it\'s "x" `id`\nthis run is about 2024-01-15\n'
    assert printed["tell"] == "3 files for out/2024-01-15\n"


@pytest.mark.parametrize(
    ("start", "end", "hours"), [(WINTER, "2025-03-30T22:00:00Z", 23), (SUMMER, "2025-10-26T23:00:00Z", 25)]
)
def test_a_berlin_day_has_the_length_it_has(dags: Path, start: str, end: str, hours: int) -> None:
    """23 hours when summer time begins, 25 when it ends."""
    outcome = run(find(dags, "timezone_demo"), logical_date=start, interval_end=end, zone="Europe/Berlin")
    assert outcome.results["show"]["hours"] == hours


def day(dag: DAG, date: str) -> Outcome:
    """The run of one day of `weather_daily`."""
    return run(dag, logical_date=f"{date}T08:00:00Z", zone="America/Los_Angeles")


def test_the_weather_of_a_month_is_aggregated_from_the_real_data(dags: Path) -> None:
    """After all days of January 2012, in any order and some of them twice, the month is what the file says."""
    with (SAMPLES / "data" / "seattle-weather.csv").open(newline="") as source:
        january = [row for row in csv.DictReader(source) if row["date"].startswith("2012/01/")]
    dates = [row["date"].replace("/", "-") for row in january]
    dag = find(dags, "weather_daily")
    for date in [*reversed(dates), *dates[:3]]:
        outcome = day(dag, date)
    wet = sum(float(row["precipitation"]) > 0 for row in january)
    assert outcome.results["aggregate"] == {
        "month": "2012-01",
        "days": 31,
        "wet_days": wet,
        "precipitation": round(sum(float(row["precipitation"]) for row in january), 1),
        "temp_mean": round(sum(float(row["temp_max"]) + float(row["temp_min"]) for row in january) / 2 / 31, 1),
        "wind_max": max(float(row["wind"]) for row in january),
    }
    report = (dags.parent / "warehouse" / "reports" / "2012-01.md").read_text()
    assert f"| 31 | {wet} | 173.3 mm |" in report


def test_a_day_outside_the_data_fails_for_good(dags: Path) -> None:
    """There is nothing to try again, and nothing is written."""
    outcome = day(find(dags, "weather_daily"), "2016-01-01")
    assert (outcome.states["extract"], outcome.states["report"]) == ("failed", "upstream_failed")
    assert made(dags.parent) == {}


def test_every_observation_passes_the_check(dags: Path) -> None:
    """All 1,461 days of the data are sound, so a failing day is news."""
    module = load(dags / "weather_warehouse.py", dags).module
    with (SAMPLES / "data" / "seattle-weather.csv").open(newline="") as source:
        rows = list(csv.DictReader(source))
    for row in rows:
        numbers = {name: float(row[name]) for name in ("precipitation", "temp_max", "temp_min", "wind")}
        module.check({"date": row["date"], **numbers, "weather": row["weather"]})
    assert len(rows) == 1461


def test_the_replay_takes_day_after_day_and_stops_at_the_end(dags: Path) -> None:
    """Each minute gets the next day, the same minute the same day, and after the last day there is nothing to do."""
    dag = find(dags, "weather_replay")
    minutes = [f"2024-01-15T00:{minute:02}:00Z" for minute in (0, 1, 1, 2)]
    chosen = [run(dag, logical_date=minute).results["choose_day"] for minute in minutes]
    assert chosen == ["2012-01-01", "2012-01-02", "2012-01-02", "2012-01-03"]
    with sqlite3.connect(dags.parent / "warehouse" / "weather.db") as db:
        stored = [date for (date,) in db.execute("SELECT date FROM day ORDER BY date")]
        days = [(f"slot {number}", f"2012-01-{number:02}") for number in range(4, 32)]
        with (SAMPLES / "data" / "seattle-weather.csv").open(newline="") as source:
            rest = [row["date"].replace("/", "-") for row in csv.DictReader(source)][31:]
        db.executemany("INSERT INTO replay VALUES (?, ?)", [*days, *((f"slot {date}", date) for date in rest)])
    db.close()
    assert stored == ["2012-01-01", "2012-01-02", "2012-01-03"]
    done = run(dag, logical_date="2024-01-15T00:03:00Z")
    assert set(done.states.values()) == {"skipped"}


def test_the_data_is_the_file_that_its_source_names() -> None:
    """The checksum beside the data is that of the data."""
    digest = hashlib.sha256((SAMPLES / "data" / "seattle-weather.csv").read_bytes()).hexdigest()
    assert digest in (SAMPLES / "data" / "SOURCE.md").read_text()

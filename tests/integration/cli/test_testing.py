"""`dagdeck test` and `dagdeck dags validate`: DAG files without an engine."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from engine.home import Home
from tests.support.cli import Answer, Cli, dagdeck
from tests.support.homes import a_home

pytestmark = pytest.mark.processes

DAGS = {
    "good.py": """
        from dagdeck import Param, SkipTask, dag, shell, task

        @task
        def double(params, ds):
            print("printed by the task")
            return {"value": params["x"] * 2, "ds": ds}

        @task
        def show(data):
            if data["value"] == 0:
                raise SkipTask("nothing to show")
            return data["value"] + 1

        @dag(schedule="0 6 * * *", timezone="Europe/Berlin", start_date="2024-01-01",
             params={"x": Param(2, type="integer")})
        def good():
            show(double()) >> shell("say", "echo shell $DAGDECK_TASK_ID $DAGDECK_DS")
    """,
    "shaky.py": """
        from dagdeck import dag, shell, task

        CALLS = []

        def told(context):
            print("callback for", context["task_id"])

        @task(retries=2, retry_delay="1h")
        def third_time():
            CALLS.append(1)
            if len(CALLS) < 3:
                raise ConnectionError("refused")

        @task(execution_timeout="0.2s", on_failure_callback=told)
        def endless():
            while True:
                pass

        @dag
        def shaky():
            third_time() >> endless() >> shell("after", "true")

        @dag
        def random_results():
            count()

        @task
        def count():
            CALLS.append(1)
            return len(CALLS)
    """,
    "ruled.py": """
        from dagdeck import Partial, RetryRule, dag, shell, task

        @task(retries=2)
        def parts(failed_keys):
            return Partial(ok=["a"], failed=[] if failed_keys else ["b"])

        @task(retries=5, retry_rules=[RetryRule(match="no such", then="skip")])
        def absent():
            raise RuntimeError("no such table")

        @dag
        def ruled():
            parts(), absent()
            shell("code", "exit 3", retries=5, retry_rules=[RetryRule(exit_code=3, then="fail")])
    """,
    "asking.py": """
        from dagdeck import Breaker, approval, connection, dag, shell, task

        @task(breaker="geo")
        def load(answer):
            with Breaker("other"):
                return [answer["option"], answer["params"]["rows"], connection("db").host]

        @dag
        def asking():
            load(approval("ask", options=["no", "yes"], rejects=["no"], params={"rows": 7}))
    """,
    "leaky.py": """
        import base64, sys
        from dagdeck import connection, dag, shell, task

        @task
        def prints():
            password = connection("db").password
            print("raw", password, "base64", base64.b64encode(f"etl:{password}".encode()).decode())
            print("wrong", password, file=sys.stderr)

        @task
        def raises():
            raise ValueError(f"cannot log in with {connection('db').password}")

        @task
        def returns():
            return connection("db").password

        @task
        def harmless():
            print("to a terminal:", sys.stdout.isatty(), "hunter2-hunter2"[:3])

        @dag
        def leaky():
            prints(), raises(), returns(), harmless()
            shell("tells", "echo child $DAGDECK_CONN_DB_PASSWORD; echo $DAGDECK_CONN_DB_PASSWORD | base64 -w 8 >&2",
                  connections=["db"])
    """,
    "wrong.py": """
        from dagdeck import dag, shell

        @dag(schedule="0 66 * * *", start_date="2024-01-01")
        def wrong():
            first, second = shell("first", "true"), shell("second", "true", pool="db")
            first >> second >> first
    """,
}
CONFIG = """
[connections.db]
host = "db-1"
password = { env = "DB_PASSWORD" }
"""


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    """A home without an engine."""
    with a_home(DAGS, CONFIG) as made:
        yield made


def at(home: Home, *arguments: str) -> Answer:
    return dagdeck("--home", home.root, *arguments)


def test_a_dag_runs_in_one_process(home: Home) -> None:
    """Tasks get their params, dates and results; what they print is printed; nothing is stored."""
    answer = at(home, "test", "good", "--param", "x=20", "--logical-date", "2026-03-01")
    assert answer.code == 0
    assert "printed by the task" in answer.out
    assert "shell say 2026-02-28" in answer.out
    assert not home.database.exists()


def test_json_holds_results_and_nothing_that_tasks_print(home: Home) -> None:
    """With --json, standard output is one document; the tasks' own output goes to standard error."""
    answer = at(home, "test", "good", "--json")
    assert answer.code == 0
    tasks = {task["task_id"]: task for task in answer.json["tasks"]}
    assert tasks["show"]["result"] == 5
    assert "printed by the task" in answer.err
    assert "shell say" in answer.err


def test_a_skip_is_followed_by_the_trigger_rules(home: Home) -> None:
    """The engine's own lifecycle decides: what comes after a skipped task is skipped."""
    answer = at(home, "test", "good", "--param", "x=0", "--json")
    assert {task["task_id"]: task["state"] for task in answer.json["tasks"]} == {
        "double": "success",
        "show": "skipped",
        "say": "skipped",
    }


def test_retries_follow_at_once_and_timeouts_and_callbacks_work(home: Home) -> None:
    """A retry does not wait for its delay, an endless task is stopped, its callback runs, and the exit code is 1."""
    answer = at(home, "test", "shaky", "--json")
    tasks = {task["task_id"]: task for task in answer.json["tasks"]}
    assert answer.code == 1
    assert (tasks["third_time"]["state"], tasks["third_time"]["attempts"]) == ("success", 3)
    assert (tasks["endless"]["state"], tasks["after"]["state"]) == ("failed", "upstream_failed")
    assert "execution_timeout" in tasks["endless"]["error"]
    assert "callback for endless" in answer.err


def test_rules_and_partial_work_are_followed(home: Home) -> None:
    """What is left goes to the next try, and rules by text and exit code end the others at once."""
    answer = at(home, "test", "ruled", "--json")
    found = {task["task_id"]: (task["state"], task["attempts"]) for task in answer.json["tasks"]}
    assert found == {"parts": ("success", 2), "absent": ("skipped", 1), "code": ("failed", 1)}


def test_twice_finds_results_that_differ(home: Home) -> None:
    """--twice passes for a DAG that gives the same results again and fails for one that does not, naming the task."""
    assert at(home, "test", "good", "--twice").code == 0
    answer = at(home, "test", str(home.dags / "shaky.py") + ":random_results", "--twice", "--json")
    assert answer.code == 1
    assert answer.json["different"] == ["count"]


def test_nobody_is_asked_and_connections_are_given(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """An approval takes the first option that is no rejection, with its form's defaults; connections are looked up."""
    without = at(home, "test", "asking", "--json")
    assert (without.code, "DB_PASSWORD" in without.err) == (1, True)
    monkeypatch.setenv("DB_PASSWORD", "hunter2")
    answer = at(home, "test", "asking", "--json")
    assert answer.code == 0, answer.err
    tasks = {task["task_id"]: task for task in answer.json["tasks"]}
    assert tasks["load"]["result"] == ["yes", 7, "db-1"]
    assert "instead of asking a person" in answer.err


def test_secrets_stay_out_of_what_is_printed_raised_and_returned(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """As under an engine: outputs of tasks and their children are masked, errors too; a result with a secret fails."""
    secret = "hunter2-hunter2"
    monkeypatch.setenv("DB_PASSWORD", secret)
    answer = at(home, "test", "leaky", "--json")
    tasks = {task["task_id"]: task for task in answer.json["tasks"]}
    assert {name: task["state"] for name, task in tasks.items()} == {
        "prints": "success", "raises": "failed", "returns": "failed", "harmless": "success", "tells": "success",
    }  # fmt: skip
    assert "raw *** base64 " in answer.err and "wrong ***" in answer.err and "child ***" in answer.err
    assert "to a terminal: False hun" in answer.err
    assert tasks["raises"]["error"] == "ValueError: cannot log in with ***"
    assert "holds a secret of one of its connections" in tasks["returns"]["error"]
    for text in (secret, base64.b64encode(secret.encode()).decode()[:16]):
        assert text not in answer.out + answer.err


def test_what_cannot_be_run_is_said(home: Home, cli: Cli) -> None:
    """An unknown DAG ends with 4, a wrong param with 2, a DAG that does not validate with 1."""
    assert cli("--home", home.root, "test", "nothing").code == 4
    assert cli("--home", home.root, "test", "good", "--param", "x=many").code == 2
    answer = cli("--home", home.root, "test", home.dags / "wrong.py")
    assert answer.code == 1
    assert "first" in answer.err


def test_validate_names_file_line_and_reason(home: Home, cli: Cli) -> None:
    """Every DAG file is loaded as the engine would; a cycle is named by its path, an unknown pool by its name."""
    answer = cli("--home", home.root, "dags", "validate")
    assert answer.code == 1
    assert "ok     good.py  good, 3 tasks" in answer.out
    assert "first -> second -> first" in answer.out.replace("→", "->")
    assert "'db'" in answer.out
    assert "66" in answer.out
    documents = cli("--home", home.root, "dags", "validate", home.dags / "good.py", "--json").json
    assert [(each["file"], each["ok"]) for each in documents] == [("good.py", True)]
    assert cli("--home", home.root, "dags", "validate", "/no/such/place").code == 4


def test_a_dag_is_tested_without_a_word_about_other_files(home: Home) -> None:
    """Files that cannot be loaded are named only when the DAG was not found: it may stand in one of them."""
    (home.dags / "aaa_broken.py").write_text("half a fi")
    try:
        answer = dagdeck("--home", home.root, "test", "good")
        assert answer.code == 0 and "aaa_broken" not in answer.err
        answer = dagdeck("--home", home.root, "test", "nowhere")
        assert answer.code == 4 and "aaa_broken.py:1" in answer.err
    finally:
        (home.dags / "aaa_broken.py").unlink()

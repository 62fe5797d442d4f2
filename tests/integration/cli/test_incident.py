"""An incident by script: the inbox, a claim, a recovery, undo, the trash, and why runs and DAGs are as they are."""

from __future__ import annotations

import pytest

from engine.config import Home
from tests.support.cli import Cli

pytestmark = pytest.mark.processes


def test_an_incident_from_the_inbox_to_the_trash(cli: Cli, home: Home) -> None:
    """Each step by the command line alone, with stable keys and exit codes."""
    cli("--home", home.root, "trigger", "broken", "--wait", "--yes")
    (cause,) = [each for each in cli("inbox", "--json", "--home", home.root).json if each["cause"] == "exit code 3"]
    assert (cause["failed"], cause["dag_ids"], cause["claimed_by"]) == (1, ["broken"], None)
    run = cause["failures"][0]["run_id"]
    assert cli("inbox", "claim", cause["key"], "--yes", "--home", home.root).code == 0
    assert "exit code 3" in cli("inbox", "--home", home.root).out
    assert cli("undo", "--yes", "--home", home.root).out.startswith("took back claim")
    failed = cli("recover", "--since", "1h", "--error", "code 3", "--wait", "--yes", "--home", home.root)
    assert failed.code == 1
    assert "1 failed again" in failed.out and "fails: exit code 3" in failed.err
    why = cli("why", run, "--json", "--home", home.root).json
    assert ("failed", "fails failed: exit code 3") in [(each["code"], each["text"]) for each in why["reasons"]]
    assert cli("why", "broken", "--home", home.root).out.startswith("broken: active")
    assert cli("inbox", "resolve", cause["key"], "--yes", "--home", home.root).code == 0
    assert cause["key"] not in [each["key"] for each in cli("inbox", "--json", "--home", home.root).json]
    assert cli("runs", "delete", "--select", f"run:{run}", "--yes", "--home", home.root).code == 0
    assert [row["run_id"] for row in cli("runs", "trash", "--json", "--home", home.root).json] == [run]
    assert cli("runs", "show", run, "--home", home.root).code == 4
    assert cli("runs", "restore", run, "--yes", "--home", home.root).code == 0
    assert cli("runs", "show", run, "--json", "--home", home.root).json["state"] == "failed"


def test_names_and_an_expression_at_once_are_a_usage_error(cli: Cli, home: Home) -> None:
    """So is neither; an expression that fits nothing is refused."""
    assert cli("clear", "etl@latest", "--select", "dag:etl", "--yes", "--home", home.root).code == 2
    assert cli("cancel", "--yes", "--home", home.root).code == 2
    assert cli("mark", "done", "--yes", "--home", home.root).code == 2
    assert cli("recover", "--yes", "--home", home.root).code == 2
    assert cli("clear", "--select", "dag:none", "--yes", "--home", home.root).code == 5


def test_a_mistyped_key_chooses_nothing(cli: Cli, home: Home) -> None:
    """Turned round or not, it is a usage error that names the keys there are."""
    for text in ("sate:failed", "!sate:failed", "! sate:failed"):
        answer = cli("rerun", "--select", text, "--dry-run", "--home", home.root)
        assert answer.code == 2 and "no filter key 'sate'; there are state, dag" in answer.err

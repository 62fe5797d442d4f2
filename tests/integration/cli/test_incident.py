"""An incident by script: the inbox, a claim, a recovery, undo, the trash, and why runs and DAGs are as they are."""

from __future__ import annotations

import sys

import pytest

from engine.home import Home
from tests.support.cli import Cli
from tests.support.pty import PtyProgram
from tests.support.source import PROJECT

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


def test_from_opening_the_console_a_recovery_takes_at_most_six_keys(cli: Cli, home: Home) -> None:
    """The cause is under the cursor at once: Enter shows the plan, Enter begins it."""
    cli("--home", home.root, "trigger", "broken", "--wait", "--yes")
    keys: list[str] = []
    console = [sys.executable, "-m", "dagdeck", "--home", str(home.root)]
    with PtyProgram(console, size=(120, 36), cwd=PROJECT) as program:

        def press(key: str) -> None:
            keys.append(key)
            program.press(key)

        program.until("exit code 3")
        program.until("enter recover")
        press("enter")
        program.until("goes first")
        program.until("Enter recover")
        while "recovery " not in program.text and len(keys) < 6:
            program.quiet(1.0)  # Enter is dead until the plan has been on the screen for a moment
            press("enter")
            program.pump(3.0)
        program.until("recovery ")
    assert len(keys) <= 6
    last = cli("--home", home.root, "audit", "--json").json[0]
    assert (last["verb"], last["client"], last["outcome"]) == ("recover", "console", "done")
    assert last["terminal"].startswith("pts/")


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

"""Reading and changing verbs against a real engine and its store."""

from __future__ import annotations

import socket
from datetime import datetime
from pathlib import Path

import pytest

from console.cli.reading import near
from engine.home import Home
from tests.support.cli import Cli
from tests.support.homes import until
from tests.support.strangers import give_away

pytestmark = pytest.mark.processes

RUN_KEYS = {"dag_id", "run_id", "run_type", "state", "reason", "logical_date", "started_at", "ended_at", "duration"}
TASK_KEYS = {"dag_id", "run_id", "task_id", "map_index", "state", "reason", "attempt", "logical_date", "started_at"}


def trigger(cli: Cli, home: Home, *arguments: str) -> str:
    """Triggers a run and returns its id."""
    answer = cli("--home", home.root, "trigger", *arguments, "--yes", "--json")
    assert answer.code == 0, answer.err
    return str(answer.json["run_id"])


def state_of(cli: Cli, home: Home, run: str, task: str) -> str:
    """The state of one task of a run."""
    rows = cli("--home", home.root, "tasks", run, "--json").json
    return str(next(row["state"] for row in rows if row["task_id"] == task))


def test_a_triggered_run_can_be_waited_for_and_read_back(cli: Cli, home: Home) -> None:
    """`trigger --wait` ends with 0 after a success; list, show and tasks then give stable keys and UTC moments."""
    run_id = trigger(cli, home, "etl", "--param", "rows=7", "--wait", "--note", "by hand")
    listed = cli("--home", home.root, "runs", "list", "etl", "--json").json
    assert set(listed[0]) >= RUN_KEYS
    shown = cli("--home", home.root, "runs", "show", run_id, "--json").json
    assert (shown["state"], shown["params"], shown["note"]) == ("success", {"rows": 7}, "by hand")
    assert shown["started_at"].endswith("Z")
    assert set(shown["tasks"][0]) >= TASK_KEYS
    assert [task["task_id"] for task in shown["tasks"]] == ["extract", "load"]
    text = cli("--home", home.root, "runs", "show", run_id).out
    assert "rows=7" in text
    assert "success" in text


def test_a_triggered_run_is_named_and_its_long_errors_take_one_line(cli: Cli, home: Home) -> None:
    """Without --json `trigger --yes` says which run it made; `tasks` cuts an error that `why` tells whole."""
    made = cli("--home", home.root, "trigger", "wordy", "--yes").out.strip()
    run_id = made.removeprefix("triggered ")
    assert run_id.startswith("wordy@")
    cli("--home", home.root, "runs", "wait", run_id)
    table = cli("--home", home.root, "tasks", run_id).out.splitlines()
    assert len(table) == 2 and len(table[1]) < 160 and table[1].endswith("…")
    assert "the very end" in cli("--home", home.root, "why", run_id, "talks").out
    assert "the very end" in cli("--home", home.root, "tasks", run_id, "--json").json[0]["error"]


def test_a_run_that_fails_ends_the_wait_with_1(cli: Cli, home: Home) -> None:
    """A waited-for run that fails gives exit code 1, and `why` names what came before, and each thing once."""
    answer = cli("--home", home.root, "trigger", "broken", "--wait", "--yes")
    assert answer.code == 1
    assert cli("--home", home.root, "runs", "wait", "broken@latest").code == 1
    told = cli("--home", home.root, "why", "broken@latest", "after").out
    assert "upstream_failed" in told
    assert "fails is failed" in told
    why = cli("--home", home.root, "why", "broken@latest", "fails", "--json").json
    assert why["attempts"][0]["exit_code"] == 3
    said = cli("--home", home.root, "why", "broken@latest", "fails").out.splitlines()
    (tried,) = [line for line in said if "try 1" in line]
    assert tried.count("exit code 3") == 1 and "unknown" not in tried


def test_a_log_is_shown_with_its_control_characters_made_visible(cli: Cli, home: Home) -> None:
    """What a task wrote cannot act on a terminal; `--raw` gives the bytes to a file or a pipe."""
    run_id = trigger(cli, home, "etl", "--wait")
    answer = cli("--home", home.root, "logs", run_id, "extract")
    assert "\x1b" not in answer.out
    assert "reading ^[]52;c;eA==^G ^[[2J and more" in answer.out
    assert cli("--home", home.root, "logs", run_id, "extract", "--attempt", "4").code == 4
    assert cli("--home", home.root, "logs", run_id, "nothing").code == 4


def test_a_log_is_followed_to_the_end_of_its_attempt(cli: Cli, home: Home) -> None:
    """`logs -f` waits for the attempt, prints what comes and returns when the attempt has ended."""
    run_id = trigger(cli, home, "slow")
    until(lambda: state_of(cli, home, run_id, "sleeps") == "running", "the task runs")
    assert cli("--home", home.root, "kill", run_id, "sleeps", "--yes").code == 0
    answer = cli("--home", home.root, "logs", run_id, "sleeps", "-f")
    assert answer.out.splitlines()[0] == "started"
    until(lambda: state_of(cli, home, run_id, "sleeps") == "failed", "the task is killed")


def test_runs_are_named_in_five_ways(cli: Cli, home: Home) -> None:
    """An id, its unique beginning, DAG@latest, DAG@-1 and DAG@DATE all find the run."""
    first = trigger(cli, home, "etl", "--logical-date", "2031-05-01T03:00Z", "--wait")
    second = trigger(cli, home, "etl", "--logical-date", "2031-05-02T03:00Z", "--wait")

    def found(text: str) -> str:
        return str(cli("--home", home.root, "runs", "show", text, "--json").json["run_id"])

    assert found(second) == found(second[:-2]) == found("etl@latest") == found("etl@2031-05-02") == second
    assert found("etl@-1") == found("etl@2031-05-01T03") == first
    assert cli("--home", home.root, "runs", "show", "etl@2031").code == 2
    assert cli("--home", home.root, "runs", "show", "etl@1999-01-01").code == 4


def test_a_run_is_told_as_a_report(cli: Cli, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`runs report` prints Markdown with the task that failed, what it wrote, and who started it. A file of it is for
    its owner alone, and written neither through a link nor into a file that somebody else has put there.
    """
    run_id = trigger(cli, home, "broken")
    assert cli("--home", home.root, "runs", "wait", run_id).code == 1
    text = cli("--home", home.root, "runs", "report", run_id).out
    assert text.startswith("# broken: failed")
    assert "## Timeline (UTC)" in text and "- Started by " in text
    assert "**failed**" in text and "```text" in text
    found = cli("--home", home.root, "runs", "report", run_id, "--out", tmp_path / "report.md")
    assert found.code == 0 and (tmp_path / "report.md").read_text().startswith("# broken: failed")
    assert (tmp_path / "report.md").stat().st_mode & 0o777 == 0o600
    precious, theirs = tmp_path / "precious", tmp_path / "theirs.md"
    precious.write_text("mine")
    theirs.write_text("longer than nothing")
    (tmp_path / "planted.md").symlink_to(precious)
    assert cli("--home", home.root, "runs", "report", run_id, "--out", tmp_path / "planted.md").code == 1
    give_away(theirs, monkeypatch)
    refused = cli("--home", home.root, "runs", "report", run_id, "--out", theirs)
    assert refused.code == 1 and "belongs to uid" in refused.err
    assert (precious.read_text(), theirs.read_text()) == ("mine", "longer than nothing")


def test_an_address_is_looked_up_before_the_console_opens(cli: Cli, home: Home) -> None:
    """What is no address is a usage error, what is not there is not found, and only then a terminal is asked for."""
    assert cli("--home", home.root, "open", "a/b/c/d").code == 2
    assert cli("--home", home.root, "open", "dag/nosuch").code == 4
    assert cli("--home", home.root, "open", "etl@1999-01-01").code == 4
    here = cli("--home", home.root, "open", "dag/etl")
    assert (here.code, "needs a terminal" in here.err) == (2, True)


def test_a_dry_run_changes_nothing(cli: Cli, home: Home) -> None:
    """`--dry-run` prints the engine's preview; no run is made and the audit has no entry."""
    before = cli("--home", home.root, "audit", "--json").json
    preview = cli("--home", home.root, "trigger", "etl", "--dry-run", "--json").json
    assert preview["dry_run"] is True
    assert preview["total"] == 1
    assert cli("--home", home.root, "audit", "--json").json == before


def test_without_a_terminal_nothing_is_asked_and_nothing_done(cli: Cli, home: Home) -> None:
    """A script that says neither --yes nor --dry-run gets a usage error."""
    answer = cli("--home", home.root, "trigger", "etl")
    assert answer.code == 2
    assert "--yes" in answer.err


def test_rerun_clear_and_mark(cli: Cli, home: Home) -> None:
    """Rerun --failed takes what failed and what it dragged down, mark decides, and both can be refused."""
    cli("--home", home.root, "trigger", "broken", "--wait", "--yes")
    run_id = cli("--home", home.root, "runs", "list", "broken", "--json").json[0]["run_id"]
    preview = cli("--home", home.root, "rerun", run_id, "--failed", "--dry-run", "--json").json
    assert {row["task_id"] for row in preview["rows"]} == {"fails", "after"}
    assert cli("--home", home.root, "mark", run_id, "fails", "success", "--yes", "--note", "fixed by hand").code == 0
    assert cli("--home", home.root, "runs", "wait", run_id, "--timeout", "20").code == 0
    assert cli("--home", home.root, "clear", run_id, "after", "--yes").code == 0
    assert cli("--home", home.root, "runs", "wait", run_id, "--timeout", "20").code == 0
    for found in (
        cli("--home", home.root, "runs", "list", "broken", "--json").json[0],
        cli("--home", home.root, "runs", "show", run_id, "--json").json,
    ):
        started, ended = (datetime.fromisoformat(found[key]) for key in ("started_at", "ended_at"))
        assert found["duration"] == pytest.approx((ended - started).total_seconds(), abs=1e-6)
        assert found["duration"] < found["duration_total"] and found["episode"] == 3
    assert "s in 3 episodes" in cli("--home", home.root, "runs", "list", "broken").out
    assert "s in 3 episodes" in cli("--home", home.root, "runs", "show", run_id).out
    refused = cli("--home", home.root, "rerun", run_id, "--failed", "--yes")
    assert refused.code == 5
    last = cli("--home", home.root, "audit", "--json").json
    marked = next(row for row in last if (row["verb"], row["note"]) == ("mark", "fixed by hand"))
    assert marked["host"] == socket.gethostname()
    whole = cli("--home", home.root, "audit", str(marked["number"]), "--json").json
    assert {**marked, "changes": whole["changes"]} == whole
    assert ("fails", "success") in {(row["task_id"], row["after"]) for row in whole["changes"]}
    assert "fixed by hand" in cli("--home", home.root, "audit", str(marked["number"])).out
    assert cli("--home", home.root, "audit", "999").code == 4


def test_retry_and_cancel(cli: Cli, home: Home) -> None:
    """A waiting retry starts at once by `retry`, and a run that is waiting is cancelled by `cancel`."""
    run_id = trigger(cli, home, "shaky")
    until(lambda: state_of(cli, home, run_id, "call") == "up_for_retry", "the first try fails")
    why = cli("--home", home.root, "why", run_id, "call")
    assert "its retry is due" in why.out
    assert "db-1:5432 refused" in why.out
    assert cli("--home", home.root, "retry", run_id, "call", "--yes").code == 0
    assert cli("--home", home.root, "runs", "wait", run_id, "--timeout", "20").code == 1
    other = trigger(cli, home, "slow")
    assert cli("--home", home.root, "cancel", other, "--yes").code == 0
    assert cli("--home", home.root, "runs", "wait", other, "--timeout", "20").code == 1
    assert cli("--home", home.root, "runs", "show", other, "--json").json["state"] == "cancelled"
    assert cli("--home", home.root, "cancel", other, "--yes").code == 5


def test_dags_are_listed_shown_drawn_and_paused(cli: Cli, home: Home) -> None:
    """The verbs about DAGs agree on state, graph and source; a file that does not load is named on standard error."""
    answer = cli("--home", home.root, "dags", "list")
    assert "wrong.py:2" in answer.err
    assert {"etl", "shaky", "broken", "slow", "wordy"} == {
        row["dag_id"] for row in cli("--home", home.root, "dags", "list", "--json").json
    }
    shown = cli("--home", home.root, "dags", "show", "etl", "--json").json
    assert shown["spec"]["params"]["rows"]["default"] == 3
    assert "Two steps." in cli("--home", home.root, "dags", "show", "etl").out
    graph = cli("--home", home.root, "dags", "graph", "etl", "--json").json
    assert graph["edges"] == [{"from": "extract", "to": "load"}]
    assert cli("--home", home.root, "dags", "graph", "etl").out.split() == ["●", "extract", "●", "load"]
    assert "def shaky():" in cli("--home", home.root, "dags", "source", "shaky").out
    assert cli("--home", home.root, "dags", "pause", "shaky", "--yes", "--note", "db down").code == 0
    assert cli("--home", home.root, "dags", "show", "shaky", "--json").json["state"] == "paused"
    assert cli("--home", home.root, "dags", "pause", "shaky", "--yes").code == 5
    assert cli("--home", home.root, "dags", "resume", "shaky", "--yes").code == 0
    assert cli("--home", home.root, "dags", "show", "shaky", "--json").json["paused_at"] is None


def test_a_name_that_is_nearly_right_gets_a_suggestion(cli: Cli, home: Home) -> None:
    """A DAG or task that does not exist ends with exit code 4 and a name that is near."""
    answer = cli("--home", home.root, "dags", "show", "shakey")
    assert answer.code == 4
    assert "did you mean shaky?" in answer.err
    assert near("part[1", ["part", "part", "part"]) == ": did you mean part?"


def test_bad_params_and_dates_are_refused_by_name(cli: Cli, home: Home) -> None:
    """What the DAG's declaration does not allow is a usage error that names the param."""
    for arguments in (["--param", "rows=-1"], ["--param", "rows=many"], ["--param", "other=1"], ["--param", "rows"]):
        answer = cli("--home", home.root, "trigger", "etl", *arguments, "--yes")
        assert answer.code == 2
        assert "rows" in answer.err or "other" in answer.err
    assert cli("--home", home.root, "trigger", "etl", "--logical-date", "someday", "--yes").code == 2


def test_figures_and_records(cli: Cli, home: Home) -> None:
    """Stats, pools, doctor and verify speak of what really happened."""
    trigger(cli, home, "etl", "--wait")
    stats = cli("--home", home.root, "stats", "etl", "--json").json
    assert stats["succeeded"] >= 1
    assert sorted(task["task_id"] for task in stats["tasks"]) == ["extract", "load"]
    assert "etl" in cli("--home", home.root, "stats").out
    pools = cli("--home", home.root, "pools", "--json").json
    assert {"pool", "slots", "taken", "wanted"} <= set(pools[0])
    assert cli("--home", home.root, "doctor").code == 0
    assert cli("--home", home.root, "verify", "--json").json == {"ok": True, "problems": []}


def test_status_tells_how_the_engine_does(cli: Cli, home: Home) -> None:
    """`engine status --check` ends with 0 while the engine is well, and gives its figures."""
    answer = cli("--home", home.root, "engine", "status", "--check", "--json")
    assert answer.code == 0
    assert answer.json["running"] is True
    assert answer.json["slots"] == 16


def test_what_runs_again_says_with_which_code(cli: Cli, home: Home) -> None:
    """Versions, source and difference of a DAG agree with what a dry run and a rerun say of the code."""
    run_id = trigger(cli, home, "broken")
    cli("--home", home.root, "runs", "wait", run_id)
    file = home.dags / "etl.py"
    file.write_text(file.read_text().replace("echo no; exit 3", "echo yes"))
    until(lambda: len(cli("--home", home.root, "dags", "versions", "broken", "--json").json) == 2, "a second version")
    newest, first = cli("--home", home.root, "dags", "versions", "broken", "--json").json
    assert (newest["version"], newest["current"], first["version"], first["current"]) == (2, True, 1, False)
    assert newest["commit"] is None
    assert "exit 3" in cli("--home", home.root, "dags", "source", "broken", "--run", run_id).out
    assert "echo yes" in cli("--home", home.root, "dags", "source", "broken", "--json").json["files"]["etl.py"]
    found = cli("--home", home.root, "dags", "diff", "broken", "--run", run_id, "--json").json
    assert (found["from"]["version"], found["to"]["version"], found["changed_tasks"]) == (1, 2, ["fails"])
    assert '+    shell("fails", "echo yes")' in cli("--home", home.root, "dags", "diff", "broken").out
    dry = cli("--home", home.root, "rerun", run_id, "--failed", "--dry-run", "--json").json
    assert (dry["code"][0]["before"], dry["code"][0]["after"], dry["code"][0]["diff"]) == (1, 2, found["diff"])
    assert "code: version 1 > 2" in cli("--home", home.root, "rerun", run_id, "--failed", "--dry-run").out
    said = cli("--home", home.root, "rerun", run_id, "--failed", "--yes").out
    assert "with version 2 of broken (was 1)" in said and "dagdeck dags diff broken --from 1 --to 2" in said
    assert cli("--home", home.root, "runs", "wait", run_id).code == 0
    assert cli("--home", home.root, "runs", "show", run_id, "--json").json["version"] == 2
    assert cli("--home", home.root, "dags", "diff", "slow", "--from", "9").code == 4
    assert cli("--home", home.root, "dags", "source", "slow", "--version", "1", "--run", run_id).code == 2


def test_a_running_task_tells_what_it_does(cli: Cli, home: Home) -> None:
    """`stack` asks nothing, names the place in the log, and the log then shows the processes; the rest is refused."""
    run_id = trigger(cli, home, "slow")
    until(lambda: state_of(cli, home, run_id, "sleeps") == "running", "it runs")
    answer = cli("--home", home.root, "stack", run_id, "sleeps")
    assert answer.code == 0, answer.err
    assert "from byte" in answer.out and f"{home.attempts}" in answer.out
    until(lambda: "sleep 60" in cli("--home", home.root, "logs", run_id, "sleeps").out, "the tree is in the log")
    assert cli("--home", home.root, "stack", run_id, "after").code == 5
    assert cli("--home", home.root, "kill", run_id, "sleeps", "--force", "--yes").code == 0
    cli("--home", home.root, "runs", "wait", run_id)


def test_a_clear_with_another_number_of_retries(cli: Cli, home: Home) -> None:
    """`--retries 0` makes the next failure the last one of a task that would be tried again."""
    run_id = trigger(cli, home, "shaky", "--logical-date", "2025-03-03")
    until(lambda: state_of(cli, home, run_id, "call") == "up_for_retry", "it waits for its retry")
    assert cli("--home", home.root, "clear", run_id, "call", "--retries", "0", "--yes").code == 0
    assert cli("--home", home.root, "runs", "wait", run_id).code == 1
    assert state_of(cli, home, run_id, "call") == "failed"


def test_a_pool_that_an_operator_made_is_known_to_who_looks_at_files(cli: Cli, home: Home, tmp_path: Path) -> None:
    """What the engine loads since `pools resize`, `dags validate` and `test` take as well."""
    file = tmp_path / "pooled.py"
    file.write_text("from dagdeck import dag, shell\n\n@dag()\ndef pooled():\n    shell('a', 'true', pool='lab')\n")
    checks = (("dags", "validate", file), ("test", file))
    for check in checks:
        answer = cli("--home", home.root, *check)
        assert answer.code == 1 and "`dagdeck pools resize lab SLOTS`" in answer.out + answer.err
    assert cli("--home", home.root, "pools", "resize", "lab", 2, "--yes").code == 0
    assert [cli("--home", home.root, *check).code for check in checks] == [0, 0]
    assert cli("--home", home.root, "pools", "remove", "lab", "--yes").code == 0

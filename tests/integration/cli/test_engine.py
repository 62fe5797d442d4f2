"""`dagdeck engine …`: an engine that outlives its starter, refuses a second one, and lets tasks run on."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from console.cli.link import engine_pid
from console.cli.spawning import engine_command, package_root
from engine.__main__ import main
from engine.home import Home
from engine.store.migrations import open_store
from tests.integration.cli.conftest import DAGS, IDS
from tests.support.cli import Cli
from tests.support.damage import overwrite
from tests.support.homes import a_home, processes_of, run_engine, until
from tests.support.pty import PtyProgram
from tests.support.strangers import give_away

pytestmark = pytest.mark.processes

PROGRAM = (sys.executable, "-m", "dagdeck")


@pytest.fixture
def home() -> Iterator[Home]:
    """A home whose engine is not started yet."""
    with a_home(DAGS) as made:
        yield made


def test_a_second_engine_refuses_and_names_the_first(cli: Cli, home: Home) -> None:
    """`engine start` on a home that has an engine ends with 5 and gives its pid; its command line names the home."""
    pid = run_engine(home, IDS)
    command = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")[:-1]
    assert command == engine_command(home, detach=True)
    answer = cli("--home", home.root, "engine", "start")
    assert answer.code == 5
    assert str(pid) in answer.err
    assert engine_pid(home) == pid


def test_a_start_for_cron_starts_an_engine_only_where_none_runs(cli: Cli, home: Home) -> None:
    """`engine start --if-down` says nothing and ends with 0 where an engine runs, and starts one where none does."""
    pid = run_engine(home, IDS)
    answer = cli("--home", home.root, "engine", "start", "--if-down")
    assert (answer.code, answer.out, answer.err) == (0, "", "")
    assert cli("--home", home.root, "engine", "start", "--if-down", "--json").json["pid"] == pid
    assert cli("--home", home.root, "engine", "stop").code == 0
    answer = cli("--home", home.root, "engine", "start", "--if-down")
    assert (answer.code, answer.err) == (0, "")
    assert f"runs (pid {engine_pid(home)})" in answer.out
    assert cli("--home", home.root, "engine", "stop").code == 0


def test_an_engine_is_started_by_whoever_has_no_standard_streams(home: Home) -> None:
    """Verbs work where standard input, output and error are closed, as below some supervisors: the exit code tells."""
    for verb in (["engine", "start"], ["runs", "list"], ["engine", "status", "--check"], ["engine", "stop"]):
        closed = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *PROGRAM, "--home", str(home.root), *verb]
        assert subprocess.run(closed, cwd=package_root(), timeout=60, check=False).returncode == 0, verb


def test_nothing_is_left_in_the_home_of_another(
    cli: Cli, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine, a restore and a pruning by root are refused in somebody else's home: its owner could not use what they
    made, and had no engine any more.
    """
    assert cli("--home", home.root, "engine", "start").code == 0
    assert cli("--home", home.root, "backup", tmp_path / "saved").code == 0
    assert cli("--home", home.root, "engine", "stop").code == 0
    for name in ("engine.log", "engine.lock"):
        (home.root / name).unlink()
    before = {path: path.lstat().st_mtime_ns for path in home.root.rglob("*")}
    give_away(home.root, monkeypatch)
    for verb in (["restore", str(tmp_path / "saved"), "--replace"], ["salvage"], ["prune"]):
        answer = cli("--home", home.root, *verb)
        assert (answer.code, f"{home.root} belongs to uid " in answer.err) == (5, True), verb
    monkeypatch.setattr(sys, "argv", ["engine", "--home", str(home.root), "--detach"])
    assert main() == 5
    assert {path: path.lstat().st_mtime_ns for path in home.root.rglob("*")} == before


def test_an_engine_that_hangs_is_not_said_to_be_none(cli: Cli, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """`engine status --check` waits for a few seconds, ends with 3, also as one JSON document, and names what helps
    instead of a second start: a stopped process goes on with a signal, and no mere `kill` ends it.
    """
    monkeypatch.setattr("console.cli.engine._CHECK_SECONDS", 0.3)
    pid = run_engine(home, IDS)
    os.kill(pid, signal.SIGSTOP)
    try:
        answer = cli("--home", home.root, "engine", "status", "--check")
        told = cli("--home", home.root, "engine", "status", "--check", "--json")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert (answer.code, told.code) == (3, 3)
    assert f"(pid {pid}) did not answer" in answer.err and f"`kill {pid}`" not in answer.err
    assert f"`kill -CONT {pid}`" in answer.err and f"`kill -9 {pid}`" in answer.err
    assert "engine start" not in answer.err
    assert (told.json["running"], told.json["answers"], told.json["pid"]) == (True, False, pid)
    assert "did not answer" in told.json["problem"]


def test_an_engine_whose_socket_is_away_is_not_said_to_be_none(cli: Cli, home: Home) -> None:
    """In the moments until an engine has made its removed socket again, nobody is told to start one."""
    pid = run_engine(home, IDS)
    os.kill(pid, signal.SIGSTOP)  # it does not make it again meanwhile
    try:
        home.socket.unlink()
        answer = cli("--home", home.root, "engine", "status")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert answer.code == 3
    assert f"one runs (pid {pid})" in answer.err and "engine start" not in answer.err


def test_a_status_as_json_is_one_document_without_a_home_too(cli: Cli, tmp_path: Path) -> None:
    """Where there is no home, `engine status --check --json` says so in its document, and ends with 3."""
    told = cli("--home", tmp_path / "none", "engine", "status", "--check", "--json")
    assert (told.code, told.json["running"], told.json["home"]) == (3, False, None)
    assert "none" in told.json["problem"]


def test_reading_works_and_changing_says_no_engine_when_none_runs(cli: Cli, home: Home) -> None:
    """With the engine down, reading verbs answer from the store; changing ones end with 3 and say how to start one."""
    assert cli("--home", home.root, "runs", "list").code == 4
    run_engine(home, IDS)
    assert cli("--home", home.root, "trigger", "etl", "--wait", "--yes").code == 0
    assert cli("--home", home.root, "engine", "stop").code == 0
    assert engine_pid(home) is None
    assert cli("--home", home.root, "runs", "list", "--json").json[0]["state"] == "success"
    assert "stored 3 rows" in cli("--home", home.root, "logs", "etl@latest", "load").out
    assert cli("--home", home.root, "engine", "status", "--check").code == 3
    assert "stopped" in cli("--home", home.root, "engine", "status").out
    answer = cli("--home", home.root, "trigger", "etl", "--yes")
    assert answer.code == 3
    assert "dagdeck engine start" in answer.err


def test_a_stopped_engine_leaves_tasks_running_and_kill_takes_them_along(cli: Cli, home: Home) -> None:
    """After `engine stop` a task runs on and the next engine goes on with it; `stop --kill` ends it first."""
    run_engine(home, IDS)
    cli("--home", home.root, "trigger", "slow", "--yes")

    def pid_of_task() -> int:
        why = cli("--home", home.root, "why", "slow@latest", "sleeps", "--json").json
        return int(why["state"] == "running")

    until(pid_of_task, "the task runs")
    cli("--home", home.root, "engine", "stop")
    shown = cli("--home", home.root, "runs", "show", "slow@latest", "--json")
    assert shown.json["state"] == "running" and shown.err.startswith("no engine runs since ")
    run_engine(home, IDS)
    assert pid_of_task()
    attempts = cli("--home", home.root, "why", "slow@latest", "sleeps", "--json").json["attempts"]
    assert len(attempts) == 1
    assert cli("--home", home.root, "engine", "stop", "--kill", "--yes").code == 0
    assert engine_pid(home) is None
    why = cli("--home", home.root, "why", "slow@latest", "sleeps", "--json").json
    assert [attempt["outcome"] for attempt in why["attempts"]] == ["killed"]


def test_drain_waits_for_what_runs(cli: Cli, home: Home) -> None:
    """`engine drain --wait` returns once the engine has stopped, which it does when nothing runs."""
    run_engine(home, IDS)
    cli("--home", home.root, "trigger", "etl", "--yes")
    assert cli("--home", home.root, "engine", "drain", "--wait").code == 0
    assert engine_pid(home) is None


@contextmanager
def supervised(home: Home) -> Iterator[tuple[subprocess.Popen[str], Callable[[], list[str]]]]:
    """`engine run` as a service manager starts it, and what it tells its manager next."""
    command = [sys.executable, "-m", "dagdeck", "--home", str(home.root), "engine", "run"]
    with (
        tempfile.TemporaryDirectory(prefix="dd-") as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager,
    ):
        manager.bind(f"{folder}/notify")
        manager.settimeout(30)
        environment = {**os.environ, "NOTIFY_SOCKET": f"{folder}/notify"}
        outputs = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen(command, cwd=package_root(), env=environment, text=True, **outputs) as process:  # type: ignore[call-overload]
            try:
                yield process, lambda: manager.recv(4096).decode().splitlines()
            finally:
                process.kill()


def test_an_engine_in_the_foreground_stops_on_sigterm(home: Home) -> None:
    """`engine run` is the engine itself: it tells its supervisor when it is ready, and SIGTERM ends it in order, with
    exit code 0. No other process of the home can speak to the supervisor, and its log is in the home as well.
    """
    with supervised(home) as (process, told):
        assert told() == ["READY=1"]
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline().startswith("ready")
        assert engine_pid(home) == process.pid
        others = set(processes_of(home)) - {process.pid}
        assert others
        for pid in others:
            with suppress(ProcessLookupError, FileNotFoundError):  # one that has ended says nothing to anybody
                assert b"NOTIFY_SOCKET" not in Path(f"/proc/{pid}/environ").read_bytes()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        said = process.stderr.read()
    assert '"event": "stopped"' in said and said.splitlines()[-1] in home.log.read_text()


@pytest.mark.parametrize(("harm", "code"), [("store", 5), ("settings", 2), ("home", 3)])
def test_a_supervisor_is_told_why_an_engine_refuses(cli: Cli, home: Home, harm: str, code: int) -> None:
    """Its exit code is one after which it is not started again, and its reason stands where the supervisor shows it."""
    if harm == "store":
        open_store(home.database)
        overwrite(home.database, 0, b"no store")
    elif harm == "settings":
        home.config.write_text("slots = 0\n")
    else:
        home.config.unlink()
    with supervised(home) as (process, told):
        assert process.wait(30) == code
        [said] = told()
    assert said.startswith("STATUS=") and str(home.root) in said
    asked = cli("--home", home.root, "engine", "status", "--check")
    assert asked.code == {"store": 3, "settings": 3, "home": 3}[harm]


def test_where_no_home_is_the_running_ones_are_listed(
    cli: Cli, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outside of any home, the error names this user's homes that have an engine."""
    monkeypatch.chdir(tmp_path)
    run_engine(home, IDS)
    answer = cli("runs", "list")
    assert answer.code == 3
    assert str(home.root) in answer.err


def test_the_question_on_a_terminal_shows_what_would_change(home: Home) -> None:
    """On a terminal the preview comes first; `n` changes nothing and ends with 5, `y` does it."""
    run_engine(home, IDS)
    command = [sys.executable, "-m", "dagdeck", "--home", str(home.root), "trigger", "etl"]
    for answer, code, runs in (("n", 5, 0), ("y", 0, 1)):
        with PtyProgram(command, size=(100, 24), cwd=str(package_root())) as terminal:
            terminal.until("Do it? [y/N]")
            assert "1 new run of etl" in terminal.text
            terminal.press(answer, "enter")
            assert terminal.wait() == code
        listed = subprocess.run(
            [*command[:-2], "runs", "list", "--json"], cwd=package_root(), capture_output=True, text=True, check=True
        )
        assert listed.stdout.count('"run_id"') == runs


def test_a_home_with_bad_settings_is_refused_by_name(cli: Cli, home: Home) -> None:
    """A wrong setting stops `engine start` with a usage error that names file and key."""
    home.config.write_text("slots = 0\n")
    answer = cli("--home", home.root, "engine", "start")
    assert answer.code == 2
    assert "slots = 0" in answer.err

"""The whole path, as an operator walks it: the real command in a terminal, a real engine, real tasks, real kills."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator

import pytest

from console.cli.link import engine_pid
from console.cli.spawning import package_root
from engine.home import Home
from engine.store import reads_run
from engine.store.reader import Reader
from tests.support.cli import dagdeck
from tests.support.homes import a_home, until
from tests.support.pty import PtyProgram

pytestmark = [pytest.mark.processes, pytest.mark.pty]

DAGS = {
    "etl.py": """
        from dagdeck import dag, shell, task

        @task
        def extract():
            print("extracting")
            return 3

        @dag()
        def etl():
            extract() >> shell("load", "echo $DAGDECK_ATTEMPT_ID >>$DAGDECK_HOME/ran; sleep 3; echo loaded")
    """,
}


@pytest.fixture
def home() -> Iterator[Home]:
    """A home whose engine nobody has started."""
    with a_home(DAGS, 'name = "e2e"\n') as made:
        yield made


def console(home: Home) -> PtyProgram:
    """The command `dagdeck` in a terminal."""
    command = [sys.executable, "-m", "dagdeck", "--home", str(home.root)]
    return PtyProgram(command, size=(120, 30), cwd=str(package_root()))


def start_a_run(screen: PtyProgram) -> None:
    """Triggers the DAG by keys, each time when the screen says that the key will do something."""
    screen.until("t trigger")
    screen.press("t")
    screen.until("Enter see what it does")
    screen.press("enter")
    screen.until("1 new run of etl")
    screen.until("Enter trigger")
    # Enter is dead for a quarter of a second, so that nobody confirms what he has not read.
    screen.pump(0.4)
    screen.press("enter")
    screen.until("triggered etl")


def runs(home: Home) -> list[str]:
    """The states of all runs, newest first."""
    with Reader(home.database) as reader:
        return [run.state for run in reads_run.runs(reader)]


def bodies(home: Home) -> list[str]:
    """The attempts whose task body has run, as the bodies themselves wrote it down."""
    place = home.root / "ran"
    return place.read_text().split() if place.exists() else []


def test_start_trigger_kill_attach_crash_and_recover(home: Home) -> None:
    """A run triggered by keys goes green on the screen; killed consoles and engines cost no task and no truth."""
    with console(home) as screen:
        screen.until("engine up")
        assert engine_pid(home)
        screen.until("etl")
        start_a_run(screen)
        screen.until("►")
        screen.press("enter")
        screen.until("✓      extract")
        screen.until("✓      load")
        screen.until("success")
        assert runs(home) == ["success"]
        screen.press("esc")
        start_a_run(screen)
        until(lambda: len(bodies(home)) == 2, "the second run's task has begun")
        screen.process.kill()
        screen.process.wait(30)
    with console(home) as screen:
        screen.until("etl")
        screen.until(lambda: "load" in screen.text or runs(home)[0] == "success")
        until(lambda: runs(home) == ["success", "success"], "the run ends without its console")
        start_a_run(screen)
        until(lambda: len(bodies(home)) == 3, "the third run's task has begun")
        pid = engine_pid(home)
        assert pid
        os.kill(pid, signal.SIGKILL)
        screen.until("engine down")
        answer = dagdeck("--home", home.root, "engine", "start")
        assert answer.code == 0, answer.err
        screen.until("engine up")
        screen.until("unclean start")
        until(lambda: runs(home) == ["success"] * 3, "the run ends under the next engine")
    assert len(bodies(home)) == len(set(bodies(home))) == 3
    assert dagdeck("--home", home.root, "verify").code == 0


def test_leaving_the_console_leaves_the_engine_and_gives_the_terminal_back(home: Home) -> None:
    """`q` on the overview ends the console with 0; the engine that it started runs on; the terminal is as it was."""
    with console(home) as screen:
        before = screen.line_settings()
        screen.until("engine up")
        screen.press("q")
        assert screen.wait() == 0
        assert screen.line_settings() == before
        modes = screen.modes()
        assert not any(modes.get(mode) for mode in ("1049", "1000", "1003", "2004"))
    assert engine_pid(home)


def test_a_home_without_an_engine_that_can_start_is_shown_all_the_same(home: Home) -> None:
    """Where no engine can start, the console opens on what was committed, and says that the engine is down."""
    assert dagdeck("--home", home.root, "engine", "start").code == 0
    assert dagdeck("--home", home.root, "trigger", "etl", "--wait", "--yes").code == 0
    assert dagdeck("--home", home.root, "engine", "stop").code == 0
    home.log.unlink()
    home.log.mkdir()
    with console(home) as screen:
        screen.until("engine down")
        screen.until("etl")
        screen.press("t")
        screen.until("the engine is down")

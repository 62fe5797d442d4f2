"""`dagdeck demo`: a past that really happened, live runs, and nothing left behind."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from pathlib import Path

import pytest

from console.cli.demo_home import DAY
from console.cli.link import engine_pid
from console.cli.spawning import package_root
from engine.home import Home
from engine.model.moments import SECOND
from engine.store import reads_run
from engine.store.reader import Reader
from tests.support.cli import dagdeck
from tests.support.homes import processes_of, until
from tests.support.pty import PtyProgram

pytestmark = [pytest.mark.processes, pytest.mark.pty]


def test_the_demo_has_a_real_past_and_goes_without_a_trace() -> None:
    """Fourteen days of real weather were processed, some of them a day ago; on leaving, no process or file is left."""
    with tempfile.TemporaryDirectory(prefix="dd-") as folder:
        command = [sys.executable, "-m", "dagdeck", "demo"]
        with PtyProgram(command, size=(120, 40), env={"TMPDIR": folder}, cwd=str(package_root())) as screen:
            screen.until("every_quarter_hour", 60.0)
            (root,) = Path(folder).glob("dagdeck-demo-*")
            home = Home(root)
            assert engine_pid(home)
            _check_the_past(home)
            processes = processes_of(home)
            assert len(processes) > 1
            screen.press("q")
            assert screen.wait(20.0) == 0
        assert not root.exists()
        until(lambda: not any(_lives(pid) for pid in processes), "all processes of the home have ended")


def _check_the_past(home: Home) -> None:
    now = time.time_ns() // 1000
    with Reader(home.database) as reader:
        weather = [run for run in reads_run.runs(reader, dag_id="weather_daily") if run.run_type != "backfill"]
        assert [run.state for run in weather] == ["success"] * 14
        ages = [(now - (run.started_at or 0)) / SECOND for run in weather]
        assert min(ages) < DAY < max(ages)
        until(lambda: reads_run.runs(reader, dag_id="weather_replay"), "live runs have begun")


def _lives(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[:1]
    except OSError:
        return False


def test_a_demo_that_is_killed_is_taken_away_all_the_same() -> None:
    """Killed while it makes its past, it leaves no engine and no file behind."""
    with tempfile.TemporaryDirectory(prefix="dd-") as folder:
        command = [sys.executable, "-m", "dagdeck", "demo"]
        with PtyProgram(command, size=(80, 24), env={"TMPDIR": folder}, cwd=str(package_root())) as screen:
            until(lambda: [home for home in Path(folder).glob("dagdeck-demo-*") if engine_pid(Home(home))], "an engine")
            (root,) = Path(folder).glob("dagdeck-demo-*")
            processes = processes_of(Home(root))
            os.kill(screen.process.pid, signal.SIGKILL)
            until(lambda: not root.exists(), "the home is gone")
        until(lambda: not any(_lives(pid) for pid in processes), "all processes of the home have ended")


def test_without_a_terminal_the_demo_says_what_it_needs() -> None:
    """There is no console without a terminal, and no home is made for nothing."""
    answer = dagdeck("demo")
    assert answer.code == 2
    assert "terminal" in answer.err

"""What a killed backup leaves is removed by a later one, and what is being written never is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.home import Home
from engine.upkeep.backup import BackupError, make_backup
from tests.integration.upkeep.test_backup import NOW
from tests.support.cli import Cli
from tests.support.source import PROJECT

_STOPS = """
import os, signal, sys
from console.cli.main import run
from engine.upkeep import backup
backup.write_file = lambda *_: os.kill(os.getpid(), signal.SIGSTOP)
run(sys.argv[1:])
"""
"""The command line, which stops itself when all but the manifest is copied."""


@contextmanager
def stopped_backup(home: Home, target: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that makes a backup, stopped in the middle of it."""
    process = subprocess.Popen(
        [sys.executable, "-c", _STOPS, "--home", str(home.root), "backup", str(target)],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )
    try:
        how = os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        assert how is not None and how.si_code == os.CLD_STOPPED
        assert target.with_name(f"{target.name}.partial").exists()
        yield process
    finally:
        process.kill()
        process.wait()


def test_only_what_a_killed_backup_left_is_removed(home: Home, tmp_path: Path, cli: Cli) -> None:
    """A partial stays while its writer lives; once that was killed, the next backup removes it and says so."""
    saved = tmp_path / "saved"
    partial = saved / "monday.partial"
    with stopped_backup(home, saved / "monday") as process:
        assert make_backup(home, saved / "tuesday", NOW).swept == ()
        assert (partial / "state.db").exists()
        with pytest.raises(BackupError, match="another backup is being made"):
            make_backup(home, saved / "monday", NOW)
        assert (partial / "state.db").exists()
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert (partial / "state.db").exists()
    answer = cli("--home", home.root, "backup", saved / "wednesday")
    assert answer.code == 0
    assert f"removed {partial}, left by a backup that was broken off" in answer.out
    assert sorted(path.name for path in saved.iterdir()) == ["tuesday", "wednesday"]
    assert sorted(path.name for path in (saved / "wednesday").iterdir()) == [
        *("attempts", "dagdeck.toml", "dags", "manifest.json", "state.db", "versions")
    ]


def test_what_another_home_left_stays(home: Home, tmp_path: Path) -> None:
    """A partial of another home, and a folder that only is named like one, are not this home's to remove."""
    saved = tmp_path / "saved"
    other = saved / "other.partial"
    other.mkdir(parents=True, mode=0o700)
    (other / "writer").write_text('{"home": "/srv/other", "host": "here"}')
    (saved / "mine.partial").mkdir()
    (saved / "mine.partial" / "letter").write_text("dear")
    make_backup(home, saved / "monday", NOW)
    assert sorted(path.name for path in saved.iterdir()) == ["mine.partial", "monday", "other.partial"]
    assert (saved / "mine.partial" / "letter").read_text() == "dear"


def test_the_same_name_can_be_taken_again_after_a_kill(home: Home, tmp_path: Path) -> None:
    """A backup under the name of one that was killed is whole, and holds nothing of the first."""
    target = tmp_path / "saved" / "monday"
    with stopped_backup(home, target):
        pass
    (target.with_name("monday.partial") / "stray").write_text("x")
    make_backup(home, target, NOW)
    assert [path.name for path in target.parent.iterdir()] == ["monday"]
    assert not (target / "stray").exists()

"""What waits for the end of a run says once that a hold or a pause keeps it waiting, and goes on by itself after it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from engine.home import Home
from tests.support.cli import Cli
from tests.support.homes import until
from tests.support.source import PROJECT

pytestmark = pytest.mark.processes


@pytest.mark.parametrize(
    ("hold", "words", "release"),
    [
        (["hold", "--all"], "holds everything", ["release"]),
        (["hold", "--pool", "default"], "holds pool default", ["release"]),
        (["hold", "--dag", "et*"], r"holds the DAGs et\*", ["release"]),
    ],
)
def test_a_wait_says_what_hold_it_waits_for(
    cli: Cli, home: Home, tmp_path: Path, hold: list[str], words: str, release: list[str]
) -> None:
    """Who, since when and how to release it stand once on standard error; standard output is JSON alone."""
    assert cli("--home", home.root, "hold", "--dag", "other", "--yes").code == 0
    assert cli("--home", home.root, *hold, "--yes", "--note", "disk swap").code == 0
    out, err = tmp_path / "out", tmp_path / "err"
    command = [sys.executable, "-m", "dagdeck", "--home", str(home.root), "trigger", "etl", "--wait", "--yes", "--json"]
    with out.open("wb") as to_out, err.open("wb") as to_err:
        process = subprocess.Popen(
            command, env={**os.environ, "PYTHONPATH": str(PROJECT)}, stdout=to_out, stderr=to_err
        )
    try:
        until(lambda: "frees it" in err.read_text(), "the hold is told of")
        assert out.read_text() == ""
        assert cli("--home", home.root, *release, "--yes").code == 0
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        cli("--home", home.root, "release", "--yes")
    (line,) = err.read_text().splitlines()
    told = rf"etl@\S+ extract: it is on hold, \w+ {words} since \S.* \(disk swap\): `dagdeck release` frees it"
    assert re.fullmatch(told, line), line
    assert out.read_text().startswith("{")


def test_giving_up_at_once_still_tells_of_the_hold(cli: Cli, home: Home) -> None:
    """`runs wait --timeout` names the hold before it gives up."""
    assert cli("--home", home.root, "hold", "--yes").code == 0
    try:
        run_id = cli("--home", home.root, "trigger", "etl", "--yes", "--json").json["run_id"]
        until(lambda: "on hold" in cli("--home", home.root, "why", run_id).out, "the run is held")
        answer = cli("--home", home.root, "runs", "wait", run_id, "--timeout", "0")
        assert answer.code == 1
        assert "holds everything" in answer.err
    finally:
        cli("--home", home.root, "release", "--yes")


def test_a_recovery_says_what_hold_it_waits_for(cli: Cli, home: Home) -> None:
    """`recover --wait` names a hold once, and ends after its release as it would have without."""
    cli("--home", home.root, "trigger", "broken", "--wait", "--yes")
    assert cli("--home", home.root, "hold", "--yes").code == 0
    command = [sys.executable, "-m", "dagdeck", "--home", str(home.root), "recover", "--since", "1h", "--wait", "--yes"]
    process = subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        assert "holds everything" in process.stderr.readline()
        assert cli("--home", home.root, "release", "--yes").code == 0
        assert process.wait(60) == 1
        assert "holds everything" not in process.stderr.read()
    finally:
        process.kill()
        process.communicate()
        cli("--home", home.root, "release", "--yes")

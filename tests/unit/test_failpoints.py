"""Named points at which tests kill."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = (
    "from engine import failpoints\nfor name in ('a', 'b', 'a', 'b', 'a'):\n    failpoints.hit(name); print(name)\n"
)


def run(**environment: str) -> subprocess.CompletedProcess[str]:
    """A program that passes the points a, b, a, b, a."""
    root = str(Path(__file__).parents[2])
    program = f"import sys; sys.path.insert(0, {root!r})\n{PROGRAM}"
    command = [sys.executable, "-u", "-c", program]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_a_point_kills_at_its_nth_hit() -> None:
    """The process dies by SIGKILL at the n-th hit of the named point, and at the first without a number."""
    second = run(DAGDECK_FAILPOINT="a:2")
    assert (second.returncode, second.stdout.split()) == (-9, ["a", "b"])
    first = run(DAGDECK_FAILPOINT="b")
    assert (first.returncode, first.stdout.split()) == (-9, ["a"])


def test_without_the_variable_nothing_happens() -> None:
    """Points cost nothing and do nothing unless one is armed."""
    assert run().returncode == 0
    assert run(DAGDECK_FAILPOINT="elsewhere:1").returncode == 0


def test_hits_can_be_written_down(tmp_path: Path) -> None:
    """DAGDECK_FAILPOINT_LOG collects the names of all points that were passed, in order."""
    log = tmp_path / "points"
    run(DAGDECK_FAILPOINT_LOG=str(log))
    assert log.read_text().split() == ["a", "b", "a", "b", "a"]

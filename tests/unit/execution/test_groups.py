"""Where control groups for memory limits may be made: what the kernel's files say, read from copies of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.execution.groups import find


@pytest.mark.parametrize(
    ("name", "others", "taken"),
    [("app-dagdeck.scope", "", True), ("dagdeck-etl.service", "", False), ("app-dagdeck.scope", "1\n", False)],
)
def test_a_group_is_taken_only_where_nobody_else_needs_it(tmp_path: Path, name: str, others: str, taken: bool) -> None:
    """One's own scope becomes the parent of groups with limits. The group of a service does not: its manager could not
    start the next engine in it while tasks run. Nor does one that holds other processes.
    """
    group = tmp_path / "cgroup" / "user.slice" / name
    group.mkdir(parents=True)
    for file, text in (
        ("cgroup.controllers", "cpu memory pids\n"),
        ("cgroup.subtree_control", ""),
        ("cgroup.procs", f"{others}{os.getpid()}\n"),
    ):
        (group / file).write_text(text)
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "cgroup").write_text(f"0::/user.slice/{name}\n")
    (tmp_path / "self" / "mountinfo").write_text(f"30 24 0:26 / {tmp_path}/cgroup rw shared:4 - cgroup2 cgroup2 rw\n")
    found = find("attempts", tmp_path)
    assert (found is not None and found.base == group) == taken
    assert (group / "cgroup.subtree_control").read_text() == ("+memory" if taken else "")
    assert [path.name for path in group.iterdir() if path.is_dir()] == (["dagdeck-engine"] if taken else [])

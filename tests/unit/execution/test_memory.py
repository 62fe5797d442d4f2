"""Whether it was for want of memory, by the traces there are; and where memory groups may be made."""

import time
from pathlib import Path

import pytest

from engine.execution import groups, memory
from engine.execution.directory import Claim
from engine.execution.memory import host_kills, kernel_named, verdict
from engine.model.attempt_files import AttemptStatus

KILLED = AttemptStatus(137, "host", signal=9, outcome="failed", error="ended by signal 9")
FAILED = AttemptStatus(1, "shim", outcome="failed", error="exit code 1")
DONE = AttemptStatus(0, "child", outcome="success")


@pytest.mark.parametrize(
    ("status", "kills", "named", "grew", "words"),
    [
        (KILLED, 1, False, False, "killed by the kernel: over its memory limit"),
        (KILLED, 0, True, True, "killed by the kernel: out of memory"),
        (KILLED, 0, False, True, "probably out of memory: killed by signal 9"),
        (FAILED, 1, False, False, "exit code 1, after the kernel killed one of its processes: over the memory limit"),
        (FAILED, 3, False, False, "exit code 1, after the kernel killed 3 of its processes: over the memory limit"),
    ],
)
def test_traces_of_the_kernel_are_named(status: AttemptStatus, kills: int, named: bool, grew: bool, words: str) -> None:
    """Its own group and the kernel's log make it certain; kills elsewhere on the host only probable, and said so."""
    found = verdict(status, kills, named, grew)
    assert (found.reason, found.failure_class) == ("out_of_memory", "infrastructure")
    assert (found.error or "").startswith(words)


@pytest.mark.parametrize(
    ("status", "kills", "named", "grew"),
    [(KILLED, 0, False, False), (FAILED, 0, True, True), (DONE, 2, True, True)],
)
def test_without_traces_nothing_is_claimed(status: AttemptStatus, kills: int, named: bool, grew: bool) -> None:
    """A SIGKILL of unknown origin stays one, another exit code is the task's own, and success is success."""
    assert verdict(status, kills, named, grew) is status


def test_the_kernels_log_names_its_victims() -> None:
    """Only records after the attempt's start count, in the form for the host and in that for a group."""
    records = [
        "3,912,5000000,-;Out of memory: Killed process 41 (python) total-vm:9kB",
        "3,913,7000000,-;Out of memory: Killed process 42 (python) total-vm:9kB",
        "3,914,8000000,-,caller=T1;Memory cgroup out of memory: Killed process 43 (sh) total-vm:9kB",
        "6,915,9000000,-;usb 1-1: Killed process of no kind",
    ]
    assert kernel_named(records, 6_000_000) == {42, 43}


def test_the_hosts_kills_are_counted(tmp_path: Path) -> None:
    """By the kernel's own figure; a kernel without one counts as none."""
    (tmp_path / "vmstat").write_text("pgfault 17\noom_kill 5\n")
    assert host_kills(str(tmp_path / "vmstat")) == 5
    assert host_kills(str(tmp_path / "none")) == 0


MOUNTS = """\
25 1 0:20 / /proc rw - proc proc rw
30 1 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
31 1 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
"""


@pytest.mark.parametrize(
    ("own", "found"),
    [
        ("4:memory:/jobs/7\n0::/\n", ["/sys/fs/cgroup/memory/jobs/7", "/sys/fs/cgroup/unified"]),
        ("0::/user.slice/etl.service\n", ["/sys/fs/cgroup/unified/user.slice/etl.service"]),
        ("3:cpu,cpuacct:/\n", []),
    ],
)
def test_the_processs_own_groups_are_found(own: str, found: list[str]) -> None:
    """In both versions, below where they are mounted."""
    assert [str(place) for place in groups.places(own, MOUNTS)] == found


def test_a_part_of_the_hierarchy_may_be_mounted() -> None:
    """In a container the mount shows what is below the container's own group."""
    mounts = "30 1 0:26 /docker/c1 /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
    assert groups.places("0::/docker/c1/engine\n", mounts) == [Path("/sys/fs/cgroup/engine")]


def test_groups_of_version_2_take_their_limit_without_swap(tmp_path: Path) -> None:
    """Memory and swap are bounded, kills are read from the group's events, and a group is made once and removed."""
    made = groups.Groups(tmp_path, ("memory.max", "memory.swap.max"), "memory.events")
    attempt_id = "0" * 26
    folder = made.make(attempt_id, 64 << 20)
    assert folder is not None
    assert (Path(folder) / "memory.max").read_text() == str(64 << 20)
    assert (Path(folder) / "memory.swap.max").read_text() == "0"
    assert made.kills(attempt_id) is None
    (Path(folder) / "memory.events").write_text("low 0\noom 2\noom_kill 2\n")
    assert made.kills(attempt_id) == 2
    assert made.standing() == [attempt_id]


def test_a_group_that_others_share_is_left_alone(tmp_path: Path) -> None:
    """In version 2 limits below a group need it for oneself: with other processes in it, none are made."""
    home = tmp_path / "cg"
    home.mkdir()
    (home / "cgroup.subtree_control").write_text("")
    (home / "cgroup.controllers").write_text("cpu memory")
    (home / "cgroup.procs").write_text("1\n2\n")
    assert groups._delegated(home) is None
    (home / "cgroup.subtree_control").write_text("memory")
    assert groups._delegated(home) == home
    assert groups._delegated(home / "dagdeck-engine") == home


def test_the_limit_is_named_where_it_is_known() -> None:
    """In megabytes, as authors give it."""
    assert verdict(KILLED, 1, False, False, 256 << 20).error == "killed by the kernel: over its memory limit of 256 MB"


def test_the_kernels_log_is_read_again_only_after_further_kills(monkeypatch: pytest.MonkeyPatch) -> None:
    """A storm of processes that somebody killed costs one reading; a new kill for want of memory is seen."""
    kills, readings = [3], []
    log = ["3,1,9000000,-;Out of memory: Killed process 42 (python) total-vm:9kB"]
    monkeypatch.setattr(memory, "host_kills", lambda: kills[0])
    monkeypatch.setattr(memory, "kernel_log", lambda: readings.append(1) or iter(log))
    judges = memory.Memory()

    def words(pid: int) -> str:
        claim = Claim(pid, 100, "boot", 0)
        found = judges.judge("0" * 26, claim, time.monotonic(), KILLED, asked=False)
        assert found is not None
        return found.error or ""

    assert words(42) == "killed by the kernel: out of memory"
    assert [words(41) for _ in range(5)] == ["ended by signal 9"] * 5
    assert len(readings) == 1
    log.append("3,2,9900000,-;Out of memory: Killed process 41 (python) total-vm:9kB")
    kills[0] = 4
    assert words(41) == "killed by the kernel: out of memory"
    assert judges.judge("0" * 26, Claim(41, 100, "boot", 0), 0.0, KILLED, asked=True) is KILLED

"""Who belongs to an attempt, and signals that reach nobody else."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from engine.execution import sessions
from engine.execution.process import proc

ID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
OTHER = "01ARZ3NDEKTSV4RRFFQ69G5FAW"
"""An attempt of which nothing runs."""


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process in a session of its own, tagged with the attempt's id."""
    environment = {"PATH": "/usr/bin:/bin", "BEFORE": "1", "DAGDECK_ATTEMPT_ID": ID, "AFTER": "1"}
    process = subprocess.Popen(["sleep", "600"], start_new_session=True, env=environment)
    yield process
    process.kill()
    process.wait()


def started(pid: int) -> int:
    """Start time of a live process."""
    seen = proc.stat(pid)
    assert seen is not None
    return seen.started


def test_a_process_is_found_by_session_and_by_tag(sleeper: subprocess.Popen[bytes]) -> None:
    """A census knows a process as its attempt's by the session it is in, or by the tag it carries."""
    census, since = sessions.Census(), started(sleeper.pid)
    by_session = census.members(OTHER, sleeper.pid, since)
    by_tag = census.members(ID, 0, 0)
    assert [member.pid for member in by_session] == [member.pid for member in by_tag] == [sleeper.pid]


def test_a_session_of_a_reused_number_is_nobodys(sleeper: subprocess.Popen[bytes]) -> None:
    """If the leader's number belongs to a process with another start time, nothing in its session is the attempt's."""
    census = sessions.Census()
    assert census.members(OTHER, sleeper.pid, started(sleeper.pid) - 1) == []


def test_only_the_process_that_was_meant_gets_a_handle(sleeper: subprocess.Popen[bytes]) -> None:
    """A pidfd is given for the pid with the right start time and boot, and for no other."""
    since, boot = started(sleeper.pid), proc.boot_id()
    handle = sessions.open_process(sleeper.pid, since, boot, boot)
    assert handle is not None
    os.close(handle)
    assert sessions.open_process(sleeper.pid, since + 1, boot, boot) is None
    assert sessions.open_process(sleeper.pid, since, "another", boot) is None
    assert sessions.open_process(0, 0, boot, boot) is None


def test_a_signal_is_kept_from_a_stranger(sleeper: subprocess.Popen[bytes]) -> None:
    """Signalling a member whose start time does not match reaches nobody."""
    sessions.signal_member(sessions.Member(sleeper.pid, started(sleeper.pid) + 1), signal.SIGKILL)
    assert sleeper.poll() is None
    sessions.signal_member(sessions.Member(sleeper.pid, started(sleeper.pid)), signal.SIGKILL)
    assert sleeper.wait(10) == -9


def test_a_group_is_signalled_as_a_whole() -> None:
    """A signal to the leader's group reaches the leader's children too."""
    child = "import subprocess; subprocess.Popen(['sleep', '600']); print('up', flush=True); input()"
    process = subprocess.Popen(
        [sys.executable, "-c", child], start_new_session=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdin is not None
    process.stdout.readline()
    since = started(process.pid)
    handle = sessions.open_process(process.pid, since, "boot", "boot")
    assert handle is not None
    assert len(sessions.Census().members(OTHER, process.pid, since)) == 2
    sessions.signal_group(handle, process.pid, since, signal.SIGKILL)
    os.close(handle)
    process.wait(10)
    process.stdin.close()
    assert process.stdout.read() == b""  # the child has let go of it too
    process.stdout.close()
    assert sessions.Census().members(OTHER, process.pid, since) == []


async def test_those_who_ask_together_share_a_census(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty askers cost two censuses: one that was being taken when they came, and one that began afterwards."""
    taken: list[int] = []
    begun, loop = asyncio.Event(), asyncio.get_running_loop()

    class Counted(sessions.Census):
        def __init__(self) -> None:
            taken.append(1)
            loop.call_soon_threadsafe(begun.set)
            super().__init__()

    monkeypatch.setattr(sessions, "Census", Counted)
    counter = sessions.Counter()
    first = asyncio.ensure_future(counter.census())
    await begun.wait()
    answers = await asyncio.gather(*(counter.census() for _ in range(50)))
    assert len(set(map(id, answers))) == 1
    assert await first is not answers[0]
    assert len(taken) == 2


def test_start_times_follow_from_the_clock_or_the_kernel() -> None:
    """A process knows its own start time exactly, whether it was told a moment before its making or not."""
    for _ in range(20):
        before = proc.boot_time()
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.write(writer, f"{proc.own_start(before)} {proc.own_start()}".encode())
            os._exit(0)
        told, kernels = os.read(reader, 100).split()
        os.waitpid(pid, 0)
        os.close(reader)
        os.close(writer)
        assert told == kernels


def test_a_child_that_left_session_and_environment_is_found_by_its_parents() -> None:
    """What a member has started is the attempt's too, however it hides, as long as the line of parents holds."""
    script = "setsid env -i /bin/sh -c '/bin/sleep 600 & echo grown; wait' & echo $!; wait"
    with subprocess.Popen(["/bin/sh", "-c", script], stdout=subprocess.PIPE, start_new_session=True) as leader:
        try:
            assert leader.stdout is not None
            hidden = int(leader.stdout.readline())
            assert leader.stdout.readline() == b"grown\n"
            grown = proc.children(hidden)
            found = {member.pid for member in sessions.Census().members(OTHER, leader.pid, started(leader.pid))}
            assert {leader.pid, hidden, *grown} <= found and grown
        finally:
            for pid in (hidden, *proc.children(hidden)):
                os.kill(pid, signal.SIGKILL)

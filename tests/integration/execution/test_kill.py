"""Ending attempts that do not want to end, and what they leave behind."""

from __future__ import annotations

import os
import sys
import time

import pytest

from engine.execution import sessions
from engine.execution.port import Claimed, Ended, Finished
from engine.execution.process import proc
from engine.execution.signals import Killer
from tests.support.execution import Stage, kill

pytestmark = pytest.mark.processes

STUBBORN = """
import os, signal, subprocess, sys, time
def stubborn():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("up", flush=True)
    time.sleep(600)
def family():
    # a child in a session of its own, without the tag in its environment, that ignores SIGTERM
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        open("escaped", "w").write(str(os.getpid()))
        time.sleep(600)
    print("up", flush=True)
    time.sleep(600)
def polite():
    def finish(*_):
        print("finishing", flush=True)
        raise SystemExit(7)
    signal.signal(signal.SIGTERM, finish)
    print("up", flush=True)
    time.sleep(600)
def stopped():
    print("up", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
def leaver():
    subprocess.Popen(["sleep", "600"])
    raise ValueError("no")
"""
IGNORING = "trap '' TERM; echo up; sleep 600; sleep 600"


@pytest.mark.parametrize("how", ["warm", "cold", "shell"])
async def test_a_task_that_ignores_sigterm_is_killed_after_the_grace(stage: Stage, how: str) -> None:
    """After the grace a task that ignores SIGTERM ends by SIGKILL, not before."""
    stage.tasks(STUBBORN)
    order = stage.shell(IGNORING) if how == "shell" else stage.order("stubborn", cold=how == "cold")
    stage.executor.launch([order])
    await stage.prints(order, "up")
    asked = time.monotonic()
    stage.executor.kill(order.spec.attempt_id, grace=0.4)
    status = await stage.status_of(order)
    assert time.monotonic() - asked >= 0.4
    assert (status.code, status.signal) == (137, 9)


async def test_a_task_may_end_orderly_within_the_grace(stage: Stage) -> None:
    """A task that handles SIGTERM has its own say about how it ends."""
    stage.tasks(STUBBORN)
    order = stage.order("polite")
    stage.executor.launch([order])
    await stage.prints(order, "up")
    stage.executor.kill(order.spec.attempt_id, grace=30)
    status = await stage.status_of(order)
    assert (status.code, stage.log(order)) == (7, "up\nfinishing\n")


async def test_a_second_kill_without_grace_cuts_the_first_short(stage: Stage) -> None:
    """Killing again with no grace ends a stubborn task at once."""
    stage.tasks(STUBBORN)
    order = stage.order("stubborn")
    stage.executor.launch([order])
    await stage.prints(order, "up")
    stage.executor.kill(order.spec.attempt_id, grace=600)
    stage.executor.kill(order.spec.attempt_id, grace=0)
    assert (await stage.status_of(order)).signal == 9
    assert len(stage.of(order, Ended)) == 1


@pytest.mark.parametrize("how", ["warm", "cold", "shell"])
async def test_processes_that_fled_into_another_session_are_found(stage: Stage, how: str) -> None:
    """A grandchild that left session and process group and ignores SIGTERM is dead before the end is told."""
    stage.tasks(STUBBORN)
    (stage.home / "flee.py").write_text(
        "import os, signal, time\nsignal.signal(15, signal.SIG_IGN)\nopen('escaped', 'w').write(str(os.getpid()))\n"
        "time.sleep(600)\n"
    )
    script = f"setsid {sys.executable} -I flee.py & echo up; sleep 600"
    order = stage.shell(script) if how == "shell" else stage.order("family", cold=how == "cold")
    stage.executor.launch([order])
    await stage.prints(order, "up")
    escaped = stage.home / "escaped"
    await stage.until(lambda: escaped.exists() and escaped.read_text(), "the escape")
    pid = int(escaped.read_text())
    seen = proc.stat(pid)
    assert seen is not None and seen.session != stage.of(order, Claimed)[0].pid
    stage.executor.kill(order.spec.attempt_id, grace=0.3)
    await stage.status_of(order)
    assert (left := proc.stat(pid)) is None or left.dead


async def test_a_stopped_task_can_be_ended_politely(stage: Stage) -> None:
    """A task that was stopped by SIGSTOP is woken to receive its SIGTERM."""
    stage.tasks(STUBBORN)
    order = stage.order("stopped")
    stage.executor.launch([order])
    claim = await stage.claim_of(order)
    await stage.until(lambda: (seen := proc.stat(claim.pid)) is not None and seen.state == "T", "the stop")
    stage.executor.kill(order.spec.attempt_id, grace=30)
    assert (await stage.status_of(order)).signal == 15


async def test_an_attempt_killed_before_it_began_never_begins(stage: Stage) -> None:
    """A kill that comes first takes the claim: the task's code does not run, and the end says that it never began."""
    stage.tasks("import time\ntime.sleep(0.5)\ndef mark():\n    open('mark', 'w').close()\n")
    order, other = stage.order("mark"), stage.order("mark")
    stage.executor.launch([order, other])
    stage.executor.kill(order.spec.attempt_id, grace=5)
    status = await stage.status_of(order)
    assert (status.by, status.error, status.outcome) == ("engine", "stopped before it began", "failed")
    assert not stage.of(order, Claimed)
    (stage.home / "mark").unlink(missing_ok=True)
    await stage.status_of(other)
    assert not (stage.path(order) / "log").exists()
    assert isinstance(stage.executor.survey(order.spec.attempt_id), Finished)


async def test_a_kill_of_a_finished_attempt_tells_its_end_again(stage: Stage) -> None:
    """Killing what has already ended changes nothing: the status that stands is told."""
    order = stage.shell("exit 4")
    await stage.run(order)
    stage.executor.kill(order.spec.attempt_id, grace=5)
    await stage.until(lambda: len(stage.of(order, Ended)) == 2)
    assert [item.status.code for item in stage.of(order, Ended)] == [4, 4]


async def test_a_kill_of_a_lost_attempt_does_not_claim_its_death(stage: Stage) -> None:
    """When nothing of an attempt was left to be killed, it stays lost: no signal is said to have ended it."""
    order = stage.shell("echo up; sleep 600")
    stage.executor.launch([order])
    claim = await stage.claim_of(order)
    await stage.prints(order, "up")
    runner = stage.helper("runner")
    await stage.abandon()
    kill(runner)
    os.killpg(claim.pid, 9)
    await stage.until(lambda: not proc.has_session(claim.pid), "the death of all of it")
    await stage.open()
    stage.executor.kill(order.spec.attempt_id, grace=5)
    assert await stage.end_of(order) is None
    assert not (stage.path(order) / "status").exists()


@pytest.mark.parametrize("how", ["python", "shell"])
async def test_a_failed_attempt_leaves_nothing_running(stage: Stage, how: str) -> None:
    """What a failed attempt left in its session is ended before its end is told, so that a retry does not meet it."""
    stage.tasks(STUBBORN)
    order = stage.shell("sleep 600 & exit 3") if how == "shell" else stage.order("leaver")
    status = await stage.run(order)
    claim = stage.of(order, Claimed)[0]
    assert status.code == (3 if how == "shell" else 1)
    assert not proc.has_session(claim.pid)


async def test_a_successful_attempt_may_leave_a_daemon(stage: Stage) -> None:
    """A process that a successful task left on purpose is not touched, and does not delay the end."""
    order = stage.shell("sleep 600 & echo $! >daemon; exit 0")
    assert (await stage.run(order)).code == 0
    pid = int((stage.home / "daemon").read_text())
    assert proc.exists(pid)
    os.kill(pid, 9)


async def test_a_stranger_with_a_reused_pid_is_never_signalled(stage: Stage) -> None:
    """A claim whose pid now belongs to another process (its start time differs) ends nothing but itself."""
    stranger = stage.shell("echo up; sleep 600", env={"PATH": "/usr/bin:/bin"})
    stage.executor.launch([stranger])
    claim = await stage.claim_of(stranger)
    await stage.prints(stranger, "up")
    order = stage.shell("exit 0")
    path = stage.path(order)
    path.mkdir(mode=0o700)
    (path / "claim").write_text(
        f'{{"v":1,"pid":{claim.pid},"started":{claim.pid_started - 100},"boot_id":"{claim.boot_id}"}}\n'
    )
    stage.executor.kill(order.spec.attempt_id, grace=0)
    await stage.end_of(order)
    assert proc.is_alive(claim.pid, claim.pid_started)
    stage.executor.kill(stranger.spec.attempt_id, grace=0)
    await stage.end_of(stranger)


class Immortal:
    """A census in which one process never ends: what an uninterruptible sleep looks like from outside."""

    def __init__(self, pid: int) -> None:
        self.member: sessions.Member | None = sessions.Member(pid, -1)

    async def census(self) -> Immortal:
        return self

    def members(self, attempt_id: str, leader: int, started: int) -> list[sessions.Member]:
        return [] if self.member is None else [self.member]


async def test_what_outlives_sigkill_is_said_to(stage: Stage) -> None:
    """After some patience the kill says what it waits for, again while it lasts, and ends when the process does."""
    stage.tasks(STUBBORN)
    order = stage.order("polite")
    stage.executor.launch([order])
    await stage.claim_of(order)
    census, said, done = Immortal(os.getpid()), [], []
    killer = Killer(proc.boot_id(), census, done.append, lambda *what: said.append(what), patience=0.05)
    killer.kill(order.spec.attempt_id, str(stage.path(order)), grace=0.0)
    await stage.until(lambda: said, "the news that it does not end")
    attempt_id, why = said[0]
    assert attempt_id == order.spec.attempt_id and not done
    assert why.startswith(f"process {os.getpid()} (") and "was sent SIGKILL and is still there" in why
    census.member = None
    await stage.until(lambda: done == [order.spec.attempt_id], "the end of the kill")
    await stage.end_of(order)

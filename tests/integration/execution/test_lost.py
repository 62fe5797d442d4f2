"""What is known of an attempt after whoever stood over it was killed."""

from __future__ import annotations

import os
import signal

import pytest

from engine.execution import directory, local
from engine.execution.port import Claimed, Ended, Finished, LaunchOrder, Lost
from engine.execution.process import proc
from engine.model.attempt_files import AttemptStatus
from tests.support.execution import Stage, kill

pytestmark = pytest.mark.processes

WAITING = """
import os
def waiter():
    print("up", flush=True)
    open("gate").read()
    print("through")
"""


async def waiting(stage: Stage, how: str) -> tuple[LaunchOrder, Claimed]:
    """An attempt that runs until the gate is passed."""
    stage.make_gate()
    stage.tasks(WAITING)
    script = "echo up; read line <gate; echo through"
    order = stage.shell(script) if how == "shell" else stage.order("waiter", cold=how == "cold")
    stage.executor.launch([order])
    claim = await stage.claim_of(order)
    await stage.prints(order, "up")
    return order, claim


async def test_an_attempt_outlives_its_host(stage: Stage) -> None:
    """When the host is killed its children go on, end well, and their end is told."""
    order, _ = await waiting(stage, "warm")
    kill(stage.helper("host"))
    await stage.pass_gate()
    assert (await stage.status_of(order)).code == 0
    assert stage.log(order) == "up\nthrough\n"


async def test_a_new_host_starts_the_next_attempt(stage: Stage) -> None:
    """After a host was killed, the next attempt of its bundle runs from a new host."""
    stage.tasks("def quick():\n    return 1\n")
    assert (await stage.run(stage.order("quick"))).code == 0
    first = stage.helper("host")
    kill(first)
    assert (await stage.run(stage.order("quick"))).code == 0
    await stage.until(lambda: not proc.exists(first), "the end of the first host")
    assert stage.helper("host") != first


async def test_how_an_orphan_of_a_host_dies_is_known(stage: Stage) -> None:
    """A task killed after its host was killed has ended by that signal: the runner waited in the host's place."""
    order, claim = await waiting(stage, "warm")
    kill(stage.helper("host"))
    await stage.until(lambda: (seen := proc.stat(claim.pid)) is not None and seen.parent == stage.helper("runner"))
    kill(claim.pid)
    status = await stage.status_of(order)
    assert (status.signal, status.by) == (9, "runner")


@pytest.mark.parametrize("how", ["warm", "cold", "shell"])
async def test_attempts_outlive_the_runner(stage: Stage, how: str) -> None:
    """When the runner is killed its attempts go on, end well, and their end is told; new ones are started."""
    order, _ = await waiting(stage, how)
    kill(stage.helper("runner"))
    next_one = stage.shell("echo next")
    stage.executor.launch([next_one])
    assert (await stage.status_of(next_one)).code == 0
    await stage.pass_gate()
    status = await stage.status_of(order)
    assert (status.code, stage.log(order)) == (0, "up\nthrough\n")


async def test_an_attempt_whose_runner_host_and_process_died_is_lost(stage: Stage) -> None:
    """With runner, host and process killed nobody can say how it ended: it is lost, not failed and not successful."""
    order, claim = await waiting(stage, "warm")
    for pid in (stage.helper("runner"), stage.helper("host"), claim.pid):
        kill(pid)
    assert await stage.end_of(order) is None
    assert stage.executor.survey(order.spec.attempt_id) == Lost()


async def test_a_shell_task_outlives_its_killed_shim_and_is_then_lost(stage: Stage) -> None:
    """With its shim killed a shell task runs on and counts as alive; when it is over its exit code is unknown: lost."""
    order, claim = await waiting(stage, "shell")
    kill(claim.pid)
    await stage.until(lambda: not proc.is_alive(claim.pid, claim.pid_started), "the end of the shim")
    assert not isinstance(stage.executor.survey(order.spec.attempt_id), Lost | Finished)
    assert not stage.of(order, Ended)
    await stage.pass_gate()
    assert await stage.end_of(order) is None
    assert stage.log(order) == "up\nthrough\n"


async def test_a_process_that_leaves_without_a_word_has_not_succeeded(stage: Stage) -> None:
    """A Python task that ends its process with code 0 before it is over has failed, and the error says so."""
    stage.tasks("import os\ndef rude():\n    os._exit(0)\n")
    status = await stage.run(stage.order("rude"))
    assert (status.code, status.outcome, status.by) == (1, "failed", "host")
    assert status.error == "the process ended with exit code 0 before the task was over"


async def test_a_task_that_closes_everything_is_still_seen_as_alive(stage: Stage) -> None:
    """A task that closes all its descriptors, the lock among them, is neither lost nor started again."""
    stage.make_gate()
    stage.tasks(
        """
        import os
        def closer():
            os.closerange(0, 1000)
            open("closed", "w").close()
            open("gate").read()
        """
    )
    order = stage.order("closer")
    stage.executor.launch([order])
    await stage.claim_of(order)
    await stage.until(lambda: (stage.home / "closed").exists())
    await stage.abandon()
    await stage.open()
    stage.executor.adopt([order.spec.attempt_id])
    await stage.claim_of(order)
    kill(stage.helper("host"))
    await stage.until(lambda: stage.executor.survey(order.spec.attempt_id) == Lost())
    other = stage.shell("sleep 1.5")
    assert (await stage.run(other)).code == 0
    assert not stage.of(order, Ended)
    await stage.pass_gate()
    assert (await stage.status_of(order)).by == "child"


async def test_ends_are_found_when_no_message_comes(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the runner stopped, so that no message comes, a claim and an end are read from the attempt's files."""
    monkeypatch.setattr(local, "_SWEEP_SECONDS", 0.1)
    monkeypatch.setattr(local, "_QUIET_SECONDS", 0.2)
    await stage.abandon()
    await stage.open()
    stage.tasks(
        """
        import os, time
        def waiter():
            print("up", flush=True)
            while not os.path.exists("go"):
                time.sleep(0.01)
        """
    )
    early, late = stage.order("waiter"), stage.order("waiter")
    stage.executor.launch([early, late])
    await stage.until(lambda: stage.log(early) and stage.log(late), "the beginning of both")
    runner = stage.helper("runner")
    os.kill(runner, signal.SIGSTOP)
    try:
        (stage.home / "go").touch()
        assert [(await stage.status_of(order)).code for order in (early, late)] == [0, 0]
        assert len(stage.of(early, Claimed)) == len(stage.of(late, Claimed)) == 1
    finally:
        os.kill(runner, signal.SIGCONT)


async def test_a_torn_status_is_no_status(stage: Stage) -> None:
    """A status without its last line end is not believed; the waiter's word takes its place."""
    stage.tasks(
        """
        import os
        def torn():
            path = [os.readlink(f"/proc/self/fd/{n}") for n in range(3, 20) if os.path.lexists(f"/proc/self/fd/{n}")]
            with open(path[-1] + "/status", "w") as out:
                out.write('{"code":0,"by":"child"')
            os.kill(os.getpid(), 9)
        """
    )
    order = stage.order("torn")
    status = await stage.run(order)
    assert (status.code, status.signal) == (137, 9)
    text = (stage.path(order) / "status").read_bytes()
    assert AttemptStatus.loads(text).signal == 9
    assert directory.read_status(str(stage.path(order))) == text


async def test_a_fork_of_the_task_that_comes_back_has_no_say(stage: Stage) -> None:
    """A fork that a task makes and lets run out of its function neither ends the attempt nor gives its result."""
    stage.tasks(
        """
        import os
        def forks():
            if os.fork() == 0:
                return "from the fork"
            os.wait()
            open("gate").read()
            return "from the task"
        """
    )
    stage.make_gate()
    order = stage.order("forks")
    stage.executor.launch([order])
    await stage.claim_of(order)
    await stage.pass_gate()
    assert (await stage.status_of(order)).code == 0
    assert stage.result(order) == '"from the task"'

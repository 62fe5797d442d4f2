"""A second executor takes over what a first one started."""

from __future__ import annotations

import os
import signal
import time

import pytest

from engine.execution.port import Claimed, Ended, Lost
from engine.execution.process import proc
from tests.support.execution import Stage, command, kill

pytestmark = pytest.mark.processes

TASKS = """
def waiter():
    print("up", flush=True)
    open("gate").read()
    return "through"
"""


async def test_running_attempts_are_adopted_and_their_ends_told(stage: Stage) -> None:
    """Attempts of all kinds that run when their engine goes are claimed and ended to the next one, uninterrupted."""
    stage.tasks(TASKS)
    stage.make_gate()
    orders = [stage.order("waiter"), stage.order("waiter", cold=True), stage.shell("echo up; cat gate; exit 5")]
    stage.executor.launch(orders)
    claims = [await stage.claim_of(order) for order in orders]
    for order in orders:
        await stage.prints(order, "up")
    await stage.abandon()
    await stage.open()
    stage.executor.adopt([order.spec.attempt_id for order in orders])
    adopted = [await stage.claim_of(order) for order in orders]
    assert [(item.pid, item.pid_started) for item in adopted] == [(item.pid, item.pid_started) for item in claims]
    await stage.pass_gate()
    codes = [(await stage.status_of(order)).code for order in orders]
    assert codes == [0, 0, 5]
    assert stage.of(orders[0], Ended)[0].result_bytes == len('"through"')


async def test_attempts_that_ended_while_nobody_looked_are_told_at_once(stage: Stage) -> None:
    """An attempt that ended between two engines is claimed and ended to the second one."""
    order = stage.shell("exit 6")
    await stage.run(order)
    await stage.abandon()
    await stage.open()
    stage.executor.adopt([order.spec.attempt_id])
    assert (await stage.status_of(order)).code == 6
    assert [type(item) for item in stage.seen] == [Claimed, Ended]


async def test_an_adopted_attempt_can_be_killed(stage: Stage) -> None:
    """A kill reaches an attempt that an earlier engine started."""
    order = stage.shell("echo up; sleep 600")
    stage.executor.launch([order])
    await stage.prints(order, "up")
    await stage.abandon()
    await stage.open()
    stage.executor.adopt([order.spec.attempt_id])
    stage.executor.kill(order.spec.attempt_id, grace=5)
    assert (await stage.status_of(order)).signal == 15
    assert len(stage.of(order, Ended)) == 1


async def test_an_attempt_that_never_began_comes_back(stage: Stage) -> None:
    """Adopting an attempt without claim says that it has never begun; the same id can then be launched."""
    order = stage.shell("echo now")
    stage.executor.adopt([order.spec.attempt_id])
    assert (await stage.refusal_of(order)).error == "it has never begun"
    assert (await stage.run(order)).code == 0


async def test_a_half_written_spec_is_replaced(stage: Stage) -> None:
    """An attempt whose start was interrupted while its spec was being written can be launched again."""
    order = stage.shell("echo whole")
    path = stage.path(order)
    path.mkdir(parents=True, mode=0o700)
    (path / "spec").write_text('{"attempt_id":')
    assert (await stage.run(order)).code == 0
    assert stage.log(order) == "whole\n"


async def test_an_attempt_whose_directory_cannot_be_made_is_not_spent(stage: Stage) -> None:
    """Where the attempt's folder cannot be made the launch comes back with the reason, and nothing has begun."""
    order = stage.shell("echo x")
    day = stage.path(order).parent
    day.write_text("in the way")
    stage.executor.launch([order])
    assert "its directory cannot be made: Not a directory" in (await stage.refusal_of(order)).error
    day.unlink()
    assert (await stage.run(order)).code == 0


async def test_a_reboot_is_recognised(stage: Stage) -> None:
    """A claim of an earlier boot is lost at once, even if a process has its pid now."""
    order = stage.shell("true")
    path = stage.path(order)
    path.mkdir(parents=True, mode=0o700)
    (path / "claim").write_text(f'{{"v":1,"pid":{os.getpid()},"started":1,"boot_id":"an-earlier-boot"}}\n')
    assert stage.executor.survey(order.spec.attempt_id) == Lost()
    began = time.monotonic()
    stage.executor.adopt([order.spec.attempt_id])
    assert await stage.end_of(order) is None
    assert time.monotonic() - began < 10.0


async def test_the_old_runner_and_hosts_go_when_their_last_attempt_has(stage: Stage) -> None:
    """Without engine, runner and host live as long as their attempts and then end by themselves."""
    stage.tasks(TASKS)
    stage.make_gate()
    order = stage.order("waiter")
    stage.executor.launch([order])
    claim = await stage.claim_of(order)
    runner, host = stage.helper("runner"), stage.helper("host")
    await stage.abandon()
    assert proc.exists(runner)
    assert proc.exists(host)
    await stage.pass_gate()
    await stage.until(lambda: not stage.processes(), "the end of runner, host and attempt")
    assert not proc.is_alive(claim.pid, claim.pid_started)
    assert (stage.path(order) / "status").exists()


async def test_a_runner_without_engine_starts_no_new_host(stage: Stage) -> None:
    """A host that is killed while its runner has no engine is not replaced, even if it owed attempts."""
    stage.tasks("import time\ntime.sleep(600)\ndef never():\n    pass\n")
    order = stage.order("never")
    stage.executor.launch([order])
    await stage.until(lambda: any(b"\0host " in command(pid) for pid in stage.processes()), "the host")
    host, runner = stage.helper("host"), stage.helper("runner")
    os.kill(runner, signal.SIGSTOP)  # so that it hears of both in one turn
    await stage.abandon()
    kill(host)
    await stage.until(lambda: host not in stage.processes(), "the end of the host")
    os.kill(runner, signal.SIGCONT)
    await stage.until(lambda: not stage.processes(), "the end of the runner")
    assert not (stage.path(order) / "claim").exists()


async def test_what_the_old_runner_had_not_started_can_be_launched_anew(stage: Stage) -> None:
    """An attempt that waits for a slow import when its engine goes runs once, whoever starts it."""
    stage.tasks("import time\ntime.sleep(0.7)\ndef mark():\n    open('marks', 'a').write('x')\n")
    order = stage.order("mark")
    stage.executor.launch([order])
    await stage.abandon()
    await stage.open()
    stage.executor.launch([order])
    assert (await stage.status_of(order)).code == 0
    await stage.until(lambda: len(stage.processes()) <= 4, "the end of the old runner, template, host and spare")
    assert (stage.home / "marks").read_text() == "x"
    assert len(stage.of(order, Ended)) == 1


async def test_a_lost_attempt_among_many_does_not_hide_the_others(stage: Stage) -> None:
    """Of forty adopted attempts one that was lost meanwhile is told as lost, and all others as they ended."""
    orders = [stage.shell("echo up; read line <gate") for _ in range(40)]
    stage.make_gate()
    stage.executor.launch(orders)
    claims = [await stage.claim_of(order) for order in orders]
    for order in orders:
        await stage.prints(order, "up")
    runner = stage.helper("runner")
    await stage.abandon()
    kill(runner)
    os.killpg(claims[0].pid, 9)
    await stage.open()
    stage.executor.adopt([order.spec.attempt_id for order in orders])
    assert await stage.end_of(orders[0]) is None
    await stage.pass_gate("go\n" * 39)
    assert {(await stage.status_of(order)).code for order in orders[1:]} <= {0, 1}

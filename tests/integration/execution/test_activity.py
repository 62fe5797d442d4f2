"""What running attempts can be made to tell, and what is told of those that say nothing."""

from __future__ import annotations

import asyncio
import time

import pytest

from engine.clock import SystemClock
from engine.execution import stacks
from engine.execution.activity import Activity, Running
from engine.execution.port import LaunchOrder
from engine.execution.process import proc
from engine.execution.sessions import Member
from tests.support.execution import Stage

pytestmark = pytest.mark.processes

WORK = """
import threading, time
def waits():
    threading.Thread(target=deep_down, name="worker", daemon=True).start()
    print("up", flush=True)
    here_we_wait()
    print("over", flush=True)
def deep_down():
    time.sleep(600)
def here_we_wait():
    with open("gate") as gate:
        gate.read()
def spins():
    print("up", flush=True)
    while True:
        pass
"""


@pytest.mark.parametrize("cold", [False, True], ids=["warm", "cold"])
async def test_a_python_attempt_writes_the_stacks_of_its_threads(stage: Stage, cold: bool) -> None:
    """Its log then holds its processes and where every thread stands, and the task goes on undisturbed."""
    stage.tasks(WORK)
    stage.make_gate()
    order = stage.order("waits", cold=cold)
    stage.executor.launch([order])
    await stage.prints(order, "up")
    stage.executor.stack(order.spec.attempt_id)
    await stage.prints(order, "in here_we_wait")
    await stage.prints(order, "in deep_down")
    claim = await stage.claim_of(order)
    assert f"dagdeck:   {claim.pid} " in stage.log(order) and "(the attempt's own process)" in stage.log(order)
    await stage.pass_gate()
    assert (await stage.status_of(order)).code == 0
    assert stage.log(order).rstrip().endswith("over")


async def test_a_shell_attempt_writes_its_process_tree(stage: Stage) -> None:
    """Children stand below their parents with their command lines; nothing is sent to programs that would die of it."""
    stage.make_gate()
    order = stage.shell("sleep 600 & echo up; read line <gate; kill $!")
    stage.executor.launch([order])
    await stage.prints(order, "up")
    stage.executor.stack(order.spec.attempt_id)
    await stage.prints(order, "sleep 600\n")
    lines = [line for line in stage.log(order).splitlines() if line.startswith("dagdeck: ")]
    assert lines[0].startswith("dagdeck: stack at ") and lines[0].endswith(" processes")
    child = next(line for line in lines if line.endswith("  sleep 600"))
    assert child.startswith("dagdeck:       "), lines
    await stage.pass_gate()
    assert (await stage.status_of(order)).code == 0


def test_command_lines_reach_the_log_without_control_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process calls itself cannot move a cursor or fake a line of another's log."""
    monkeypatch.setattr(proc, "command_line", lambda pid: "evil\x1b[2J\n[root] fine " + "x" * 1000)
    (line,) = [line for line in stacks.tree([Member(1, 0)]) if "evil" in line]
    assert "evil?[2J?[root] fine" in line and line.endswith("…") and len(line) < 400


async def test_silence_and_idleness_are_told_apart(stage: Stage) -> None:
    """An attempt that writes nothing is named with its share of the processor; one that has just begun is not."""
    stage.tasks(WORK)
    stage.make_gate()
    busy, idle = stage.order("spins"), stage.shell("echo up; read line <gate")
    stage.executor.launch([busy, idle])
    for order in (busy, idle):
        await stage.prints(order, "up")
        await stage.claim_of(order)
    eager, patient = Activity(SystemClock(), quiet_seconds=0.1), Activity(SystemClock(), quiet_seconds=60)
    running = list(stage.executor._running())
    await stage.until(lambda: _quiet_for(stage, busy, idle) > 0.3, "both have been silent for a while")
    await eager.look(running)
    assert [quiet.cpu for quiet in eager.quiet.values()] == [None, None]
    await stage.until(lambda: _ticks(running, busy.spec.attempt_id) > 40, "the busy one uses processor time")
    await asyncio.gather(eager.look(running), patient.look(running))
    assert eager.quiet.keys() == {busy.spec.attempt_id, idle.spec.attempt_id}
    assert (eager.quiet[busy.spec.attempt_id].cpu or 0) > 5 > (eager.quiet[idle.spec.attempt_id].cpu or 0)
    assert patient.quiet == {}
    await stage.pass_gate()
    stage.executor.kill(busy.spec.attempt_id, grace=0.0)
    await stage.end_of(busy)
    await stage.end_of(idle)


def _quiet_for(stage: Stage, *orders: LaunchOrder) -> float:
    return min(time.time() - (stage.path(order) / "log").stat().st_mtime for order in orders)


def _ticks(running: list[Running], attempt_id: str) -> int:
    return next(proc.ticks_used(each.pid) for each in running if each.attempt_id == attempt_id)

"""Memory limits of real attempts, by whichever means this machine has."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.execution import groups
from tests.support.execution import Stage

pytestmark = pytest.mark.processes

HUNGRY = """
def hungry():
    kept = [b"x" * 1_000_000 for _ in range(400)]
def parent():
    import subprocess, sys
    subprocess.run([sys.executable, "-c", "kept = [b'x' * 1_000_000 for _ in range(400)]"], check=True)
def modest():
    return len(b"x" * 10_000_000)
"""
LIMIT = 128 << 20


@pytest.mark.parametrize("how", ["warm", "cold", "shell", "parent"])
async def test_an_attempt_that_needs_too_much_memory_fails_for_that(stage: Stage, how: str) -> None:
    """It ends, and by its own group, or by the error that its own limit raised, the reason is named."""
    stage.tasks(HUNGRY)
    if how == "shell":
        order = stage.shell("x=$(head -c 400000000 /dev/zero | tr '\\0' x); echo ${#x}", memory_limit=LIMIT)
    else:
        task_id = "parent" if how == "parent" else "hungry"
        order = stage.order(task_id, cold=how == "cold", memory_limit=LIMIT)
    status = await stage.run(order)
    assert status.code != 0
    if groups.find() is not None or how in ("warm", "cold"):
        assert (status.reason, status.failure_class) == ("out_of_memory", "infrastructure"), status
        assert "memory limit" in (status.error or "")


async def test_an_attempt_within_its_limit_is_left_alone(stage: Stage) -> None:
    """It succeeds, and nothing of its group is left behind."""
    stage.tasks(HUNGRY)
    orders = [stage.order("modest", memory_limit=LIMIT), stage.shell("echo fine", memory_limit=LIMIT)]
    for order in orders:
        assert (await stage.run(order)).code == 0
        if order.spec.cgroup is not None:
            await stage.until(lambda order=order: not Path(order.spec.cgroup or "").exists(), "the group is gone")


async def test_without_groups_each_process_is_limited(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has no group for it, the processes' own limit fails what asks for more, and says so."""
    stage.tasks(HUNGRY)
    monkeypatch.setattr(stage.executor._memory, "_groups", None)
    python = stage.order("hungry", memory_limit=LIMIT)
    status = await stage.run(python)
    assert (status.reason, python.spec.cgroup) == ("out_of_memory", None)
    assert "MemoryError" in (status.error or "") and "128 MB" in (status.error or "")
    shell = stage.shell("ulimit -S -d", memory_limit=LIMIT)
    assert (await stage.run(shell)).code == 0
    assert stage.log(shell).strip() == str(LIMIT // 1024)


async def test_an_end_for_want_of_memory_is_known_after_a_restart(stage: Stage) -> None:
    """What ended it while no engine ran is still told: its group, or its own status, outlives the engine."""
    stage.tasks(HUNGRY + "def later():\n    open('gate').read()\n    hungry()\n")
    stage.make_gate()
    order = stage.order("later", memory_limit=LIMIT)
    stage.executor.launch([order])
    await stage.claim_of(order)
    await stage.abandon()
    await stage.pass_gate()
    await stage.until(lambda: (stage.path(order) / "status").exists(), "its end is on disk")
    await stage.open()
    stage.executor.adopt([order.spec.attempt_id])
    status = await stage.status_of(order)
    assert (status.reason, status.failure_class) == ("out_of_memory", "infrastructure"), status

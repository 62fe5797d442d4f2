"""Every named point of the process side is a place to be killed at, and recovery decides rightly from there."""

from __future__ import annotations

import pytest

from engine.execution.port import Ended, Finished, LaunchOrder, Lost, NeverStarted, SpawnFailed
from tests.support.execution import Stage

pytestmark = pytest.mark.processes

TASKS = """
def mark():
    with open("marks", "a") as out:
        out.write("x")
    return {"value": 1}
"""

POINTS = {
    "python": {
        "runner.start",
        "host.fork.before",
        "host.fork.after",
        "child.forked",
        "attempt.claim.made",
        "attempt.claim.written",
        "attempt.result.written",
        "attempt.result.renamed",
        "attempt.status.before",
        "attempt.status.made",
        "attempt.status.written",
        "attempt.end",
    },
    "cold": {"runner.start", "attempt.claim.made", "attempt.result.renamed", "attempt.status.made", "attempt.end"},
    "shell": {"runner.start", "runner.shell.locked"},
}


def order_of(stage: Stage, how: str) -> LaunchOrder:
    """An attempt that leaves a mark and a result."""
    stage.tasks(TASKS)
    return stage.shell("printf x >>marks") if how == "shell" else stage.order("mark", cold=how == "cold")


@pytest.mark.parametrize("how", sorted(POINTS))
async def test_the_points_of_an_attempt_are_the_known_ones(
    stage: Stage, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One attempt passes at least the points that the next tests kill at, so none of them is tested in vain."""
    log = stage.home / "points"
    monkeypatch.setenv("DAGDECK_FAILPOINT_LOG", str(log))
    await stage.abandon()
    await stage.open()
    assert (await stage.run(order_of(stage, how))).code == 0
    assert set(log.read_text().split()) >= POINTS[how]


@pytest.mark.parametrize(("how", "point"), [(how, point) for how in sorted(POINTS) for point in sorted(POINTS[how])])
async def test_a_kill_at_any_point_leads_to_a_true_end(
    stage: Stage, how: str, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is killed at whichever point: the task runs at most once, and success stands only on a status."""
    monkeypatch.setenv("DAGDECK_FAILPOINT", f"{point}:1")
    await stage.abandon()
    await stage.open()
    monkeypatch.delenv("DAGDECK_FAILPOINT")
    order = order_of(stage, how)
    stage.executor.launch([order])
    status = await stage.end_of(order) if await began(stage, order) else None
    marks = stage.home / "marks"
    ran = len(marks.read_text()) if marks.exists() else 0
    finding = stage.executor.survey(order.spec.attempt_id)
    if status is None:
        assert isinstance(finding, Lost | NeverStarted)
        assert ran <= 1
        return
    assert finding.status.code == status.code if isinstance(finding, Finished) else False
    if status.code == 0:
        assert ran == 1
        assert how == "shell" or stage.result(order) == '{"value":1}'
    else:
        assert ran <= 1
        assert status.signal == 9


async def began(stage: Stage, order: LaunchOrder) -> bool:
    """Waits until the attempt has an end, or a refusal (then it may be launched again: nothing of it has begun)."""
    await stage.until(lambda: stage.of(order, Ended) or stage.of(order, SpawnFailed), "an end or a refusal")
    if stage.of(order, Ended):
        return True
    assert not (stage.path(order) / "claim").exists()
    return False


@pytest.mark.parametrize(("made", "spec"), [(False, False), (True, False), (True, True)])
async def test_an_engine_killed_while_it_prepares_an_attempt_can_start_it_later(
    stage: Stage, made: bool, spec: bool
) -> None:
    """With the directory not made, without spec, or prepared and not started, the same attempt starts once, later."""
    order = order_of(stage, "python")
    path = stage.path(order)
    if made:
        path.mkdir(parents=True, mode=0o700)
    if spec:
        (path / "spec").write_bytes(order.spec.dumps())
    assert stage.executor.survey(order.spec.attempt_id) == NeverStarted()
    assert (await stage.run(order)).code == 0
    assert (stage.home / "marks").read_text() == "x"

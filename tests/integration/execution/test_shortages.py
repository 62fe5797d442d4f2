"""What the kernel refuses for a while (room, descriptors) holds nothing up for good: it is tried again."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

from engine.execution import directory, sessions
from engine.execution.port import Ended, SpawnFailed, Unkillable
from tests.support.execution import Stage

pytestmark = pytest.mark.processes


NO_ROOM = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
NO_DESCRIPTOR = OSError(errno.EMFILE, os.strerror(errno.EMFILE))
NO_THREAD = RuntimeError("can't start new thread")
BROKEN = OSError(errno.EIO, os.strerror(errno.EIO))


def refusing(why: Exception, times: int, real: Callable[..., Any]) -> Callable[..., Any]:
    """The same, after it was refused so many times."""
    left = times

    def tried(*args: Any, **more: Any) -> Any:
        nonlocal left
        if left:
            left -= 1
            raise why
        return real(*args, **more)

    return tried


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tried again is tried soon."""
    monkeypatch.setattr("engine.execution.signals._AGAIN_SECONDS", 0.05)


@pytest.mark.parametrize("step", ["make_claim", "settle_status"])
async def test_a_kill_that_a_full_disk_stops_goes_on_once_there_is_room(
    stage: Stage, hurried: None, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """What cannot be written down is tried again and said, until the kill is through; its end tells what it was."""
    monkeypatch.setattr(directory, step, refusing(NO_ROOM, 3, getattr(directory, step)))
    order = stage.shell("true")
    stage.executor.kill(order.spec.attempt_id, grace=5)
    status = await asyncio.wait_for(stage.status_of(order), 20)
    assert (status.by, status.error) == ("engine", "stopped before it began")
    assert [item.why for item in stage.of(order, Unkillable)] == ["it cannot be ended yet: No space left on device"]


@pytest.mark.parametrize("lack", [NO_DESCRIPTOR, NO_THREAD], ids=["descriptor", "thread"])
async def test_a_kill_that_lacks_descriptors_or_threads_goes_on_once_there_are_some(
    stage: Stage, hurried: None, monkeypatch: pytest.MonkeyPatch, lack: Exception
) -> None:
    """The same where no census could be taken of the processes that are to end."""
    order = stage.shell("echo up; sleep 600")
    stage.executor.launch([order])
    await stage.prints(order, "up")
    monkeypatch.setattr(sessions, "Census", refusing(lack, 3, sessions.Census))
    stage.executor.kill(order.spec.attempt_id, grace=5)
    assert (await asyncio.wait_for(stage.status_of(order), 20)).signal == 15


async def test_adopted_attempts_are_watched_although_looking_at_one_fails(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One look that the kernel refuses is made up for by the next: the ends of adopted attempts are told."""
    stage.make_gate()
    order = stage.shell("echo up; cat gate; exit 5")
    stage.executor.launch([order])
    await stage.prints(order, "up")
    await stage.abandon()
    await stage.open()
    monkeypatch.setattr(sessions, "open_process", refusing(NO_DESCRIPTOR, 1, sessions.open_process))
    stage.executor.adopt([order.spec.attempt_id])
    await stage.claim_of(order)
    await stage.pass_gate()
    assert (await asyncio.wait_for(stage.status_of(order), 20)).code == 5


async def test_a_lost_attempt_is_found_although_a_census_fails(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether anything of an attempt is left is asked again where it could not be said."""
    order = stage.shell("true")
    monkeypatch.setattr(sessions, "Census", refusing(NO_DESCRIPTOR, 1, sessions.Census))
    path = stage.path(order)
    path.mkdir(parents=True)
    (path / "claim").write_text(f'{{"v":1,"pid":4194300,"started":1,"boot_id":"{stage.executor._boot_id}","at":1}}\n')
    stage.executor.adopt([order.spec.attempt_id])
    assert await asyncio.wait_for(stage.end_of(order), 20) is None


async def test_what_a_lost_message_would_have_told_is_found_although_a_look_fails(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sweep over quiet attempts goes on after a look that was refused."""
    monkeypatch.setattr("engine.execution.local._SWEEP_SECONDS", 0.05)
    monkeypatch.setattr("engine.execution.local._QUIET_SECONDS", 0.1)
    stage.make_gate()
    order = stage.shell("echo up; cat gate; exit 5")
    stage.executor.launch([order])
    await stage.prints(order, "up")
    monkeypatch.setattr(stage.executor, "_hear", lambda report: None)
    stage.executor._runners.link._hear = lambda report: None
    monkeypatch.setattr(directory, "survey", refusing(BROKEN, 2, directory.survey))
    await stage.pass_gate()
    assert (await asyncio.wait_for(stage.status_of(order), 20)).code == 5


async def test_an_end_that_cannot_be_looked_at_is_told_once_it_can(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An attempt that has ended is not forgotten because the size of its result could not be asked for."""
    monkeypatch.setattr("engine.execution.local._SWEEP_SECONDS", 0.05)
    monkeypatch.setattr("engine.execution.local._QUIET_SECONDS", 0.1)
    stage.tasks("def one():\n    return 1\n")
    order = stage.order("one")
    monkeypatch.setattr(directory, "result_bytes", refusing(BROKEN, 1, directory.result_bytes))
    stage.executor.launch([order])
    assert (await asyncio.wait_for(stage.status_of(order), 20)).code == 0
    assert stage.of(order, Ended)[0].result_bytes == 1


async def test_what_a_report_says_of_others_is_heard_although_one_cannot_be_looked_at(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody else would tell that an attempt could not be started: it would stay queued for ever."""
    orders = [stage.shell("true"), stage.shell("true")]
    monkeypatch.setattr(stage.executor._runners.link, "send", lambda message: None)
    stage.executor.launch(orders)
    one, other = [order.spec.attempt_id for order in orders]
    monkeypatch.setattr(directory, "read_status_at", refusing(NO_DESCRIPTOR, 1, directory.read_status_at))
    stage.executor._hear({"ended": [[one]], "failed": [[other, "cannot fork"]]})
    assert (await stage.refusal_of(orders[1])).error == "cannot fork"
    assert (await stage.refusal_of(orders[0])).error == "it has never begun"


async def test_what_waited_for_a_dead_runner_starts_although_one_cannot_be_looked_at(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the runner dies, all that it owed is started anew, or said not to have been started."""
    orders = [stage.shell("true"), stage.shell("true")]
    with monkeypatch.context() as patched:
        patched.setattr(stage.executor._runners.link, "send", lambda message: None)
        stage.executor.launch(orders)
    monkeypatch.setattr(directory, "survey", refusing(NO_DESCRIPTOR, 1, directory.survey))
    os.kill(stage.helper("runner"), signal.SIGKILL)
    assert (await asyncio.wait_for(stage.status_of(orders[1]), 20)).code == 0
    await stage.until(lambda: stage.of(orders[0], SpawnFailed), "the news of the first")

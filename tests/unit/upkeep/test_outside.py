"""When an engine tells the outside that it is well."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
import structlog

from engine.config import load_settings
from engine.home import Home
from engine.observe import heartbeat
from engine.observe.channels import Undelivered
from engine.upkeep import outside as module
from engine.upkeep.outside import Outside
from tests.support.scheduler import Rig


async def begun(work: Coroutine[Any, Any, None]) -> None:
    """Lets a part work until it waits for the first time, and ends it."""
    task = asyncio.create_task(work)
    for _ in range(20):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize(
    ("degraded", "disk_low", "asked"),
    [(None, None, True), ("the disk is full", None, False), (None, "disk: 1 MB", False)],
)
async def test_an_engine_that_starts_nothing_holds_its_breath(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, degraded: str | None, disk_low: str | None, asked: bool
) -> None:
    """The address is asked for while all is well, and not while the store fails or the disk has too little room."""
    home, rig, beats = Home(tmp_path), Rig(tmp_path), []

    async def beat(_pulse: object) -> None:
        beats.append(1)

    monkeypatch.setattr(module.Pulse, "beat", beat)
    home.config.write_text('heartbeat_url = "https://hc.example.org/ping"')
    rig.scheduler.degraded, rig.scheduler.disk_low = degraded, disk_low

    async def read(_read: object) -> None:
        return None

    found = Outside(home, load_settings(home), rig.scheduler, read, rig.clock, structlog.get_logger())
    work, silence = found.work()
    silence.close()
    await begun(work)
    assert bool(beats) is asked


@pytest.mark.parametrize("told", ["17", "", None])
async def test_what_failed_while_nobody_was_to_hear_of_it_is_no_news_later(tmp_path: Path, told: str | None) -> None:
    """An engine without `[on_failure]` forgets how far an earlier one has told: the next begins with what comes;
    where nothing was told it writes nothing.
    """
    home, rig = Home(tmp_path), Rig(tmp_path)
    home.config.touch()

    async def read(_read: object) -> str | None:
        return told

    found = Outside(home, load_settings(home), rig.scheduler, read, rig.clock, structlog.get_logger())
    [work] = found.work()
    task = asyncio.create_task(work)
    await asyncio.sleep(0)
    await rig.turn()
    written = [row for batch in rig.writer.committed for row in batch.rows]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert written == ([("meta.put", {"key": "told_failures", "value": ""})] if told else [])


async def test_all_that_goes_unheard_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure that nobody was told of does not hide that the heartbeat does not arrive either."""
    home, rig = Home(tmp_path), Rig(tmp_path)
    home.config.write_text(
        'heartbeat_url = "https://hc.example.org/ping"\n[on_failure]\nwebhook = "https://chat.example.org/hook"'
    )

    async def read(_read: object) -> None:
        return None

    found = Outside(home, load_settings(home), rig.scheduler, read, rig.clock, structlog.get_logger())
    assert found.warning is None

    async def call(*_: object) -> None:
        raise Undelivered("no route")

    monkeypatch.setattr(heartbeat, "call_address", call)
    beating, telling = found.work()
    telling.close()
    await begun(beating)
    assert found.warning == "the heartbeat does not arrive: no route"
    monkeypatch.setattr(module.Teller, "failing", "HTTP 500")
    assert found.warning == "a failure could not be told: HTTP 500; the heartbeat does not arrive: no route"

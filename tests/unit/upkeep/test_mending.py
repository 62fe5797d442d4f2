"""What a degraded engine gives as its reason."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
import structlog

from engine import mending
from engine.mending import Mender
from engine.store.errors import CommitFailed, StoreError, damaged
from engine.store.writer import Writer
from tests.support.scheduler import Rig


def failures(*texts: str) -> Iterator[CommitFailed]:
    """What a writer meets: each text as a commit that failed of it, `busy` as SQLite's own word for that."""
    for text in texts:
        failure = CommitFailed(text)
        cause = sqlite3.OperationalError("database is locked")
        cause.sqlite_errorname = "SQLITE_BUSY"
        failure.__cause__ = cause if text == "busy" else damaged(Path("state.db"), text)
        yield failure


@pytest.mark.parametrize(
    ("met", "reasons"),
    [
        (("it was cut", "busy", "busy"), ["it was cut", "it was cut", "it was cut"]),
        (("busy", "it was cut"), ["busy", "it was cut"]),
        (
            ("it was cut", "busy", "it was removed", "busy"),
            ["it was cut"] * 2 + ["it was removed"] * 2,
        ),
    ],
)
async def test_a_busy_store_is_no_reason_in_the_place_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, met: tuple[str, ...], reasons: list[str]
) -> None:
    """While a store is probed it may be locked, too: what had been found of it stays the reason that people read, and
    a later one that says more takes its place.
    """
    monkeypatch.setattr(mending, "PROBE_SECONDS", 0.0)
    monkeypatch.setattr(mending, "PROBE_SECONDS_AT_MOST", 0.0)
    rig, seen, coming = Rig(tmp_path), list[str | None](), failures(*met)
    over = asyncio.Event()

    class Failing:
        async def probe(self) -> int:
            if rig.scheduler.degraded is not None:
                seen.append(rig.scheduler.degraded)
            for failure in coming:
                raise failure
            over.set()
            await asyncio.Event().wait()
            raise StoreError

    async def load() -> None:
        raise AssertionError

    mender = Mender(cast(Writer, Failing()), rig.scheduler, load, structlog.get_logger())
    mender.commit_failed(next(coming))
    task = asyncio.create_task(mender.mend())
    await asyncio.wait_for(over.wait(), 5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert seen == reasons


@pytest.mark.parametrize("met", [OSError(24, "Too many open files"), RuntimeError("can't start new thread")])
async def test_whatever_keeps_memory_from_being_loaded_is_a_reason_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, met: Exception
) -> None:
    """Not only the store can fail while an engine is mended: also the looks at attempts that go with it."""
    monkeypatch.setattr(mending, "PROBE_SECONDS", 0.0)
    rig, reasons = Rig(tmp_path), list[str | None]()
    mended = asyncio.Event()

    class Sound:
        async def probe(self) -> int:
            return 1

        def reset(self) -> None:
            """Nothing to do."""

    async def load() -> None:
        reasons.append(rig.scheduler.degraded)
        if len(reasons) == 1:
            raise met
        mended.set()

    mender = Mender(cast(Writer, Sound()), rig.scheduler, load, structlog.get_logger())
    mender.commit_failed(CommitFailed("disk I/O error"))
    task = asyncio.create_task(mender.mend())
    await asyncio.wait([asyncio.ensure_future(mended.wait()), task], timeout=5, return_when=asyncio.FIRST_COMPLETED)
    assert not task.done()
    task.cancel()
    assert reasons == ["disk I/O error", str(met)]

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

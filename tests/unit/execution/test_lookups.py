"""Secrets that are not to be had: the attempt comes to its end, and nobody else waits with it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from engine.connections import Resolved
from engine.execution.lookups import look_up
from engine.model.attempt_files import AttemptStatus

WANTED = {"pg": {"password": {"keyring": "dagdeck", "user": "pg"}}}


async def test_a_keyring_that_never_answers_ends_the_attempt_and_holds_up_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A locked keyring may ask a person who is not there. The attempt fails after a while and may be tried again; other
    work on threads goes on, and so does the engine's end.
    """
    monkeypatch.setattr("engine.execution.lookups.SECONDS", 0.3, raising=False)
    opened = threading.Event()

    def ask(wanted: Mapping[str, Mapping[str, Any]]) -> Resolved:
        opened.wait()
        return Resolved()

    try:
        asked = [asyncio.create_task(look_up(ask, WANTED)) for _ in range(40)]
        await asyncio.sleep(0)
        assert await asyncio.wait_for(asyncio.to_thread(lambda: 7), 5) == 7
        for status in await asyncio.wait_for(asyncio.gather(*asked), 5):
            assert isinstance(status, AttemptStatus)
            assert (status.outcome, status.failure_class) == ("failed", "infrastructure")
            assert status.error == "connection pg: its secrets were not to be had within 0.3 s: is a keyring locked?"
        await asyncio.wait_for(asyncio.get_running_loop().shutdown_default_executor(), 5)
    finally:
        opened.set()


async def test_an_error_that_nobody_expected_of_a_keyring_ends_the_attempt() -> None:
    """It is named and not quoted: its text may hold the secret."""

    def ask(wanted: Mapping[str, Mapping[str, Any]]) -> Resolved:
        raise RuntimeError("hunter2")

    status = await look_up(ask, WANTED)
    assert isinstance(status, AttemptStatus)
    assert (status.outcome, status.failure_class) == ("failed", "infrastructure")
    assert status.error == "connection pg: its secrets cannot be looked up: RuntimeError"

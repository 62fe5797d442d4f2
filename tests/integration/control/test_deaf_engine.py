"""An engine that was stopped in the middle of something: nobody who talks to it hangs with it."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
from pathlib import Path

import pytest

from console.cli import link
from engine.control import protocol as p
from engine.control.client import connect
from engine.home import Home
from engine.version import SCHEMA, VERSION


async def test_a_client_leaves_an_engine_that_no_longer_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever gives up waiting for it is free to go, also with half of a long command still to be sent."""
    deaf = asyncio.Event()

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        actor = p.Welcome(p.PROTOCOL, SCHEMA, VERSION, os.getpid(), "etl", 0, 0, "me", "admin")
        writer.write(p.encode(actor))
        await writer.drain()
        await deaf.wait()
        writer.close()

    with tempfile.TemporaryDirectory(prefix="dd-", dir="/tmp") as folder:
        home = Home(Path(folder))
        server = await asyncio.start_unix_server(greet, path=str(home.socket), limit=1024)

        async def ask() -> None:
            async with connect(home, "cli") as client:
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(client.preview("rerun", p.Selector(run_ids=["x" * 200] * 4_000)), 0.3)

        try:
            done, _ = await asyncio.wait([asyncio.ensure_future(ask())], timeout=5)
            assert done and done.pop().exception() is None
        finally:
            deaf.set()
            server.close()


async def test_a_listing_does_not_wait_long_for_a_figure_of_the_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which tasks are silent is left out where the engine says nothing: what is committed is shown all the same."""
    with tempfile.TemporaryDirectory(prefix="dd-", dir="/tmp") as folder:
        home = Home(Path(folder))
        monkeypatch.setattr(link, "engine_pid", lambda home: os.getpid())
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(home.socket))
        listener.listen()
        try:
            assert await asyncio.wait_for(asyncio.to_thread(link.quiet_attempts, home), 10) == {}
        finally:
            listener.close()

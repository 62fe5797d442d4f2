"""Who is neither the home's owner nor root gets no word from an engine, even where its socket is within reach."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any, cast

import pytest

from engine.control import protocol as p
from engine.control.server import Server
from engine.model.roles import Role
from engine.observe.log import open_log
from engine.version import VERSION
from tests.support.strangers import NOBODY, identity, interpreter

HELLO = p.encode(p.Hello(p.PROTOCOL, "cli", VERSION))
KNOCK = """
import socket, sys
link = socket.socket(socket.AF_UNIX)
link.connect(sys.argv[1])
try:
    link.sendall(sys.argv[2].encode())
    sys.stdout.write(repr(link.recv(1000)))
except (BrokenPipeError, ConnectionResetError):
    sys.stdout.write("b''")
"""


@pytest.mark.parametrize("stranger", [True, False])
async def test_only_the_owner_and_root_are_answered(monkeypatch: pytest.MonkeyPatch, stranger: bool) -> None:
    """The kernel says who connects. A stranger is let go without a word; the same words by the owner are answered."""
    with tempfile.TemporaryDirectory(prefix="dd-", dir="/tmp") as folder:
        none = cast(Any, None)
        path = Path(folder) / "engine.sock"
        server = Server(
            path, none, cast(Any, AllAdmins()), home="etl", started_at=0, committed=lambda: 7, gauges=none,
            quiet=none, log=open_log(Path(folder) / "log"),
        )  # fmt: skip
        await server.open()
        lay_open(path)
        other = identity() if stranger else {}
        if stranger and not other:
            monkeypatch.setattr(os, "getuid", lambda: NOBODY)  # who cannot become somebody else: the engine is
        try:
            said = await asyncio.to_thread(said_to, path, other)
        finally:
            await server.close()
    assert (said == "b''") == stranger
    assert ("welcome" in said) != stranger


def lay_open(path: Path) -> None:
    """Puts a socket within everybody's reach, which no engine does."""
    path.parent.chmod(0o755)
    path.chmod(0o666)


def said_to(path: Path, who: dict[str, Any]) -> str:
    """What somebody hears who greets the engine."""
    command = ["/usr/bin/env", "-i", interpreter(), "-I", "-S", "-c", KNOCK, str(path), HELLO.decode()]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=True, timeout=30, **who)
    return str(done.stdout)


class AllAdmins:
    """Whoever is answered may do everything."""

    def of(self, _actor: object) -> Role:
        """The highest role."""
        return Role.ADMIN

"""Being a daemon: detached from whoever started it, who is told whether the start went well; systemd, too."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

READY = "ready"
"""How the line begins that says that everything stands."""


def detach(log: Path, body: Callable[[Callable[[str], None]], int]) -> int:
    """Runs `body` in a process of its own session, and returns once it has said how its start went.

    `body` is given a function to call once with `ready`, or with the reason why it refuses. Standard input is /dev/null
    and both outputs go to the engine's log, so an SSH session that started the engine can end. Returns 0 when the
    daemon is ready, 5 when it refused.
    """
    heard, told = os.pipe()
    if os.fork() == 0:
        os.close(heard)
        os.setsid()
        if os.fork() != 0:
            os._exit(0)
        _redirect(log)
        code = 1
        try:
            code = body(lambda line: _tell(told, line))
        finally:
            os._exit(code)
    os.close(told)
    os.wait()
    with open(heard, encoding="utf-8") as pipe:
        said = pipe.read().strip()
    if said.startswith(READY):
        print(said)
        return 0
    print(said or f"the engine ended before it was ready: see {log}", file=sys.stderr)
    return 5 if said else 1


def _tell(pipe: int, line: str) -> None:
    os.write(pipe, f"{line}\n".encode())
    os.close(pipe)


def _redirect(log: Path) -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    out = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(null, 0)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.close(null)
    os.close(out)


def supervisor() -> Callable[[str], None]:
    """What tells systemd, where it started this process and waits for that, that it is ready, or why it refuses.

    The address is taken out of the environment: no other process of a home has a say in it.
    """
    address = os.environ.pop("NOTIFY_SOCKET", "")
    if address.startswith("@"):
        address = f"\0{address[1:]}"
    return lambda line: _notify(address, line) if address else None


def _notify(address: str, line: str) -> None:
    # Its protocol has one setting in a line.
    word = "READY=1" if line.startswith(READY) else f"STATUS={' '.join(line.split())}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as link:
        try:
            link.sendto(word.encode(errors="replace"), address)
        except OSError as error:
            print(f"systemd was not told: {error}", file=sys.stderr)

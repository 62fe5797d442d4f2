"""The engine's end of one runner: its process, its socket, lines out and lines in."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections.abc import Callable
from typing import Any

from engine.execution.process import spawn
from engine.execution.process.channels import ENGINE_FD

_READ = 256 * 1024


class RunnerLink:
    """One runner. `hear` gets each report, `lost` is called once when the runner is gone."""

    def __init__(self, hear: Callable[[dict[str, Any]], None], lost: Callable[[], None]) -> None:
        self._hear = hear
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._waiting = bytearray()
        self._rest = b""
        self._socket: socket.socket | None = None
        self._ended = asyncio.Event()
        self.pid = 0

    def start(self, root: str, log: str | None, hosts: dict[str, Any]) -> None:
        """Starts the runner's process; what it and its hosts print goes to the file `log`. Raises OSError.

        `hosts` is where hosts import DAG files: the environment (`env`), the folder (`dags`), and the interpreter
        that is made ready at once (`python`).
        """
        ours, theirs = socket.socketpair()
        output = os.open(log or os.devnull, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            environment = {**spawn.base_environment(), spawn.HOSTS: json.dumps(hosts)}
            moves = [(theirs.fileno(), ENGINE_FD), (output, 1), (output, 2)]
            self.pid = spawn.python(sys.executable, ["runner", root], environment, moves)
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
            os.close(output)
        ours.setblocking(False)
        self._socket = ours
        self._loop.add_reader(ours, self._read)
        self._pidfd = os.pidfd_open(self.pid)
        self._loop.add_reader(self._pidfd, self._gone)

    def send(self, message: dict[str, Any]) -> None:
        """Sends a line, or keeps it until the runner takes it."""
        if self._socket is None:
            return
        idle = not self._waiting
        self._waiting += json.dumps(message, separators=(",", ":")).encode() + b"\n"
        if idle:
            self._write()

    def _write(self) -> None:
        if self._socket is None:
            return
        try:
            del self._waiting[: self._socket.send(self._waiting)]
        except BlockingIOError:
            pass
        except OSError:
            self._waiting.clear()
        if self._waiting:
            self._loop.add_writer(self._socket, self._write)
        else:
            self._loop.remove_writer(self._socket)

    def _read(self) -> None:
        if self._socket is None:
            return
        try:
            data = self._socket.recv(_READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._disconnect()
            return
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            self._hear(json.loads(line))

    def _gone(self) -> None:
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        try:
            os.waitpid(self.pid, 0)
        except ChildProcessError:
            pass
        if self._socket is not None:
            self._read()
            self._disconnect()
        self._ended.set()

    def _disconnect(self) -> None:
        """No more reports will come: the runner has ended or takes no more work."""
        if self._socket is not None:
            self._let_go_of_socket()
            self._lost()

    def _let_go_of_socket(self) -> None:
        if self._socket is not None:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._socket.close()
            self._socket = None

    async def close(self, patience: float) -> None:
        """Lets the runner go. One without attempts ends at once and is waited for; another one lives on."""
        self._let_go_of_socket()
        try:
            await asyncio.wait_for(self._ended.wait(), patience)
        except TimeoutError:
            if not self._ended.is_set():
                self._loop.remove_reader(self._pidfd)
                os.close(self._pidfd)

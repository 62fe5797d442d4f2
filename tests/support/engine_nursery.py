"""`python -m tests.support.engine_nursery`: starts engines that have been imported before, a tenth of the usual cost.

Reads JSON lines `{"key", "arguments", "environment", "stderr"}` and forks for each a process that calls the engine's
own main with them. Says `[key, "pid", pid]`, `[key, "said", line]` for each line of its standard output, and
`[key, "code", exit code]` at its end. Ends at the end of its input; engines are left to whoever asked for them. It is
nobody's child, so that no test finds it among its own.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import sys
from typing import Any

import engine.app
from engine import __main__ as entry
from engine import failpoints
from tests.support import later_schema

LATER_SCHEMA = "TESTS_LATER_SCHEMA"
"""Set in an engine's environment it is an engine of the version after this one, with a migration of its own."""


def main() -> None:
    """Serves until standard input ends."""
    assert engine.app
    if os.fork() != 0:
        return
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(wake_write)
    children: dict[int, str] = {}
    pipes: dict[int, tuple[str, bytearray]] = {}
    orders = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(0, selectors.EVENT_READ)
        selector.register(wake_read, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fd == 0:
                    data = os.read(0, 1 << 16)
                    if not data:
                        return
                    orders += data
                    while b"\n" in orders:
                        line, _, orders[:] = orders.partition(b"\n")
                        pipe, name, pid = start(json.loads(line))
                        children[pid], pipes[pipe] = name, (name, bytearray())
                        selector.register(pipe, selectors.EVENT_READ)
                        tell(name, "pid", pid)
                elif key.fd == wake_read:
                    os.read(wake_read, 1 << 10)
                    reap(children)
                elif not hear(key.fd, *pipes[key.fd]):
                    selector.unregister(key.fd)
                    os.close(key.fd)


def start(order: dict[str, Any]) -> tuple[int, str, int]:
    """Forks one engine; gives the end of its output, its key and its pid."""
    heard, told = os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            be_engine(order, told)
            code = entry.main()
        finally:
            sys.stdout.flush()
            os._exit(code)
    os.close(told)
    return heard, order["key"], pid


def be_engine(order: dict[str, Any], told: int) -> None:
    """Makes the forked process what `python -m engine` would be at its start."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    null, log = (
        os.open(os.devnull, os.O_RDONLY),
        os.open(order["stderr"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600),
    )
    os.dup2(null, 0)
    os.dup2(told, 1)
    os.dup2(log, 2)
    os.closerange(3, 1 << 12)
    os.environ.clear()
    os.environ.update(order["environment"])
    failpoints.rearm(os.environ)
    if LATER_SCHEMA in os.environ:
        later_schema.install()
    sys.argv = ["engine", *order["arguments"]]


def hear(pipe: int, name: str, rest: bytearray) -> bool:
    """Passes lines on; False at the end of the engine's output."""
    data = os.read(pipe, 1 << 16)
    rest += data
    while b"\n" in rest:
        line, _, rest[:] = rest.partition(b"\n")
        tell(name, "said", line.decode())
    return bool(data)


def reap(children: dict[int, str]) -> None:
    """Reports engines that have ended."""
    while children:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        tell(children.pop(pid), "code", os.waitstatus_to_exitcode(status))


def tell(name: str, what: str, value: object) -> None:
    """One line to whoever asked."""
    os.write(1, json.dumps([name, what, value]).encode() + b"\n")


if __name__ == "__main__":
    main()

"""A template: an interpreter that has imported what every host needs, and nothing of any author's.

`template ATTEMPTS-FOLDER DAGS-FOLDER TITLE`, orders on descriptor 3, news to descriptor 4. Each order is a packet of
JSON, `[number, bundle, file]`, that comes with the socket on which the host takes its own orders. A host forked from
here starts in a few milliseconds, and shares the interpreter's memory with all others.
"""

from __future__ import annotations

import _socket
import array
import faulthandler
import json
import os
import select
import signal

from engine.execution.process import host, proc, stacks, streams
from engine.execution.process.channels import NEWS_FD, ORDERS_FD
from engine.execution.process.marks import Marks

_LONGEST_ORDER = 64 * 1024


def main(arguments: list[str]) -> int:
    """Forks hosts until there are no more orders."""
    root, dags = arguments[0], arguments[1]
    os.umask(0o077)
    os.environ.pop("LD_BIND_NOW", None)
    for fd in (ORDERS_FD, NEWS_FD):
        os.set_inheritable(fd, False)
    streams.suit_logs()
    faulthandler.enable()
    stacks.listen()
    setting = host.Setting(root, dags, proc.boot_id(), Marks())
    setting.marks.rename("template of hosts")
    host.settle_memory()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    orders = _socket.socket(fileno=ORDERS_FD)
    poll = select.poll()
    poll.register(ORDERS_FD, select.POLLIN)
    while True:
        if not setting.rehearsed and not poll.poll(0):
            setting.rehearse()
        order = _receive(orders)
        if order is None:
            return 0
        number, bundle, file, channel = order
        pid = os.fork()
        if pid == 0:
            _become_host(orders, channel)
            return host.run(setting, number, bundle, file)
        os.close(channel)


def _receive(orders: _socket.socket) -> tuple[int, str, str, int] | None:
    """The next order and the host's own channel; None when there will be no more."""
    data, ancillary, _, _ = orders.recvmsg(_LONGEST_ORDER, _socket.CMSG_SPACE(array.array("i").itemsize))
    handles = array.array("i")
    for level, kind, content in ancillary:
        if level == _socket.SOL_SOCKET and kind == _socket.SCM_RIGHTS:
            handles.frombytes(content[: len(content) - len(content) % handles.itemsize])
    if not data or not handles:
        return None
    number, bundle, file = json.loads(data)
    return number, bundle, file, handles[0]


def _become_host(orders: _socket.socket, channel: int) -> None:
    """In the fork: a session of its own, its own orders in place of the template's, no children ignored."""
    os.setsid()
    orders.detach()
    os.dup2(channel, ORDERS_FD, inheritable=False)
    os.close(channel)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)

"""A template of parse children: an interpreter that has imported what each of them needs, and nothing of any author's.

`main([DESCRIPTOR])`, the number of a socket of packets. An order is JSON, a parse child's arguments and its folder,
and comes with the child's standard output and error. The answer is the child's pid. It begins when the next packet says
`go`, so that nothing of an author's runs before somebody knows whom to stop. The packet after that asks for its end: it
is waited for then and not before, so that its pid stays its own.
"""

from __future__ import annotations

import _socket
import array
import gc
import json
import os
import traceback
from typing import NoReturn

from engine.dagfiles import child

GO, END = b"go", b"end"
_LONGEST_ORDER = 64 * 1024
_LONGEST_WORD = 8


def main(arguments: list[str]) -> int:
    """Forks parse children until there are no more orders."""
    orders = _socket.socket(fileno=int(arguments[0]))
    os.set_inheritable(orders.fileno(), False)
    gc.collect()
    gc.freeze()
    while (order := _receive(orders)) is not None:
        command, folder, (output, errors) = order
        hold, release = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(release)
            _become_child(orders, hold, command, folder, output, errors)
        for fd in (hold, output, errors):
            os.close(fd)
        orders.send(str(pid).encode())
        told = orders.recv(_LONGEST_WORD)
        if told == GO:
            os.write(release, GO)
            told = orders.recv(_LONGEST_WORD)
        os.close(release)
        if not told:
            return 0
        orders.send(str(os.waitpid(pid, 0)[1]).encode())
    return 0


def _receive(orders: _socket.socket) -> tuple[list[str], str, array.array[int]] | None:
    """The next order; None when there will be no more."""
    data, ancillary, _, _ = orders.recvmsg(_LONGEST_ORDER, _socket.CMSG_SPACE(2 * array.array("i").itemsize))
    handles = array.array("i")
    for level, kind, content in ancillary:
        if level == _socket.SOL_SOCKET and kind == _socket.SCM_RIGHTS:
            handles.frombytes(content[: len(content) - len(content) % handles.itemsize])
    if not data:
        return None
    command, folder = json.loads(data)
    return command, folder, handles


def _become_child(
    orders: _socket.socket, hold: int, command: list[str], folder: str, output: int, errors: int
) -> NoReturn:
    """In the fork: leads a session, waits for the word, and is a parse child like any other."""
    try:
        os.setsid()
        orders.close()
        if os.read(hold, _LONGEST_WORD) != GO:
            os._exit(1)
        os.close(hold)
        os.dup2(output, 1)
        os.dup2(errors, 2)
        os.close(output)
        os.close(errors)
        os.chdir(folder)
        child.main(command)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)

"""A child that was forked before there was an attempt for it: a short task then does not wait for the fork.

Which attempt it becomes is told through a pipe. Until then it has claimed nothing, so nothing is lost with it; when its
host goes, the pipe ends and so does it.
"""

from __future__ import annotations

import os
from collections.abc import Callable

_ID_BYTES = 64


class Spare:
    """The host's side of a child that waits."""

    __slots__ = ("_order", "pid")

    def __init__(self, pid: int, order: int) -> None:
        self.pid = pid
        self._order = order

    @classmethod
    def fork(cls, become: Callable[[Callable[[], str]], None]) -> Spare:
        """Forks. The child calls `become`, which never returns, with what waits for its attempt's id. Raises OSError.

        What is waited for is empty text when no attempt will come.
        """
        theirs, ours = os.pipe2(os.O_CLOEXEC)
        try:
            pid = os.fork()
        except OSError:
            os.close(ours)
            os.close(theirs)
            raise
        if pid == 0:
            os.close(ours)

            def await_order() -> str:
                told = os.read(theirs, _ID_BYTES)
                os.close(theirs)
                return told.decode()

            become(await_order)
        os.close(theirs)
        return cls(pid, ours)

    def give(self, attempt_id: str) -> bool:
        """Has it become an attempt. False when it is dead: another child has to be forked."""
        try:
            os.write(self._order, attempt_id.encode())
        except BrokenPipeError:
            return False
        finally:
            os.close(self._order)
        return True

    def let_go(self) -> None:
        """No attempt will come from here; in a forked child: the pipe is not its own."""
        os.close(self._order)

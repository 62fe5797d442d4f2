"""Bytes on their way to a descriptor that may be full: kept until it takes them, never waited for."""

from __future__ import annotations

import os
import select


class Outbox:
    """Writes to a non-blocking descriptor; what does not fit waits until `poll` says that it does."""

    __slots__ = ("_poll", "_waiting", "closed", "fd")

    def __init__(self, fd: int, poll: select.poll, keep: int = 0) -> None:
        self.fd = fd
        self.closed = False
        self._poll = poll
        self._waiting = bytearray()
        os.set_blocking(fd, False)
        if keep:
            poll.register(fd, keep)

    def send(self, data: bytes) -> None:
        """Writes, or keeps for later. A descriptor without reader takes everything and forgets it."""
        if self.closed:
            return
        if self._waiting:
            self._waiting += data
            return
        self._waiting += data
        self.flush()

    def flush(self) -> None:
        """Writes as much as the descriptor takes."""
        try:
            while self._waiting:
                del self._waiting[: os.write(self.fd, self._waiting)]
        except BlockingIOError:
            pass
        except OSError:
            self.closed = True
            self._waiting.clear()
        self._watch()

    def _watch(self) -> None:
        events = select.POLLIN | (select.POLLOUT if self._waiting else 0)
        self._poll.register(self.fd, events)

    def close(self) -> None:
        """Closes the descriptor and takes it out of the poll."""
        if self.fd >= 0:
            try:
                self._poll.unregister(self.fd)
            except KeyError:
                pass
            os.close(self.fd)
            self.fd = -1
        self.closed = True

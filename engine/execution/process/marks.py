"""What the kernel shows of a process (its environment and its command line), rewritten in its own memory.

A fork keeps the blocks that its ancestor was started with. A template is started with a blank tag and a blank title in
them; each attempt writes its id over the tag, so that its processes can be found wherever they moved, and every process
says in its title what it is.
"""

from __future__ import annotations

import os

from engine.execution.process.spawn import BLANK_TAG, BLANK_TITLE, TAG

_ARGUMENTS, _ENVIRONMENT = 45, 47
"""Places of the blocks' addresses in /proc/self/stat, counted from the process's state."""


class Marks:
    """Where tag and title are in this process's memory, and in that of its forks; 0 where they cannot be found."""

    __slots__ = ("_tag", "_title", "name")

    def __init__(self) -> None:
        self.name = ""
        tag = f"{TAG}={BLANK_TAG}\0".encode()
        self._tag = _find(tag, _ENVIRONMENT, "/proc/self/environ", len(TAG) + 1)
        self._title = _find(b"\0" + BLANK_TITLE.encode() + b"\0", _ARGUMENTS, "/proc/self/cmdline", 1)

    def rename(self, name: str) -> None:
        """Says what this process is."""
        self.name = name
        self.write(None, name)

    def write(self, attempt_id: str | None, title: str) -> None:
        """Sets the title and, for an attempt, the tag."""
        if not self._tag and not self._title:
            return
        try:
            memory = os.open("/proc/self/mem", os.O_WRONLY | os.O_CLOEXEC)
        except OSError:
            return
        try:
            if self._tag and attempt_id is not None and len(attempt_id) == len(BLANK_TAG):
                os.pwrite(memory, attempt_id.encode(), self._tag)
            if self._title:
                size = len(BLANK_TITLE)
                os.pwrite(memory, title.encode("ascii", "replace")[:size].ljust(size), self._title)
        except OSError:
            pass
        finally:
            os.close(memory)


def _find(blank: bytes, field: int, file: str, skip: int) -> int:
    """Address of what follows `skip` bytes into the blank, in the block of memory that the kernel shows as `file`."""
    try:
        with open("/proc/self/stat", "rb") as source:
            fields = source.read().rsplit(b") ", 1)[1].split()
        start, end = int(fields[field]), int(fields[field + 1])
        with open(file, "rb") as source:
            offset = source.read().find(blank)
    except (OSError, IndexError, ValueError):
        return 0
    if offset < 0 or start == 0 or start + offset + len(blank) > end:
        return 0
    return start + offset + skip

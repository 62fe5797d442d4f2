"""The attempt's id in the memory that the kernel shows as a process's environment, also for forked children.

A fork keeps the environment block that its host was started with. The host is started with a blank tag in it; each
child writes its attempt's id over that, so that the attempt's processes can be found wherever they moved.
"""

from __future__ import annotations

import os

from engine.execution.process.spawn import BLANK_TAG, TAG

_BLANK = f"{TAG}={BLANK_TAG}\0".encode()


def find() -> int:
    """Address of the blank tag's value in this process; 0 where it cannot be found."""
    try:
        with open("/proc/self/stat", "rb") as source:
            fields = source.read().rsplit(b") ", 1)[1].split()
        start, end = int(fields[47]), int(fields[48])
        with open("/proc/self/environ", "rb") as source:
            offset = source.read().find(_BLANK)
    except (OSError, IndexError, ValueError):
        return 0
    if offset < 0 or start == 0 or start + offset + len(_BLANK) > end:
        return 0
    return start + offset + len(TAG) + 1


def write(address: int, attempt_id: str) -> None:
    """Writes the id (as long as the blank) at the address that `find` gave."""
    if address == 0 or len(attempt_id) != len(BLANK_TAG):
        return
    try:
        memory = os.open("/proc/self/mem", os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        os.pwrite(memory, attempt_id.encode(), address)
    except OSError:
        pass
    finally:
        os.close(memory)

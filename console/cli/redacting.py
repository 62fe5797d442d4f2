"""What a task that was given secrets writes to this process's outputs reaches the terminal without them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from engine.execution.process.redact import Redaction

_READ = 64 * 1024
_PATIENCE = 1.0
"""Seconds to wait for what a process that the task left behind may still write."""


@contextmanager
def redacted(secrets: list[str]) -> Iterator[None]:
    """Has standard output and error go through a guard, also those of child processes. Without secrets nothing changes:
    what is a terminal stays one.
    """
    if not secrets:
        yield
        return
    one = os.path.samestat(os.fstat(1), os.fstat(2))  # where both lead to one place, what is written stays in its order
    guards = [_Guard(numbers, secrets) for numbers in (((1, 2),) if one else ((1,), (2,)))]
    try:
        yield
    finally:
        for guard in guards:
            guard.end()


class _Guard:
    """Stands in the way of descriptors that lead to one place."""

    def __init__(self, numbers: tuple[int, ...], secrets: list[str]) -> None:
        _flush()
        self._numbers, self._kept = numbers, os.dup(numbers[0])
        self._redaction = Redaction(secrets)
        reading, writing = os.pipe()
        for number in numbers:
            os.dup2(writing, number)
        os.close(writing)
        self._thread = Thread(target=self._copy, args=(reading,), daemon=True)
        self._thread.start()

    def _copy(self, reading: int) -> None:
        while data := os.read(reading, _READ):
            self._write(self._redaction.feed(data))
        self._write(self._redaction.end())
        os.close(reading)

    def _write(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._kept, data) :]

    def end(self) -> None:
        """The descriptors are what they were, once what was written has gone through."""
        _flush()
        for number in self._numbers:
            os.dup2(self._kept, number)
        self._thread.join(_PATIENCE)
        if not self._thread.is_alive():
            os.close(self._kept)


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()

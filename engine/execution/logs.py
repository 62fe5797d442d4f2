"""Keeping task logs within bounds while their writers go on: head and tail stay, the middle is given back to the disk.

Offsets never change. The gap is written down before it is made, so that a reader never takes it for what a task wrote.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from engine.execution.directory import read_gap
from engine.model.attempt_files import GAP, LOG, LogGap

MIB = 1024 * 1024
_KEEP_SIZE_PUNCH_HOLE = 0x01 | 0x02
_BLOCK = 4096
_STEP = 4 * MIB
_PASS_SECONDS = 0.25
_HOT_PASS_SECONDS = 0.05
_IDLE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class LogLimits:
    """Bytes of a log that are kept. `tail` None keeps everything."""

    head: int = 8 * MIB
    tail: int | None = 56 * MIB

    @classmethod
    def of(cls, total: int) -> LogLimits:
        """An eighth of `total` bytes for the head, the rest for the tail; 0 is no limit."""
        return cls(total // 8, total - total // 8) if total > 0 else cls(tail=None)


def trim(path: str, limits: LogLimits, step: int = 0) -> int:
    """Brings one log within its limits if it is over them by more than `step`. Returns its size; 0 if there is none.

    Raises OSError where the file system cannot give back the middle of a file.
    """
    try:
        size = os.lstat(f"{path}/{LOG}").st_size
    except OSError:
        return 0
    if limits.tail is None or size <= limits.head + limits.tail + step:
        return size
    start = -(-limits.head // _BLOCK) * _BLOCK
    end = (size - limits.tail) // _BLOCK * _BLOCK
    before = read_gap(path)
    done = before.end if before is not None else start
    if end - done <= step:
        return size
    _write_gap(path, LogGap(start, end))
    handle = os.open(f"{path}/{LOG}", os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        _punch(handle, done, end - done)
    finally:
        os.close(handle)
    return size


def _write_gap(path: str, gap: LogGap) -> None:
    spare = f"{path}/.{GAP}"
    handle = os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        os.write(handle, gap.dumps())
    finally:
        os.close(handle)
    os.rename(spare, f"{path}/{GAP}")


def _punch(handle: int, start: int, length: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.fallocate(handle, _KEEP_SIZE_PUNCH_HOLE, ctypes.c_int64(start), ctypes.c_int64(length)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"the middle of a log cannot be freed: {os.strerror(number)}")


class LogKeeper:
    """Looks at the logs of live attempts: all of them four times a second, the fast-growing ones more often."""

    def __init__(self, limits: LogLimits | None = None) -> None:
        self._limits = limits or LogLimits()
        self._refused: set[str] = set()

    async def run(self, paths: Callable[[], Iterable[str]]) -> None:
        """Runs until cancelled; `paths` gives the attempt directories of the moment."""
        if self._limits.tail is None:
            return
        hot: list[str] = []
        rest = 0.0
        while True:
            await asyncio.sleep(_HOT_PASS_SECONDS if hot else _PASS_SECONDS)
            rest -= _HOT_PASS_SECONDS
            if hot and rest > 0:
                looked: Iterable[str] = hot
            else:
                looked, rest = list(paths()), _PASS_SECONDS
            hot = [path for path in looked if self._look(path) > (self._limits.head + self._limits.tail) // 4]
            if not looked:
                await asyncio.sleep(_IDLE_SECONDS)

    def _look(self, path: str) -> int:
        if path in self._refused:
            return 0
        try:
            return trim(path, self._limits, _STEP)
        except OSError:
            self._refused.add(path)
            return 0

    def last_look(self, path: str) -> None:
        """After an attempt's end: brings its log exactly within the limits."""
        if path in self._refused:
            self._refused.discard(path)
            return
        try:
            trim(path, self._limits)
        except OSError:
            pass

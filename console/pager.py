"""A log in the operator's own pager, sanitised line by line, while the console stands back."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping

from console.backends.port import LogBytes
from console.text import sanitise

_BLOCK = 256 * 1024


class NoPager(Exception):
    """There is no pager that could be started; the text says what to set."""


def command(environ: Mapping[str, str]) -> list[str]:
    """The pager's program with its arguments: `$PAGER`, else `less`. Raises NoPager."""
    try:
        words = shlex.split(environ.get("PAGER") or "less")
    except ValueError as error:
        raise NoPager(f"$PAGER cannot be read: {error}") from error
    if not words or shutil.which(words[0], path=environ.get("PATH")) is None:
        raise NoPager(f"there is no {words[0] if words else 'pager'} to open it with: set $PAGER")
    return words


def lines_of(log: LogBytes) -> Iterator[bytes]:
    """The log's lines as they may go to a terminal."""
    rest, at = b"", 0
    while block := log.read(at, _BLOCK):
        at += len(block)
        *lines, rest = (rest + block).split(b"\n")
        if len(rest) > _BLOCK:
            lines, rest = [*lines, rest], b""
        for line in lines:
            yield sanitise(line.removesuffix(b"\r")).encode() + b"\n"
    if rest:
        yield sanitise(rest).encode() + b"\n"


def show(words: list[str], lines: Iterable[bytes], environ: Mapping[str, str]) -> int:
    """Runs the pager on the lines until it is left; gives its exit code. Raises NoPager."""
    try:
        pager = subprocess.Popen(words, stdin=subprocess.PIPE, env=dict(environ))
    except OSError as error:
        raise NoPager(f"{words[0]} cannot be started: {error.strerror or error}") from error
    assert pager.stdin is not None  # it was asked for
    try:
        with pager.stdin:
            for line in lines:
                pager.stdin.write(line)
    except BrokenPipeError:
        pass  # the pager was left before its end
    return pager.wait()

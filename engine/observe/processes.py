"""Short processes beside the engine: a hook, a long look at the disk. They never hold up its loop, nor its end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

_POLL_SECONDS = 0.1
MOST_OUTPUT = 1 << 20


class Failed(Exception):
    """The process could not be run, or took too long; the text says why."""


async def run_process(
    command: Sequence[str], *, seconds: float, given: bytes = b"", environment: Mapping[str, str] | None = None,
    folder: Path = Path("/"),
) -> tuple[int, bytes]:  # fmt: skip
    """Runs a command in a session of its own; its exit code, and what it printed on both outputs.

    After `seconds`, or when the caller is cancelled, it is killed with all it has started. Raises Failed.
    """
    # Files and not pipes: a grandchild that keeps a pipe open would keep us waiting.
    try:
        with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as said:
            child = _start(command, source, said, given, environment, folder)
            try:
                async with asyncio.timeout(seconds):
                    await _ended(child)
            except TimeoutError:
                raise Failed(f"{command[0]} had not ended after {seconds:.0f} s and was killed") from None
            finally:
                _put_away(child)
            said.seek(0)
            return child.returncode, said.read(MOST_OUTPUT)
    except OSError as error:
        raise Failed(f"{command[0]}: {error.strerror}") from error


def _start(
    command: Sequence[str],
    source: IO[bytes],
    said: IO[bytes],
    given: bytes,
    environment: Mapping[str, str] | None,
    folder: Path,
) -> subprocess.Popen[bytes]:
    source.write(given)
    source.seek(0)
    return subprocess.Popen(
        command, stdin=source, stdout=said, stderr=said, env=environment, start_new_session=True, cwd=folder
    )


def _put_away(child: subprocess.Popen[bytes]) -> None:
    """Kills what is left of it, and waits for what is dead."""
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


async def _ended(child: subprocess.Popen[bytes]) -> None:
    """Returns when the process has ended; its exit code is taken by the caller."""
    try:
        handle = os.pidfd_open(child.pid)
    except (AttributeError, OSError):
        while True:
            if child.poll() is not None:
                return
            await asyncio.sleep(_POLL_SECONDS)
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    loop.add_reader(handle, over.set)
    try:
        await over.wait()
    finally:
        loop.remove_reader(handle)
        os.close(handle)

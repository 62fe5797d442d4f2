"""`dagdeck logs`: what an attempt wrote, as it stands in its directory."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from console.cli import names
from console.cli.errors import CliError, Exit, NotFound
from console.cli.output import warn
from console.cli.reading import AttemptLine, InstanceLine, Reader, find_run, find_task, open_store, reads_run
from console.cli.session import Session, home_option, pass_session
from console.text import cell_len, sanitise
from engine.execution.directory import path_of, read_gap
from engine.home import Home
from engine.model.attempt_files import LOG
from engine.model.states import TERMINAL_TASK, AttemptState, Reason

POLL_SECONDS = 0.1
BLOCK = 256 * 1024


@click.command()
@click.argument("run", shell_complete=names.runs)
@click.argument("task", shell_complete=names.tasks)
@click.option("--attempt", type=click.IntRange(1), metavar="N", help="The attempt's number. [the newest]")
@click.option("--follow", "-f", is_flag=True, help="Go on as the log grows, until the attempt has ended.")
@click.option("--raw", is_flag=True, help="The bytes as they were written; not onto a terminal.")
@home_option
@pass_session
def logs(session: Session, run: str, task: str, attempt: int | None, follow: bool, raw: bool) -> None:
    """Print the log of TASK of RUN.

    Control characters that a task wrote are made visible, so that they cannot act on your terminal.
    """
    if raw and sys.stdout.isatty():
        raise CliError("--raw onto a terminal would let the task's bytes act on it: send it to a file", Exit.USAGE)
    write = _write_raw if raw else LogLines().write
    with open_store(session.home) as store:
        found = find_run(store, run)
        instance = find_task(store, found, task)
        number = attempt if attempt is not None else _newest(store, instance, follow=follow)
        row = _attempt(store, instance, number)
        if row is None:
            raise NotFound(f"{task} of {found.run_id} has no attempt {number}: it has {instance.attempt}")
        path = log_path(session.home, row)
        if follow:
            for block in _follow(path, lambda: _has_ended(store, row)):
                write(block)
        else:
            for block in _blocks(path):
                write(block)
    write(b"")


def log_path(home: Home, attempt: AttemptLine) -> Path:
    """Where an attempt's log stands."""
    return Path(path_of(str(home.attempts), attempt.id)) / LOG


def _newest(store: Reader, instance: InstanceLine, *, follow: bool) -> int:
    """The newest attempt's number; with `follow`, waits for the first one. Raises NotFound where there is none."""
    while True:
        if instance.attempt > 0:
            return instance.attempt
        if instance.reason == Reason.EXPANDED:
            raise NotFound(f"{instance.task_id} is mapped: its indexes have the logs, such as {instance.task_id}[0]")
        if not follow or instance.state in TERMINAL_TASK:
            raise NotFound(f"{instance.task_id} has not been started: it is {instance.state}")
        time.sleep(POLL_SECONDS)
        fresh = reads_run.instances_by_id(store, [instance.id])
        if not fresh:
            raise NotFound(f"{instance.task_id} is gone")
        instance = fresh[0]


def _attempt(store: Reader, instance: InstanceLine, number: int) -> AttemptLine | None:
    return next((row for row in reads_run.attempts(store, instance.id) if row.number == number), None)


def _has_ended(store: Reader, attempt: AttemptLine) -> bool:
    row = next(iter(reads_run.attempts_by_id(store, [attempt.id])), None)
    return row is None or row.state == AttemptState.ENDED


def _blocks(path: Path) -> Iterator[bytes]:
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        warn("the attempt has written nothing")
        return
    try:
        while block := _next_block(file, path):
            yield block
    finally:
        os.close(file)


def _next_block(file: int, path: Path) -> bytes:
    """The next bytes of a log; in the place of a gap, the words for it."""
    here = os.lseek(file, 0, os.SEEK_CUR)
    gap = read_gap(str(path.parent))
    if gap is None or here >= gap.end:
        return os.read(file, BLOCK)
    if here < gap.start:
        return os.read(file, min(BLOCK, gap.start - here))
    os.lseek(file, gap.end, os.SEEK_SET)
    return gap.words


def _follow(path: Path, ended: Callable[[], bool]) -> Iterator[bytes]:
    """The log's bytes as they come. The end is looked up before the last read, so that no byte is missed."""
    file: int | None = None
    try:
        while True:
            last = ended()
            if file is None and path.exists():
                file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            while file is not None and (block := _next_block(file, path)):
                yield block
            if last:
                return
            time.sleep(POLL_SECONDS)
    finally:
        if file is not None:
            os.close(file)


def _write_raw(block: bytes) -> None:
    sys.stdout.buffer.write(block)
    sys.stdout.buffer.flush()


class LogLines:
    """Writes bytes as sanitised lines. What of a line has come is held back until its end has; a longer one than a
    block is written as it comes, and stays one line."""

    def __init__(self) -> None:
        self._rest = b""
        self._column = 0
        """Cells of the present line that have been written."""

    def write(self, block: bytes) -> None:
        """Takes the next bytes; none at all means that nothing more comes."""
        if not block:
            if self._rest or self._column:
                self._end(self._rest)
            self._rest = b""
        else:
            *lines, self._rest = (self._rest + block).split(b"\n")
            for line in lines:
                self._end(line)
            if len(self._rest) > BLOCK:
                self._part()
        sys.stdout.flush()

    def _end(self, line: bytes) -> None:
        sys.stdout.write(sanitise(line.removesuffix(b"\r"), column=self._column) + "\n")
        self._column = 0

    def _part(self) -> None:
        """Writes what has come of a long line, but for an end that only what follows explains: half a character, a
        carriage return."""
        end = len(self._rest) - 1
        while end > len(self._rest) - 4 and self._rest[end] & 0xC0 == 0x80:
            end -= 1
        shown = sanitise(self._rest[:end], column=self._column)
        sys.stdout.write(shown)
        self._column += cell_len(shown)
        self._rest = self._rest[end:]

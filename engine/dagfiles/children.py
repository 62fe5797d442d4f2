"""The processes of parse children: started one by one, or forked by a template where several are wanted."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from engine.dagfiles.template import END, GO
from engine.execution.process import bootstrap

_LONGEST_ANSWER = 32


class Child(Protocol):
    """A process that parses a file, and leads a session of its own."""

    pid: int
    output: int
    """A descriptor: its standard output."""
    errors: int

    def begin(self) -> None:
        """Has it begin, if it has not."""

    def wait(self) -> int:
        """Waits for its end and closes the descriptors. Returns the exit code, or less than 0 for a signal."""


class Spawned:
    """A child with an interpreter of its own. Raises OSError."""

    def __init__(self, python: str, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [python, "-I", bootstrap.__file__, "parse", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=folder,
            start_new_session=True,
        )
        assert self._process.stdout is not None and self._process.stderr is not None
        self.pid = self._process.pid
        self.output, self.errors = self._process.stdout.fileno(), self._process.stderr.fileno()

    def begin(self) -> None:
        """It has begun."""

    def wait(self) -> int:
        """Waits for its end and closes the descriptors."""
        code = self._process.wait()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        return code


class Template:
    """A process that forks children of one interpreter, one at a time. Raises OSError.

    What a child needs is imported once: each more costs a small part of the first one's processor time. `patience` is
    how many seconds an answer may take.
    """

    def __init__(self, python: str, environment: Mapping[str, str], patience: float) -> None:
        self.python = python
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ExitStack() as otherwise, theirs:
            otherwise.callback(ours.close)
            self._process = subprocess.Popen(
                [python, "-I", bootstrap.__file__, "parse-template", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
            otherwise.pop_all()
        ours.settimeout(patience)
        self._orders = ours

    def fork(self, arguments: Sequence[str], folder: Path) -> Forked:
        """A child with these arguments. Raises OSError where it cannot be made: the template is of no use any more."""
        output, its_output = os.pipe2(os.O_CLOEXEC)
        errors, its_errors = os.pipe2(os.O_CLOEXEC)
        try:
            order = json.dumps([list(arguments), str(folder)]).encode()
            socket.send_fds(self._orders, [order], [its_output, its_errors])
            pid = self._hear()
        except OSError:
            os.close(output)
            os.close(errors)
            raise
        finally:
            os.close(its_output)
            os.close(its_errors)
        return Forked(self, pid, output, errors)

    def let_begin(self) -> None:
        """Has the last child begin. Raises OSError."""
        self._orders.send(GO)

    def end_of_child(self) -> int:
        """Waits for the end of the last child; returns its wait status. Raises OSError."""
        self._orders.send(END)
        return self._hear()

    def close(self) -> None:
        """Ends it."""
        self._orders.close()
        self._process.kill()
        self._process.wait()

    def _hear(self) -> int:
        answer = self._orders.recv(_LONGEST_ANSWER)
        if not answer:
            raise ConnectionResetError("the template of parse children is gone")
        return int(answer)


class Forked:
    """A child that a template forked."""

    def __init__(self, template: Template, pid: int, output: int, errors: int) -> None:
        self.template, self.pid = template, pid
        self.output, self.errors = output, errors
        self.is_template_whole = True

    def begin(self) -> None:
        """Tells it to begin."""
        try:
            self.template.let_begin()
        except OSError:
            self.is_template_whole = False  # it ends with its template: whoever listens to it hears that

    def wait(self) -> int:
        """Waits for its end and closes the descriptors. A child whose template is gone counts as killed."""
        os.close(self.output)
        os.close(self.errors)
        try:
            return os.waitstatus_to_exitcode(self.template.end_of_child())
        except OSError:
            self.is_template_whole = False
            return -signal.SIGKILL

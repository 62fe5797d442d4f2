"""Parsing one DAG file in a child process of its own session, with a limit on time, memory and output."""

from __future__ import annotations

import os
import selectors
import signal
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from engine.dagfiles.child import MAX_ANSWER_BYTES
from engine.dagfiles.children import Child, Forked, Spawned, Template
from engine.execution.process.proc import processes, stat
from engine.model.dag import ImportFailure, ParsedFile

TIME_LIMIT = 30.0
MEMORY_LIMIT = 512 * 1024 * 1024
_POLITE = 10
_MAX_COMPLAINT = 16 * 1024
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class _Answer(msgspec.Struct):
    """What a child says: the parsed file, another interpreter to use, or that the answer has too many bytes."""

    parsed: ParsedFile | None = None
    python: str | None = None
    too_large: int | None = None


_answers = msgspec.json.Decoder(_Answer)
"""Made at import: threads that have msgspec understand the same dataclasses for the first time at once crash it."""


class ParseStopped(Exception):
    """The parser was closed while the child ran."""


class Parser:
    """Runs parse children. Thread-safe; `close` ends those that run.

    `environment` is all that a child sees of the environment, `timezone` the home's zone, `time_limit` in seconds,
    `memory_limit` the bytes that loading a file may take beyond the bare interpreter.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        timezone: str = "UTC",
        *,
        time_limit: float = TIME_LIMIT,
        memory_limit: int = MEMORY_LIMIT,
    ) -> None:
        self._environment = {**dict.fromkeys(_ONE_THREAD, "1"), **environment}
        self._timezone, self._time_limit, self._memory_limit = timezone, time_limit, memory_limit
        self._running: set[int] = set()
        self._idle: list[Template] = []
        self._started = False
        """Whether there was a child since the last rest."""
        self._lock = threading.Lock()
        self._closed = False

    def parse(self, file: str, root: Path, python: str, *, politely: bool = False) -> ParsedFile:
        """Parses `root/file` and blocks until that is done. What goes wrong is in the answer's `errors`.

        With `politely`, the child leaves the processor to others.

        A file that names an interpreter of its own is parsed in that one. Raises ParseStopped after `close`.
        """
        used = python
        answer = self._ask(file, root, used, politely)
        if isinstance(answer, _Answer) and answer.python is not None:
            used = answer.python
            if not os.access(used, os.X_OK):
                return _failed(file, f"python={used!r} is not an executable file")
            answer = self._ask(file, root, used, politely)
        if isinstance(answer, str):
            return _failed(file, answer)
        if answer.too_large is not None:
            limit = MAX_ANSWER_BYTES // 2**20
            return _failed(file, f"its DAGs take {answer.too_large // 2**20} MB in serialized form; {limit} at most")
        if answer.parsed is None:
            return _failed(file, "the parse child gave no answer that makes sense")
        return _checked(answer.parsed, file, used)

    def rest(self) -> None:
        """Lets go of what is kept for more files: call it when none is waiting to be parsed."""
        with self._lock:
            self._started = False
            for template in self._idle:
                template.close()
            self._idle.clear()

    def close(self) -> None:
        """Ends all children; every call of `parse` that waits for one raises ParseStopped."""
        with self._lock:
            self._closed = True
            for session in self._running:
                kill_session(session)
        self.rest()

    def _ask(self, file: str, root: Path, python: str, politely: bool) -> _Answer | str:
        """The child's answer, or what went wrong."""
        path = root / file
        arguments = [str(path), str(root), self._timezone, python]
        arguments += [str(self._memory_limit), str(_POLITE if politely else 0)]
        try:
            child = self._start(python, arguments, path.parent)
        except OSError as problem:
            return f"the parse child cannot be started with {python}: {problem.strerror}"
        try:
            said, complaint, in_time = self._listen(child)
        finally:
            kill_session(child.pid)
            code = child.wait()
            self._ended(child)
        if self._closed:
            raise ParseStopped
        if not in_time:
            return f"the file takes more than {self._time_limit:g} s to load: do the work in a task, not at import"
        if not said.endswith(b"\n"):
            return self._silent(code, complaint, python)
        try:
            return _answers.decode(said)
        except msgspec.MsgspecError as problem:
            return f"the parse child's answer cannot be read: {problem}"

    def _start(self, python: str, arguments: Sequence[str], folder: Path) -> Child:
        """A child. The first in a while has an interpreter of its own, as nobody knows whether there will be more."""
        with self._lock:
            if self._closed:
                raise ParseStopped
            is_first, self._started = not self._started, True
            template = next((each for each in self._idle if each.python == python), None)
            if template is not None:
                self._idle.remove(template)
        child = None if is_first else self._forked(template, python, arguments, folder)
        if child is None:
            child = Spawned(python, arguments, folder, self._environment)
        self._register(child)
        child.begin()
        return child

    def _register(self, child: Child) -> None:
        with self._lock:
            self._running.add(child.pid)
            if self._closed:
                kill_session(child.pid)

    def _forked(self, template: Template | None, python: str, arguments: Sequence[str], folder: Path) -> Child | None:
        """None where no template can be had: what is wrong with the interpreter then shows when it starts by itself."""
        try:
            template = template or Template(python, self._environment, self._time_limit)
        except OSError:
            return None
        try:
            return template.fork(arguments, folder)
        except OSError:
            template.close()
            return None

    def _ended(self, child: Child) -> None:
        with self._lock:
            self._running.discard(child.pid)
            if isinstance(child, Forked):
                if child.is_template_whole and not self._closed:
                    self._idle.append(child.template)
                else:
                    child.template.close()

    def _listen(self, child: Child) -> tuple[bytes, bytes, bool]:
        """What the child wrote on both streams, and whether it was in time. Ends at the end of the answer's line."""
        deadline = time.monotonic() + self._time_limit
        said, complaint = bytearray(), bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(child.output, selectors.EVENT_READ, said)
            selector.register(child.errors, selectors.EVENT_READ, complaint)
            while selector.get_map():
                ready = selector.select(max(0.0, deadline - time.monotonic()))
                if not ready:
                    return bytes(said), bytes(complaint), False
                for key, _ in ready:
                    data = os.read(key.fd, 1 << 16)
                    if not data:
                        selector.unregister(key.fd)
                    elif key.data is said:
                        said += data
                        if data.endswith(b"\n") or len(said) > 2 * MAX_ANSWER_BYTES:
                            return bytes(said), bytes(complaint), True
                    elif len(complaint) < _MAX_COMPLAINT:
                        complaint += data
        return bytes(said), bytes(complaint), True

    def _silent(self, code: int, complaint: bytes, python: str) -> str:
        """Why a child ended without an answer."""
        lines = complaint.decode("utf-8", "backslashreplace").strip().splitlines()
        if lines:
            return f"the parse child failed in {python}, which must be Python 3.11 or newer: {lines[-1][:500]}"
        if code == -signal.SIGKILL:
            return "the file's parse child was killed, by the system for lack of memory or by hand"
        if code < 0:
            return f"the file crashed its interpreter while being loaded: {signal.Signals(-code).name}"
        return f"the file ended its own process while being loaded, with exit code {code}: remove the os._exit"


def kill_session(session: int) -> None:
    """SIGKILL to every process of a session whose leader has not been waited for yet."""
    try:
        os.killpg(session, signal.SIGKILL)
    except ProcessLookupError:
        pass
    for pid in processes():
        found = stat(pid)
        if found is not None and found.session == session and not found.dead:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def _checked(parsed: ParsedFile, file: str, used: str) -> ParsedFile:
    """The answer, without DAGs that want another interpreter than the one they were parsed in."""
    parsed.file = file
    for dag in parsed.dags:
        if dag.python not in (None, used):
            message = f"python={dag.python!r} has to stand in the file as plain text, the same for all DAGs of the file"
            parsed.errors.append(ImportFailure(file, message, dag.line, None, dag.dag_id))
    parsed.dags = [dag for dag in parsed.dags if dag.python in (None, used)]
    return parsed


def _failed(file: str, message: str) -> ParsedFile:
    return ParsedFile(file=file, modules=[file], errors=[ImportFailure(file, message)])

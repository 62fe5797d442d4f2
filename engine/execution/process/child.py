"""One attempt in its own process, forked from a host or started cold: claim, run, result, status, end.

The status is the last act: whoever dies before it has not succeeded, whatever its exit code.

A forked process pays for every page of its host that it touches, and calling a function touches several: what every
attempt does is therefore written in few functions, by plain system calls.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import resource
import sys
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from engine import failpoints
from engine.authoring.dag import DAG
from engine.authoring.exceptions import TaskMissing
from engine.authoring.references import whole
from engine.authoring.retries import Partial
from engine.authoring.running import call_callback, call_task, followed
from engine.execution import directory as files
from engine.execution.process import failure, judge, news, proc
from engine.execution.process.results import encode
from engine.model.attempt_files import LOG, AttemptSpec, AttemptStatus

if TYPE_CHECKING:
    from engine.execution.process.guarding import Keeper

RECORDED = 95
"""Exit code of a process that has written its status: whoever waits for it has nothing to look for."""
NOT_BEGUN = 96
"""Exit code of a process that could not begin and said why."""
NOT_MINE = 97
"""Exit code of a process that found the attempt claimed by another."""
_LOG_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW

ATTEMPT_ID = "DAGDECK_ATTEMPT_ID"
_variables: dict[bytes, bytes] = vars(os.environ)["_data"]
"""What `os.environ` keeps its variables in: its own methods would cost a forked child as much as its claim does."""

Load = Callable[[AttemptSpec], dict[str, DAG]]
"""Gives the DAGs of the attempt's file, by id, or raises BundleBroken."""


class Begun:
    """An attempt that this process has claimed."""

    __slots__ = ("directory", "monotonic", "pid", "started", "ticks")

    def __init__(self, directory: int, pid: int, ticks: int, started: int, monotonic: int) -> None:
        self.directory = directory
        """A descriptor, which holds the lock."""
        self.pid = pid
        self.ticks = ticks
        """Start time of the process."""
        self.started = started
        self.monotonic = monotonic


def run(
    path: str, attempt_id: str, pipe: int, boot_id: str, load: Load, spec: AttemptSpec | None, not_before: int
) -> NoReturn:
    """Runs the attempt whose directory is `path`, and ends the process.

    News go to `pipe`, which is closed before the task's code runs. `spec` is read from the directory where it is not
    given. `not_before` is a reading of the boot-time clock from before this process was made, 0 for none.
    """
    try:
        begun = claim(path, boot_id, not_before)
    except OSError as problem:
        news.tell(pipe, news.FAILED, attempt_id, failure.one_line(problem))
        os._exit(NOT_BEGUN)
    if begun is None:
        os._exit(NOT_MINE)
    news.claimed(pipe, attempt_id, begun.pid, begun.ticks)
    os.close(pipe)
    code = 1
    try:
        if _keeper is None:
            log = os.open(LOG, _LOG_FLAGS, 0o600, dir_fd=begun.directory)
            os.dup2(log, 1)
            os.dup2(log, 2)
            os.close(log)
        status = _attempt(path, spec, load)
        if os.getpid() != begun.pid:
            os._exit(0)  # a fork of the task's own that came back: how the task ends is not its to say
        _wind_down()
        record(path, begun, status if _keeper is None else _keeper.clean(status))
        code = RECORDED
    except BaseException as problem:
        failure.say(f"the attempt could not be recorded: {failure.one_line(problem)}")
    finally:
        os._exit(code)


def claim(path: str, boot_id: str, not_before: int) -> Begun | None:
    """Locks the directory, waiting for it, then claims. None when somebody else has; raises OSError."""
    directory = os.open(path, files.OPEN_DIRECTORY)
    fcntl.flock(directory, fcntl.LOCK_EX)
    pid, ticks = os.getpid(), proc.own_start(not_before)
    started = time.time_ns() // 1000
    if not files.make_claim(directory, pid, ticks, boot_id, started):
        return None
    return Begun(directory, pid, ticks, started, time.monotonic_ns())


def _attempt(path: str, spec: AttemptSpec | None, load: Load) -> AttemptStatus | None:
    """Runs the task. Returns None for plain success, else the status that stands for how it ended."""
    try:
        if spec is None:
            spec = AttemptSpec.loads(files.read_spec(path))
        spec.env[ATTEMPT_ID] = spec.attempt_id
        enter(spec.env, spec.cwd)
        if spec.memory_limit is not None:
            judge.limit_memory(spec.memory_limit, spec.cgroup, os.getpid())
        dag = load(spec).get(spec.dag_id)
        if dag is None:
            raise TaskMissing(f"{spec.file} does not define DAG {spec.dag_id!r} any more")
        if spec.kind == "callback":
            call_callback(dag, spec)
            return None
        value = call_task(dag, spec, _inputs(spec) if spec.inputs else {})
        if value is not None:
            if type(value) is Partial:
                if value.failed:
                    return judge.partial(value)
                value = value.ok
            data = encode(value)
            files.write_result(path, data if _keeper is None else _keeper.vet(data))
        follow = followed(dag, spec.task_id, value)
        return None if follow is None else AttemptStatus(0, "child", outcome="success", follow=follow)
    except BaseException as problem:
        return judge.status_of(problem)


def enter(environment: Mapping[str, str], folder: str | None) -> None:
    """Takes on an environment, its time zone with it, and a working folder."""
    present = _variables
    zone = present.get(b"TZ")
    for name in [name for name in present if name.decode("utf-8", "surrogateescape") not in environment]:
        del present[name]
        os.unsetenv(name)
    for key, value in environment.items():
        name, data = key.encode("utf-8", "surrogateescape"), value.encode("utf-8", "surrogateescape")
        if present.get(name) != data:
            present[name] = data
            os.putenv(name, data)
    if present.get(b"TZ") != zone:
        time.tzset()
    if folder:
        os.chdir(folder)


def _inputs(spec: AttemptSpec) -> dict[str, Any]:
    return {name: whole(ref) for name, ref in spec.inputs.items()}


def _wind_down() -> None:
    """What an interpreter does at its end: waits for threads that are no daemons, runs the task's exit handlers."""
    modules = sys.modules
    if "threading" in modules or "multiprocessing.util" in modules:
        judge.wait_for_threads()
    try:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException as problem:
        failure.say(f"at exit: {failure.one_line(problem)}")


def record(path: str, begun: Begun, status: AttemptStatus | None) -> None:
    """Writes the status; None stands for plain success."""
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    started, ended = begun.started, time.time_ns() // 1000
    duration = (time.monotonic_ns() - begun.monotonic) // 1000
    used = own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime
    peak = own.ru_maxrss * 1024 if not _started_cold else judge.peak_of_exec()
    if status is None:
        parts = (started, ended, duration, used, peak)
        data = (
            b'{"code":0,"by":"child","started":%d,"ended":%d,"duration":%d,"cpu_seconds":%.6f,"peak_bytes":%d,'
            b'"outcome":"success","v":1}\n' % parts
        )
    else:
        status.started, status.ended, status.duration = started, ended, duration
        status.cpu_seconds, status.peak_bytes = round(used, 6), peak
        data = status.dumps()
    files.write_own_status(path, data)
    failpoints.hit("attempt.end")


_started_cold = False
_keeper: Keeper | None = None
"""Where the process was started with secrets: its output then is given, and goes through a guard."""


def measure_cold() -> None:
    """Says that this process was exec'ed: what the kernel counts as its peak then includes its starter's."""
    global _started_cold
    _started_cold = True


def keep_secrets(keeper: Keeper) -> None:
    """Says that standard output and error are given, and who keeps secrets out of status and result."""
    global _keeper
    _keeper = keeper


def own_exit_handlers() -> None:
    """Forgets exit handlers that the host's imports registered: they are the host's to run."""
    atexit._clear()

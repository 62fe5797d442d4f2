"""One attempt in its own process, forked from a host or started cold: claim, run, result, status, end.

The status is the last act: whoever dies before it has not succeeded, whatever its exit code.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from engine import failpoints
from engine.authoring.dag import DAG
from engine.authoring.exceptions import RetryAfter, SkipTask, TaskMissing
from engine.authoring.running import call_callback, call_task
from engine.execution import directory as files
from engine.execution.process import failure, news, proc
from engine.execution.process.bootstrap import ROOT
from engine.execution.process.classify import classify
from engine.execution.process.results import ResultInvalid, encode
from engine.model.attempt_files import LOG, AttemptSpec, AttemptStatus
from engine.model.states import FailureClass, Reason

NOT_BEGUN = 96
"""Exit code of a process that could not begin and said why."""
NOT_MINE = 97
"""Exit code of a process that found the attempt claimed by another."""
_LOG_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
_OURS = ROOT + "/engine/"


class BundleBroken(Exception):
    """The attempt's bundle does not load; the cause says why."""


class Began:
    """What is known of an attempt once it has begun."""

    __slots__ = ("directory", "monotonic", "started")

    def __init__(self, directory: int) -> None:
        self.directory = directory
        self.started = time.time_ns() // 1000
        self.monotonic = time.monotonic_ns()


def begin(path: str, attempt_id: str, pipe: int, boot_id: str) -> Began:
    """Locks, claims and redirects. Ends the process when the attempt cannot begin or is somebody else's."""
    try:
        directory = files.open_directory(path)
        files.lock(directory)
        pid, started = os.getpid(), proc.own_start()
        if not files.make_claim(directory, files.Claim(pid, started, boot_id, time.time_ns() // 1000)):
            os._exit(NOT_MINE)
    except OSError as problem:
        news.tell(pipe, news.FAILED, attempt_id, failure.one_line(problem))
        os._exit(NOT_BEGUN)
    began = Began(directory)
    news.claimed(pipe, attempt_id, pid, started)
    os.close(pipe)
    log = os.open(LOG, _LOG_FLAGS, 0o600, dir_fd=directory)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    return began


def run(began: Began, load: Callable[[AttemptSpec], dict[str, DAG]]) -> None:
    """Runs the begun attempt and ends the process; `load` gives the DAGs of its file or raises BundleBroken."""
    code = 1
    try:
        status = _attempt(began, load)
        _wind_down()
        code = status.code
        _finish(began, status)
    except BaseException as problem:
        failure.say(f"the attempt could not be recorded: {failure.one_line(problem)}")
        code = code or 1
    finally:
        os._exit(code & 0xFF)


def _attempt(began: Began, load: Callable[[AttemptSpec], dict[str, DAG]]) -> AttemptStatus:
    try:
        spec = AttemptSpec.loads(files.read_spec(began.directory))
        _enter(spec)
        dag = load(spec).get(spec.dag_id)
        if dag is None:
            raise TaskMissing(f"{spec.file} does not define DAG {spec.dag_id!r} any more")
        if spec.kind == "callback":
            call_callback(dag, spec)
            return AttemptStatus(0, "child", outcome="success")
        result = encode(call_task(dag, spec, _inputs(spec)))
        if result is not None:
            files.write_result(began.directory, result)
        return AttemptStatus(0, "child", outcome="success")
    except BaseException as problem:
        return _judge(problem)


def _enter(spec: AttemptSpec) -> None:
    """Takes on the task's environment, zone and folder."""
    zone = os.environ.get("TZ")
    os.environ.clear()
    os.environ.update(spec.env)
    os.environ["DAGDECK_ATTEMPT_ID"] = spec.attempt_id
    if os.environ.get("TZ") != zone:
        time.tzset()
    if spec.cwd:
        os.chdir(spec.cwd)


def _inputs(spec: AttemptSpec) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, ref in spec.inputs.items():
        if ref.path is None:
            values[name] = ref.value
        else:
            with open(ref.path, "rb") as source:
                values[name] = json.load(source)
    return values


def _judge(problem: BaseException) -> AttemptStatus:
    """The status of an attempt that ended in an exception; its traceback goes to the log."""
    if isinstance(problem, SkipTask):
        line = failure.one_line(problem)
        failure.say(f"skipped: {line}")
        return AttemptStatus(0, "child", outcome="skipped", error=line, reason=Reason.SKIP_REQUESTED.value)
    if isinstance(problem, SystemExit):
        return _judge_exit(problem)
    if isinstance(problem, ResultInvalid):
        failure.say(str(problem))
        return _failed(str(problem), FailureClass.PERMANENT, Reason.RESULT_INVALID)
    if isinstance(problem, BundleBroken):
        cause = problem.__cause__ or problem
        failure.say("the DAG file cannot be imported")
        failure.to_log(cause, _OURS)
        return _failed(f"import: {failure.one_line(cause)}", FailureClass.PERMANENT, Reason.EXCEPTION)
    failure.to_log(problem, _OURS)
    reason = Reason.TASK_MISSING if isinstance(problem, TaskMissing) else Reason.EXCEPTION
    status = _failed(failure.one_line(problem), classify(problem), reason)
    if isinstance(problem, RetryAfter):
        status.retry_after = problem.seconds
    return status


def _judge_exit(problem: SystemExit) -> AttemptStatus:
    """`sys.exit()` is the interpreter's orderly end: 0 or nothing is success without a result."""
    if problem.code is None or problem.code == 0:
        return AttemptStatus(0, "child", outcome="success")
    if not isinstance(problem.code, int):
        failure.say(f"exit: {failure.one_line(problem)}")
    status = _failed(failure.one_line(problem), FailureClass.UNKNOWN, Reason.EXIT)
    status.code = (problem.code & 0xFF or 1) if isinstance(problem.code, int) else 1
    return status


def _failed(error: str, failure_class: FailureClass, reason: Reason) -> AttemptStatus:
    return AttemptStatus(
        1, "child", outcome="failed", error=error, failure_class=failure_class.value, reason=reason.value
    )


def _wind_down() -> None:
    """What an interpreter does at its end: waits for threads that are no daemons, runs the task's exit handlers."""
    workers = sys.modules.get("multiprocessing.util")
    last_acts = [
        threading._shutdown if threading.active_count() > 1 else None,  # type: ignore[attr-defined]
        workers._exit_function if workers is not None else None,
        atexit._run_exitfuncs,
    ]
    for act in last_acts:
        try:
            if act is not None:
                act()
        except BaseException as problem:
            failure.to_log(problem, _OURS)
    flush()


def flush() -> None:
    """Hands what has been printed to the kernel."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            pass


def _finish(began: Began, status: AttemptStatus) -> None:
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    status.started = began.started
    status.ended = time.time_ns() // 1000
    status.duration = (time.monotonic_ns() - began.monotonic) // 1000
    status.cpu_seconds = round(own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime, 6)
    status.peak_bytes = peak_bytes(own.ru_maxrss)
    files.write_own_status(began.directory, status.dumps())
    failpoints.hit("attempt.end")


_peak_from_status = False


def measure_cold() -> None:
    """Says that this process was exec'ed: the kernel's peak then includes that of whoever started it."""
    global _peak_from_status
    _peak_from_status = True


def peak_bytes(maxrss: int) -> int | None:
    """Peak memory of this process. A fork starts its own count at once; an exec inherits one, so it is read apart."""
    if not _peak_from_status:
        return maxrss * 1024
    try:
        with open("/proc/self/status") as source:
            for line in source:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None


def default_signals() -> None:
    """The dispositions of a fresh interpreter, instead of the host's."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def own_exit_handlers() -> None:
    """Forgets exit handlers that the host's imports registered: they are the host's to run. Collection starts again."""
    atexit._clear()
    gc.enable()

"""One attempt in its own process, forked from a host or started cold: claim, run, result, status, end.

The status is the last act: whoever dies before it has not succeeded, whatever its exit code.

A forked process pays for every page of its host that it touches, and calling a function touches several: what every
attempt does is therefore written in few functions, by plain system calls.
"""

from __future__ import annotations

import atexit
import fcntl
import gc
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from typing import Any, NoReturn

from engine import failpoints
from engine.authoring.dag import DAG
from engine.authoring.exceptions import TaskMissing
from engine.authoring.running import call_callback, call_task
from engine.execution import directory as files
from engine.execution.process import failure, judge, news, proc
from engine.execution.process.results import encode
from engine.model.attempt_files import LOG, AttemptSpec, AttemptStatus

NOT_BEGUN = 96
"""Exit code of a process that could not begin and said why."""
NOT_MINE = 97
"""Exit code of a process that found the attempt claimed by another."""
_LOG_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW

Load = Callable[[AttemptSpec], dict[str, DAG]]
"""Gives the DAGs of the attempt's file, by id, or raises BundleBroken."""


def run(path: str, attempt_id: str, pipe: int, boot_id: str, load: Load) -> NoReturn:
    """Runs the attempt whose directory is `path`, and ends the process.

    Locks the directory, then claims; when somebody else has claimed it, ends in silence. News go to `pipe`, which is
    closed before the task's code runs.
    """
    try:
        directory = os.open(path, files.OPEN_DIRECTORY)
        fcntl.flock(directory, fcntl.LOCK_EX)
        pid, ticks = os.getpid(), proc.own_start()
        started, began = time.time_ns() // 1000, time.monotonic_ns()
        if not files.make_claim(directory, pid, ticks, boot_id, started):
            os._exit(NOT_MINE)
    except OSError as problem:
        news.tell(pipe, news.FAILED, attempt_id, failure.one_line(problem))
        os._exit(NOT_BEGUN)
    news.claimed(pipe, attempt_id, pid, ticks)
    os.close(pipe)
    code = 1
    try:
        log = os.open(LOG, _LOG_FLAGS, 0o600, dir_fd=directory)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)
        failure_status = _attempt(path, directory, load)
        _wind_down()
        code = _record(path, started, began, failure_status)
    except BaseException as problem:
        failure.say(f"the attempt could not be recorded: {failure.one_line(problem)}")
    finally:
        os._exit(code)


def _attempt(path: str, directory: int, load: Load) -> AttemptStatus | None:
    """Runs the task. Returns None for plain success, else the status that stands for how it ended."""
    try:
        spec = AttemptSpec.loads(files.read_spec(directory))
        _enter(spec)
        dag = load(spec).get(spec.dag_id)
        if dag is None:
            raise TaskMissing(f"{spec.file} does not define DAG {spec.dag_id!r} any more")
        if spec.kind == "callback":
            call_callback(dag, spec)
            return None
        value = call_task(dag, spec, _inputs(spec) if spec.inputs else {})
        if value is not None:
            files.write_result(path, encode(value))
        return None
    except BaseException as problem:
        return judge.status_of(problem)


def _enter(spec: AttemptSpec) -> None:
    """Takes on the task's environment, zone and folder."""
    wanted, environ = spec.env, os.environ
    wanted["DAGDECK_ATTEMPT_ID"] = spec.attempt_id
    zone = environ.get("TZ")
    for name in list(environ):
        if name not in wanted:
            del environ[name]
    for name, value in wanted.items():
        environ[name] = value
    if wanted.get("TZ") != zone:
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


def _record(path: str, started: int, began: int, status: AttemptStatus | None) -> int:
    """Writes the status; returns the exit code."""
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    ended, duration = time.time_ns() // 1000, (time.monotonic_ns() - began) // 1000
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
    return 0 if status is None else status.code & 0xFF


_started_cold = False


def measure_cold() -> None:
    """Says that this process was exec'ed: what the kernel counts as its peak then includes its starter's."""
    global _started_cold
    _started_cold = True


def own_exit_handlers() -> None:
    """Forgets exit handlers that the host's imports registered: they are the host's to run. Collection starts again."""
    atexit._clear()
    gc.enable()

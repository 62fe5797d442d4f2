"""How an attempt ended that did not simply succeed, and other things that few attempts need."""

from __future__ import annotations

import resource
import sys

from engine.authoring import breakers
from engine.authoring.exceptions import PermanentError, RetryAfter, SkipTask, TaskMissing, TransientError
from engine.authoring.retries import Partial, full_name
from engine.execution.process import failure
from engine.execution.process.bootstrap import ROOT
from engine.execution.process.classify import classify, http_status
from engine.execution.process.results import ResultInvalid, encode
from engine.model.attempt_files import MAX_FAILED_KEYS_BYTES, AttemptStatus
from engine.model.breaker import COUNTED
from engine.model.states import FailureClass, Reason

_OURS = ROOT + "/engine/"


def _says_something_of_what_was_called(problem: BaseException) -> bool:
    return classify(problem) in COUNTED and not isinstance(problem, breakers.BreakerOpen)


breakers.counts = _says_something_of_what_was_called


class BundleBroken(Exception):
    """The attempt's bundle does not load; the cause says why."""


def status_of(problem: BaseException) -> AttemptStatus:
    """The status of an attempt that ended in an exception; its traceback goes to the log."""
    if isinstance(problem, SkipTask):
        line = failure.one_line(problem)
        failure.say(f"skipped: {line}")
        return AttemptStatus(0, "child", outcome="skipped", error=line, reason=Reason.SKIP_REQUESTED.value)
    if isinstance(problem, SystemExit):
        return _of_exit(problem)
    if isinstance(problem, ResultInvalid):
        failure.say(str(problem))
        return _failed(str(problem), FailureClass.PERMANENT, Reason.RESULT_INVALID)
    if isinstance(problem, BundleBroken):
        cause = problem.__cause__ or problem
        failure.say("the DAG file cannot be imported")
        failure.to_log(cause, _OURS)
        return _failed(f"import: {failure.one_line(cause)}", FailureClass.PERMANENT, Reason.EXCEPTION)
    lift_memory_limit()
    failure.to_log(problem, _OURS)
    return status_of_error(problem)


def status_of_error(problem: BaseException) -> AttemptStatus:
    """The status of an attempt whose task raised something that is a failure."""
    reason = Reason.TASK_MISSING if isinstance(problem, TaskMissing) else Reason.EXCEPTION
    status = _failed(failure.one_line(problem), classify(problem), reason)
    if isinstance(problem, MemoryError) and _limited:
        status.error = f"{status.error}: over its memory limit of {_limited // 1_048_576} MB"
        status.reason = Reason.OUT_OF_MEMORY.value
    if isinstance(problem, RetryAfter):
        status.retry_after = problem.seconds
    if isinstance(problem, breakers.BreakerOpen):
        status.reason = Reason.BREAKER_OPEN.value
    if not isinstance(problem, PermanentError | TransientError):
        status.exceptions = _names(problem)
        status.http_status = http_status(problem)
    return status


def _names(problem: BaseException) -> list[str]:
    """The exception's class and those above it, but not what all exceptions have in common."""
    return [full_name(kind) for kind in type(problem).__mro__ if kind not in (Exception, BaseException, object)]


def partial(value: Partial) -> AttemptStatus:
    """The status of a task that did a part of its work."""
    try:
        size = len(encode(value.failed))
    except ResultInvalid as problem:
        text = f"Partial: failed {problem}"
        failure.say(text)
        return _failed(text, FailureClass.PERMANENT, Reason.RESULT_INVALID)
    line = failure.shortened(" ".join(str(value).split()))
    if size > MAX_FAILED_KEYS_BYTES:
        line = f"{line}; the list of failed keys has {size} bytes, {MAX_FAILED_KEYS_BYTES} at most"
        failure.say(line)
        return _failed(line, FailureClass.PERMANENT, Reason.RESULT_INVALID)
    failure.say(f"partial: {line}")
    status = _failed(line, FailureClass.PARTIAL, Reason.PARTIAL)
    status.failed_keys = value.failed
    return status


_limited = 0


def limit_memory(limit: int, group: str | None, pid: int) -> None:
    """Keeps this process, and what it starts, within `limit` bytes: by its control group where there is one."""
    if group is not None:
        try:
            with open(f"{group}/cgroup.procs", "w") as members:
                members.write(str(pid))
            return
        except OSError as problem:
            failure.say(f"memory limit: {failure.one_line(problem)}; each process is limited by itself instead")
    global _limited
    _limited = limit
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    resource.setrlimit(resource.RLIMIT_DATA, (limit if hard < 0 else min(limit, hard), hard))


def lift_memory_limit() -> None:
    """Once the task has ended: telling how must not fail for want of memory."""
    if _limited:
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))


def _of_exit(problem: SystemExit) -> AttemptStatus:
    """`sys.exit()` is the interpreter's orderly end: 0 or nothing is success without a result."""
    if problem.code is None or problem.code == 0:
        return AttemptStatus(0, "child", outcome="success")
    if not isinstance(problem.code, int):
        failure.say(f"exit: {failure.one_line(problem)}")
    status = _failed(failure.one_line(problem), FailureClass.UNKNOWN, Reason.EXIT)
    status.code = (problem.code & 0xFF or 1) if isinstance(problem.code, int) else 1
    status.exceptions = ["SystemExit"]
    return status


def _failed(error: str, failure_class: FailureClass, reason: Reason) -> AttemptStatus:
    return AttemptStatus(
        1, "child", outcome="failed", error=error, failure_class=failure_class.value, reason=reason.value
    )


def wait_for_threads() -> None:
    """Waits, as an interpreter does at its end, for threads that are no daemons and for child processes of its own."""
    threads, workers = sys.modules.get("threading"), sys.modules.get("multiprocessing.util")
    try:
        if threads is not None and threads.active_count() > 1:
            threads._shutdown()
        if workers is not None:
            workers._exit_function()
    except BaseException as problem:
        failure.to_log(problem, _OURS)


def peak_of_exec() -> int:
    """Peak memory of this process since its exec. The kernel's other figure includes that of whoever started it."""
    try:
        with open("/proc/self/status") as source:
            for line in source:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0

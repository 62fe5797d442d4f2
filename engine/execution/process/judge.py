"""How an attempt ended that did not simply succeed, and other things that few attempts need."""

from __future__ import annotations

import sys

from engine.authoring.exceptions import RetryAfter, SkipTask, TaskMissing
from engine.execution.process import failure
from engine.execution.process.bootstrap import ROOT
from engine.execution.process.classify import classify
from engine.execution.process.results import ResultInvalid
from engine.model.attempt_files import AttemptStatus
from engine.model.states import FailureClass, Reason

_OURS = ROOT + "/engine/"


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
    failure.to_log(problem, _OURS)
    reason = Reason.TASK_MISSING if isinstance(problem, TaskMissing) else Reason.EXCEPTION
    status = _failed(failure.one_line(problem), classify(problem), reason)
    if isinstance(problem, RetryAfter):
        status.retry_after = problem.seconds
    return status


def _of_exit(problem: SystemExit) -> AttemptStatus:
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

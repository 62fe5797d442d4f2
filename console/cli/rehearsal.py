"""Running a DAG in this process with the engine's own parts: its lifecycle decides, its dispatcher says what is given.

Nothing is stored and nothing waits: a retry follows at once. A task that is stopped by pdb stops here.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from console.cli.redacting import redacted
from engine.authoring import connections
from engine.authoring.dag import DAG
from engine.authoring.exceptions import PermanentError, SkipTask
from engine.authoring.references import whole
from engine.authoring.retries import Partial
from engine.authoring.running import call_callback, call_task, followed
from engine.config import Settings
from engine.connections import ConnectionUnusable, resolve
from engine.execution.port import LaunchOrder
from engine.execution.process.failure import one_line, to_log
from engine.execution.process.guarding import Keeper
from engine.execution.process.judge import partial, status_of_error
from engine.execution.process.results import ResultInvalid, encode
from engine.home import Home
from engine.lifecycle.changes import CallbackOrder, Changes
from engine.lifecycle.core import apply
from engine.lifecycle.events import Answered, Claimed, Ended, Event, Granted, RetryDue, Start
from engine.lifecycle.memory import RunMemory, new_run
from engine.lifecycle.plan import compile_plan
from engine.model.attempt_files import AttemptSpec, AttemptStatus, InputRef
from engine.model.dag import DagSpec, Json
from engine.model.ids import manual_run_id, ulid
from engine.model.moments import Micros
from engine.model.rows import UNMAPPED, Run, TaskInstance
from engine.model.states import FailureClass, Reason, RunState, RunType, TaskState
from engine.scheduler.approvals import defaults
from engine.scheduler.dispatch import CallbackCall, Dispatcher, Places, Version
from engine.scheduler.items import ResultKey, RunItems
from engine.timetable import Slot

_OURS = str(Path(__file__).parents[2])


@dataclass(slots=True)
class TaskReport:
    """How one task of the rehearsal ended."""

    task_id: str
    state: str
    attempts: int
    seconds: float = 0.0
    error: str | None = None
    result: Json = None


@dataclass(slots=True)
class Report:
    """How the rehearsal ended."""

    run_id: str
    state: str
    tasks: list[TaskReport] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Stage:
    """What is rehearsed: a loaded DAG, where it stands, and the interval and params of its run."""

    home: Home
    settings: Settings
    file: Path
    dag: DAG
    spec: DagSpec
    slot: Slot
    params: dict[str, Json]


class Rehearsal:
    """One run. `tell` is called with a line whenever a task begins, ends, or is to be tried again."""

    def __init__(self, stage: Stage, tell: Callable[[str], None]) -> None:
        self._stage = stage
        self._tell = tell
        self._results: dict[ResultKey, InputRef] = {}
        self._seconds: dict[str, float] = {}
        self._version = Version(1, compile_plan(stage.spec, 1), "rehearsal")
        self._dispatcher = Dispatcher(Places(stage.home, sys.executable), stage.settings)
        now = _now()
        slot = stage.slot
        self._run = Run(
            id=1,
            run_id=manual_run_id(stage.spec.dag_id, slot.logical_date, os.urandom(4)),
            dag_id=stage.spec.dag_id,
            version_id=1,
            run_type=RunType.MANUAL,
            state=RunState.QUEUED,
            logical_date=slot.logical_date,
            interval_start=slot.interval_start,
            interval_end=slot.interval_end,
            run_after=now,
            created_at=now,
            params=stage.params,
        )
        self._memory: RunMemory = new_run(self._version.plan, self._run, itertools.count(1), Changes())
        self._items = RunItems(self._memory, self._results, itertools.count(len(self._memory.by_id) + 1))
        self._memory.items = self._items

    def perform(self) -> Report:
        """Runs every task that is to run, one after the other, and says how it went."""
        self._apply(Start())
        while self._run.ended_at is None:
            waiting = list(self._memory.by_id.values())
            ready = next((ti for ti in waiting if ti.state is TaskState.SCHEDULED), None)
            if ready is not None:
                self._attempt(ready)
                continue
            asked = next((ti for ti in waiting if ti.state is TaskState.AWAITING_INPUT), None)
            if asked is not None:
                self._answer(asked)
                continue
            again = next((ti for ti in waiting if ti.state is TaskState.UP_FOR_RETRY), None)
            if again is None:
                break
            self._tell(f"{_named(again)}: trying again now instead of waiting for its retry delay")
            self._apply(RetryDue(again.id))
        return Report(
            self._run.run_id, self._run.state.value, [self._report(name) for name in self._version.plan.order]
        )

    def _answer(self, ti: TaskInstance) -> None:
        """Nobody is asked here: the first option that is no rejection is taken, with the form's defaults."""
        spec = self._version.plan.tasks[ti.task_id].approval
        assert spec is not None
        option = next((word for word in spec.options if word not in spec.rejects), spec.options[0])
        self._tell(f"{_named(ti)}: taking {option!r} instead of asking a person")
        answer = {"option": option, "params": defaults(spec), "by": None, "at": None}
        self._results[ti.task_id, ti.map_index] = InputRef(answer)
        self._apply(Answered(ti.id, option))

    def _report(self, task_id: str) -> TaskReport:
        ti = self._memory.instances[(task_id, -1)]
        return TaskReport(
            task_id,
            ti.state.value,
            ti.attempt,
            round(self._seconds.get(task_id, 0.0), 6),
            ti.last_error if ti.state is not TaskState.SUCCESS else None,
            whole(self._items.result(task_id)),
        )

    def _apply(self, event: Event) -> None:
        changes = Changes()
        apply(self._memory, event, _now(), changes)
        for order in changes.callbacks:
            self._callback(order)

    def _attempt(self, ti: TaskInstance) -> None:
        attempt_id = ulid(_now(), os.urandom(10))
        self._apply(Granted(ti.id, attempt_id))
        assert ti.current is not None
        begun = time.monotonic()
        try:
            order = self._dispatcher.order(self._version, self._run, ti, ti.current, self._items.inputs(ti))
        except PermanentError as problem:
            order, status = None, _failed(str(problem), FailureClass.PERMANENT, Reason.PERMANENT)
        self._apply(Claimed(attempt_id, os.getpid(), None, None, _now()))
        if order is not None:
            self._tell(f"{_named(ti)}: try {order.spec.number}")
            status = self._execute(order)
        took = time.monotonic() - begun
        self._seconds[ti.task_id] = self._seconds.get(ti.task_id, 0.0) + took
        status.duration = round(took * 1_000_000)
        word = status.outcome or ("success" if status.code == 0 else "failed")
        self._tell(f"{_named(ti)}: {word} after {took:.2f} s" + (f": {status.error}" if status.error else ""))
        self._apply(Ended(attempt_id, status, None, self._matches(ti.task_id, status)))

    def _matches(self, task_id: str, status: AttemptStatus) -> tuple[int, ...]:
        """Retry rules whose expression is found in the error; what a shell task prints goes past us to the screen."""
        rules = self._version.plan.tasks[task_id].retry.rules
        return tuple(at for at, rule in enumerate(rules) if rule.match and re.search(rule.match, status.error or ""))

    def _execute(self, order: LaunchOrder) -> AttemptStatus:
        spec = order.spec
        try:
            given = resolve(self._stage.home.root, order.connections, os.environ)
        except ConnectionUnusable as problem:
            return _failed(str(problem), FailureClass.PERMANENT, Reason.PERMANENT)
        keeper = Keeper({"secrets": given.secrets, "connections": given.values})
        spec.env.update(connections.variables(given.values))
        limit = self._version.plan.tasks[spec.task_id].execution_timeout
        with redacted(given.secrets), _place(self._folder, spec.env):
            status = _shell(spec, limit) if spec.kind == "shell" else self._python(spec, limit, keeper)
        return keeper.clean(status) or status

    @property
    def _folder(self) -> Path:
        return self._stage.file.parent

    def _python(self, spec: AttemptSpec, limit: float | None, keeper: Keeper) -> AttemptStatus:
        inputs = {name: whole(ref) for name, ref in spec.inputs.items()}
        try:
            with _deadline(limit):
                value = call_task(self._stage.dag, spec, inputs)
                if isinstance(value, Partial):
                    if value.failed:
                        return partial(value)
                    value = value.ok
                data, follow = encode(value), followed(self._stage.dag, spec.task_id, value)
                data = None if data is None else keeper.vet(data)
        except SkipTask as skipped:
            return AttemptStatus(0, "child", outcome="skipped", error=one_line(skipped), reason=Reason.SKIP_REQUESTED)
        except _TookTooLong:
            return _timed_out(limit)
        except ResultInvalid as invalid:
            return _failed(str(invalid), FailureClass.PERMANENT, Reason.RESULT_INVALID)
        except KeyboardInterrupt:
            raise
        except BaseException as problem:
            to_log(problem, _OURS)
            return status_of_error(problem)
        self._results[spec.task_id, spec.map_index] = InputRef(json.loads(data) if data is not None else None)
        return AttemptStatus(0, "child", outcome="success", follow=follow)

    def _callback(self, order: CallbackOrder) -> None:
        call = CallbackCall(ulid(_now(), os.urandom(10)), order.name, order.task_id, order.error)
        spec = self._dispatcher.callback(self._version, self._run, call).spec
        self._tell(f"{order.task_id or self._run.dag_id}: {order.name}_callback")
        try:
            with _place(self._folder, spec.env):
                call_callback(self._stage.dag, spec)
        except Exception as problem:
            to_log(problem, _OURS)


def _now() -> Micros:
    return time.time_ns() // 1000


class _TookTooLong(BaseException):
    """The task's execution_timeout has passed. Not an Exception, so that the task does not catch it by accident."""


@contextmanager
def _deadline(limit: float | None) -> Iterator[None]:
    def ring(number: int, frame: FrameType | None) -> None:
        raise _TookTooLong

    if limit is None:
        yield
        return
    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _place(folder: Path, environment: dict[str, str]) -> Iterator[None]:
    """The folder and environment of a task, for a while."""
    before, here = dict(os.environ), Path.cwd()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(here)
        os.environ.clear()
        os.environ.update(before)
        sys.stdout.flush()
        sys.stderr.flush()


def _shell(spec: AttemptSpec, limit: float | None) -> AttemptStatus:
    sys.stdout.flush()
    try:
        done: subprocess.CompletedProcess[Any] = subprocess.run(
            spec.argv, stdin=subprocess.DEVNULL, timeout=limit, check=False
        )
    except subprocess.TimeoutExpired:
        return _timed_out(limit)
    except OSError as problem:
        return _failed(one_line(problem), FailureClass.UNKNOWN, Reason.SPAWN_FAILED)
    code = done.returncode if done.returncode >= 0 else 128 - done.returncode
    if code == 0:
        return AttemptStatus(0, "shim", outcome="success")
    status = _failed(f"exit code {code}", FailureClass.UNKNOWN, Reason.EXIT)
    status.code, status.by = code, "shim"
    return status


def _failed(error: str, failure_class: FailureClass, reason: Reason) -> AttemptStatus:
    return AttemptStatus(
        1, "child", outcome="failed", error=error, failure_class=failure_class.value, reason=reason.value
    )


def _timed_out(limit: float | None) -> AttemptStatus:
    return _failed(f"it took longer than its execution_timeout of {limit:g} s", FailureClass.TIMEOUT, Reason.TIMEOUT)


def _named(ti: TaskInstance) -> str:
    return ti.task_id if ti.map_index == UNMAPPED else f"{ti.task_id}[{ti.map_index}]"

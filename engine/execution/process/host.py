"""A host: imports one bundle once, then forks a child for each of its Python attempts and waits for them.

Forked from its interpreter's template. Orders on descriptor 3 (lines of attempt ids), news to descriptor 4. It outlives
whoever started it: without orders it goes on waiting for its children, then ends.
"""

from __future__ import annotations

import gc
import os
import select
import sys
from collections.abc import Callable

from engine import failpoints
from engine.authoring.dag import DAG
from engine.execution import directory as files
from engine.execution.process import child, failure, news, proc, streams, waiter
from engine.execution.process.channels import NEWS_FD, ORDERS_FD
from engine.execution.process.judge import BundleBroken
from engine.execution.process.marks import Marks
from engine.execution.process.rehearsal import rehearse
from engine.execution.process.spare import Spare
from engine.execution.process.wakeup import Wakeup
from engine.model.attempt_files import AttemptSpec

_READ = 64 * 1024
_BATCH = 32
_RECORDED = child.RECORDED << 8
"""The wait status of a child that has written its status."""


class Setting:
    """What all hosts of one template share."""

    def __init__(self, root: str, dags: str, boot_id: str, marks: Marks) -> None:
        self.root = root
        self.dags = dags
        self.boot_id = boot_id
        self.marks = marks
        self.rehearsed = False

    def rehearse(self) -> None:
        """Gets the memory of this process, and of its forks, into the state in which it stays."""
        rehearse(self.root, self.boot_id, self.marks)
        settle_memory()
        self.rehearsed = True


def run(setting: Setting, number: int, bundle: str, file: str) -> int:
    """Serves one bundle until the orders end and the last child is gone. Returns the exit code."""
    started = proc.own_start()
    news.tell(NEWS_FD, news.HOST, number, "importing", os.getpid(), started)
    setting.marks.rename(f"host {os.path.basename(bundle)[:12]} {file}")
    _enter(setting.dags, file)
    host = Host(setting, bundle, file)
    state = host.load()
    news.tell(NEWS_FD, news.HOST, number, state, os.getpid(), started)
    if state != "cold":
        host.serve()
    return 0


def _enter(dags: str, file: str) -> None:
    """DAG files are imported where their tasks run: in their own folder below `dags/`, as long as it stands."""
    if dags:
        try:
            os.chdir(os.path.dirname(os.path.join(dags, file)))
        except OSError as problem:
            failure.say(f"{file} is imported outside its folder: {problem}")


class Host:
    """One bundle, imported, and the children that run its attempts."""

    def __init__(self, setting: Setting, bundle: str, file: str) -> None:
        self._setting = setting
        self._root = setting.root
        self._boot_id = setting.boot_id
        self._bundle = bundle
        self._file = file
        self._dags: dict[str, DAG] = {}
        self._broken: BundleBroken | None = None
        self._children: dict[int, str] = {}
        self._spare: Spare | None = None
        self._has_worked = False
        self._lent: set[int] = set()
        """Spare children that were told their attempt and have not ended."""
        self._rest = b""

    def load(self) -> str:
        """Imports the bundle. Returns `ready`, `broken`, or `cold` if forking from here would not be safe."""
        try:
            self._dags = streams.load_bundle(self._bundle, self._file)
        except BundleBroken as problem:
            self._broken = problem
            failure.say(f"{self._file} cannot be imported: {failure.one_line(problem.__cause__ or problem)}")
        if not _may_fork():
            return "cold"
        settle_memory()
        return "broken" if self._broken is not None else "ready"

    def serve(self) -> None:
        """Takes orders and waits for children."""
        self._wakeup = Wakeup(polite=False)
        poll = select.poll()
        poll.register(self._wakeup.fd, select.POLLIN)
        poll.register(ORDERS_FD, select.POLLIN)
        taking = True
        while taking or self._children:
            if taking and not poll.poll(0):
                self._use_idle_time()
            for fd, _ in poll.poll():
                if fd == ORDERS_FD:
                    taking = self._take_orders()
                    if not taking:
                        poll.unregister(ORDERS_FD)
                        self._let_spare_go()
                else:
                    self._wakeup.drain()
                    self._reap()

    def _use_idle_time(self) -> None:
        if not self._setting.rehearsed:
            self._setting.rehearse()
        elif self._has_worked and self._spare is None:
            failpoints.hit("host.fork.before")
            try:
                self._spare = Spare.fork(self._be_spare)
            except OSError as problem:
                failure.say(f"no spare child of {self._file}: {failure.one_line(problem)}")
                self._has_worked = False
            failpoints.hit("host.fork.after")

    def _take_orders(self) -> bool:
        data = os.read(ORDERS_FD, _READ)
        if not data:
            return False
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            ordered = line.decode().split()
            for first in range(0, len(ordered), _BATCH):
                self._start_all(ordered[first : first + _BATCH])
        return True

    def _start_all(self, attempt_ids: list[str]) -> None:
        """Reads all specs before the first fork: here that costs the touched memory once, in the children each time."""
        self._has_worked = True
        if attempt_ids and self._give_to_spare(attempt_ids[0]):
            attempt_ids = attempt_ids[1:]
        prepared = []
        for attempt_id in attempt_ids:
            path = files.path_of(self._root, attempt_id)
            prepared.append((attempt_id, path, _spec_in(path)))
        for attempt_id, path, spec in prepared:
            self._start(attempt_id, path, spec)

    def _start(self, attempt_id: str, path: str, spec: AttemptSpec | None) -> None:
        failpoints.hit("host.fork.before")
        before = proc.boot_time()
        try:
            pid = os.fork()
        except OSError as problem:
            news.tell(NEWS_FD, news.FAILED, attempt_id, f"cannot fork: {failure.one_line(problem)}")
            return
        if pid == 0:
            self._be_child(attempt_id, path, spec, before)
        failpoints.hit("host.fork.after")
        self._children[pid] = attempt_id

    def _give_to_spare(self, attempt_id: str) -> bool:
        spare, self._spare = self._spare, None
        if spare is None:
            return False
        failpoints.hit("host.fork.before")
        given = spare.give(attempt_id)
        failpoints.hit("host.fork.after")
        if given:
            self._children[spare.pid] = attempt_id
            self._lent.add(spare.pid)
        return given

    def _let_spare_go(self) -> None:
        if self._spare is not None:
            self._spare.let_go()
            self._spare = None

    def _be_child(self, attempt_id: str, path: str, spec: AttemptSpec | None, not_before: int) -> None:
        """Never returns."""
        try:
            if self._spare is not None:
                self._spare.let_go()
            self._leave_host()
            self._setting.marks.write(attempt_id, attempt_id)
            child.run(path, attempt_id, NEWS_FD, self._boot_id, self._load, spec, not_before)
        except BaseException as problem:
            failure.say(f"attempt {attempt_id}: {failure.one_line(problem)}")
        finally:
            os._exit(child.NOT_BEGUN)

    def _be_spare(self, await_order: Callable[[], str]) -> None:
        """Never returns. Waits for its attempt with all done that can be done before one is known."""
        try:
            self._leave_host()
            self._setting.marks.write(None, "spare child")
            attempt_id = await_order()
            if not attempt_id:
                os._exit(0)
            self._setting.marks.write(attempt_id, attempt_id)
            path = files.path_of(self._root, attempt_id)
            child.run(path, attempt_id, NEWS_FD, self._boot_id, self._load, None, 0)
        except BaseException as problem:
            failure.say(f"spare child: {failure.one_line(problem)}")
        finally:
            os._exit(child.NOT_BEGUN)

    def _leave_host(self) -> None:
        """In a forked child: becomes the leader of a session and keeps nothing of the host's but its imports."""
        failpoints.hit("child.forked")
        os.setsid()
        os.close(ORDERS_FD)
        self._wakeup.undo_in_child()
        child.own_exit_handlers()

    def _load(self, spec: AttemptSpec) -> dict[str, DAG]:
        if self._broken is not None:
            raise self._broken
        return self._dags

    def _reap(self) -> None:
        done: list[str] = []
        while self._children:
            try:
                pid, wait_status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            if self._spare is not None and pid == self._spare.pid:
                self._let_spare_go()
            attempt_id = self._children.pop(pid, None)
            if attempt_id is not None and (wait_status == _RECORDED or self._settled(attempt_id, pid, wait_status)):
                done.append(attempt_id)
            self._lent.discard(pid)
        if done:
            news.ended(NEWS_FD, done)

    def _settled(self, attempt_id: str, pid: int, wait_status: int) -> bool:
        path = files.path_of(self._root, attempt_id)
        try:
            how = waiter.settle(path, pid, wait_status, "host", None, stands_over=False)
        except OSError as problem:
            failure.say(f"attempt {attempt_id}: its end cannot be written: {failure.one_line(problem)}")
            return True
        if how == "unclaimed" and pid in self._lent:
            self._start_all([attempt_id])  # it was dead, or died, before it could read what it was told
        elif how == "unclaimed":
            code = os.waitstatus_to_exitcode(wait_status)
            end = f"signal {-code}" if code < 0 else f"exit code {code}"
            news.tell(NEWS_FD, news.FAILED, attempt_id, f"its process ended with {end} before it began")
        elif how == "not_mine":
            news.tell(NEWS_FD, news.NOT_MINE, attempt_id)
        return how == "ended"


def _spec_in(path: str) -> AttemptSpec | None:
    """The attempt's spec; None where the child will have to say what is wrong with it."""
    try:
        return AttemptSpec.loads(files.read_spec(path))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def settle_memory() -> None:
    """Keeps the collector from writing to what is there, in this process and in its children."""
    gc.collect()
    gc.freeze()


def _may_fork() -> bool:
    """False when threads run that a fork would cut off. Some libraries' own end at the first fork, so one is tried."""
    threads = sys.modules.get("threading")
    if threads is not None and threads.active_count() > 1:
        return False
    if _kernel_threads() == 1:
        return True
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return _kernel_threads() == 1


def _kernel_threads() -> int:
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return 1

"""The runner: one small single-threaded process per engine that has attempts started and says what became of them.

`runner ATTEMPTS-FOLDER`, the engine on descriptor 3. JSON lines both ways. In: `start` with a list of `["shell", ids]`,
`["cold", python, ids]` and `["host", python, bundle, file, ids]`, and `warm` with a list of `[python, bundle, file]`.
Out: `claimed` and `orphaned` with ids, `ended` with `[id]` or `[id, µs, cpu seconds, peak bytes, end in µs]`, `failed`
with `[id, error]`. Messages only wake: the attempts' files decide. When the engine is gone the runner takes no new
work, and ends after its last attempt.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import select
import time
from typing import Any

from engine import failpoints
from engine.execution import directory as files
from engine.execution.process import failure, news, proc, spawn, waiter
from engine.execution.process.channels import ENGINE_FD
from engine.execution.process.hosts import HostProcess, Hosts, Key
from engine.execution.process.outbox import Outbox
from engine.execution.process.wakeup import Wakeup

_READ = 256 * 1024
_TICK_MS = 5_000
_SET_CHILD_SUBREAPER = 36
_LOCK_TRIES = 20
_IDLE_CHECK_SECONDS = 2.0


def main(arguments: list[str]) -> int:
    """Serves one engine until it is gone and all attempts are over."""
    os.umask(0o077)
    os.set_inheritable(ENGINE_FD, False)
    os.closerange(ENGINE_FD + 1, 1 << 16)
    Runner(arguments[0], _adopt_orphans()).serve()
    return 0


def _adopt_orphans() -> bool:
    """Has children of a host that dies become ours, so that how they end is not lost. False where that cannot be."""
    try:
        return int(ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)) == 0
    except (OSError, AttributeError):
        return False


class Running:
    """An attempt whose process the runner waits for, or has heard of."""

    __slots__ = ("attempt_id", "began", "host", "pid", "stands_over", "ticks")

    def __init__(
        self, attempt_id: str, pid: int, host: HostProcess | None = None, ticks: int = 0, stands_over: bool = False
    ) -> None:
        self.attempt_id = attempt_id
        self.pid = pid
        self.ticks = ticks
        self.host = host
        self.stands_over = stands_over
        self.began = time.monotonic_ns()


class Runner:
    """Orders from the engine to hosts and shims, their news back to the engine, a batch per turn of the loop."""

    def __init__(self, root: str, adopts: bool) -> None:
        self._root = root
        self._adopts = adopts
        self._boot_id = proc.boot_id()
        self._poll = select.poll()
        self._engine = Outbox(ENGINE_FD, self._poll, select.POLLIN)
        self._wakeup = Wakeup(polite=True)
        self._news, self._news_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._hosts = Hosts(root, self._news_write, self._poll)
        self._by_pid: dict[int, Running] = {}
        self._by_id: dict[str, Running] = {}
        self._second_try: set[str] = set()
        self._secrets: dict[str, dict[str, Any]] = {}
        """What attempts that have not begun are to be given."""
        self._guards: dict[str, int] = {}
        """The process that writes the log of an attempt with secrets, while it does."""
        self._late: dict[int, list[Any]] = {}
        """Ends that are told when a guard has written all, by its pid."""
        self._orders_rest = b""
        self._news_rest = b""
        self._taking = True
        self._next_idle_check = 0.0
        self._report: dict[str, list[Any]] = {}
        for fd in (self._wakeup.fd, self._news):
            self._poll.register(fd, select.POLLIN)

    def serve(self) -> None:
        """Runs until there is no engine and no attempt left."""
        try:
            self._hosts.prepare_first()
        except OSError as problem:
            failure.say(f"no template of hosts: {failure.one_line(problem)}")
        while self._taking or self._by_pid or self._hosts.by_number:
            ready = dict(self._poll.poll(_TICK_MS))
            gone = [host for fd, host in self._hosts.by_channel.items() if ready.get(fd, 0) & ~select.POLLOUT]
            for fd, events in ready.items():
                if events & select.POLLOUT:
                    self._flush(fd)
            if self._wakeup.fd in ready:
                self._wakeup.drain()
            if self._news in ready or self._wakeup.fd in ready:
                self._read_news()
            if self._wakeup.fd in ready:
                self._reap()
            if self._taking and ready.get(ENGINE_FD, 0) & ~select.POLLOUT:
                self._read_orders()
            for host in gone:  # after the engine's own end: nothing is started anew for an engine that is gone
                self._bury(host)
            if self._wakeup.stopping and self._taking:
                self._stop_taking()
            self._look_for_idle(time.monotonic())
            self._send_report()

    def _flush(self, fd: int) -> None:
        host = self._hosts.by_channel.get(fd)
        (host.orders if host is not None else self._engine).flush()

    def _look_for_idle(self, now: float) -> None:
        if now >= self._next_idle_check:
            self._next_idle_check = now + _IDLE_CHECK_SECONDS
            self._hosts.let_idle_go(now)

    def _stop_taking(self) -> None:
        self._taking = False
        self._send_report()
        self._engine.close()
        self._hosts.let_all_go()

    def _send_report(self) -> None:
        if self._report:
            self._engine.send(json.dumps(self._report, separators=(",", ":")).encode() + b"\n")
            self._report = {}

    def _tell(self, what: str, item: Any) -> None:
        self._report.setdefault(what, []).append(item)

    # orders

    def _read_orders(self) -> None:
        try:
            data = os.read(ENGINE_FD, _READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._stop_taking()
            return
        lines = (self._orders_rest + data).split(b"\n")
        self._orders_rest = lines.pop()
        for line in lines:
            message = json.loads(line)
            self._secrets.update(message.get("secrets", {}))
            for group in message.get("start", ()):
                self._start(group)
            for key in message.get("warm", ()):
                self._warm(tuple(key))

    def _start(self, group: list[Any]) -> None:
        failpoints.hit("runner.start")
        if group[0] == "shell":
            for attempt_id in group[1]:
                self._start_shell(attempt_id)
        elif group[0] == "cold":
            self._start_cold(group[1], group[2])
        else:
            self._start_warm((group[1], group[2], group[3]), group[4])

    def _warm(self, key: Key) -> None:
        try:
            self._hosts.of(key)
        except OSError as problem:
            failure.say(f"no host for {key[2]}: {failure.one_line(problem)}")
        self._hosts.retire_others(key)

    def _start_warm(self, key: Key, attempt_ids: list[str]) -> None:
        if key in self._hosts.must_be_cold:
            self._start_cold(key[0], attempt_ids)
            return
        try:
            self._hosts.order(key, attempt_ids, time.monotonic())
        except OSError as problem:
            for attempt_id in attempt_ids:
                self._tell("failed", [attempt_id, f"cannot start {key[0]}: {failure.one_line(problem)}"])

    def _start_cold(self, interpreter: str, attempt_ids: list[str]) -> None:
        for attempt_id in attempt_ids:
            guard: spawn.Guard | None = None
            try:
                guard = self._guard(attempt_id)
                pid = spawn.cold(interpreter, self._root, attempt_id, self._news_write, guard)
            except OSError as problem:
                self._tell("failed", [attempt_id, f"cannot start {interpreter}: {failure.one_line(problem)}"])
                continue
            finally:
                if guard is not None:
                    guard.close()
            self._keep(Running(attempt_id, pid))

    def _guard(self, attempt_id: str) -> spawn.Guard | None:
        """Starts what keeps secrets out of the log of an attempt that has some. Raises OSError."""
        given = self._secrets.get(attempt_id)
        if given is None:
            return None
        guard = spawn.Guard.open(self._root, attempt_id, given)
        self._guards[attempt_id] = guard.pid
        return guard

    def _start_shell(self, attempt_id: str) -> None:
        variables = spawn.shell_variables(self._secrets.get(attempt_id))
        for left in range(_LOCK_TRIES - 1, -1, -1):
            guard: spawn.Guard | None = None
            try:
                guard = self._guard(attempt_id)
                pid = spawn.shell(self._root, attempt_id, self._boot_id, self._news_write, guard, variables)
                self._keep(Running(attempt_id, pid, stands_over=True))
            except spawn.Locked:
                if left:
                    time.sleep(0.001)
                    continue
                self._tell("orphaned", attempt_id)
            except spawn.Begun:
                self._tell("orphaned", attempt_id)
            except (OSError, ValueError, TypeError, KeyError) as problem:
                self._tell("failed", [attempt_id, failure.one_line(problem)])
            finally:
                if guard is not None:
                    guard.close()
            return

    def _keep(self, running: Running) -> None:
        self._by_pid[running.pid] = self._by_id[running.attempt_id] = running

    # news

    def _read_news(self) -> None:
        while True:
            try:
                data = os.read(self._news, _READ)
            except BlockingIOError:
                return
            lines = (self._news_rest + data).split(b"\n")
            self._news_rest = lines.pop()
            for line in lines:
                self._hear(json.loads(line))
            if len(data) < _READ:
                return

    def _hear(self, line: list[Any]) -> None:
        what = line[0]
        if what == news.CLAIMED:
            self._hear_claimed(line[1], line[2], line[3])
        elif what == news.ENDED:
            self._forget(line[1])
            self._tell("ended", [line[1]])
        elif what == news.FAILED:
            self._forget(line[1])
            self._tell("failed", [line[1], line[2]])
        elif what == news.NOT_MINE:
            self._forget(line[1])
            self._tell("orphaned", line[1])
        elif what == news.HOST:
            self._hear_host(self._hosts.by_number.get(line[1]), *line[2:])

    def _hear_claimed(self, attempt_id: str, pid: int, ticks: int) -> None:
        self._tell("claimed", attempt_id)
        self._secrets.pop(attempt_id, None)
        if attempt_id in self._by_id:
            return
        host = self._hosts.no_longer_owed(attempt_id)
        if host is not None:
            host.busy.add(attempt_id)
            self._by_id[attempt_id] = Running(attempt_id, pid, host, ticks)

    def _hear_host(self, host: HostProcess | None, state: str, pid: int, started: int) -> None:
        if host is None:
            return
        host.state, host.pid, host.started = state, pid, started
        if state == "cold":
            self._hosts.must_be_cold.add(host.key)
            waiting = self._hosts.take_back(host)
            self._hosts.let_go(host)
            self._start_cold(host.key[0], waiting if self._taking else [])

    def _forget(self, attempt_id: str) -> None:
        running = self._by_id.pop(attempt_id, None)
        owing = self._hosts.no_longer_owed(attempt_id)
        host = running.host if running is not None else owing
        if host is not None:
            host.busy.discard(attempt_id)
            host.last_use = time.monotonic()
            if host.state == "broken" and host.may_go(host.last_use):
                self._hosts.let_go(host)

    # ends

    def _reap(self) -> None:
        while True:
            try:
                pid, wait_status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            running = self._by_pid.pop(pid, None)
            if running is not None:
                self._settle(running, wait_status, usage)
            else:
                self._guard_ended(pid)

    def _guard_ended(self, pid: int) -> None:
        """A log is whole: the end of its attempt can be told, if that has come."""
        for attempt_id in [each for each, guard in self._guards.items() if guard == pid]:
            del self._guards[attempt_id]
        late = self._late.pop(pid, None)
        if late is not None:
            self._tell("ended", late)

    def _settle(self, running: Running, wait_status: int, usage: resource.struct_rusage) -> None:
        attempt_id, path = running.attempt_id, files.path_of(self._root, running.attempt_id)
        self._by_id.pop(attempt_id, None)
        used = round(usage.ru_utime + usage.ru_stime, 6)
        how = "ended"
        if wait_status != 0 or not waiter.has_status(path):
            try:
                how = waiter.settle(path, running.pid, wait_status, "runner", used, running.stands_over)
            except OSError as problem:
                failure.say(f"attempt {attempt_id}: its end cannot be written: {failure.one_line(problem)}")
        if how == "ended":
            duration, ended = (time.monotonic_ns() - running.began) // 1000, time.time_ns() // 1000
            news_of_end = [attempt_id, duration, used, usage.ru_maxrss * 1024, ended]
            guard = self._guards.get(attempt_id)
            if guard is None:
                self._tell("ended", news_of_end)
            else:
                self._late[guard] = news_of_end
        elif how == "unclaimed":
            self._tell("failed", [attempt_id, f"{waiter.verdict(wait_status, 'runner').error}, before it began"])
        else:
            self._tell("orphaned", attempt_id)

    def _bury(self, host: HostProcess) -> None:
        """A host is gone: its children are ours now, what it had not started is started anew."""
        self._hosts.forget(host)
        for attempt_id in host.busy:
            running = self._by_id.get(attempt_id)
            if running is not None:
                running.host = None
                if self._adopts and proc.is_present(running.pid, running.ticks):
                    self._by_pid[running.pid] = running
                self._tell("orphaned", attempt_id)
        owed = self._hosts.take_back(host)
        if not self._taking:
            return  # no new work without an engine: the next one finds that these have not begun
        again = [attempt_id for attempt_id in owed if attempt_id not in self._second_try]
        stubborn = [attempt_id for attempt_id in owed if attempt_id in self._second_try]
        self._second_try.update(again)
        if host.state == "ready" and again:
            self._start_warm(host.key, again)
        else:
            stubborn += again
        self._start_cold(host.key[0], stubborn)

"""The runner's view of its hosts: which bundle each holds, what it still owes, when it may go."""

from __future__ import annotations

import os
import select
import socket
import time

from engine.execution.process import spawn
from engine.execution.process.channels import NEWS_FD, ORDERS_FD
from engine.execution.process.outbox import Outbox

Key = tuple[str, str, str]
"""Interpreter, bundle directory, DAG file relative to it."""

IDLE_SECONDS = 600.0
CROWDED_SECONDS = 30.0
MOST_IDLE = 4
"""Idle hosts beyond this many go much sooner: each holds about 9 MB, more with large libraries."""
RETIRED_SECONDS = 10.0
IMPORT_SECONDS = 120.0


class HostProcess:
    """One host, from its start to its end."""

    __slots__ = ("busy", "key", "last_use", "leaving", "number", "orders", "pending", "pid", "retired", "state")

    def __init__(self, number: int, key: Key, pid: int, orders: Outbox, now: float) -> None:
        self.number = number
        self.key = key
        self.pid = pid
        self.orders = orders
        self.state = "importing"
        self.pending: set[str] = set()
        """Attempts ordered and not known to have begun."""
        self.busy: set[str] = set()
        """Attempts that have begun and not ended."""
        self.last_use = now
        self.retired = False
        self.leaving = False

    def let_go(self) -> None:
        """No more orders: the host ends once its children have."""
        self.leaving = True
        self.orders.close()

    @property
    def is_idle(self) -> bool:
        """True if it owes nothing and nothing of it runs."""
        return not (self.pending or self.busy or self.leaving) and self.state != "importing"

    def may_go(self, now: float) -> bool:
        """True if it is idle, and has been for long enough."""
        if self.pending or self.busy or self.leaving:
            return False
        if self.state == "broken":
            return True
        return now - self.last_use >= (RETIRED_SECONDS if self.retired else IDLE_SECONDS)

    def is_stuck(self, now: float) -> bool:
        """True if its import takes longer than any import should."""
        return self.state == "importing" and now - self.last_use > IMPORT_SECONDS


class Hosts:
    """All hosts of one runner. Hosts that are leaving are kept until they are gone."""

    def __init__(self, root: str, news: int, poll: select.poll) -> None:
        self._root = root
        self._environment, self._dags = spawn.host_setting()
        self._news = news
        self._poll = poll
        self._taking: dict[Key, HostProcess] = {}
        self.by_number: dict[int, HostProcess] = {}
        self.by_pid: dict[int, HostProcess] = {}
        self.by_orders: dict[int, HostProcess] = {}
        self.owing: dict[str, HostProcess] = {}
        """Which host each ordered attempt that has not begun was ordered from."""
        self.must_be_cold: set[Key] = set()
        """Bundles whose import leaves threads behind."""

    def of(self, key: Key) -> HostProcess:
        """The host that takes orders for a bundle, started if there is none. Raises OSError."""
        host = self._taking.get(key)
        if host is None:
            host = self._taking[key] = self._start(key)
        return host

    def _start(self, key: Key) -> HostProcess:
        number = len(self.by_number) + 1
        while number in self.by_number:
            number += 1
        interpreter, bundle, file = key
        ours, theirs = socket.socketpair()
        try:
            pid = spawn.python(
                interpreter,
                ["host", self._root, str(number), bundle, file, self._dags],
                self._environment,
                [(theirs.fileno(), ORDERS_FD), (self._news, NEWS_FD)],
            )
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        host = HostProcess(number, key, pid, Outbox(ours.detach(), self._poll), time.monotonic())
        self.by_number[number] = self.by_pid[pid] = self.by_orders[host.orders.fd] = host
        return host

    def order(self, key: Key, attempt_ids: list[str], now: float) -> None:
        """Has these attempts started by their bundle's host. Raises OSError when there is none and none will start."""
        host = self.of(key)
        host.pending.update(attempt_ids)
        self.owing.update(dict.fromkeys(attempt_ids, host))
        host.last_use = now
        host.orders.send(f"{' '.join(attempt_ids)}\n".encode())

    def no_longer_owed(self, attempt_id: str) -> HostProcess | None:
        """The attempt has begun, or never will: returns the host it was ordered from, None if it was not owed."""
        host = self.owing.pop(attempt_id, None)
        if host is not None:
            host.pending.discard(attempt_id)
        return host

    def take_back(self, host: HostProcess) -> list[str]:
        """All orders that the host still owes; it is not going to start them."""
        owed = sorted(host.pending)
        for attempt_id in owed:
            self.no_longer_owed(attempt_id)
        return owed

    def retire_others(self, key: Key) -> None:
        """Lets the hosts of the same file's other bundles go as soon as they are idle."""
        for other in self._taking.values():
            if other.key != key and (other.key[0], other.key[2]) == (key[0], key[2]):
                other.retired = True

    def let_go(self, host: HostProcess) -> None:
        """Gives the host no more orders."""
        self._taking.pop(host.key, None)
        self.by_orders.pop(host.orders.fd, None)
        host.let_go()

    def let_idle_go(self, now: float) -> None:
        """Lets go of hosts that have had nothing to do for long; ends those that hang in their import."""
        for host in list(self._taking.values()):
            if host.may_go(now):
                self.let_go(host)
            elif host.is_stuck(now):
                os.kill(host.pid, 9)
        idle = sorted((host for host in self._taking.values() if host.is_idle), key=lambda host: host.last_use)
        for host in idle[:-MOST_IDLE]:
            if now - host.last_use >= CROWDED_SECONDS:
                self.let_go(host)

    def let_all_go(self) -> None:
        """Gives no host any more orders."""
        for host in list(self._taking.values()):
            self.let_go(host)

    def buried(self, pid: int) -> HostProcess | None:
        """Forgets the host with this pid, which is gone; None if it was none of ours."""
        host = self.by_pid.pop(pid, None)
        if host is not None:
            del self.by_number[host.number]
            if self._taking.get(host.key) is host:
                self.let_go(host)
        return host

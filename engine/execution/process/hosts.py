"""The runner's view of its hosts: which bundle each holds, what it still owes, when it may go."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import time

from engine.execution.process import proc, spawn
from engine.execution.process.channels import NEWS_FD, ORDERS_FD
from engine.execution.process.outbox import Outbox

Key = tuple[str, str, str]
"""Interpreter, bundle directory, DAG file relative to it."""

IDLE_SECONDS = 600.0
CROWDED_SECONDS = 30.0
MOST_IDLE = 4
"""Idle hosts beyond this many go much sooner: each holds memory, much of it with large libraries."""
RETIRED_SECONDS = 10.0
IMPORT_SECONDS = 120.0


class HostProcess:
    """One host, from its start to its end."""

    __slots__ = (
        "busy", "channel", "key", "last_use", "leaving", "number", "orders", "pending", "pid", "retired", "started",
        "state",
    )  # fmt: skip

    def __init__(self, number: int, key: Key, channel: socket.socket, poll: select.poll) -> None:
        self.number = number
        self.key = key
        self.channel = channel
        self.orders = Outbox(channel.fileno(), poll, select.POLLIN)
        self.pid = 0
        self.started = 0
        self.state = "importing"
        self.pending: set[str] = set()
        """Attempts ordered and not known to have begun."""
        self.busy: set[str] = set()
        """Attempts that have begun and not ended."""
        self.last_use = time.monotonic()
        self.retired = False
        self.leaving = False

    def let_go(self) -> None:
        """No more orders: the host ends once its children have. Its end still shows on the channel."""
        if not self.leaving:
            self.leaving = True
            try:
                self.channel.shutdown(socket.SHUT_WR)
            except OSError:
                pass

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

    def end_if_stuck(self, now: float) -> None:
        """Ends it if its import takes longer than any import should."""
        if self.state == "importing" and now - self.last_use > IMPORT_SECONDS and proc.is_alive(self.pid, self.started):
            os.kill(self.pid, signal.SIGKILL)


class Hosts:
    """All hosts of one runner. Hosts that are leaving are kept until they are gone."""

    def __init__(self, root: str, news: int, poll: select.poll) -> None:
        self._root = root
        self._environment, self._dags, self._first = spawn.host_setting()
        self._news = news
        self._poll = poll
        self._templates: dict[str, socket.socket] = {}
        self._taking: dict[Key, HostProcess] = {}
        self._numbers = 0
        self.by_number: dict[int, HostProcess] = {}
        self.by_channel: dict[int, HostProcess] = {}
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

    def prepare_first(self) -> None:
        """Starts the template that will be needed first. Raises OSError."""
        if self._first:
            self.prepare(self._first)

    def prepare(self, interpreter: str) -> socket.socket:
        """The interpreter's template, started if there is none. Raises OSError."""
        template = self._templates.get(interpreter)
        if template is None:
            template, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            try:
                arguments = ["template", self._root, self._dags, spawn.BLANK_TITLE]
                moves = [(theirs.fileno(), ORDERS_FD), (self._news, NEWS_FD)]
                spawn.python(interpreter, arguments, self._environment, moves)
            except OSError:
                template.close()
                raise
            finally:
                theirs.close()
            template.setblocking(False)
            self._templates[interpreter] = template
        return template

    def _start(self, key: Key) -> HostProcess:
        interpreter, bundle, file = key
        ours, theirs = socket.socketpair()
        self._numbers += 1
        order = json.dumps([self._numbers, bundle, file]).encode()
        try:
            self._order_host(interpreter, order, theirs)
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        host = HostProcess(self._numbers, key, ours, self._poll)
        self.by_number[host.number] = self.by_channel[ours.fileno()] = host
        return host

    def _order_host(self, interpreter: str, order: bytes, channel: socket.socket) -> None:
        try:
            socket.send_fds(self.prepare(interpreter), [order], [channel.fileno()])
        except (BrokenPipeError, ConnectionResetError):
            self._templates.pop(interpreter).close()
            socket.send_fds(self.prepare(interpreter), [order], [channel.fileno()])

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
        if self._taking.get(host.key) is host:
            del self._taking[host.key]
        host.let_go()

    def let_idle_go(self, now: float) -> None:
        """Lets go of hosts that have had nothing to do for long; ends those that hang in their import."""
        for host in list(self._taking.values()):
            if host.may_go(now):
                self.let_go(host)
            else:
                host.end_if_stuck(now)
        idle = sorted((host for host in self._taking.values() if host.is_idle), key=lambda host: host.last_use)
        for host in idle[:-MOST_IDLE]:
            if now - host.last_use >= CROWDED_SECONDS:
                self.let_go(host)

    def let_all_go(self) -> None:
        """Gives no host any more orders, and no template either."""
        for host in list(self._taking.values()):
            self.let_go(host)
        for template in self._templates.values():
            template.close()
        self._templates.clear()

    def forget(self, host: HostProcess) -> None:
        """The host is gone."""
        self.let_go(host)
        self.by_number.pop(host.number, None)
        self.by_channel.pop(host.channel.fileno(), None)
        self._poll.unregister(host.channel.fileno())
        host.channel.close()

"""The executor's port: orders in, evidence out. The scheduler knows attempts by this module alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from engine.model.attempt_files import AttemptSpec, AttemptStatus
from engine.model.moments import Micros


@dataclass(frozen=True, slots=True)
class LaunchOrder:
    """One attempt to start."""

    spec: AttemptSpec
    python: str
    """The interpreter (a path) for Python tasks and callbacks."""
    cold: bool = False
    """Start in an interpreter of its own instead of forking from the warm host."""
    connections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What the attempt is given the secrets of, as configured. They are looked up just before its process starts, and
    go into that process alone.
    """
    grace: float = 10.0
    """Seconds between SIGTERM and SIGKILL when the attempt has to end."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A DAG version as a host imports it: interpreter, bundle directory, DAG file relative to it."""

    python: str
    directory: str
    file: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """The attempt has begun: its claim stands on disk. From now on it is spent."""

    attempt_id: str
    pid: int
    pid_started: int
    """Start time of the process in clock ticks since boot."""
    boot_id: str
    at: Micros
    """When the claim was made, by the engine's clock."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The attempt is over and none of its processes is left to do harm. `status` None: lost, no evidence of its end."""

    attempt_id: str
    status: AttemptStatus | None
    result_bytes: int | None = None
    """Size of the attempt's `result.json`; None when it has none."""


@dataclass(frozen=True, slots=True)
class SpawnFailed:
    """The attempt could not be started and is not spent: the same id may be launched again."""

    attempt_id: str
    error: str


@dataclass(frozen=True, slots=True)
class Unkillable:
    """SIGKILL was sent, and something of the attempt still does not end; told again while that lasts, then Ended."""

    attempt_id: str
    why: str


Evidence: TypeAlias = Claimed | Ended | SpawnFailed | Unkillable
Deliver: TypeAlias = Callable[[Sequence[Evidence]], None]
"""Takes a batch of evidence, in order, on the event loop. Never called from within a call of the executor."""


@dataclass(frozen=True, slots=True)
class NeverStarted:
    """No claim and nobody holds the lock: the same attempt may be started (again)."""


@dataclass(frozen=True, slots=True)
class Running:
    """Something of the attempt is alive. `pid` is None while the process has not written its claim yet."""

    pid: int | None
    pid_started: int | None
    boot_id: str | None


@dataclass(frozen=True, slots=True)
class Finished:
    """A whole status stands."""

    status: AttemptStatus


@dataclass(frozen=True, slots=True)
class Lost:
    """Begun, not alive, no status. A waiter may still be about to write one: `adopt` waits for that, then decides."""


Finding: TypeAlias = NeverStarted | Running | Finished | Lost


class Executor(Protocol):
    """Starts attempts, reports what became of them, ends them. All calls on the event loop's thread."""

    async def open(self, deliver: Deliver) -> None:
        """Gets ready to take orders. Evidence goes to `deliver`."""

    def launch(self, orders: Iterable[LaunchOrder]) -> None:
        """Writes the attempts' directories and has them started.

        What cannot be started comes back as SpawnFailed. An attempt that has begun before is watched, not started.
        """

    def warm(self, bundles: Iterable[Bundle]) -> None:
        """Imports these bundles ahead of their first attempt, and lets idle hosts of the same files' others go."""

    def kill(self, attempt_id: str, grace: float) -> None:
        """Ends an attempt: SIGTERM to all of it, after `grace` seconds SIGKILL until nothing is left, then Ended.

        An attempt that has not begun never will. A second call with a shorter grace shortens the first.
        """

    def stack(self, attempt_id: str) -> None:
        """Has an attempt that runs write into its log what it is doing: its processes, the stacks of Python threads."""

    def survey(self, attempt_id: str) -> Finding:
        """What the attempt's directory says now."""

    def adopt(self, attempt_ids: Iterable[str]) -> None:
        """Watches attempts that an earlier engine started; delivers their Claimed and, in the end, their Ended.

        One that has never begun comes back as SpawnFailed.
        """

    async def close(self) -> None:
        """Lets go of everything; attempts run on."""
